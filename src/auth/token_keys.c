#include "auth/token_keys.h"

#include <assert.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyed_hash.h"
#include "base/memory.h"
#include "metadata/token_keys.h"

enum {
    LIST_ARENA_BYTES = 64 * 1024,
    RELOAD_INTERVAL_MS = 1000,
    SEALED_BYTES = GCM_IV_SIZE + TOKEN_KEY_BYTES + GCM_DIGEST_SIZE,
};

struct token_keys {
    struct token_keys_config config;
    struct keyed_hash seal;                /* its key encrypts */
    pthread_mutex_t mutex;                 /* guards all below */
    struct token_key keys[TOKEN_KEYS_MAX]; /* newest first */
    size_t count;
    int64_t next_reload_ms; /* monotonic */
    unsigned long generation;
    bool needs_first; /* the metadata have none */
};

enum error_code token_keys_new(const struct token_keys_config *config, struct token_keys **keys_out,
                               struct error *err)
{
    struct token_keys *keys = NULL;
    enum error_code code = OK;

    if (config->secret.length < TOKEN_SECRET_MIN_BYTES) {
        return error_set(err, ERROR_INVALID,
                         "the secret must have at least %d bytes: `openssl rand -base64 48` makes "
                         "one",
                         TOKEN_SECRET_MIN_BYTES);
    }
    keys = memory_new(1, sizeof(*keys));
    keys->config = *config;
    keys->config.secret = (struct str){0};
    keyed_hash_derive(&keys->seal, config->secret, "pierone token keys");
    (void)pthread_mutex_init(&keys->mutex, NULL);
    code = token_keys_refresh(keys, err);
    if (code) {
        token_keys_free(keys);
        return code;
    }
    *keys_out = keys;
    return OK;
}

void token_keys_free(struct token_keys *keys)
{
    if (!keys) {
        return;
    }
    (void)pthread_mutex_destroy(&keys->mutex);
    explicit_bzero(keys, sizeof(*keys));
    free(keys);
}

static void token_keys_begin_cipher(const struct token_keys *keys, const char *id,
                                    const uint8_t *nonce, struct gcm_aes256_ctx *context_out)
{
    static_assert(sizeof(keys->seal.key) == AES256_KEY_SIZE, "the derived key is a key for AES");
    gcm_aes256_set_key(context_out, keys->seal.key);
    gcm_aes256_set_iv(context_out, GCM_IV_SIZE, nonce);
    gcm_aes256_update(context_out, RANDOM_ID_BYTES - 1, (const uint8_t *)id);
}

static bool unseal(const struct token_keys *keys, const struct token_key_record *record,
                   struct token_key *key_out)
{
    const uint8_t *const sealed = (const uint8_t *)record->sealed.bytes;
    struct gcm_aes256_ctx context;
    uint8_t tag[GCM_DIGEST_SIZE];
    bool is_good = false;

    if (record->sealed.length != SEALED_BYTES || record->id.length != RANDOM_ID_BYTES - 1) {
        return false;
    }
    *key_out = (struct token_key){.created_ms = record->created_ms};
    memcpy(key_out->id, record->id.bytes, record->id.length);
    token_keys_begin_cipher(keys, key_out->id, sealed, &context);
    gcm_aes256_decrypt(&context, TOKEN_KEY_BYTES, key_out->bytes, sealed + GCM_IV_SIZE);
    gcm_aes256_digest(&context, sizeof(tag), tag);
    is_good = memeql_sec(tag, sealed + GCM_IV_SIZE + TOKEN_KEY_BYTES, sizeof(tag)) == 1;
    explicit_bzero(&context, sizeof(context));
    if (!is_good) {
        explicit_bzero(key_out, sizeof(*key_out));
    }
    return is_good;
}

static bool is_listed(const struct token_key_list *list, const struct token_key *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_is(list->keys[i].id, key->id)) {
            return true;
        }
    }
    return false;
}

/* A key that does not open is of another secret: tokens signed with it are refused here. */
static size_t open_all(struct token_keys *keys, const struct token_key_list *list)
{
    size_t strange = 0;

    for (size_t i = 0; i < keys->count; i++) {
        keys->generation += is_listed(list, &keys->keys[i]) ? 0 : 1;
    }
    explicit_bzero(keys->keys, sizeof(keys->keys));
    keys->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (unseal(keys, &list->keys[i], &keys->keys[keys->count])) {
            keys->count++;
        } else {
            strange++;
        }
    }
    return strange;
}

