#include "tests/support/blob_helper.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

static bool content_is(struct blob_store *store, const struct blob_content *content,
                       struct str bytes);
static bool remote_is(struct blob_store *store, const struct blob_content *content,
                      struct str bytes);
static bool file_is(int fd, struct str bytes);

char *test_bytes_new(size_t length, unsigned seed)
{
    char *bytes = memory_new(length + 1, 1);
    uint32_t state = seed * 2654435761U + 1;

    for (size_t i = 0; i < length; i++) {
        state = state * 1664525U + 1013904223U; /* a linear congruential generator */
        bytes[i] = (char)(state >> 24);
    }
    return bytes;
}

enum error_code test_blob_push(struct blob_store *store, struct str bytes, struct error *err)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, bytes);
    struct blob_writer *writer = NULL;
    struct blob_upload upload;
    enum error_code code;

    blob_upload_init(&upload, DIGEST_SHA256);
    code = blob_writer_open(store, &upload, &writer, err);
    if (!code) {
        code = blob_writer_write(writer, bytes, err);
    }
    if (!code) {
        code = blob_writer_commit(writer, &digest, NULL, err);
    }
    blob_writer_free(writer);
    return code;
}

bool test_blob_is(struct blob_store *store, const struct digest *digest, struct str bytes)
{
    struct blob_content content;
    bool is_same;

    if (blob_store_read(store, digest, NULL, &content, NULL)) {
        return false;
    }
    is_same = content_is(store, &content, bytes);
    blob_content_release(&content);
    return is_same;
}

static bool content_is(struct blob_store *store, const struct blob_content *content,
                       struct str bytes)
{
    if (content->size_bytes != bytes.length) {
        return false;
    }
    switch (content->kind) {
    case BLOB_IN_FILE:
        return file_is(content->fd, bytes);
    case BLOB_IN_MEMORY:
        return str_equal(content->bytes, bytes);
    case BLOB_REMOTE:
        return remote_is(store, content, bytes);
    }
    abort();
}

/* In two parts, to see that both are where they should be. */
static bool remote_is(struct blob_store *store, const struct blob_content *content,
                      struct str bytes)
{
    const size_t middle = bytes.length / 3;
    const struct blob_part parts[] = {{0, middle}, {middle, bytes.length - middle}};
    bool is_same = true;

    for (size_t i = 0; is_same && i < ARRAY_LEN(parts); i++) {
        const size_t begin = (size_t)parts[i].offset_bytes;
        struct strbuf got;

        strbuf_init(&got, parts[i].length);
        is_same = !blob_store_read_part(store, content, &parts[i], &got, NULL) &&
                  str_equal(strbuf_str(&got), str_slice(bytes, begin, begin + parts[i].length));
        strbuf_release(&got);
    }
    return is_same;
}

/* Reads one byte more than there should be. */
static bool file_is(int fd, struct str bytes)
{
    char *buffer = memory_new(bytes.length + 1, 1);
    size_t length = 0;
    ssize_t got = 1;
    bool is_same;

    while (got > 0) {
        got = pread(fd, buffer + length, bytes.length + 1 - length, (off_t)length);
        length += got > 0 ? (size_t)got : 0;
    }
    is_same = got == 0 && str_equal((struct str){buffer, length}, bytes);
    free(buffer);
    return is_same;
}

bool test_blob_is_missing(struct blob_store *store, const struct digest *digest)
{
    struct blob_content content;
    struct error err = {0};

    if (blob_store_read(store, digest, NULL, &content, &err) == ERROR_NOT_FOUND) {
        return err.topic == ABOUT_BLOB && err.message[0] != '\0';
    }
    return false;
}
