#include "api_world.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "http/request.h"
#include "metadata/manifests.h"
#include "metadata/metadata.h"
#include "registry/source_finder.h"
#include "tests/support/faulty_store.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

enum {
    PATH_BYTES = 512,
    TEXT_MAX_BYTES = 16 * 1024 * 1024,
    ARENA_BYTES = 16 * 1024 * 1024,
    HEADERS_MAX = 100,
    CACHE_BYTES = 1024 * 1024,
};

static bool is_ready(void *context);
static void write_head(const struct question *question, struct strbuf *head);
static void play(struct api_world *world, const struct question *question,
                 struct http_exchange *exchange, struct reply *reply);
static void move(struct http_exchange *exchange, struct reply *reply);
static void end(struct api_world *world, struct http_exchange *exchange, struct reply *reply);
static bool send_body(struct api_world *world, const struct question *question,
                      struct http_exchange *exchange);
static void begin_exchange(struct http_exchange *exchange);
static void take_answer(struct api_world *world, struct http_exchange *exchange,
                        struct reply *reply);
static bool read_body(const struct http_response *response, struct strbuf *body);
static void read_file(const struct http_response *response, const struct http_part *part,
                      struct strbuf *body);
static bool read_source(const struct http_response *response, const struct http_part *part,
                        struct strbuf *body);

void api_world_init(struct api_world *world)
{
    char path[PATH_BYTES];

    *world = (struct api_world){.folder = temporary_folder_new(), .is_ready = true};
    fake_clock_init(&world->clock);
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", world->folder);
    assert(!metadata_open_sqlite(path, &world->metadata, NULL));
    world->memory = memory_store_new();
    world->blobs = faulty_store_new(world->memory);
    world->registry = registry_new(&(struct registry_config){
        .metadata = world->metadata,
        .blobs = world->blobs,
        .clock = &world->clock.clock,
        .settings.manifest_max_bytes = API_WORLD_MANIFEST_MAX_BYTES,
        .settings.upload_lifetime_ms = 1000,
        .settings.upload_age_ms = INT64_MAX / 2,
        .settings.cache_bytes = CACHE_BYTES,
    });
    (void)snprintf(path, sizeof(path), "%s/log", world->folder);
    log_init(&world->log, open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600), LOG_JSON, LOG_INFO,
             &world->clock.clock);
    api_world_serve(world, &(struct api_config){0});
}

void api_world_serve(struct api_world *world, const struct api_config *config)
{
    struct api_config whole = *config;

    whole.registry = world->registry;
    whole.log = &world->log;
    whole.clock = &world->clock.clock;
    whole.manifest_max_bytes = API_WORLD_MANIFEST_MAX_BYTES;
    whole.downloads_max = 1;
    whole.is_ready = is_ready;
    whole.is_ready_context = world;
    api_free(world->api);
    world->api = api_new(&whole);
    world->application = api_application(world->api);
}

static bool is_ready(void *context)
{
    const struct api_world *world = context;

    return world->is_ready;
}

void api_world_release(struct api_world *world)
{
    world->application.leave(world->application.context, world->session);
    api_free(world->api);
    registry_free(world->registry);
    blob_store_free(world->blobs);
    blob_store_free(world->memory);
    metadata_free(world->metadata);
    (void)close(world->log.fd);
    temporary_folder_free(world->folder);
}

void api_world_read_log(const struct api_world *world, struct strbuf *text)
{
    char piece[1024];
    off_t offset = 0;
    ssize_t length = 0;

    strbuf_clear(text);
    do {
        length = pread(world->log.fd, piece, sizeof(piece), offset);
        assert(length >= 0);
        offset += length;
        strbuf_append(text, (struct str){piece, (size_t)length});
    } while (length > 0);
}

const char *api_world_last_line(const struct api_world *world, struct strbuf *text)
{
    const char *line = NULL;

    api_world_read_log(world, text);
    assert(text->length > 0);
    text->text[text->length - 1] = '\0';
    line = strrchr(text->text, '\n');
    return line ? line + 1 : text->text;
}

void api_world_ask(struct api_world *world, const struct question *question, struct reply *reply)
{
    const struct http_parser_limits limits = {TEXT_MAX_BYTES, HEADERS_MAX};
    struct http_exchange exchange;
    struct http_refusal refusal = {0};
    struct strbuf head;
    size_t length = 0;

    reply_release(reply);
    begin_exchange(&exchange);
    exchange.session = world->session;
    strbuf_init(&head, TEXT_MAX_BYTES);
    write_head(question, &head);
    assert(http_parse_request(strbuf_str(&head), &limits, &exchange.request, &length, &refusal) ==
           HTTP_PARSE_DONE);
    play(world, question, &exchange, reply);
    if (question->after) {
        api_world_ask(world, question->after, question->other);
    }
    take_answer(world, &exchange, reply);
    strbuf_release(&head);
}

static void begin_exchange(struct http_exchange *exchange)
{
    *exchange = (struct http_exchange){.peer_address = STR_LITERAL("192.0.2.1")};
    exchange->request.method = HTTP_METHOD_OTHER;
    http_response_init(&exchange->response);
    arena_init(&exchange->arena, ARENA_BYTES);
    exchange->begin_us = clock_elapsed_us();
}

