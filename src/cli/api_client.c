#include "cli/api_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/patience.h"
#include "outbound/url.h"

enum {
    PATH_MAX_BYTES = 8 * 1024,
    PAGES_MAX = 100 * 1000,
    REDIRECTS_MAX = 3,
    PART_TIMEOUT_MS = 5 * 60 * 1000,
    PART_SLACK_BYTES = 64 * 1024, /* of an answer beyond what was asked for: an error's text */
};

static const char manifest_types[] =
    "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json";
static const char json_type[] = "Accept: application/json";
static const char *const wanted_fields[] = {"Link", "Location", NULL};

static void add_login(const struct cli *cli, struct outbound_request *request)
{
    if (cli->login.kind == LOGIN_PASSWORD) {
        request->user = cli->login.user.bytes;
        request->password = cli->login.secret.bytes;
    } else if (cli->login.kind != LOGIN_NONE) {
        request->bearer = cli->login.secret.bytes;
    }
}

static enum error_code send_patiently(struct cli *cli, const struct outbound_request *request,
                                      struct outbound_answer *answer, struct error *err)
{
    const char *const text = arena_format(&cli->arena, "Waiting for %s", cli->url.host);
    enum error_code code = OK;

    patience_begin(text);
    code = http_client_send(cli->client, request, answer, err);
    patience_end();
    return code;
}

static enum error_code ask_to_log_in(const struct cli *cli, struct error *err)
{
    return error_set(err, ERROR_UNAUTHENTICATED,
                     cli->login.kind == LOGIN_NONE
                         ? "%s wants to know who you are: run `pierone login --url %s`"
                         : "%s does not take your login any more: run `pierone login --url %s`",
                     cli->url.host, cli->url.url);
}

/* Of Pier One's own API, or of the distribution API. */
static struct str message_of(const struct json_value *json)
{
    const struct str own = json_value_member_string(json, "message");
    const struct json_value *const errors = json_value_member(json, "errors");
    const struct str other = json_value_member_string(json_value_element(errors, 0), "message");

    if (own.length > 0) {
        return own;
    }
    return other.length > 0 ? other : str_from("the server refuses and does not say why");
}

static enum error_code check_status(struct cli *cli, const struct outbound_answer *answer,
                                    struct error *err)
{
    static const struct {
        int status;
        enum error_code code;
    } rows[] = {
        {403, ERROR_DENIED},   {404, ERROR_NOT_FOUND}, {409, ERROR_CONFLICT},
        {412, ERROR_CONFLICT}, {429, ERROR_TOO_MANY},
    };
    enum error_code code = answer->status >= 500 ? ERROR_UNAVAILABLE : ERROR_INVALID;
    struct json_value *json = NULL;

    if (answer->status < 400) {
        return OK;
    }
    if (answer->status == 401) {
        return ask_to_log_in(cli, err);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        code = answer->status == rows[i].status ? rows[i].code : code;
    }
    if (json_value_parse(strbuf_str(&answer->body), &json, NULL)) {
        json = NULL;
    }
    (void)error_set(err, code, "%.*s (%s, status %d)", STR_FORMAT(message_of(json)), cli->url.host,
                    answer->status);
    json_value_free(json);
    return code;
}

/* Sends a request whose url is a path of the registry, as whoever is logged in, and checks the
 * status. The answer is to be released in any case. */
static enum error_code send_here(struct cli *cli, const struct outbound_request *wanted,
                                 struct outbound_answer *answer, struct error *err)
{
    struct outbound_request request = *wanted;
    enum error_code code = cli_find_login(cli, err);

    if (code) {
        return code;
    }
    request.url = arena_format(&cli->arena, "%s%s", cli->url.url, wanted->url);
    request.wanted = wanted_fields;
    add_login(cli, &request);
    code = send_patiently(cli, &request, answer, err);
    return code ? code : check_status(cli, answer, err);
}

static enum error_code no_pierone(struct cli *cli, const struct outbound_answer *answer,
                                  struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "%s does not answer as a Pier One registry (status %d): check the address",
                     cli->url.url, answer->status);
}