/* Where all were revoked, those that are known stay until there is a new one to sign with. */
static void token_keys_take(struct token_keys *keys, const struct token_key_list *list)
{
    size_t strange = 0;

    (void)pthread_mutex_lock(&keys->mutex);
    keys->needs_first = list->count == 0;
    if (!keys->needs_first) {
        strange = open_all(keys, list);
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    if (strange > 0) {
        log_message(keys->config.log, LOG_WARNING, "strange_token_keys",
                    "%zu token keys in the metadata were sealed under another secret: all "
                    "instances need the same auth.secret_file",
                    strange);
    }
}

static enum error_code token_keys_load(struct token_keys *keys, struct error *err)
{
    struct token_key_list list;
    struct arena arena;
    enum error_code code = OK;

    arena_init(&arena, LIST_ARENA_BYTES);
    code = metadata_list_token_keys(keys->config.metadata, &arena, &list, err);
    if (!code) {
        token_keys_take(keys, &list);
    }
    arena_release(&arena);
    return code;
}

static bool needs_signer(struct token_keys *keys)
{
    const int64_t now_ms = clock_wall_ms(keys->config.clock);
    bool needs = false;

    (void)pthread_mutex_lock(&keys->mutex);
    needs = keys->needs_first || keys->count == 0 ||
            keys->keys[0].created_ms + TOKEN_KEY_SIGNS_MS <= now_ms;
    (void)pthread_mutex_unlock(&keys->mutex);
    return needs;
}

/* NONCE KEY TAG, with the id authenticated as well. */
static void keys_seal(const struct token_keys *keys, const struct token_key *key,
                      uint8_t sealed_out[SEALED_BYTES])
{
    uint8_t *const text = sealed_out + GCM_IV_SIZE;
    struct gcm_aes256_ctx context;

    random_fill(sealed_out, GCM_IV_SIZE);
    token_keys_begin_cipher(keys, key->id, sealed_out, &context);
    gcm_aes256_encrypt(&context, TOKEN_KEY_BYTES, text, key->bytes);
    gcm_aes256_digest(&context, GCM_DIGEST_SIZE, text + TOKEN_KEY_BYTES);
    explicit_bzero(&context, sizeof(context));
}

static enum error_code add_key(struct token_keys *keys, struct error *err)
{
    struct token_key key = {.created_ms = clock_wall_ms(keys->config.clock)};
    uint8_t sealed[SEALED_BYTES];
    const struct token_key_record record = {
        .id = {key.id, RANDOM_ID_BYTES - 1},
        .created_ms = key.created_ms,
        .sealed = {(const char *)sealed, sizeof(sealed)},
    };

    random_id(key.id);
    random_fill(key.bytes, sizeof(key.bytes));
    keys_seal(keys, &key, sealed);
    explicit_bzero(key.bytes, sizeof(key.bytes));
    return metadata_add_token_key(keys->config.metadata, &record, err);
}

enum error_code token_keys_refresh(struct token_keys *keys, struct error *err)
{
    const int64_t before_ms = clock_wall_ms(keys->config.clock) - TOKEN_KEY_VERIFIES_MS;
    enum error_code code = token_keys_load(keys, err);

    if (!code && needs_signer(keys)) {
        code = add_key(keys, err);
        if (!code) {
            code = metadata_remove_token_keys(keys->config.metadata, before_ms, err);
        }
        if (!code) {
            code = token_keys_load(keys, err);
        }
    }
    return code;
}

/*
 * The newest that all instances know by now: an unknown one is sought, but not more than once a
 * second, and a token that was refused meanwhile is remembered for some. Without any, the newest.
 */
static const struct token_key *choose_signer(const struct token_keys *keys)
{
    const int64_t newest_ms = clock_wall_ms(keys->config.clock) - TOKEN_KEY_SPREADS_MS;
    const int64_t oldest_ms = newest_ms - TOKEN_KEY_SIGNS_MS - TOKEN_KEY_SPREADS_MS;

    assert(keys->count > 0);
    for (size_t i = 0; i < keys->count; i++) {
        const int64_t created_ms = keys->keys[i].created_ms;

        if (created_ms <= newest_ms && created_ms >= oldest_ms) {
            return &keys->keys[i];
        }
    }
    return &keys->keys[0];
}

void token_keys_signer(struct token_keys *keys, struct token_key *key_out)
{
    (void)pthread_mutex_lock(&keys->mutex);
    *key_out = *choose_signer(keys);
    (void)pthread_mutex_unlock(&keys->mutex);
}

static bool token_keys_find_known(struct token_keys *keys, struct str id, struct token_key *key_out)
{
    const int64_t oldest_ms = clock_wall_ms(keys->config.clock) - TOKEN_KEY_VERIFIES_MS;
    bool is_found = false;

    (void)pthread_mutex_lock(&keys->mutex);
    for (size_t i = 0; i < keys->count && !is_found; i++) {
        if (str_is(id, keys->keys[i].id) && keys->keys[i].created_ms >= oldest_ms) {
            *key_out = keys->keys[i];
            is_found = true;
        }
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return is_found;
}

static bool may_reload(struct token_keys *keys)
{
    const int64_t now_ms = clock_monotonic_ms(keys->config.clock);
    bool may = false;

    (void)pthread_mutex_lock(&keys->mutex);
    may = now_ms >= keys->next_reload_ms;
    if (may) {
        keys->next_reload_ms = now_ms + RELOAD_INTERVAL_MS;
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return may;
}

bool token_keys_find(struct token_keys *keys, struct str id, struct token_key *key_out)
{
    struct error err;

    if (token_keys_find_known(keys, id, key_out)) {
        return true;
    }
    if (!may_reload(keys)) {
        return false;
    }
    if (token_keys_load(keys, &err)) {
        log_message(keys->config.log, LOG_ERROR, "token_keys_unread", "%s", err.message);
        return false;
    }
    return token_keys_find_known(keys, id, key_out);
}

unsigned long token_keys_generation(struct token_keys *keys)
{
    unsigned long generation = 0;

    (void)pthread_mutex_lock(&keys->mutex);
    generation = keys->generation;
    (void)pthread_mutex_unlock(&keys->mutex);
    return generation;
}
