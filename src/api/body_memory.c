#include "api/body_memory.h"

#include <assert.h>
#include <stdint.h>

static size_t held_by(const struct body_memory *memory, struct str owner);

void body_memory_init(struct body_memory *memory, size_t largest_bytes)
{
    const size_t enough = BODY_OWNERS * largest_bytes;

    memory->limit_bytes = enough > BODY_MEMORY_BYTES ? enough : BODY_MEMORY_BYTES;
    memory->left_bytes = memory->limit_bytes;
    (void)pthread_mutex_init(&memory->mutex, NULL);
    list_init(&memory->holders);
}

void body_memory_release(struct body_memory *memory)
{
    assert(memory->left_bytes == memory->limit_bytes);
    (void)pthread_mutex_destroy(&memory->mutex);
}

bool body_memory_take(struct body_memory *memory, struct body_share *share, size_t bytes)
{
    const size_t share_bytes = memory->limit_bytes / BODY_OWNERS;
    const size_t more = bytes > share->bytes ? bytes - share->bytes : 0;
    const size_t reserve = bytes > BODY_SMALL_BYTES ? share_bytes : 0;
    bool is_taken = more == 0;

    if (is_taken) {
        return true;
    }
    (void)pthread_mutex_lock(&memory->mutex);
    if (memory->left_bytes >= more + reserve &&
        held_by(memory, share->owner) + more <= share_bytes) {
        if (share->bytes == 0) {
            list_init(&share->node);
            list_append(&memory->holders, &share->node);
        }
        memory->left_bytes -= more;
        share->bytes = bytes;
        is_taken = true;
    }
    (void)pthread_mutex_unlock(&memory->mutex);
    return is_taken;
}

static size_t held_by(const struct body_memory *memory, struct str owner)
{
    size_t bytes = 0;

    for (const struct list_node *node = memory->holders.next; node != &memory->holders;
         node = node->next) {
        const struct body_share *share = (const struct body_share *)(const void *)node;

        bytes += str_equal(share->owner, owner) ? share->bytes : 0;
    }
    return bytes;
}

void body_memory_give(struct body_memory *memory, struct body_share *share)
{
    if (share->bytes == 0) {
        return;
    }
    (void)pthread_mutex_lock(&memory->mutex);
    list_remove(&share->node);
    memory->left_bytes += share->bytes;
    share->bytes = 0;
    (void)pthread_mutex_unlock(&memory->mutex);
}
