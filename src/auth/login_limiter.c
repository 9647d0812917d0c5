#include "auth/login_limiter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/keyed_hash.h"
#include "base/memory.h"

enum {
    SLOTS_PER_BUCKET = 8,
    NETWORK_BYTES = 8, /* of an IPv6 address; the rest its holder chooses (RFC 4291 2.5.4) */
    SITE_BYTES = 6,    /* what one holder may well have (RFC 6177) */
};

struct slot {
    uint8_t key[KEYED_HASH_BYTES];
    unsigned failures;
    int64_t ends_ms; /* of the window that the first failure began, or of the trust */
};

struct login_limiter {
    pthread_mutex_t mutex; /* guards both */
    struct slot *failures;
    struct slot *trusted;   /* apart: whoever fails often must not push them out */
    struct keyed_hash hash; /* so that nobody can choose whose slot is taken */
    unsigned address_failures_max;
    const struct clock *clock;
};

/* Whom a failure counts for. */
struct origin {
    struct str address; /* as bytes, without what its holder chooses; else the text itself */
    struct str site;    /* of IPv6; else empty */
    struct in6_addr parsed;
};

struct login_limiter *login_limiter_new(unsigned address_failures_max, const struct clock *clock)
{
    struct login_limiter *limiter = memory_new(1, sizeof(*limiter));

    (void)pthread_mutex_init(&limiter->mutex, NULL);
    limiter->failures = memory_new(LOGIN_LIMITER_ENTRIES, sizeof(*limiter->failures));
    limiter->trusted = memory_new(LOGIN_LIMITER_ENTRIES, sizeof(*limiter->trusted));
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
    free(limiter->failures);
    free(limiter->trusted);
    keyed_hash_release(&limiter->hash);
    free(limiter);
}

static void find_origin(struct str address, struct origin *origin_out)
{
    bool is_ipv4 = false;

    *origin_out = (struct origin){.address = address};
    if (host_parse_address(address, &origin_out->parsed, &is_ipv4)) {
        const char *const bytes = (const char *)origin_out->parsed.s6_addr;
        const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&origin_out->parsed);

        origin_out->address =
            (struct str){bytes, is_mapped ? sizeof(origin_out->parsed) : NETWORK_BYTES};
        origin_out->site = (struct str){bytes, is_mapped ? 0 : SITE_BYTES};
    }
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

static void limiter_key(const struct login_limiter *limiter, struct str address, struct str name,
                        uint8_t key_out[KEYED_HASH_BYTES])
{
    const struct str parts[] = {address, name};

    keyed_hash_of(&limiter->hash, parts, ARRAY_LEN(parts), key_out);
}

static struct slot *limiter_bucket(struct slot *slots, const uint8_t *key)
{
    uint64_t number = 0;

    memcpy(&number, key, sizeof(number));
    return &slots[number % (LOGIN_LIMITER_ENTRIES / SLOTS_PER_BUCKET) * SLOTS_PER_BUCKET];
}

/* The slot whose window is open, or NULL. */
static struct slot *limiter_find(const struct login_limiter *limiter, struct slot *slots,
                                 const uint8_t *key)
{
    const int64_t now_ms = clock_monotonic_ms(limiter->clock);
    struct slot *bucket = limiter_bucket(slots, key);

    for (size_t i = 0; i < SLOTS_PER_BUCKET; i++) {
        if (bucket[i].ends_ms > now_ms && memcmp(bucket[i].key, key, KEYED_HASH_BYTES) == 0) {
            return &bucket[i];
        }
    }
    return NULL;
}

