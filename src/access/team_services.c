/*
 * The services of STUPS that know who belongs to a team. They differ in whom they know and in what
 * they say; what they are made of and how they are reached is alike.
 */
#include <assert.h>
#include <stdlib.h>

#include "access/team_source.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "outbound/url.h"

enum { QUESTION_MAX_BYTES = 4 * 1024 };

struct service {
    struct team_source base; /* first */
    const char *url;
    const char *path;      /* behind it, before the name that is asked about */
    const char *parameter; /* of the query, which has the name; NULL: the path has */
    const char *probed;    /* the name that is asked about where nobody's is */
    const char *prefix;    /* of Kio's names; NULL: up to the last `_` */
    struct http_client *client;
};

static struct team_source *service_new(const struct team_source_driver *driver,
                                       const struct service *fields)
{
    struct service *service = memory_new(1, sizeof(*service));

    assert(fields->url);
    assert(fields->client);
    *service = *fields;
    service->base.driver = driver;
    return &service->base;
}

static void service_free(struct team_source *base)
{
    free(base);
}

static const struct service *service_of(const struct team_source *base)
{
    return (const struct service *)base; /* its first member */
}

static void append_url(const struct service *service, struct str name, struct strbuf *url)
{
    team_url_begin(url, service->url, service->path);
    if (service->parameter) {
        url_append_parameter(url, service->parameter, name);
    } else {
        url_append_encoded(url, name);
    }
}

static enum error_code service_check(struct team_source *base, struct strbuf *report,
                                     struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {base->driver->name, service_of(base)->client, {0}};

    append_url(service_of(base), str_from(service_of(base)->probed), &url);
    lookup.request.url = url.text;
    return team_lookup_check(&lookup, report, err);
}

/* As team_lookup_json, about that name. */
static enum error_code ask_about(const struct service *service,
                                 const struct team_question *question, struct str name,
                                 struct json_value **json_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {
        service->base.driver->name, service->client, {.bearer = question->token}};

    append_url(service, name, &url);
    lookup.request.url = url.text;
    return team_lookup_json(&lookup, json_out, err);
}

static bool teams_covers(const struct team_source *base, const struct identity *identity)
{
    (void)base;
    return identity->kind == IDENTITY_EMPLOYEE;
}

/* Of an account the name is the team; its id is a number of the cloud's. Only what is not disabled
 * for sure counts. */
static void append_team(struct strbuf *teams, const struct json_value *entry, bool has_id)
{
    const struct json_value *disabled = json_value_member(entry, "disabled");

    if (disabled && !json_value_is_false(disabled)) {
        return;
    }
    team_list_append(teams, json_value_member_string(entry, "name"));
    if (has_id) {
        team_list_append(teams, json_value_member_string(entry, "id"));
    }
}

static enum error_code teams_list(struct team_source *base, const struct team_question *question,
                                  struct strbuf *teams, struct error *err)
{
    const bool is_by_user = !service_of(base)->parameter;
    const struct str name = question->identity->name;
    struct json_value *entries = NULL;
    enum error_code code = OK;

    if (is_by_user && !team_url_takes(name)) {
        return error_set(err, ERROR_DENIED, "the team service cannot be asked about %.*s",
                         STR_FORMAT(name));
    }
    code = ask_about(service_of(base), question, name, &entries, err);
    if (code == ERROR_NOT_FOUND) {
        code = OK; /* whom it does not know it lists in no team */
    } else if (!code && !json_value_is_array(entries)) {
        code = error_set(err, ERROR_UNAVAILABLE, "the team service's answer is no list");
    }
    for (size_t i = 0; !code && i < json_value_length(entries); i++) {
        append_team(teams, json_value_element(entries, i), is_by_user);
    }
    json_value_free(entries);
    return code;
}

static const struct team_source_driver teams_driver = {
    .name = "team service",
    .covers = teams_covers,
    .list = teams_list,
    .check = service_check,
    .free = service_free,
};

struct team_source *team_service_source_new(const char *url, enum team_service_form form,
                                            struct http_client *client)
{
    struct service fields = {.url = url, .client = client, .probed = "check"};