/* OK only if it is of that kind. */
static enum error_code read_json(struct cli *cli, const struct outbound_answer *answer,
                                 bool (*is_kind)(const struct json_value *json),
                                 struct json_value **json_out, struct error *err)
{
    struct json_value *json = NULL;

    if (answer->status < 300 && !json_value_parse(strbuf_str(&answer->body), &json, NULL) &&
        is_kind(json)) {
        *json_out = json;
        return OK;
    }
    json_value_free(json);
    return no_pierone(cli, answer, err);
}

static enum error_code ask_for_object(struct cli *cli, const struct outbound_request *request,
                                      struct json_value **json_out, struct error *err)
{
    struct outbound_answer answer = {0};
    enum error_code code = send_here(cli, request, &answer, err);

    if (!code) {
        code = read_json(cli, &answer, json_value_is_object, json_out, err);
    }
    outbound_answer_release(&answer);
    return code;
}

enum error_code api_get(struct cli *cli, const char *path, struct json_value **json_out,
                        struct error *err)
{
    const char *const headers[] = {json_type, NULL};
    const struct outbound_request request = {.url = path, .headers = headers};

    return ask_for_object(cli, &request, json_out, err);
}

enum error_code api_post(struct cli *cli, const char *path, struct str body,
                         struct json_value **json_out, struct error *err)
{
    const char *const headers[] = {json_type, NULL};
    const struct outbound_request request = {
        .method = "POST",
        .url = path,
        .headers = headers,
        .body = body,
        .content_type = "application/json",
        .is_single = true, /* what was done must not be refused for having been done */
    };

    return ask_for_object(cli, &request, json_out, err);
}

/* RFC 8288: `</path>; rel="next"`, as the registry writes it. */
static const char *next_path(struct cli *cli, struct str link)
{
    if (!str_starts_with(link, "</") || !str_ends_with(link, "rel=\"next\"")) {
        return NULL;
    }
    return arena_text(&cli->arena, str_slice(link, 1, str_index_of(link, '>')));
}

/* *path becomes that of the next page, or NULL. */
static enum error_code list_page(struct cli *cli, const char **path,
                                 const struct api_visitor *visitor, struct error *err)
{
    const char *const headers[] = {json_type, NULL};
    const struct outbound_request request = {.url = *path, .headers = headers};
    struct outbound_answer answer = {0};
    struct json_value *json = NULL;
    enum error_code code = send_here(cli, &request, &answer, err);

    if (!code) {
        code = read_json(cli, &answer, json_value_is_array, &json, err);
    }
    if (!code) {
        *path = next_path(cli, outbound_answer_field(&answer, "Link"));
    }
    outbound_answer_release(&answer);
    for (size_t i = 0; i < json_value_length(json) && !code; i++) {
        code = visitor->visit(visitor->context, json_value_element(json, i), err);
    }
    json_value_free(json);
    return code;
}

enum error_code api_list(struct cli *cli, const char *path, const struct api_visitor *visitor,
                         struct error *err)
{
    enum error_code code = OK;

    for (int page = 0; page < PAGES_MAX && path && !code; page++) {
        code = list_page(cli, &path, visitor, err);
    }
    return code;
}

const char *api_path(struct cli *cli, const char *format, const char *const *parts)
{
    struct strbuf path;
    const char *copy = NULL;

    strbuf_init(&path, PATH_MAX_BYTES);
    for (const char *next = format; *next != '\0'; next++) {
        if (strncmp(next, "%s", 2) == 0) {
            url_append_encoded(&path, str_from(*parts++));
            next++;
        } else {
            strbuf_append_byte(&path, *next);
        }
    }
    copy = arena_text(&cli->arena, strbuf_str(&path));
    strbuf_release(&path);
    return copy;
}

