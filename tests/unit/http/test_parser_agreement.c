#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "http/request.h"
#include "http/syntax.h"
#include "peer_parser.h"

/*
 * A proxy in front of us may be built on any parser. Whatever ours accepts, another that is widely
 * used must understand in the same way; ours may refuse more.
 */

enum {
    REQUEST_MAX_BYTES = 2048,
    MUTANTS_PER_SEED = 20000,
    CHANGES_PER_MUTANT = 3,
};

static const struct http_parser_limits usual = {.head_bytes = 65536, .headers = HTTP_MAX_HEADERS};

#define HOST "Host: registry.example.com:5000\r\n"

static const char *const seeds[] = {
    "GET /v2/ HTTP/1.1\r\n" HOST "\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /v2/team/app/manifests/1.0 HTTP/1.1\r\n" HOST
    "User-Agent: docker/20.10.24 go/go1.19.8 os/linux arch/amd64\r\n"
    "Accept: application/vnd.docker.distribution.manifest.v2+json\r\n"
    "Accept: application/vnd.oci.image.index.v1+json\r\nAccept-Encoding: gzip\r\n"
    "Connection: close\r\n\r\n",
    "HEAD /v2/team/app/blobs/sha256:ab HTTP/1.1\r\n" HOST "If-None-Match: \"sha256:ab\"\r\n\r\n",
    "GET /v2/team/app/blobs/sha256:ab HTTP/1.1\r\n" HOST "Range: bytes=0-99\r\n\r\n",
    "POST /v2/team/app/blobs/uploads/?mount=sha256%3Aab&from=a/b HTTP/1.1\r\n" HOST
    "Content-Length: 0\r\n\r\n",
    "PATCH /v2/team/app/blobs/uploads/1?_state=a HTTP/1.1\r\n" HOST
    "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1\r\n" HOST
    "Content-Range: 0-4\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /v2/team/app/manifests/1.0 HTTP/1.1\r\n" HOST
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n",
    "DELETE /v2/a/b/manifests/c HTTP/1.1\r\n" HOST "Connection: a, close , b\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: Close\r\n\r\n",
    "GET http://other.example.com/v2/?n=1 HTTP/1.1\r\n" HOST "\r\n",
    "\r\nGET /%41?a=b&c HTTP/1.1\r\nHost: [::1]:80\r\nEmpty:\r\nBlank: \t \r\nA:b\t\r\n\r\n",
    "POST / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade, close\r\n"
    "content-LENGTH: 18 \r\nX: \xc3\xa4\r\n\r\n",
};

/* What mutants get inserted: all that smuggling is made of. */
static const char *const inserts[] = {
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "\x0b",
    "\x7f",
    "\xff",
    "0",
    "+",
    "-",
    "\r\n ",
    "\r\n\r\n",
    "close",
    "keep-alive",
    "chunked",
    "identity",
    "http://h",
    "#",
    "?",
    "HTTP/1.0",
    "HTTP/2.0",
    "\r\nContent-Length: 5\r\n",
    "\r\nContent-Length: 6\r\n",
    "\r\nContent-Length: 18446744073709551615\r\n",
    "\r\nTransfer-Encoding: chunked\r\n",
    "\r\nTransfer-Encoding: gzip, chunked\r\n",
    "\r\nTransfer-Encoding : chunked\r\n",
    "\r\nConnection: close\r\n",
    "\r\nConnection: keep-alive, Upgrade\r\n",
    "\r\nHost: h\r\n",
};

/* xorshift64: the same mutants on each run and machine. */
static uint64_t next_number(uint64_t *generator)
{
    *generator ^= *generator << 13;
    *generator ^= *generator >> 7;
    *generator ^= *generator << 17;
    return *generator;
}

struct mutant {
    char bytes[REQUEST_MAX_BYTES];
    size_t length;
};

/* Puts bytes in the place of `removed` ones; leaves the mutant alone if they do not fit. */
static void replace(struct mutant *mutant, size_t begin, size_t removed, struct str bytes)
{
    const size_t end = begin + removed < mutant->length ? begin + removed : mutant->length;
    struct mutant changed = {.length = 0};

    if (begin + bytes.length + mutant->length - end > sizeof(changed.bytes)) {
        return;
    }
    memcpy(changed.bytes, mutant->bytes, begin);
    memcpy(changed.bytes + begin, bytes.bytes, bytes.length);
    memcpy(changed.bytes + begin + bytes.length, mutant->bytes + end, mutant->length - end);
    changed.length = begin + bytes.length + mutant->length - end;
    *mutant = changed;
}

