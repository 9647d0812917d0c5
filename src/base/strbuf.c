#include "base/strbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY_BYTES = 64 };

/* What text points to before anything is owned; nothing ever writes to it. */
static char nothing[1];

void strbuf_init(struct strbuf *buf, size_t limit_bytes)
{
    *buf = (struct strbuf){.text = nothing, .limit_bytes = limit_bytes};
}

void strbuf_init_secret(struct strbuf *buf, size_t limit_bytes)
{
    strbuf_init(buf, limit_bytes);
    buf->is_secret = true;
}

void strbuf_release(struct strbuf *buf)
{
    if (buf->is_secret) {
        memory_wipe(buf->text, buf->length);
    }
    if (buf->capacity_bytes > 0) {
        free(buf->text);
    }
    *buf = (struct strbuf){
        .text = nothing, .limit_bytes = buf->limit_bytes, .is_secret = buf->is_secret};
}

void strbuf_clear(struct strbuf *buf)
{
    if (buf->is_secret) {
        memory_wipe(buf->text, buf->length);
    }
    buf->length = 0;
    buf->is_truncated = false;
    if (buf->capacity_bytes > 0) {
        buf->text[0] = '\0';
    }
}

static void strbuf_grow(struct strbuf *buf, size_t capacity)
{
    char *text = buf->capacity_bytes > 0 ? buf->text : NULL;

    if (buf->is_secret && text) { /* realloc would leave the old copy as it is */
        text = memcpy(memory_new(capacity, 1), buf->text, buf->length);
        memory_wipe(buf->text, buf->length);
        free(buf->text);
    } else {
        text = memory_resize(text, capacity, 1);
    }
    buf->text = text;
    buf->capacity_bytes = capacity;
}

static bool make_room(struct strbuf *buf, size_t more)
{
    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes : FIRST_CAPACITY_BYTES;

    if (buf->is_truncated || more > buf->limit_bytes - buf->length) {
        buf->is_truncated = true;
        return false;
    }
    while (capacity < buf->length + more + 1) {
        capacity *= 2;
    }
    if (capacity != buf->capacity_bytes) {
        strbuf_grow(buf, capacity);
    }
    return true;
}

void strbuf_append(struct strbuf *buf, struct str bytes)
{
    if (bytes.length == 0 || !make_room(buf, bytes.length)) {
        return;
    }
    memcpy(buf->text + buf->length, bytes.bytes, bytes.length);
    buf->length += bytes.length;
    buf->text[buf->length] = '\0';
}

void strbuf_append_text(struct strbuf *buf, const char *text)
{
    strbuf_append(buf, str_from(text));
}

void strbuf_append_byte(struct strbuf *buf, char byte)
{
    strbuf_append(buf, (struct str){&byte, 1});
}

void strbuf_append_uint64(struct strbuf *buf, uint64_t number)
{
    char digits[20];
    size_t begin = sizeof(digits);

    do {
        digits[--begin] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    strbuf_append(buf, (struct str){digits + begin, sizeof(digits) - begin});
}

void strbuf_append_format(struct strbuf *buf, const char *format, ...)
{
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (length <= 0 || !make_room(buf, (size_t)length)) {
        return;
    }
    va_start(values, format);
    (void)vsnprintf(buf->text + buf->length, (size_t)length + 1, format, values);
    va_end(values);
    buf->length += (size_t)length;
}

void strbuf_remove_front(struct strbuf *buf, size_t length)
{
    assert(length <= buf->length);
    if (length == 0) {
        return;
    }
    memmove(buf->text, buf->text + length, buf->length - length + 1);
    buf->length -= length;
}

char *strbuf_take(struct strbuf *buf)
{
    char *text = buf->capacity_bytes > 0 ? buf->text : NULL;

    buf->capacity_bytes = 0;
    buf->length = 0;
    strbuf_release(buf);
    return text;
}

struct str strbuf_str(const struct strbuf *buf)
{
    return (struct str){buf->text, buf->length};
}