enum error_code api_list_newest(struct cli *cli, const char *const *parts, uint64_t limit,
                                const struct api_visitor *visitor, struct error *err)
{
    const char *const path = api_path(cli, "/teams/%s/artifacts/%s/tags", parts);

    return api_list(cli, arena_format(&cli->arena, "%s?newest=%" PRIu64, path, limit), visitor,
                    err);
}

struct cell api_cell(struct cli *cli, const struct json_value *object, const char *name)
{
    const struct json_value *const member = json_value_member(object, name);

    return json_value_is_string(member)
               ? cell_text(arena_copy(&cli->arena, json_value_string(member)))
               : cell_absent();
}

enum error_code api_get_manifest(struct cli *cli, const char *path, struct strbuf *buf,
                                 struct error *err)
{
    const char *const headers[] = {manifest_types, NULL};
    const struct outbound_request request = {.url = path, .headers = headers};
    struct outbound_answer answer = {0};
    enum error_code code = send_here(cli, &request, &answer, err);

    if (!code && answer.status != 200) {
        code = no_pierone(cli, &answer, err);
    }
    if (!code) {
        strbuf_append(buf, strbuf_str(&answer.body));
    }
    outbound_answer_release(&answer);
    return code;
}

/* *url becomes the one that its answer refers to, which may be relative (RFC 9110 10.2.2). */
static enum error_code resolve(struct cli *cli, const char **url,
                               const struct outbound_answer *answer, struct error *err)
{
    const char *const location = arena_text(&cli->arena, outbound_answer_field(answer, "Location"));
    struct strbuf next;
    enum error_code code = OK;

    strbuf_init(&next, PATH_MAX_BYTES);
    if (location && url_append_resolved(&next, *url, location) && !next.is_truncated) {
        *url = arena_text(&cli->arena, strbuf_str(&next));
    } else {
        code = error_set(err, ERROR_UNAVAILABLE,
                         "a layer cannot be read: status %d, and no address to go on at",
                         answer->status);
    }
    strbuf_release(&next);
    return code;
}

static bool is_here(const struct cli *cli, const char *url)
{
    const size_t length = strlen(cli->url.url);

    return strncmp(url, cli->url.url, length) == 0 && url[length] == '/';
}

/* Another place has no use for our login, and must not get it. */
static enum error_code follow(struct cli *cli, const struct outbound_request *request,
                              struct outbound_answer *answer, struct error *err)
{
    const char *url = arena_format(&cli->arena, "%s%s", cli->url.url, request->url);
    enum error_code code = OK;

    for (int i = 0; i < REDIRECTS_MAX && !code && answer->status >= 300 && answer->status < 400;
         i++) {
        struct outbound_request next = *request;

        code = resolve(cli, &url, answer, err);
        if (code) {
            return code;
        }
        outbound_answer_release(answer);
        next.url = url;
        next.wanted = wanted_fields;
        if (is_here(cli, url)) {
            add_login(cli, &next);
        }
        code = send_patiently(cli, &next, answer, err);
    }
    return code;
}

enum error_code api_get_part(struct cli *cli, const struct api_part *part, struct strbuf *buf,
                             struct error *err)
{
    const char *const range =
        arena_format(&cli->arena, "Range: bytes=%llu-%llu", (unsigned long long)part->offset_bytes,
                     (unsigned long long)(part->offset_bytes + part->length - 1));
    const char *const headers[] = {range, NULL};
    const struct outbound_request request = {
        .url = part->path,
        .headers = headers,
        .timeout_ms = PART_TIMEOUT_MS,
        .answer_max_bytes = part->length + PART_SLACK_BYTES,
    };
    struct outbound_answer answer = {0};
    enum error_code code = send_here(cli, &request, &answer, err);

    if (!code && answer.status >= 300) {
        code = follow(cli, &request, &answer, err);
    }
    if (!code && answer.status != 206 && answer.status != 200) {
        code =
            error_set(err, ERROR_UNAVAILABLE, "a layer cannot be read: status %d", answer.status);
    }
    if (!code) {
        strbuf_append(buf, strbuf_str(&answer.body));
    }
    outbound_answer_release(&answer);
    return code;
}
