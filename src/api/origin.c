#include "api/origin.h"

#include <string.h>

#include "api/api.h"
#include "api/call.h"
#include "base/ascii.h"
#include "base/host.h"

enum { ADDRESS_BITS = 128, IPV4_OFFSET_BITS = 96 };

enum { FORWARDED_FIELDS_MAX = 8, PORT_MAX = 65535, DOUBT_INTERVAL_MS = 60 * 1000 };

/* Lists of one field, each of which proxies append to. */
struct forwarded_lists {
    struct str lists[FORWARDED_FIELDS_MAX];
    size_t count;
    const char *parameter; /* of a Forwarded field (RFC 7239 4); NULL: entries are values */
};

/* How what ends TLS in front says that it did; the next proxies pass it on. */
static const struct https_mark {
    const char *name;
    const char *parameter;
    const char *value;
} https_marks[] = {
    {"X-Forwarded-Proto", NULL, "https"},
    {"X-Forwarded-Protocol", NULL, "https"},
    {"X-Forwarded-Scheme", NULL, "https"},
    {"X-Url-Scheme", NULL, "https"},
    {"X-Scheme", NULL, "https"},
    {"CloudFront-Forwarded-Proto", NULL, "https"},
    {"X-Forwarded-Ssl", NULL, "on"},
    {"Front-End-Https", NULL, "on"},
    {"X-Forwarded-Port", NULL, "443"},
    {"Forwarded", "proto", "https"},
    {"X-Original-Proto", NULL, "https"},
    {"X-AppEngine-Https", NULL, "on"},
    {"Fastly-SSL", NULL, "1"},
};

static bool parse_network(struct str text, struct in6_addr *address_out, unsigned *bits_out)
{
    const size_t slash = str_index_of(text, '/');
    uint64_t bits = ADDRESS_BITS;
    bool is_ipv4 = false;

    if (!host_parse_address(str_slice(text, 0, slash), address_out, &is_ipv4)) {
        return false;
    }
    if (slash < text.length) {
        if (!str_parse_uint64(str_from_index(text, slash + 1), &bits) || bits > ADDRESS_BITS) {
            return false;
        }
        bits += is_ipv4 ? IPV4_OFFSET_BITS : 0;
    }
    *bits_out = (unsigned)bits;
    return bits <= ADDRESS_BITS;
}

enum error_code proxies_parse(struct str text, struct proxies *proxies_out, struct error *err)
{
    struct proxies proxies = {0};
    struct str word;

    while (str_cut(&text, ' ', &word)) {
        if (word.length == 0) {
            continue;
        }
        if (proxies.count == PROXIES_MAX) {
            return error_set(err, ERROR_INVALID, "has more than %d entries", PROXIES_MAX);
        }
        if (!parse_network(word, &proxies.networks[proxies.count].address,
                           &proxies.networks[proxies.count].prefix_bits)) {
            return error_set(err, ERROR_INVALID,
                             "\"%.*s\" is neither an address nor a network such as 10.0.0.0/8",
                             STR_FORMAT(str_slice(word, 0, 80)));
        }
        proxies.count++;
    }
    *proxies_out = proxies;
    return OK;
}

static bool network_has(const uint8_t *address, const uint8_t *network, unsigned bits)
{
    const unsigned whole = bits / 8;
    const unsigned rest = bits % 8;
    const uint8_t mask = (uint8_t)(0xff << (8 - rest));

    return memcmp(address, network, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ network[whole]) & mask) == 0);
}

bool proxies_trust(const struct proxies *proxies, struct str address)
{
    struct in6_addr parsed;
    bool is_ipv4 = false;

    if (proxies->count == 0 || !host_parse_address(address, &parsed, &is_ipv4)) {
        return false;
    }
    for (size_t i = 0; i < proxies->count; i++) {
        if (network_has(parsed.s6_addr, proxies->networks[i].address.s6_addr,
                        proxies->networks[i].prefix_bits)) {
            return true;
        }
    }
    return false;
}

bool origin_is_proxy(void *context, struct str address)
{
    const struct api *api = context;

    return proxies_trust(&api->config.proxies, address);
}