static void mutate(struct mutant *mutant, uint64_t *generator)
{
    const size_t begin = next_number(generator) % (mutant->length + 1);
    const char byte = (char)next_number(generator);
    const struct str other = str_from(seeds[next_number(generator) % ARRAY_LEN(seeds)]);
    const size_t cut = next_number(generator) % other.length;

    switch (next_number(generator) % 5) {
    case 0:
        replace(mutant, begin, 1, (struct str){&byte, 1});
        break;
    case 1:
        replace(mutant, begin, 1 + next_number(generator) % 4, (struct str){"", 0});
        break;
    case 2: /* what comes behind a place in another */
        replace(mutant, begin, mutant->length, str_from_index(other, cut));
        break;
    default:
        replace(mutant, begin, next_number(generator) % 3,
                str_from(inserts[next_number(generator) % ARRAY_LEN(inserts)]));
    }
}

static size_t count_headers(const struct http_request *request, const char *name)
{
    size_t position = 0;
    size_t count = 0;

    while (http_request_next_header(request, name, &position).bytes) {
        count++;
    }
    return count;
}

static bool has_a_longer_transfer_encoding(const struct http_request *request)
{
    const struct str name = STR_LITERAL("Transfer-Encoding");

    for (size_t i = 0; i < request->header_count; i++) {
        const struct str other = request->headers[i].name;

        if (other.length > name.length &&
            str_equal_ignoring_case(str_slice(other, 0, name.length), name)) {
            return true;
        }
    }
    return false;
}

static bool has_white_space_behind(struct str value)
{
    return value.bytes && (value.bytes[value.length] == ' ' || value.bytes[value.length] == '\t');
}

/*
 * What ours accepts and the other refuses, on purpose:
 * - methods that it has never heard of: they are well-formed, and the application answers 405;
 * - Content-Length repeated with the same number, which RFC 9110 8.6 allows to accept;
 * - `chunked` and numbers with a tab behind them, which is no part of the value (RFC 9110 5.5);
 * - fields like `Transfer-Encodings`, which it takes for Transfer-Encoding.
 */
static bool refusal_is_justified(const struct http_request *ours, const char *error_name)
{
    if (strcmp(error_name, "HPE_INVALID_METHOD") == 0) {
        return ours->method == HTTP_METHOD_OTHER;
    }
    if (strcmp(error_name, "HPE_UNEXPECTED_CONTENT_LENGTH") == 0) {
        return count_headers(ours, "Content-Length") > 1 || has_a_longer_transfer_encoding(ours);
    }
    if (strcmp(error_name, "HPE_INVALID_CONTENT_LENGTH") == 0) {
        return has_white_space_behind(http_request_header(ours, "Content-Length"));
    }
    if (strcmp(error_name, "HPE_INVALID_TRANSFER_ENCODING") == 0) {
        return has_white_space_behind(http_request_header(ours, "Transfer-Encoding")) ||
               has_a_longer_transfer_encoding(ours);
    }
    return false;
}

/* Empty, or like `cl`: the other overlooks the option behind such a member of a list. */
static bool is_beginning_of_option(struct str member)
{
    static const char *const options[] = {"close", "keep-alive", "upgrade"};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct str option = str_from(options[i]);

        if (member.length < option.length &&
            str_equal_ignoring_case(member, str_slice(option, 0, member.length))) {
            return true;
        }
    }
    return false;
}

/* The other overlooks options beside a tab and beside what is no token, too. */
static bool is_odd_list(struct str value)
{
    struct str member = {0};

    if (str_index_of(value, '\t') < value.length || has_white_space_behind(value)) {
        return true;
    }
    while (str_cut(&value, ',', &member)) {
        member = str_trim(member);
        if (http_span(member, HTTP_TOKEN_BYTE) < member.length || is_beginning_of_option(member)) {
            return true;
        }
    }
    return false;
}

/*
 * Framing does not depend on it, so the known differences take nobody in: odd lists, and `close`
 * beside `keep-alive` in HTTP/1.0, where ours closes.
 */
static bool keep_alive_agrees(const struct http_request *ours, const struct peer_request *peer)
{
    size_t position = 0;
    struct str value = http_request_next_header(ours, "Connection", &position);

    if (ours->keeps_alive == peer->keeps_alive ||
        (!ours->keeps_alive && ours->minor_version == 0 && value.bytes)) {
        return true;
    }
    while (value.bytes) {
        if (is_odd_list(value)) {
            return true;
        }
        value = http_request_next_header(ours, "Connection", &position);
    }
    return false;
}

static bool headers_agree(const struct http_request *ours, const struct peer_request *peer)
{
    if (ours->header_count != peer->header_count) {
        return false;
    }
    for (size_t i = 0; i < ours->header_count; i++) {
        /* The other leaves white space behind a value. */
        if (!str_equal(ours->headers[i].name, peer->headers[i].name) ||
            !str_equal(ours->headers[i].value, str_trim(peer->headers[i].value))) {
            return false;
        }
    }
    return true;
}

