#include "server/admission.h"

#include "auth/registry_token.h"
#include "auth/sources.h"
#include "server/secret_file.h"

enum { LOOKUP_ANSWER_MAX_BYTES = 1024 * 1024 };

static enum error_code admission_open_client(const struct settings *settings,
                                             struct admission *admission, struct error *err)
{
    const struct http_client_config config = {
        .ca_file = settings->ca_file,
        .user_agent = "pieroned/" PIERONE_VERSION,
        .timeout_ms = settings->auth.lookup_timeout_ms,
        .answer_max_bytes = LOOKUP_ANSWER_MAX_BYTES,
    };

    return http_client_new(&config, &admission->client, err);
}

static struct claim_names claims_of(const struct settings *settings)
{
    struct claim_names claims = settings->auth.claims;

    claims.team = settings->teams.claim;
    return claims;
}

static void add_source(struct admission *admission, struct identity_source *source)
{
    if (source) {
        admission->sources[admission->source_count++] = source;
    }
}

/* What needs nobody first, what costs a question last. */
static void add_remote_sources(const struct settings *settings, struct admission *admission)
{
    const struct claim_names claims = claims_of(settings);
    const struct oidc_config oidc = {
        .issuer = settings->auth.oidc.issuer,
        .audience = settings->auth.oidc.audience,
        .jwks_url = settings->auth.oidc.jwks_url,
        .claims = claims,
        .leeway_ms = settings->auth.oidc.leeway_ms,
        .client = admission->client,
        .clock = &clock_system,
    };
    const struct introspection_config introspection = {
        .url = settings->auth.introspection.url,
        .client_id = settings->auth.introspection.client_id,
        .client_secret = settings->auth.introspection.client_secret,
        .token_url = settings->auth.introspection.token_url,
        .token_scope = settings->auth.introspection.token_scope,
        .audience = settings->auth.oidc.audience,
        .claims = claims,
        .client = admission->client,
        .clock = &clock_system,
    };
    const struct tokeninfo_config tokeninfo = {settings->auth.tokeninfo_url, claims,
                                               admission->client, &clock_system};
    const struct instance_config instance = {settings->auth.iidinfo_url, admission->client,
                                             &clock_system};

    add_source(admission, oidc.issuer ? oidc_source_new(&oidc) : NULL);
    add_source(admission, introspection.url ? introspection_source_new(&introspection) : NULL);
    add_source(admission, tokeninfo.url ? tokeninfo_source_new(&tokeninfo) : NULL);
    add_source(admission, instance.url ? instance_source_new(&instance) : NULL);
}

static void add_team_source(struct admission *admission, struct team_source *source)
{
    admission->team_sources[admission->team_source_count++] = source;
}

static void add_team_sources(const struct settings *settings, struct admission *admission)
{
    struct http_client *client = admission->client;

    if (settings->teams.team_service_url) {
        add_team_source(admission,
                        team_service_source_new(settings->teams.team_service_url,
                                                settings->teams.team_service_form, client));
    }
    if (settings->teams.kio_url) {
        add_team_source(
            admission, kio_source_new(settings->teams.kio_url, settings->teams.kio_prefix, client));
    }
    if (settings->teams.permission_service_url) {
        add_team_source(admission,
                        permission_source_new(settings->teams.permission_service_url, client));
    }
}

static enum error_code add_users(const struct settings *settings, struct log *log,
                                 struct admission *admission, struct error *err)
{
    const struct users_config config = {
        .path = settings->auth.users_file,
        .log = log,
    };
    struct identity_source *source = NULL;
    const enum error_code code = users_source_new(&config, &source, err);

    add_source(admission, source);
    return code;
}

static enum error_code admission_add_sources(const struct settings *settings, struct log *log,
                                             struct admission *admission, struct error *err)
{
    add_remote_sources(settings, admission);
    add_team_sources(settings, admission);
    return settings->auth.users_file ? add_users(settings, log, admission, err) : OK;
}

static enum error_code open_keys(const struct admission_config *config, struct admission *admission,
                                 struct error *err)
{
    const char *const path = config->settings->auth.secret_file;
    CLEANUP(strbuf_release) struct strbuf secret;
    struct token_keys_config keys = {
        .metadata = config->metadata, .clock = &clock_system, .log = config->log};
    enum error_code code = OK;