static void write_head(const struct question *question, struct strbuf *head)
{
    strbuf_append_format(head, "%s HTTP/1.1\r\nHost: registry.example\r\n", question->line);
    strbuf_append_text(head, question->fields ? question->fields : "");
    if (question->is_chunked) {
        strbuf_append_text(head, "Transfer-Encoding: chunked\r\n");
    } else if (question->body.bytes) {
        strbuf_append_format(head, "Content-Length: %zu\r\n", question->body.length);
    }
    strbuf_append_text(head, "\r\n");
}

static void play(struct api_world *world, const struct question *question,
                 struct http_exchange *exchange, struct reply *reply)
{
    const struct http_application *application = &world->application;
    enum http_step step = application->begin(application->context, exchange);

    while (step == HTTP_MOVE) {
        move(exchange, reply);
        step = application->begin(application->context, exchange);
    }
    if (step == HTTP_RESPOND) {
        exchange->thread = HTTP_LOOP;
    } else if (exchange->thread == HTTP_LOOP) {
        exchange->thread = HTTP_WORKER;
    }
    if (step == HTTP_BODY && send_body(world, question, exchange)) {
        end(world, exchange, reply);
        exchange->thread = HTTP_LOOP;
        reply->took_body = true;
    }
}

static void move(struct http_exchange *exchange, struct reply *reply)
{
    assert(exchange->response.status == 0);
    assert(!http_thread_suits(exchange->thread, exchange->needed));
    exchange->thread = exchange->needed;
    reply->was_on[exchange->thread] = true;
}

/* Whoever has to queue comes again, when one of those ahead is done. */
static void end(struct api_world *world, struct http_exchange *exchange, struct reply *reply)
{
    const struct http_application *application = &world->application;
    enum http_step step = application->end(application->context, exchange);

    while (step == HTTP_MOVE) {
        move(exchange, reply);
        step = application->end(application->context, exchange);
    }
    if (step == HTTP_LATER) {
        assert(exchange->response.status == 0);
        reply->has_queued = true;
        assert(application->end(application->context, exchange) == HTTP_LATER);
        if (world->make_way) {
            world->make_way(world->make_way_context);
        } else {
            source_search_end(world->registry);
        }
        assert(application->end(application->context, exchange) == HTTP_RESPOND);
    }
}

/* False if it did not come to its end, or the application wanted no more. */
static bool send_body(struct api_world *world, const struct question *question,
                      struct http_exchange *exchange)
{
    const struct http_application *application = &world->application;
    const size_t half = question->body.length / 2;
    const struct str pieces[] = {str_slice(question->body, 0, half),
                                 str_from_index(question->body, half)};

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        if (i > 0 && question->breaks_off) {
            return false;
        }
        if (i > 0 && question->during) {
            api_world_ask(world, question->during, question->other);
        }
        exchange->received_bytes += pieces[i].length;
        if (pieces[i].length > 0 &&
            application->data(application->context, exchange, pieces[i]) == HTTP_RESPOND) {
            return false;
        }
    }
    return true;
}

void api_world_refuse(struct api_world *world, const char *path, const struct http_refusal *refusal,
                      struct reply *reply)
{
    struct http_exchange exchange;

    reply_release(reply);
    begin_exchange(&exchange);
    exchange.request.path = str_from(path);
    world->application.refuse(world->application.context, &exchange, refusal);
    take_answer(world, &exchange, reply);
}

/* Copies the answer, and ends the exchange: is_sent unless the client had gone. */
static void take_answer(struct api_world *world, struct http_exchange *exchange,
                        struct reply *reply)
{
    const struct http_response *response = &exchange->response;

    reply->status = response->status;
    reply->reason = response->reason;
    strbuf_append_text(&reply->headers, "\r\n");
    strbuf_append(&reply->headers, strbuf_str(&response->headers));
    if (exchange->request.method != HTTP_HEAD && response->status != 304) {
        reply->is_cut = !read_body(response, &reply->body);
    }
    exchange->sent_bytes = reply->body.length;
    world->application.finish(world->application.context, exchange, response->status != 0);
    assert(!exchange->call);
    world->session = exchange->session;
    http_response_release(&exchange->response);
    arena_release(&exchange->arena);
}

/* False: it has less than it promised. */
static bool read_body(const struct http_response *response, struct strbuf *body)
{
    const struct http_part whole = {response->body, response->file_offset_bytes,
                                    response->file_length_bytes};
    const bool has_parts = response->part_count > 0;
    const struct http_part *parts = has_parts ? response->parts : &whole;
    const size_t count = has_parts ? response->part_count : 1;
    bool is_whole = true;

    for (size_t i = 0; i < count && is_whole; i++) {
        strbuf_append(body, parts[i].head);
        read_file(response, &parts[i], body);
        is_whole = read_source(response, &parts[i], body);
    }
    assert(!is_whole || body->length == http_response_size(response));
    return is_whole;
}

