#include "auth/login_limiter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keyed_hash.h"
#include "base/host.h"
#include "base/memory.h"

enum {
    SLOTS_PER_BUCKET = 8,
    MS_PER_SECOND = 1000,
    NETWORK_BYTES = 8, /* of an IPv6 address; the rest its holder chooses (RFC 4291 2.5.4) */
};

struct slot {
    uint8_t key[KEYED_HASH_BYTES];
    unsigned failures;
    int64_t ends_ms; /* of the window that the first failure began */
};

struct login_limiter {
    pthread_mutex_t mutex; /* guards slots */
    struct slot *slots;
    struct keyed_hash hash; /* so that nobody can choose whose slot is taken */
    unsigned address_failures_max;
    const struct clock *clock;
};

static enum error_code refuse_until(struct login_limiter *limiter, int64_t ends_ms,
                                    struct error *err);
static int64_t blocked_until(struct login_limiter *limiter, struct str address, struct str name,
                             unsigned failures_max);
static unsigned count_one(struct login_limiter *limiter, struct str address, struct str name);
static void key_of(const struct login_limiter *limiter, struct str address, struct str name,
                   uint8_t key_out[KEYED_HASH_BYTES]);
static struct str origin_of(struct str address, struct in6_addr *parsed);
static struct slot *bucket_of(struct login_limiter *limiter, const uint8_t *key);
static struct slot *find(struct login_limiter *limiter, const uint8_t *key);
static struct slot *oldest(struct slot *bucket);

struct login_limiter *login_limiter_new(unsigned address_failures_max, const struct clock *clock)
{
    struct login_limiter *limiter = memory_new(1, sizeof(*limiter));

    (void)pthread_mutex_init(&limiter->mutex, NULL);
    limiter->slots = memory_new(LOGIN_LIMITER_ENTRIES, sizeof(*limiter->slots));
    keyed_hash_init(&limiter->hash);
    limiter->address_failures_max = address_failures_max;
    limiter->clock = clock;
    return limiter;
}

void login_limiter_free(struct login_limiter *limiter)
{
    if (!limiter) {
        return;
    }
    (void)pthread_mutex_destroy(&limiter->mutex);
    free(limiter->slots);
    keyed_hash_release(&limiter->hash);
    free(limiter);
}

enum error_code login_limiter_check(struct login_limiter *limiter, struct str address,
                                    struct str name, struct error *err)
{
    const enum error_code code =
        refuse_until(limiter, blocked_until(limiter, address, name, LOGIN_FAILURES_MAX), err);

    return code ? code : login_limiter_check_address(limiter, address, err);
}

enum error_code login_limiter_check_address(struct login_limiter *limiter, struct str address,
                                            struct error *err)
{
    return refuse_until(
        limiter, blocked_until(limiter, address, (struct str){0}, limiter->address_failures_max),
        err);
}

static enum error_code refuse_until(struct login_limiter *limiter, int64_t ends_ms,
                                    struct error *err)
{
    const int64_t left_ms = ends_ms - clock_monotonic_ms(limiter->clock);
    unsigned left_s = 0;

    if (left_ms <= 0) {
        return OK;
    }
    left_s = (unsigned)(left_ms / MS_PER_SECOND + 1);
    (void)error_set(err, ERROR_TOO_MANY,
                    "too many failed logins from your address: wait %u seconds", left_s);
    if (err) {
        err->retry_after_s = left_s;
    }
    return ERROR_TOO_MANY;
}

/* When its window ends, if too many failures are in it; else 0. */
static int64_t blocked_until(struct login_limiter *limiter, struct str address, struct str name,
                             unsigned failures_max)
{
    uint8_t key[KEYED_HASH_BYTES];
    const struct slot *slot = NULL;
    int64_t ends_ms = 0;

    key_of(limiter, address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    slot = find(limiter, key);
    if (slot && slot->failures >= failures_max) {
        ends_ms = slot->ends_ms;
    }
    (void)pthread_mutex_unlock(&limiter->mutex);
    return ends_ms;
}

static void key_of(const struct login_limiter *limiter, struct str address, struct str name,
                   uint8_t key_out[KEYED_HASH_BYTES])
{
    struct in6_addr parsed;
    const struct str parts[] = {origin_of(address, &parsed), name};

    keyed_hash_of(&limiter->hash, parts, ARRAY_LEN(parts), key_out);
}

/* Whom an address belongs to: one of IPv6 has a whole network of them. Else the text itself. */
static struct str origin_of(struct str address, struct in6_addr *parsed)
{
    bool is_ipv4 = false;

    if (!host_parse_address(address, parsed, &is_ipv4)) {
        return address;
    }
    return (struct str){(const char *)parsed->s6_addr,
                        IN6_IS_ADDR_V4MAPPED(parsed) ? sizeof(*parsed) : NETWORK_BYTES};
}

static struct slot *bucket_of(struct login_limiter *limiter, const uint8_t *key)
{
    uint64_t number = 0;

    memcpy(&number, key, sizeof(number));
    return &limiter->slots[number % (LOGIN_LIMITER_ENTRIES / SLOTS_PER_BUCKET) * SLOTS_PER_BUCKET];
}

/* The slot whose window is open, or NULL. */
static struct slot *find(struct login_limiter *limiter, const uint8_t *key)
{
    const int64_t now_ms = clock_monotonic_ms(limiter->clock);
    struct slot *bucket = bucket_of(limiter, key);

    for (size_t i = 0; i < SLOTS_PER_BUCKET; i++) {
        if (bucket[i].ends_ms > now_ms && memcmp(bucket[i].key, key, KEYED_HASH_BYTES) == 0) {
            return &bucket[i];
        }
    }
    return NULL;
}

void login_limiter_count(struct login_limiter *limiter, struct str address, struct str name)
{
    (void)count_one(limiter, address, name);
    (void)count_one(limiter, address, (struct str){0});
}

void login_limiter_count_once(struct login_limiter *limiter, struct str address, struct str name)
{
    if (count_one(limiter, address, name) == 1) {
        (void)count_one(limiter, address, (struct str){0});
    }
}

/* How many there are now. */
static unsigned count_one(struct login_limiter *limiter, struct str address, struct str name)
{
    uint8_t key[KEYED_HASH_BYTES];
    struct slot *slot;
    unsigned failures = 0;

    key_of(limiter, address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    slot = find(limiter, key);
    if (!slot) {
        slot = oldest(bucket_of(limiter, key));
        memcpy(slot->key, key, sizeof(key));
        slot->failures = 0;
        slot->ends_ms = clock_monotonic_ms(limiter->clock) + LOGIN_WINDOW_MS;
    }
    failures = ++slot->failures;
    (void)pthread_mutex_unlock(&limiter->mutex);
    return failures;
}

static struct slot *oldest(struct slot *bucket)
{
    struct slot *first = &bucket[0];

    for (size_t i = 1; i < SLOTS_PER_BUCKET; i++) {
        if (bucket[i].ends_ms < first->ends_ms) {
            first = &bucket[i];
        }
    }
    return first;
}
