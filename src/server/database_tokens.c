#include "server/database_tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "aws/signature.h"
#include "base/memory.h"

/* "Connecting to your DB instance using IAM authentication" in the Amazon RDS User Guide. */
enum {
    TOKEN_LIFETIME_S = 15 * 60,
    TOKEN_USE_MS = 10 * 60 * MS_PER_SECOND, /* the clocks of both may differ */
    KEYS_MARGIN_MS = 30 * MS_PER_SECOND,    /* a token is worth no more than its keys */
    TOKENS_MAX = 32,                        /* more servers than a URL may name */
    HOST_MAX_BYTES = 512,
};

struct kept_token {
    char *host;
    char *user;
    uint16_t port;
    struct strbuf text;
    int64_t made_ms; /* wall clock, as the next */
    int64_t until_ms;
};

struct database_tokens {
    struct database_tokens_config config;
    pthread_mutex_t mutex; /* guards all below */
    struct kept_token kept[TOKENS_MAX];
    size_t count;
};

struct database_tokens *database_tokens_new(const struct database_tokens_config *config)
{
    struct database_tokens *tokens = memory_new(1, sizeof(*tokens));

    tokens->config = *config;
    (void)pthread_mutex_init(&tokens->mutex, NULL);
    return tokens;
}

static void kept_token_release(struct kept_token *kept)
{
    strbuf_release(&kept->text);
    free(kept->host);
    free(kept->user);
}

void database_tokens_free(struct database_tokens *tokens)
{
    if (!tokens) {
        return;
    }
    for (size_t i = 0; i < tokens->count; i++) {
        kept_token_release(&tokens->kept[i]);
    }
    (void)pthread_mutex_destroy(&tokens->mutex);
    free(tokens);
}

enum error_code database_token_sign(const struct aws_keys *keys, const char *region, int64_t now_ms,
                                    const struct database_server *server, struct strbuf *token,
                                    struct error *err)
{
    static const char scheme[] = "https://";
    const struct aws_scope scope = {.region = region, .service = "rds-db", .now_ms = now_ms};
    const struct aws_pair query[] = {{STR_LITERAL("Action"), STR_LITERAL("connect")},
                                     {STR_LITERAL("DBUser"), str_from(server->user)}};
    struct strbuf host;
    struct strbuf url;
    enum error_code code = OK;

    strbuf_init(&host, HOST_MAX_BYTES);
    strbuf_init_secret(&url, AWS_URL_MAX_BYTES);
    strbuf_append_format(&host, "%s:%u", server->host, (unsigned)server->port);
    code = aws_presign(keys, &scope,
                       &(struct aws_request){.method = "GET",
                                             .scheme = "https",
                                             .host = strbuf_str(&host),
                                             .path = STR_LITERAL("/"),
                                             .query = query,
                                             .query_count = ARRAY_LEN(query)},
                       TOKEN_LIFETIME_S, &url, err);
    if (!code && host.is_truncated) {
        code = error_set(err, ERROR_TOO_LARGE, "the database's host name is too long");
    }
    if (!code) {
        strbuf_append(token, str_from_index(strbuf_str(&url), sizeof(scheme) - 1));
    }
    strbuf_release(&url);
    strbuf_release(&host);
    return code;
}

static bool is_for(const struct kept_token *kept, const struct database_server *server)
{
    return kept->port == server->port && strcmp(kept->host, server->host) == 0 &&
           strcmp(kept->user, server->user) == 0;
}

/* With the mutex. NULL: there is none. */
static struct kept_token *tokens_find(struct database_tokens *tokens,
                                      const struct database_server *server)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (is_for(&tokens->kept[i], server)) {
            return &tokens->kept[i];
        }
    }
    return NULL;
}

/* False also of one from the future: the clock was set back. */
static bool copy_kept(struct database_tokens *tokens, const struct database_server *server,
                      struct strbuf *password)
{
    const int64_t now_ms = clock_wall_ms(tokens->config.clock);
    const struct kept_token *kept = NULL;
    bool is_good = false;

    (void)pthread_mutex_lock(&tokens->mutex);
    kept = tokens_find(tokens, server);
    is_good = kept && kept->made_ms <= now_ms && now_ms < kept->until_ms;
    if (is_good) {
        strbuf_append(password, strbuf_str(&kept->text));
    }
    (void)pthread_mutex_unlock(&tokens->mutex);
    return is_good;
}

/* Where there is no room, it is made again each time. */
static void tokens_keep(struct database_tokens *tokens, const struct database_server *server,
                        struct str token, int64_t made_ms, int64_t until_ms)
{
    struct kept_token *kept = NULL;

    (void)pthread_mutex_lock(&tokens->mutex);
    kept = tokens_find(tokens, server);
    if (!kept && tokens->count < TOKENS_MAX) {
        kept = &tokens->kept[tokens->count++];
        kept->host = memory_copy_text(server->host);
        kept->user = memory_copy_text(server->user);
        kept->port = server->port;
        strbuf_init_secret(&kept->text, AWS_URL_MAX_BYTES);
    }
    if (kept) {
        strbuf_clear(&kept->text);
        strbuf_append(&kept->text, token);
        kept->made_ms = made_ms;
        kept->until_ms = until_ms;
    }
    (void)pthread_mutex_unlock(&tokens->mutex);
}

static int64_t good_until(int64_t now_ms, int64_t keys_expire_ms)
{
    const int64_t until_ms = now_ms + TOKEN_USE_MS;

    return keys_expire_ms - KEYS_MARGIN_MS < until_ms ? keys_expire_ms - KEYS_MARGIN_MS : until_ms;
}

/* Getting keys may ask the network: not with the mutex. Two who make one at once make the same. */
static enum error_code tokens_get(void *context, const struct database_server *server,
                                  struct strbuf *password, struct error *err)
{
    struct database_tokens *tokens = context;
    struct aws_key_copy keys = {0};
    struct strbuf token;
    int64_t now_ms = 0;
    enum error_code code = OK;

    if (copy_kept(tokens, server, password)) {
        return OK;
    }
    code = aws_credentials_get(tokens->config.credentials, &keys, err);
    if (code) {
        return code;
    }
    now_ms = clock_wall_ms(tokens->config.clock);
    strbuf_init_secret(&token, AWS_URL_MAX_BYTES);
    code = database_token_sign(&keys.keys, tokens->config.region, now_ms, server, &token, err);
    if (!code) {
        tokens_keep(tokens, server, strbuf_str(&token), now_ms,
                    good_until(now_ms, keys.expires_ms));
        strbuf_append(password, strbuf_str(&token));
    }
    strbuf_release(&token);
    aws_key_copy_release(&keys);
    return code;
}

/* The keys may have been replaced since it was signed. */
static void tokens_doubt(void *context, const struct database_server *server)
{
    struct database_tokens *tokens = context;
    struct kept_token *kept = NULL;

    (void)pthread_mutex_lock(&tokens->mutex);
    kept = tokens_find(tokens, server);
    if (kept) {
        kept->until_ms = INT64_MIN;
    }
    (void)pthread_mutex_unlock(&tokens->mutex);
}

struct database_passwords database_tokens_passwords(struct database_tokens *tokens)
{
    return (struct database_passwords){tokens_get, tokens_doubt, tokens};
}