static void read_file(const struct http_response *response, const struct http_part *part,
                      struct strbuf *body)
{
    char piece[4096];

    for (uint64_t at = 0; response->file_fd >= 0 && at < part->length_bytes;) {
        const uint64_t left = part->length_bytes - at;
        const ssize_t length =
            pread(response->file_fd, piece, left < sizeof(piece) ? left : sizeof(piece),
                  (off_t)(part->offset_bytes + at));

        assert(length > 0);
        strbuf_append(body, (struct str){piece, (size_t)length});
        at += (uint64_t)length;
    }
}

static bool read_source(const struct http_response *response, const struct http_part *part,
                        struct strbuf *body)
{
    uint64_t at = 0;

    while (response->source && at < part->length_bytes) {
        const uint64_t offset = part->offset_bytes + at;
        const uint64_t left = part->length_bytes - at;
        struct strbuf piece;
        bool is_read = false;

        strbuf_init(&piece, HTTP_SOURCE_PIECE_MAX_BYTES);
        is_read = response->source->read(response->source, offset, left, &piece);
        strbuf_append(body, strbuf_str(&piece));
        at += piece.length;
        strbuf_release(&piece);
        if (!is_read) {
            return false;
        }
    }
    return true;
}

void reply_init(struct reply *reply)
{
    *reply = (struct reply){0};
    strbuf_init(&reply->headers, TEXT_MAX_BYTES);
    strbuf_init(&reply->body, TEXT_MAX_BYTES);
}

void reply_release(struct reply *reply)
{
    strbuf_release(&reply->headers);
    strbuf_release(&reply->body);
    reply_init(reply);
}

bool reply_has(const struct reply *reply, const char *line)
{
    char wanted[2048];

    (void)snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", line);
    return strstr(reply->headers.text, wanted) != NULL;
}

struct str reply_field(const struct reply *reply, const char *name)
{
    char wanted[128];
    const char *begin = NULL;

    (void)snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
    begin = strstr(reply->headers.text, wanted);
    if (!begin) {
        return (struct str){0};
    }
    begin += strlen(wanted);
    return (struct str){begin, (size_t)(strstr(begin, "\r\n") - begin)};
}

bool reply_is_error(const struct reply *reply, int status, const char *code)
{
    char wanted[128];

    (void)snprintf(wanted, sizeof(wanted), "{\"errors\":[{\"code\":\"%s\",\"message\":\"", code);
    return reply->status == status && str_starts_with(strbuf_str(&reply->body), wanted) &&
           reply_has(reply, "Content-Type: application/json");
}

bool reply_says(const struct reply *reply, const char *text)
{
    return strstr(reply->body.text, text) != NULL;
}

void api_world_push_blob(struct api_world *world, struct str content,
                         char digest_out[DIGEST_TEXT_BYTES])
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, content);
    char line[PATH_BYTES];
    struct reply reply;

    digest_format(&digest, digest_out);
    (void)snprintf(line, sizeof(line), "POST /v2/team/app/blobs/uploads/?digest=%s", digest_out);
    reply_init(&reply);
    api_world_ask(world, &(struct question){.line = line, .body = content}, &reply);
    assert(reply.status == 201);
    reply_release(&reply);
}

void api_world_push(struct api_world *world, const char *path, const char *media_type,
                    const char *manifest, struct reply *reply)
{
    char line[PATH_BYTES];
    char fields[PATH_BYTES];

    (void)snprintf(line, sizeof(line), "PUT /v2/%s", path);
    (void)snprintf(fields, sizeof(fields), "Content-Type: %s\r\n", media_type);
    api_world_ask(world,
                  &(struct question){.line = line, .fields = fields, .body = str_from(manifest)},
                  reply);
}

void api_world_name_blob(struct api_world *world, const char *digest)
{
    struct named_blob named = {.must_not_be_swept = true};
    const struct str content = str_from(digest); /* another one for each */
    struct manifest_push push = {
        .repository = str_from("team/names"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, content), .content = content},
        .blobs = &named,
        .blob_count = 1,
    };
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found found;
    enum error_code code = digest_parse(content, &named.digest, NULL);

    assert(!code);
    code = metadata_push_manifest(world->metadata, &push, &outcome, &found, NULL);
    assert(!code);
}

void api_world_make_image(struct api_world *world, const char *text,
                          char manifest_out[TEST_MANIFEST_BYTES])
{
    char config[DIGEST_TEXT_BYTES];
    char layer[DIGEST_TEXT_BYTES];

    api_world_push_blob(world, str_from("{}"), config);
    api_world_push_blob(world, str_from(text), layer);
    (void)snprintf(manifest_out, TEST_MANIFEST_BYTES,
                   "{\"schemaVersion\":2,\"mediaType\":\"" TEST_IMAGE_TYPE "\","
                   "\"config\":{\"mediaType\":\"application/vnd.example.config\","
                   "\"digest\":\"%s\",\"size\":2},"
                   "\"layers\":[{\"mediaType\":\"application/vnd.example.layer\","
                   "\"digest\":\"%s\",\"size\":%zu}]}",
                   config, layer, strlen(text));
}