static bool is_from_proxy(const struct call *call)
{
    return proxies_trust(&call->api->config.proxies, call->exchange->peer_address);
}

/* Some proxies add a field of their own instead of appending. More than fit are not believed. */
static void find_lists(const struct call *call, const char *name, struct forwarded_lists *lists)
{
    size_t position = 0;

    for (;;) {
        const struct str value =
            http_request_next_header(&call->exchange->request, name, &position);

        if (!value.bytes) {
            return;
        }
        if (lists->count == FORWARDED_FIELDS_MAX) {
            lists->count = 0;
            return;
        }
        lists->lists[lists->count++] = value;
    }
}

/* Takes the last entry off a list with commas. */
static struct str last_of(struct str *list)
{
    const size_t comma = str_last_index_of(*list, ',');
    const struct str last = comma < list->length ? str_from_index(*list, comma + 1) : *list;

    *list = str_slice(*list, 0, comma < list->length ? comma : 0);
    return str_trim(last);
}

/* Of `for=192.0.2.1;proto=https` that parameter's value, which may be quoted; empty if there is
 * none. Of an entry without parameters, itself. */
static struct str forwarded_value_of(struct str entry, const char *parameter)
{
    struct str pair;
    struct str name;

    if (!parameter) {
        return entry;
    }
    while (str_cut(&entry, ';', &pair)) {
        if (str_cut(&pair, '=', &name) && str_is_ignoring_case(str_trim(name), parameter)) {
            const struct str value = str_trim(pair);
            const bool is_quoted =
                value.length > 1 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"';

            return is_quoted ? str_slice(value, 1, value.length - 1) : value;
        }
    }
    return (struct str){0};
}

struct str origin_client_address(const struct call *call)
{
    const struct str peer = call->exchange->peer_address;
    struct forwarded_lists all = {0};
    struct str address = {0};

    if (!is_from_proxy(call)) {
        return peer;
    }
    find_lists(call, "X-Forwarded-For", &all);
    if (all.count == 0) {
        all.parameter = "for";
        find_lists(call, "Forwarded", &all);
    }
    /* From the right, and the last field first: each proxy appends whom it was asked by. The first
     * that is no proxy of ours is the client; whatever stands before it, the client may have made
     * up. */
    while (all.count > 0) {
        while (all.lists[all.count - 1].length > 0) {
            const struct str entry = last_of(&all.lists[all.count - 1]);

            address = host_without_port(
                forwarded_value_of(entry, all.parameter)); /* some tell a port, too */
            if (!proxies_trust(&call->api->config.proxies, address)) {
                return address.length > 0 ? address : peer;
            }
        }
        all.count--;
    }
    return address.length > 0 ? address : peer;
}

/* The first entry of a field that the trusted proxy sets. */
static struct str forwarded(const struct call *call, const char *name, const char *parameter)
{
    struct str list = http_request_header(&call->exchange->request, name);
    struct str first = {0};

    if (is_from_proxy(call)) {
        (void)str_cut(&list, ',', &first);
    }
    return forwarded_value_of(str_trim(first), parameter);
}

static bool has_mark(struct str list, const struct https_mark *mark)
{
    struct str entry;

    while (str_cut(&list, ',', &entry)) {
        if (str_is_ignoring_case(forwarded_value_of(str_trim(entry), mark->parameter),
                                 mark->value)) {
            return true;
        }
    }
    return false;
}

static bool says_https(const struct call *call)
{
    for (size_t i = 0; i < ARRAY_LEN(https_marks); i++) {
        size_t position = 0;
        struct str list;

        do {
            list =
                http_request_next_header(&call->exchange->request, https_marks[i].name, &position);
            if (has_mark(list, &https_marks[i])) {
                return true;
            }
        } while (list.bytes);
    }
    return false;
}