    strbuf_init_secret(&secret, SECRET_MAX_BYTES);
    code = path ? secret_file_read(path, &secret, err)
                : secret_file_need(config->secret_path, &secret, err);
    if (!code) {
        keys.secret = strbuf_str(&secret);
        keyed_hash_derive(&admission->login_hash, keys.secret, "pierone logins");
        code = token_keys_new(&keys, &admission->token_keys, err);
    }
    if (!code) {
        add_source(admission, registry_token_source_new(admission->token_keys, &clock_system));
    }
    return code;
}

void admission_release(struct admission *admission)
{
    authenticator_free(admission->authenticator);
    team_directory_free(admission->teams);
    for (size_t i = 0; i < admission->source_count; i++) {
        identity_source_free(admission->sources[i]);
    }
    for (size_t i = 0; i < admission->team_source_count; i++) {
        team_source_free(admission->team_sources[i]);
    }
    token_keys_free(admission->token_keys);
    keyed_hash_release(&admission->login_hash);
    http_client_free(admission->client);
    *admission = (struct admission){0};
}

static void open_caches(const struct admission_config *config, struct admission *admission)
{
    const struct authenticator_config authenticator = {
        .sources = admission->sources,
        .source_count = admission->source_count,
        .cache_entries = config->settings->auth.cache_entries,
        .cache_ms = config->settings->auth.cache_time_ms,
        .failures_max = config->settings->auth.failed_logins,
        .clock = &clock_system,
        .metrics = config->metrics,
    };
    const struct team_directory_config teams = {
        .sources = admission->team_sources,
        .source_count = admission->team_source_count,
        .cache_entries = config->settings->auth.cache_entries,
        .cache_ms = config->settings->auth.cache_time_ms,
        .clock = &clock_system,
        .metrics = config->metrics,
    };

    admission->authenticator = authenticator_new(&authenticator);
    admission->teams = team_directory_new(&teams);
}

enum error_code admission_open(const struct admission_config *config,
                               struct admission *admission_out, struct error *err)
{
    const struct settings *settings = config->settings;
    enum error_code code = OK;

    *admission_out = (struct admission){0};
    if (!auth_settings_has_provider(&settings->auth)) {
        return OK;
    }
    code = admission_open_client(settings, admission_out, err);
    if (!code) {
        code = admission_add_sources(settings, config->log, admission_out, err);
    }
    if (!code) {
        code = open_keys(config, admission_out, err);
    }
    if (code) {
        admission_release(admission_out);
        return code;
    }
    open_caches(config, admission_out);
    return OK;
}

struct api_login admission_login(const struct settings *settings)
{
    struct api_login login = {
        .version = PIERONE_VERSION,
        .settings = settings->login,
        .takes_tokens = settings->auth.oidc.issuer || settings->auth.introspection.url ||
                        settings->auth.tokeninfo_url,
        .takes_passwords = settings->auth.users_file,
    };

    if (!login.settings.issuer) {
        login.settings.issuer = settings->auth.oidc.issuer;
    }
    return login;
}

static void admission_check_all(const struct admission *admission, struct strbuf *report,
                                struct problems *problems)
{
    struct error err;

    for (size_t i = 0; i < admission->source_count; i++) {
        struct identity_source *source = admission->sources[i];

        if (source->driver->check(source, report, &err)) {
            problems_add(problems, "%s: %s", source->driver->name, err.message);
        }
    }
    for (size_t i = 0; i < admission->team_source_count; i++) {
        struct team_source *source = admission->team_sources[i];

        if (source->driver->check(source, report, &err)) {
            problems_add(problems, "%s: %s", source->driver->name, err.message);
        }
    }
}

bool admission_asks_nobody_about_teams(const struct admission *admission)
{
    return admission->source_count > 0 && admission->team_source_count == 0;
}

void admission_check(const struct settings *settings, struct log *log, struct strbuf *report,
                     struct problems *problems)
{
    struct admission admission = {0};
    CLEANUP(strbuf_release) struct strbuf secret;
    struct error err;
    enum error_code code = admission_open_client(settings, &admission, &err);

    strbuf_init_secret(&secret, SECRET_MAX_BYTES);
    if (!code) {
        code = admission_add_sources(settings, log, &admission, &err);
    }
    if (code) {
        problems_add(problems, "%s", err.message);
    }
    if (settings->auth.secret_file && secret_file_read(settings->auth.secret_file, &secret, &err)) {
        problems_add(problems, "auth.secret_file: %s", err.message);
    }
    admission_check_all(&admission, report, problems);
    if (!code && admission_asks_nobody_about_teams(&admission)) {
        strbuf_append_text(report, "teams: " ADMISSION_OWN_TEAMS "\n");
    }
    admission_release(&admission);
}