static unsigned failures_of(struct login_limiter *limiter, struct str address, struct str name,
                            int64_t *ends_ms_out)
{
    uint8_t key[KEYED_HASH_BYTES];
    const struct slot *slot = NULL;
    unsigned failures = 0;

    limiter_key(limiter, address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    slot = limiter_find(limiter, limiter->failures, key);
    if (slot) {
        failures = slot->failures;
        *ends_ms_out = slot->ends_ms;
    }
    (void)pthread_mutex_unlock(&limiter->mutex);
    return failures;
}

/* When its window ends, if too many failures are in it; else 0. */
static int64_t blocked_until(struct login_limiter *limiter, struct str address, struct str name,
                             unsigned failures_max)
{
    int64_t ends_ms = 0;

    return failures_of(limiter, address, name, &ends_ms) >= failures_max ? ends_ms : 0;
}

enum error_code login_limiter_check(struct login_limiter *limiter, struct str address,
                                    struct str name, struct error *err)
{
    struct origin origin;
    enum error_code code = OK;

    find_origin(address, &origin);
    code = refuse_until(limiter, blocked_until(limiter, origin.address, name, LOGIN_FAILURES_MAX),
                        err);
    return code ? code : login_limiter_check_address(limiter, address, err);
}

enum error_code login_limiter_check_address(struct login_limiter *limiter, struct str address,
                                            struct error *err)
{
    const struct str all = {0};
    struct origin origin;
    enum error_code code = OK;

    find_origin(address, &origin);
    code = refuse_until(
        limiter, blocked_until(limiter, origin.address, all, limiter->address_failures_max), err);
    if (!code && origin.site.length > 0) {
        code = refuse_until(limiter,
                            blocked_until(limiter, origin.site, all,
                                          LOGIN_SITE_FACTOR * limiter->address_failures_max),
                            err);
    }
    return code;
}

/* If it has none, that of the one that ends first. */
static struct slot *find_or_take(const struct login_limiter *limiter, struct slot *slots,
                                 const uint8_t *key, int64_t lifetime_ms)
{
    struct slot *const bucket = limiter_bucket(slots, key);
    struct slot *slot = limiter_find(limiter, slots, key);

    if (slot) {
        return slot;
    }
    slot = &bucket[0];
    for (size_t i = 1; i < SLOTS_PER_BUCKET; i++) {
        slot = bucket[i].ends_ms < slot->ends_ms ? &bucket[i] : slot;
    }
    *slot = (struct slot){.ends_ms = clock_monotonic_ms(limiter->clock) + lifetime_ms};
    memcpy(slot->key, key, sizeof(slot->key));
    return slot;
}

void login_limiter_trust(struct login_limiter *limiter, struct str address, struct str name)
{
    uint8_t key[KEYED_HASH_BYTES];
    struct origin origin;
    struct slot *slot = NULL;

    find_origin(address, &origin);
    limiter_key(limiter, origin.address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    slot = find_or_take(limiter, limiter->trusted, key, LOGIN_TRUST_MS);
    slot->ends_ms = clock_monotonic_ms(limiter->clock) + LOGIN_TRUST_MS;
    (void)pthread_mutex_unlock(&limiter->mutex);
}

enum login_rank login_limiter_rank(struct login_limiter *limiter, struct str address,
                                   struct str name)
{
    const struct str all = {0};
    uint8_t key[KEYED_HASH_BYTES];
    struct origin origin;
    int64_t ends_ms = 0;
    bool is_trusted = false;

    find_origin(address, &origin);
    limiter_key(limiter, origin.address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    is_trusted = limiter_find(limiter, limiter->trusted, key);
    (void)pthread_mutex_unlock(&limiter->mutex);
    if (is_trusted) {
        return LOGIN_TRUSTED;
    }
    return failures_of(limiter, origin.address, all, &ends_ms) > 0 ||
                   (origin.site.length > 0 && failures_of(limiter, origin.site, all, &ends_ms) > 0)
               ? LOGIN_SUSPECT
               : LOGIN_NEW;
}

/* How many there are now. */
static unsigned count_one(struct login_limiter *limiter, struct str address, struct str name)
{
    uint8_t key[KEYED_HASH_BYTES];
    unsigned failures = 0;

    limiter_key(limiter, address, name, key);
    (void)pthread_mutex_lock(&limiter->mutex);
    failures = ++find_or_take(limiter, limiter->failures, key, LOGIN_WINDOW_MS)->failures;
    (void)pthread_mutex_unlock(&limiter->mutex);
    return failures;
}

static void count_address(struct login_limiter *limiter, const struct origin *origin)
{
    (void)count_one(limiter, origin->address, (struct str){0});
    if (origin->site.length > 0) {
        (void)count_one(limiter, origin->site, (struct str){0});
    }
}

void login_limiter_count(struct login_limiter *limiter, struct str address, struct str name)
{
    struct origin origin;

    find_origin(address, &origin);
    (void)count_one(limiter, origin.address, name);
    count_address(limiter, &origin);
}

void login_limiter_count_once(struct login_limiter *limiter, struct str address, struct str name)
{
    struct origin origin;

    find_origin(address, &origin);
    if (count_one(limiter, origin.address, name) == 1) {
        count_address(limiter, &origin);
    }
}
