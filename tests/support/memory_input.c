#include "tests/support/memory_input.h"

#include <string.h>

static enum error_code memory_read(void *context, char *buffer, size_t capacity, size_t *length_out,
                                   struct error *err);
static int64_t tick(const struct clock *clock);

void memory_input_init(struct memory_input *memory, struct str bytes)
{
    *memory = (struct memory_input){
        .input = {.context = memory, .read = memory_read},
        .bytes = bytes,
        .piece_max_bytes = SIZE_MAX,
        .fail_at_bytes = SIZE_MAX,
    };
}

static enum error_code memory_read(void *context, char *buffer, size_t capacity, size_t *length_out,
                                   struct error *err)
{
    struct memory_input *memory = context;
    const size_t begin = memory->read_bytes;
    const size_t wanted = capacity < memory->piece_max_bytes ? capacity : memory->piece_max_bytes;
    const struct str piece = str_slice(memory->bytes, begin, begin + wanted);

    if (begin >= memory->fail_at_bytes) {
        return error_set(err, memory->fail_code, "the input failed");
    }
    if (piece.length > 0) {
        memcpy(buffer, piece.bytes, piece.length);
    }
    memory->read_bytes += piece.length;
    *length_out = piece.length;
    return OK;
}

void ticking_clock_init(struct ticking_clock *ticking, int64_t *now_ms, int64_t step_ms)
{
    *ticking = (struct ticking_clock){
        .clock = {.monotonic_ms = tick, .wall_ms = tick}, .now_ms = now_ms, .step_ms = step_ms};
}

static int64_t tick(const struct clock *clock)
{
    const struct ticking_clock *ticking = (const struct ticking_clock *)clock; /* first member */

    *ticking->now_ms += ticking->step_ms;
    return *ticking->now_ms;
}