static bool framing_agrees(const struct http_request *ours, const struct peer_request *peer)
{
    switch (ours->framing) {
    case HTTP_NO_BODY:
        return !peer->is_chunked && !peer->has_content_length;
    case HTTP_SIZED_BODY:
        return !peer->is_chunked && peer->has_content_length &&
               peer->content_length == ours->content_length;
    case HTTP_CHUNKED_BODY:
        return peer->is_chunked && !peer->has_content_length;
    }
    return false;
}

/* The other refuses `http://host:/`, which RFC 3986 3.2.3 allows; of `http://host` it has no path.
 */
static bool paths_agree(const struct http_request *ours, const struct peer_request *peer)
{
    const bool is_root = peer->path.length == 0 && str_is(ours->path, "/");

    if (peer->target_is_bad) {
        return str_ends_with(ours->host, ":");
    }
    return (is_root || str_equal(ours->path, peer->path)) && str_equal(ours->query, peer->query);
}

/* A later minor version counts as 1.1 with us. */
static bool versions_agree(const struct http_request *ours, const struct peer_request *peer)
{
    return peer->major_version == 1 && (ours->minor_version == 0) == (peer->minor_version == 0);
}

/* NULL, or in what they differ. */
static const char *find_difference(const struct http_request *ours, size_t head_length,
                                   const struct peer_request *peer)
{
    if (peer->error_name) {
        return refusal_is_justified(ours, peer->error_name) ? NULL : peer->error_name;
    }
    if (!peer->is_complete) {
        return "the other wants more";
    }
    if (!str_equal(ours->method_name, peer->method_name)) {
        return "method";
    }
    if (!str_equal(ours->target, peer->target)) {
        return "target";
    }
    if (!paths_agree(ours, peer)) {
        return "path or query";
    }
    if (!versions_agree(ours, peer)) {
        return "version";
    }
    if (!headers_agree(ours, peer)) {
        return "fields";
    }
    if (!framing_agrees(ours, peer)) {
        return "framing";
    }
    if (!keep_alive_agrees(ours, peer)) {
        return "keep-alive";
    }
    return head_length == peer->head_length ? NULL : "end of the head";
}

/* Whether ours accepts it; fails if the other understands it in another way. */
static bool compare(struct str bytes)
{
    static struct http_request ours;
    static struct peer_request peer;
    struct http_refusal refusal = {0};
    const char *difference = NULL;
    size_t head_length = 0;

    if (http_parse_request(bytes, &usual, &ours, &head_length, &refusal) != HTTP_PARSE_DONE) {
        return false;
    }
    peer_parse(bytes, &peer);
    difference = find_difference(&ours, head_length, &peer);
    if (difference) {
        fail_msg("%s differs in:\n%.*s", difference, STR_FORMAT(bytes));
    }
    return true;
}

static void good_requests_are_understood_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
        assert_true(compare(str_from(seeds[i])));
    }
}

static void mutants_that_are_accepted_are_understood_alike(void **state)
{
    uint64_t generator = 88172645463325252;
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seeds) * MUTANTS_PER_SEED; i++) {
        const struct str seed = str_from(seeds[i % ARRAY_LEN(seeds)]);
        const size_t changes = 1 + next_number(&generator) % CHANGES_PER_MUTANT;
        struct mutant mutant = {.length = seed.length};

        memcpy(mutant.bytes, seed.bytes, seed.length);
        for (size_t change = 0; change < changes; change++) {
            mutate(&mutant, &generator);
        }
        accepted += compare((struct str){mutant.bytes, mutant.length}) ? 1 : 0;
    }
    /* Else the mutants are too wild to show anything. */
    assert_in_range(accepted, ARRAY_LEN(seeds) * MUTANTS_PER_SEED / 10, SIZE_MAX);
}

static void each_known_difference_is_one(void **state)
{
    static const char *const differing[] = {
        "BREW / HTTP/1.1\r\n" HOST "\r\n",
        "PUT / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "Connection: ,close\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "A: b \r\n\r\n",
        "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\t\r\n\r\n",
        "PUT / HTTP/1.1\r\n" HOST "Transfer-Encodings: a\r\n\r\n",
        "PUT / HTTP/1.1\r\n" HOST "Content-Length: 5\t\r\n\r\n",
        "GET http://h:/a HTTP/1.1\r\n" HOST "\r\n",
        "GET http://h?a HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\t\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(differing); i++) {
        assert_true(compare(str_from(differing[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_are_understood_alike),
        cmocka_unit_test(mutants_that_are_accepted_are_understood_alike),
        cmocka_unit_test(each_known_difference_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
