#include <stdlib.h>

#include "access/team_lookup.h"
#include "base/json_writer.h"
#include "base/memory.h"

enum { QUESTION_MAX_BYTES = 4 * 1024 };

struct permission_source {
    struct team_source base; /* first */
    const char *url;
    struct http_client *client;
};

static bool covers(const struct team_source *source, const struct identity *identity);
static enum error_code is_member(struct team_source *source, const struct team_question *question,
                                 struct error *err);
static void write_question(struct strbuf *buf, struct str team);
static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err);
static void free_source(struct team_source *source);
static const struct permission_source *of(const struct team_source *source);

static const struct team_source_driver driver = {
    .name = "permission service",
    .covers = covers,
    .is_member = is_member,
    .check = check,
    .free = free_source,
};

struct team_source *permission_source_new(const char *url, struct http_client *client)
{
    struct permission_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->url = url;
    source->client = client;
    return &source->base;
}

static bool covers(const struct team_source *source, const struct identity *identity)
{
    (void)source;
    return identity->kind == IDENTITY_EMPLOYEE || identity->kind == IDENTITY_SERVICE;
}

static enum error_code is_member(struct team_source *source, const struct team_question *question,
                                 struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    CLEANUP(strbuf_release) struct strbuf body;
    struct team_lookup lookup = {
        driver.name,
        of(source)->client,
        {.bearer = question->token, .content_type = "application/json"},
    };
    int status = 0;
    enum error_code code = OK;

    team_url_begin(&url, of(source)->url, "/auth");
    write_question(&body, question->team);
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

static void write_question(struct strbuf *buf, struct str team)
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

static enum error_code check(struct team_source *source, struct strbuf *report, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    struct team_lookup lookup = {driver.name, of(source)->client, {0}};

    team_url_begin(&url, of(source)->url, "/auth");
    lookup.request.url = url.text;
    return team_lookup_check(&lookup, report, err);
}

static void free_source(struct team_source *source)
{
    free(source);
}

static const struct permission_source *of(const struct team_source *source)
{
    return (const struct permission_source *)source; /* its first member */
}
