#pragma once

#include <stddef.h>
#include <stdint.h>

/* What one thread has seen: how long each request took, and how many failed. */
struct recorder {
    uint32_t *latencies_us;
    size_t count;
    size_t capacity;
    uint64_t failed;
    uint64_t bytes; /* of bodies, in the direction that is measured */
};

void recorder_release(struct recorder *recorder);
void recorder_add(struct recorder *recorder, int64_t latency_us);

/* Moves what `from` holds to the end of `to`. */
void recorder_merge(struct recorder *to, struct recorder *from);

/* One line of JSON behind the mark that bench/run looks for. Sorts the latencies. */
void recorder_print(struct recorder *recorder, int64_t elapsed_us);