/* The operator is told, not for each request. */
static void origin_doubt(struct call *call)
{
    struct api *const api = call->api;
    const int64_t now_ms = clock_monotonic_ms(api->config.clock);
    int64_t next_ms = atomic_load(&api->next_doubt_ms);
    struct log_line line;

    if (now_ms < next_ms || !atomic_compare_exchange_strong(&api->next_doubt_ms, &next_ms,
                                                            now_ms + DOUBT_INTERVAL_MS)) {
        return;
    }
    log_begin(&line, api->config.log, LOG_WARNING, "tls_in_front");
    log_text(&line, "message",
             str_from("a proxy that is not trusted says that TLS ends in front of it: clients are "
                      "sent to https; set public_url, or trusted_proxies to its address"));
    log_text(&line, "peer", call->exchange->peer_address);
    log_end(&line);
}

/* A trusted proxy's word, else our own, else anybody's who says yes: to follow it where it is wrong
 * costs a client a failure, not to follow it where it is right costs the client's login. */
static bool is_https(struct call *call)
{
    struct str scheme = forwarded(call, "X-Forwarded-Proto", NULL);

    if (scheme.length == 0) {
        scheme = forwarded(call, "Forwarded", "proto");
    }
    if (scheme.length > 0) {
        return str_is_ignoring_case(scheme, "https");
    }
    if (call->exchange->is_tls || !says_https(call)) {
        return call->exchange->is_tls;
    }
    if (!is_from_proxy(call)) {
        origin_doubt(call);
    }
    return true;
}

/* What may stand between the quotes of a challenge: a host and a port. */
static bool is_quotable_host(struct str host)
{
    for (size_t i = 0; i < host.length; i++) {
        const char byte = host.bytes[i];

        if (!ascii_is_letter_or_digit(byte) && !memchr(".-_:[]", byte, sizeof(".-_:[]") - 1)) {
            return false;
        }
    }
    return host.length > 0;
}

static struct str find_host(const struct call *call)
{
    const struct str hosts[] = {
        forwarded(call, "X-Forwarded-Host", NULL),
        forwarded(call, "Forwarded", "host"),
        call->exchange->request.host,
    };

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (is_quotable_host(hosts[i])) {
            return hosts[i];
        }
    }
    return str_from("localhost"); /* HTTP/1.0 need not say */
}

/* The one that clients connect to, where the host does not tell it; 0: the scheme's. The usual
 * ports go without saying, and where one does not fit the scheme it is of the way in between. */
static unsigned find_port(const struct call *call, struct str host)
{
    const bool has_port = !str_ends_with(host, "]") && str_index_of(host, ':') < host.length;
    uint64_t port = 0;

    if (has_port || !str_parse_uint64(forwarded(call, "X-Forwarded-Port", NULL), &port) ||
        port == 80 || port == 443 || port > PORT_MAX) {
        return 0;
    }
    return (unsigned)port;
}

static struct str without_scheme(struct str url)
{
    const size_t slash = str_index_of(url, '/');

    return slash < url.length ? str_from_index(url, slash + 2) : url;
}

struct str origin_service(const struct call *call)
{
    const struct str host = find_host(call);
    const unsigned port = find_port(call, host);
    const char *whole = NULL;

    if (call->api->config.public_url) {
        return without_scheme(str_from(call->api->config.public_url));
    }
    if (port > 0) {
        whole = arena_format(&call->exchange->arena, "%.*s:%u", STR_FORMAT(host), port);
    }
    return whole ? str_from(whole) : host;
}

struct str origin_url(struct call *call)
{
    const char *url = NULL;

    if (call->api->config.public_url) {
        return str_from(call->api->config.public_url);
    }
    url = arena_format(&call->exchange->arena, "%s://%.*s", is_https(call) ? "https" : "http",
                       STR_FORMAT(origin_service(call)));
    return str_from(url ? url : "https://localhost");
}

bool origin_is_foreign(const struct call *call)
{
    const struct http_request *request = &call->exchange->request;
    const struct str site = http_request_header(request, "Sec-Fetch-Site");
    const struct str origin = http_request_header(request, "Origin");

    if (site.bytes) {
        return !str_is(site, "same-origin") && !str_is(site, "none");
    }
    return origin.bytes && !str_equal_ignoring_case(without_scheme(origin), origin_service(call)) &&
           !str_equal_ignoring_case(without_scheme(origin), request->host);
}
