#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "layers/layer_reader.h"

/* Few, so that an input that unpacks to much is over soon. */
enum { MAX_BYTES = 1024 * 1024, MAX_ENTRIES = 100, MAX_TIME_MS = 10 * 1000 };

struct input {
    struct str bytes;
    size_t read_bytes;
};

static enum error_code read_input(void *context, char *buffer, size_t capacity, size_t *length_out,
                                  struct error *err)
{
    struct input *input = context;
    const size_t length = input->bytes.length < capacity ? input->bytes.length : capacity;

    (void)err;
    memcpy(buffer, input->bytes.bytes, length);
    input->bytes = str_from_index(input->bytes, length);
    input->read_bytes += length;
    *length_out = length;
    return OK;
}

static bool count(void *context, const struct layer_entry *entry)
{
    size_t *entries = context;

    assert(entry->name.length == 0 || entry->name.bytes);
    return ++*entries <= MAX_ENTRIES;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct layer_limits limits = {MAX_BYTES, MAX_BYTES, MAX_ENTRIES, MAX_TIME_MS,
                                        &clock_system};
    struct input input = {.bytes = {(const char *)bytes, length}};
    const struct layer_input source = {&input, read_input};
    size_t entries = 0;
    const struct layer_visitor visitor = {&entries, count};
    struct strbuf content;

    (void)!layer_list(&source, &limits, &visitor, NULL);
    assert(entries <= MAX_ENTRIES + 1);
    input = (struct input){.bytes = {(const char *)bytes, length}};
    strbuf_init(&content, MAX_BYTES);
    (void)!layer_read_file(&source, &limits, "scm-source.json", &content, NULL);
    strbuf_release(&content);
    return 0;
}
