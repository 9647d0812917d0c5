#include "http/input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY_BYTES = 4096 };

void input_release(struct input *input)
{
    if (input->bytes) {
        explicit_bzero(input->bytes, input->end);
    }
    free(input->bytes);
    *input = (struct input){0};
}

struct str input_str(const struct input *input)
{
    if (input->end == input->begin) {
        return (struct str){0};
    }
    return (struct str){input->bytes + input->begin, input->end - input->begin};
}

void input_consume(struct input *input, size_t length)
{
    assert(length <= input->end - input->begin);
    input->begin += length;
}

void input_wipe_used(struct input *input)
{
    if (input->begin > 0) {
        explicit_bzero(input->bytes, input->begin);
    }
}

static void move_to_front(struct input *input)
{
    if (input->begin > 0) {
        const size_t length = input->end - input->begin;

        memmove(input->bytes, input->bytes + input->begin, length);
        explicit_bzero(input->bytes + length, input->end - length);
        input->end = length;
        input->begin = 0;
    }
}

static void input_grow(struct input *input, size_t capacity)
{
    char *bytes = memory_resize(NULL, capacity, 1);

    if (input->bytes) { /* realloc would leave the old copy as it is */
        memcpy(bytes, input->bytes, input->end);
        explicit_bzero(input->bytes, input->end);
        free(input->bytes);
    }
    input->bytes = bytes;
    input->capacity_bytes = capacity;
}

size_t input_reserve(struct input *input, size_t limit_bytes)
{
    move_to_front(input);
    if (input->end == input->capacity_bytes && input->capacity_bytes < limit_bytes) {
        const size_t doubled =
            input->capacity_bytes == 0 ? FIRST_CAPACITY_BYTES : 2 * input->capacity_bytes;

        input_grow(input, doubled < limit_bytes ? doubled : limit_bytes);
    }
    return input->capacity_bytes - input->end;
}

char *input_end(struct input *input)
{
    return input->bytes + input->end;
}

void input_extend(struct input *input, size_t length)
{
    assert(length <= input->capacity_bytes - input->end);
    input->end += length;
}

void input_append(struct input *input, struct str bytes)
{
    if (bytes.length == 0) {
        return;
    }
    if (bytes.length > input->capacity_bytes - input->end) {
        input_grow(input, input->end + bytes.length);
    }
    memcpy(input->bytes + input->end, bytes.bytes, bytes.length);
    input->end += bytes.length;
}
