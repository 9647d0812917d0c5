#include <stdlib.h>

#include "access/team_lookup.h"
#include "base/memory.h"
#include "outbound/url.h"

struct team_service_source {
    struct team_source base; /* first */
    const char *url;
    enum team_service_form form;
    struct http_client *client;
};

static bool covers(const struct team_source *source, const struct identity *identity);
static enum error_code list(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err);
static void append_url(const struct team_service_source *source, struct str name,
                       struct strbuf *url);
static void append_team(struct strbuf *teams, const struct json_value *entry,
                        enum team_service_form form);
static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err);
static void free_source(struct team_source *source);
static const struct team_service_source *of(const struct team_source *source);

static const struct team_source_driver driver = {
    .name = "team service",
    .covers = covers,
    .list = list,
    .check = check,
    .free = free_source,
};

struct team_source *team_service_source_new(const char *url, enum team_service_form form,
                                            struct http_client *client)
{
    struct team_service_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->url = url;
    source->form = form;
    source->client = client;
    return &source->base;
}

static bool covers(const struct team_source *source, const struct identity *identity)
{
    (void)source;
    return identity->kind == IDENTITY_EMPLOYEE;
}

static enum error_code list(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url = {0};
    struct team_lookup lookup = {driver.name, of(source)->client, {.bearer = question->token}};
    const struct str name = question->identity->name;
    struct json_value *entries = NULL;
    enum error_code code = OK;

    if (of(source)->form == TEAM_SERVICE_USER && !team_url_takes(name)) {
        return error_set(err, ERROR_DENIED, "the team service cannot be asked about %.*s",
                         STR_FORMAT(name));
    }
    append_url(of(source), name, &url);
    lookup.request.url = url.text;
    code = team_lookup_json(&lookup, &entries, err);
    if (code == ERROR_NOT_FOUND) {
        code = OK; /* whom it does not know it lists in no team */
    } else if (!code && !json_value_is_array(entries)) {
        code = error_set(err, ERROR_UNAVAILABLE, "the team service's answer is no list");
    }
    for (size_t i = 0; !code && i < json_value_length(entries); i++) {
        append_team(teams, json_value_element(entries, i), of(source)->form);
    }
    json_value_free(entries);
    return code;
}

static void append_url(const struct team_service_source *source, struct str name,
                       struct strbuf *url)
{
    if (source->form == TEAM_SERVICE_ACCOUNTS) {
        team_url_begin(url, source->url, "/api/accounts/aws?");
        url_append_parameter(url, "member", name);
    } else {
        team_url_begin(url, source->url, "/user/");
        url_append_encoded(url, name);
    }
}

/* Of an account the name is the team; its id is a number of the cloud's. Only what is not disabled
 * for sure counts. */
static void append_team(struct strbuf *teams, const struct json_value *entry,
                        enum team_service_form form)
{
    const struct json_value *disabled = json_value_member(entry, "disabled");

    if (disabled && !json_value_is_false(disabled)) {
        return;
    }
    team_list_append(teams, json_value_member_string(entry, "name"));
    if (form == TEAM_SERVICE_USER) {
        team_list_append(teams, json_value_member_string(entry, "id"));
    }
}

static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {driver.name, of(source)->client, {0}};

    append_url(of(source), str_from("check"), &url);
    lookup.request.url = url.text;
    return team_lookup_check(&lookup, report, err);
}

static void free_source(struct team_source *source)
{
    free(source);
}

static const struct team_service_source *of(const struct team_source *source)
{
    return (const struct team_service_source *)source; /* its first member */
}
