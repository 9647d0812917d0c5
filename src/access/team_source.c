#include "access/team_source.h"

#include <assert.h>

enum { STATUS_OK = 200, STATUS_UNAUTHORIZED = 401, STATUS_FORBIDDEN = 403, STATUS_NOT_FOUND = 404 };

enum { PATH_BYTES = 64, ENCODED_NAME_BYTES = 3 * IDENTITY_NAME_BYTES };

void team_source_free(struct team_source *source)
{
    if (source) {
        source->driver->free(source);
    }
}

enum error_code team_source_list(struct team_source *source, const struct team_question *question,
                                 struct strbuf *teams, struct error *err)
{
    assert(question->identity);
    assert(err);
    assert(source->driver->list);
    assert(!source->driver->is_member);
    return source->driver->list(source, question, teams, err);
}

enum error_code team_source_is_member(struct team_source *source,
                                      const struct team_question *question, struct error *err)
{
    assert(question->identity);
    assert(question->team.length > 0);
    assert(err);
    assert(source->driver->is_member);
    return source->driver->is_member(source, question, err);
}

void team_list_append(struct strbuf *teams, struct str team)
{
    if (team.length > 0 && str_index_of(team, '\n') == team.length) {
        strbuf_append(teams, team);
        strbuf_append_byte(teams, '\n');
    }
}

static enum error_code lookup_judge(const struct team_lookup *lookup, int status, struct error *err)
{
    if (status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN) {
        return error_set(err, ERROR_DENIED, "the %s refuses the caller's token", lookup->service);
    }
    if (status >= 500 || status < STATUS_OK) {
        return error_set(err, ERROR_UNAVAILABLE, "the %s answers with status %d", lookup->service,
                         status);
    }
    return OK;
}

static enum error_code lookup_send(const struct team_lookup *lookup, struct outbound_answer *answer,
                                   struct error *err)
{
    enum error_code code = OK;

    *answer = (struct outbound_answer){0};
    strbuf_init(&answer->body, 0);
    if (!lookup->request.bearer) {
        return error_set(err, ERROR_DENIED, "the %s can only be asked with an OAuth 2.0 token",
                         lookup->service);
    }
    code = http_client_send(lookup->client, &lookup->request, answer, err);
    return code ? code : lookup_judge(lookup, answer->status, err);
}

enum error_code team_lookup_json(const struct team_lookup *lookup, struct json_value **json_out,
                                 struct error *err)
{
    struct outbound_answer answer;
    enum error_code code = lookup_send(lookup, &answer, err);

    if (!code && answer.status == STATUS_NOT_FOUND) {
        code = error_set(err, ERROR_NOT_FOUND, "the %s knows of no such thing", lookup->service);
    }
    if (!code && answer.status != STATUS_OK) {
        code = error_set(err, ERROR_UNAVAILABLE, "the %s answers with status %d", lookup->service,
                         answer.status);
    }
    if (!code && json_value_parse(strbuf_str(&answer.body), json_out, NULL)) {
        code = error_set(err, ERROR_UNAVAILABLE, "the %s's answer is no JSON", lookup->service);
    }
    outbound_answer_release(&answer);
    return code;
}

enum error_code team_lookup_status(const struct team_lookup *lookup, int *status_out,
                                   struct error *err)
{
    struct outbound_answer answer;
    const enum error_code code = lookup_send(lookup, &answer, err);

    *status_out = answer.status;
    outbound_answer_release(&answer);
    return code;
}

enum error_code team_lookup_check(const struct team_lookup *lookup, struct strbuf *report,
                                  struct error *err)
{
    struct outbound_answer answer;
    enum error_code code = http_client_send(lookup->client, &lookup->request, &answer, err);

    if (!code && answer.status >= 500) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s answers with status %d", lookup->request.url,
                         answer.status);
    }
    if (!code) {
        strbuf_append_format(report, "%s: %s answers (status %d without a token%s)\n",
                             lookup->service, lookup->request.url, answer.status,
                             answer.status == 404 ? ": is its path right?" : "");
    }
    outbound_answer_release(&answer);
    return code;
}

void team_url_begin(struct strbuf *url, const char *base, const char *path)
{
    const struct str text = str_from(base);

    strbuf_init(url, text.length + PATH_BYTES + ENCODED_NAME_BYTES);
    strbuf_append(url, str_slice(text, 0, text.length - (str_ends_with(text, "/") ? 1 : 0)));
    strbuf_append_text(url, path);
}

bool team_url_takes(struct str segment)
{
    return segment.length > 0 && !str_is(segment, ".") && !str_is(segment, "..") &&
           str_index_of(segment, '/') == segment.length &&
           str_index_of(segment, '\\') == segment.length;
}