    fields.path = form == TEAM_SERVICE_ACCOUNTS ? "/api/accounts/aws?" : "/user/";
    fields.parameter = form == TEAM_SERVICE_ACCOUNTS ? "member" : NULL;
    return service_new(&teams_driver, &fields);
}

static bool kio_covers(const struct team_source *base, const struct identity *identity)
{
    (void)base;
    return identity->kind == IDENTITY_SERVICE;
}

static struct str application_of(const struct service *kio, struct str name)
{
    const size_t underscore = str_last_index_of(name, '_');

    if (kio->prefix) {
        return str_starts_with(name, kio->prefix)
                   ? str_from_index(name, str_from(kio->prefix).length)
                   : (struct str){0};
    }
    return underscore < name.length ? str_from_index(name, underscore + 1) : name;
}

static enum error_code kio_list(struct team_source *base, const struct team_question *question,
                                struct strbuf *teams, struct error *err)
{
    const struct str application = application_of(service_of(base), question->identity->name);
    static const struct json_subject subject = {.name = "Kio's answer", .code = ERROR_UNAVAILABLE};
    struct json_value *json = NULL;
    struct json_reader reader;
    enum error_code code = OK;

    if (!team_url_takes(application)) {
        return error_set(err, ERROR_DENIED, "the name %.*s is of no application",
                         STR_FORMAT(question->identity->name));
    }
    code = ask_about(service_of(base), question, application, &json, err);
    if (code == ERROR_NOT_FOUND) {
        code = error_set(err, ERROR_DENIED, "Kio has no application %.*s", STR_FORMAT(application));
    } else if (!code) {
        json_reader_open_value(&reader, json, &subject, NULL, err);
        team_list_append(teams, json_reader_needed_text(&reader, "team_id"));
        code = json_reader_close(&reader);
    }
    json_value_free(json);
    return code;
}

static const struct team_source_driver kio_driver = {
    .name = "application registry (Kio)",
    .covers = kio_covers,
    .list = kio_list,
    .check = service_check,
    .free = service_free,
};

struct team_source *kio_source_new(const char *url, const char *prefix, struct http_client *client)
{
    const struct service fields = {
        .url = url, .path = "/apps/", .probed = "check", .prefix = prefix, .client = client};

    return service_new(&kio_driver, &fields);
}

static bool permission_covers(const struct team_source *base, const struct identity *identity)
{
    (void)base;
    return identity->kind == IDENTITY_EMPLOYEE || identity->kind == IDENTITY_SERVICE;
}

static void write_team_question(struct strbuf *buf, struct str team)
{
    struct json_writer writer;

    strbuf_init(buf, QUESTION_MAX_BYTES);
    json_writer_init(&writer, buf);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "policy", str_from("relaxed-radical-agility"));
    json_writer_name(&writer, "payload");
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "team", team);
    json_writer_end_object(&writer);
    json_writer_end_object(&writer);
}

static enum error_code permission_is_member(struct team_source *base,
                                            const struct team_question *question, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    CLEANUP(strbuf_release) struct strbuf body;
    struct team_lookup lookup = {
        base->driver->name,
        service_of(base)->client,
        {.bearer = question->token, .content_type = "application/json"},
    };
    int status = 0;
    enum error_code code = OK;

    append_url(service_of(base), (struct str){0}, &url);
    write_team_question(&body, question->team);
    lookup.request.url = url.text;
    lookup.request.body = strbuf_str(&body);
    code = team_lookup_status(&lookup, &status, err);
    if (code || status == 200) {
        return code;
    }
    return error_set(err, ERROR_DENIED,
                     "the permission service does not let %.*s act for team %.*s",
                     STR_FORMAT(question->identity->name), STR_FORMAT(question->team));
}

static const struct team_source_driver permission_driver = {
    .name = "permission service",
    .covers = permission_covers,
    .is_member = permission_is_member,
    .check = service_check,
    .free = service_free,
};

struct team_source *permission_source_new(const char *url, struct http_client *client)
{
    const struct service fields = {.url = url, .path = "/auth", .probed = "", .client = client};

    return service_new(&permission_driver, &fields);
}
