#include <assert.h>
#include <stdlib.h>

#include "auth/claims.h"
#include "auth/oidc_keys.h"
#include "auth/sources.h"
#include "base/memory.h"

struct oidc_source {
    struct identity_source base; /* first */
    struct oidc_config config;
    struct oidc_issuer issuer;
    struct oidc_keys *keys;
};

static const struct oidc_source *oidc_of(const struct identity_source *base)
{
    return (const struct oidc_source *)base; /* its first member */
}

/* A bad one of this issuer too: it is for us to say why it is refused. */
static enum source_interest oidc_interest(const struct identity_source *base,
                                          const struct credentials *credentials)
{
    const struct oidc_source *oidc = oidc_of(base);

    if (credentials->kind != CREDENTIALS_TOKEN ||
        !jwt_names_issuer(credentials->secret, oidc->config.issuer)) {
        return SOURCE_IGNORES;
    }
    return SOURCE_DECIDES;
}

/* Issuers change their keys at any time. Without newer ones the message is that of the known. */
static enum error_code oidc_verify_with_newer(const struct oidc_source *oidc, const struct jwt *jwt,
                                              const struct key_set *known, struct error *err)
{
    struct key_set *set = NULL;
    enum error_code code = oidc_keys_get_newer(oidc->keys, known, &set, err);

    if (!code) {
        code = key_set_verify(set, jwt, err);
    }
    key_set_release(set);
    return code;
}

static enum error_code oidc_verify(const struct oidc_source *oidc, const struct jwt *jwt,
                                   struct error *err)
{
    struct key_set *set = NULL;
    struct error reason = {0}; /* set by the first try even if the second is the good one */
    enum error_code code = oidc_keys_get(oidc->keys, &set, err);

    if (code) {
        return code;
    }
    code = key_set_verify(set, jwt, &reason);
    if (code == ERROR_NOT_FOUND) {
        code = oidc_verify_with_newer(oidc, jwt, set, &reason);
    }
    key_set_release(set);
    if (code == ERROR_NOT_FOUND) {
        code = ERROR_UNAUTHENTICATED;
    }
    return code ? error_set(err, code, "%s", reason.message) : OK;
}

static enum error_code oidc_read_claims(const struct oidc_source *oidc, const struct jwt *jwt,
                                        int64_t now_ms, struct identity **identity_out,
                                        struct error *err)
{
    const struct claim_rules rules = {
        .issuer = oidc->config.issuer,
        .audience = oidc->config.audience,
        .now_ms = now_ms,
        .leeway_ms = oidc->config.leeway_ms,
    };
    const enum error_code code = claims_check(jwt->claims, &rules, err);

    return code ? code
                : claims_read(jwt->claims, &oidc->config.claims, claims_expires_ms(jwt->claims),
                              identity_out, err);
}

static enum error_code oidc_judge(const struct oidc_source *oidc, struct str token,
                                  bool may_have_expired, struct identity **identity_out,
                                  struct error *err)
{
    int64_t now_ms = clock_wall_ms(oidc->config.clock);
    struct jwt jwt = {0};
    enum error_code code = jwt_parse(token, &jwt, err);

    if (code) {
        return code;
    }
    code = oidc_verify(oidc, &jwt, err);
    if (may_have_expired && claims_expires_ms(jwt.claims) <= now_ms) {
        now_ms = claims_expires_ms(jwt.claims) - 1; /* as it was when its time was not over yet */
    }
    if (!code) {
        code = oidc_read_claims(oidc, &jwt, now_ms, identity_out, err);
    }
    jwt_release(&jwt);
    return code;
}

static enum error_code oidc_identify(struct identity_source *base,
                                     const struct credentials *credentials,
                                     struct identity **identity_out, struct error *err)
{
    return oidc_judge(oidc_of(base), credentials->secret, false, identity_out, err);
}

static enum error_code oidc_identify_expired(struct identity_source *base,
                                             const struct credentials *credentials,
                                             struct identity **identity_out, struct error *err)
{
    return oidc_judge(oidc_of(base), credentials->secret, true, identity_out, err);
}

/* Asks anew, whatever is known. */
static enum error_code oidc_check(struct identity_source *base, struct strbuf *report,
                                  struct error *err)
{
    const struct oidc_source *oidc = oidc_of(base);
    const char *issuer = oidc->config.issuer;
    struct oidc_fetched fetched = {0};
    enum error_code code = oidc_fetch_keys(&oidc->issuer, &fetched, err);
    size_t count = 0;

    if (code) {
        return code;
    }
    count = key_set_count(fetched.keys);
    if (count == 0) {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "the issuer %s publishes no usable key: it must have one for an algorithm "
                         "of RS256, PS256 or ES256 or a stronger one",
                         issuer);
    } else {
        strbuf_append_format(report, "oidc: %s has %zu usable %s, for ", issuer, count,
                             count == 1 ? "key" : "keys");
        key_set_append_algorithms(fetched.keys, report);
        strbuf_append_byte(report, '\n');
    }
    key_set_release(fetched.keys);
    return code;
}

static void oidc_free(struct identity_source *base)
{
    oidc_keys_free(oidc_of(base)->keys);
    free(base);
}

static const struct identity_source_driver oidc_driver = {
    .name = "oidc",
    .interest = oidc_interest,
    .identify = oidc_identify,
    .identify_expired = oidc_identify_expired,
    .check = oidc_check,
    .free = oidc_free,
};

struct identity_source *oidc_source_new(const struct oidc_config *config)
{
    struct oidc_source *oidc = memory_new(1, sizeof(*oidc));

    assert(config->issuer);
    assert(config->issuer[0] != '\0');
    oidc->base.driver = &oidc_driver;
    oidc->config = *config;
    oidc->issuer = (struct oidc_issuer){config->issuer, config->jwks_url, config->client};
    oidc->keys = oidc_keys_new(&oidc->issuer, config->clock);
    return &oidc->base;
}
