#include "recorder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 4096 };

static void reserve(struct recorder *recorder, size_t count);
static int compare(const void *a, const void *b);
static uint32_t percentile(const struct recorder *recorder, unsigned percent);

void recorder_release(struct recorder *recorder)
{
    free(recorder->latencies_us);
    *recorder = (struct recorder){.count = 0};
}

void recorder_add(struct recorder *recorder, int64_t latency_us)
{
    reserve(recorder, recorder->count + 1);
    recorder->latencies_us[recorder->count++] = latency_us < 0            ? 0
                                                : latency_us > UINT32_MAX ? UINT32_MAX
                                                                          : (uint32_t)latency_us;
}

static void reserve(struct recorder *recorder, size_t count)
{
    size_t capacity = recorder->capacity > 0 ? recorder->capacity : FIRST_CAPACITY;

    if (count <= recorder->capacity) {
        return;
    }
    while (capacity < count) {
        capacity *= 2;
    }
    recorder->latencies_us =
        memory_resize(recorder->latencies_us, capacity, sizeof(*recorder->latencies_us));
    recorder->capacity = capacity;
}

void recorder_merge(struct recorder *to, struct recorder *from)
{
    if (from->count > 0) {
        reserve(to, to->count + from->count);
        memcpy(to->latencies_us + to->count, from->latencies_us,
               from->count * sizeof(*to->latencies_us));
        to->count += from->count;
    }
    to->failed += from->failed;
    to->bytes += from->bytes;
    recorder_release(from);
}

void recorder_print(struct recorder *recorder, int64_t elapsed_us)
{
    if (recorder->count > 0) {
        qsort(recorder->latencies_us, recorder->count, sizeof(*recorder->latencies_us), compare);
    }
    (void)printf("\nBENCH {\"requests\":%zu,\"seconds\":%.6f,\"bytes\":%" PRIu64
                 ",\"failed\":%" PRIu64 ",\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u,"
                 "\"max_us\":%u}\n",
                 recorder->count, (double)elapsed_us / 1e6, recorder->bytes, recorder->failed,
                 percentile(recorder, 50), percentile(recorder, 90), percentile(recorder, 99),
                 percentile(recorder, 100));
    (void)fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* The smallest latency that so many percent do not exceed. */
static uint32_t percentile(const struct recorder *recorder, unsigned percent)
{
    const size_t rank = (recorder->count * percent + 99) / 100;

    return rank == 0 ? 0 : recorder->latencies_us[rank - 1];
}
