#include <stdlib.h>

#include "access/team_lookup.h"
#include "base/memory.h"
#include "outbound/url.h"

struct kio_source {
    struct team_source base; /* first */
    const char *url;
    const char *prefix; /* NULL: up to the last `_` */
    struct http_client *client;
};

static bool covers(const struct team_source *source, const struct identity *identity);
static enum error_code list(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err);
static struct str application_of(const struct kio_source *source, struct str name);
static enum error_code ask(const struct kio_source *source, const struct team_question *question,
                           struct str application, struct json_value **json_out, struct error *err);
static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err);
static void free_source(struct team_source *source);
static const struct kio_source *of(const struct team_source *source);

static const struct team_source_driver driver = {
    .name = "application registry (Kio)",
    .covers = covers,
    .list = list,
    .check = check,
    .free = free_source,
};

struct team_source *kio_source_new(const char *url, const char *prefix, struct http_client *client)
{
    struct kio_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->url = url;
    source->prefix = prefix;
    source->client = client;
    return &source->base;
}

static bool covers(const struct team_source *source, const struct identity *identity)
{
    (void)source;
    return identity->kind == IDENTITY_SERVICE;
}

static enum error_code list(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err)
{
    const struct str application = application_of(of(source), question->identity->name);
    struct json_value *json = NULL;
    struct str team = {0};
    enum error_code code = OK;

    if (!team_url_takes(application)) {
        return error_set(err, ERROR_DENIED, "the name %.*s is of no application",
                         STR_FORMAT(question->identity->name));
    }
    code = ask(of(source), question, application, &json, err);
    team = json_value_member_string(json, "team_id");
    if (!code && team.length == 0) {
        code = error_set(err, ERROR_UNAVAILABLE, "Kio's answer names no team");
    } else if (!code) {
        team_list_append(teams, team);
    }
    json_value_free(json);
    return code;
}

static struct str application_of(const struct kio_source *source, struct str name)
{
    const size_t underscore = str_last_index_of(name, '_');

    if (source->prefix) {
        return str_starts_with(name, source->prefix)
                   ? str_from_index(name, str_from(source->prefix).length)
                   : (struct str){0};
    }
    return underscore < name.length ? str_from_index(name, underscore + 1) : name;
}

static enum error_code ask(const struct kio_source *source, const struct team_question *question,
                           struct str application, struct json_value **json_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {driver.name, source->client, {.bearer = question->token}};
    enum error_code code = OK;

    team_url_begin(&url, source->url, "/apps/");
    url_append_encoded(&url, application);
    lookup.request.url = url.text;
    code = team_lookup_json(&lookup, json_out, err);
    return code == ERROR_NOT_FOUND ? error_set(err, ERROR_DENIED, "Kio has no application %.*s",
                                               STR_FORMAT(application))
                                   : code;
}

static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {driver.name, of(source)->client, {0}};

    team_url_begin(&url, of(source)->url, "/apps/check");
    lookup.request.url = url.text;
    return team_lookup_check(&lookup, report, err);
}

static void free_source(struct team_source *source)
{
    free(source);
}

static const struct kio_source *of(const struct team_source *source)
{
    return (const struct kio_source *)source; /* its first member */
}
