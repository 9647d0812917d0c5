#include "api/origin.h"

#include <string.h>

#include "api/api_private.h"
#include "base/host.h"

enum { FORWARDED_FIELDS_MAX = 8 };

static size_t forwarded_lists(const struct call *call, struct str lists_out[FORWARDED_FIELDS_MAX]);
static bool is_from_proxy(const struct call *call);
static struct str without_scheme(struct str url);
static struct str forwarded(const struct call *call, const char *name);
static struct str last_of(struct str *list);
static bool is_host(struct str host);

bool origin_is_proxy(void *context, struct str address)
{
    const struct api *api = context;

    return proxies_trust(&api->config.proxies, address);
}

struct str origin_client_address(const struct call *call)
{
    const struct str peer = call->exchange->peer_address;
    struct str lists[FORWARDED_FIELDS_MAX];
    size_t count = 0;
    struct str address = {0};

    if (!is_from_proxy(call)) {
        return peer;
    }
    count = forwarded_lists(call, lists);
    /* From the right, and the last field first: each proxy appends whom it was asked by. The first
     * that is no proxy of ours is the client; whatever stands before it, the client may have made
     * up. */
    while (count > 0) {
        while (lists[count - 1].length > 0) {
            address = host_without_port(last_of(&lists[count - 1])); /* some tell a port as well */
            if (!proxies_trust(&call->api->config.proxies, address)) {
                return address.length > 0 ? address : peer;
            }
        }
        count--;
    }
    return address.length > 0 ? address : peer;
}

/* Some proxies add a field of their own instead of appending. More than fit are not believed. */
static size_t forwarded_lists(const struct call *call, struct str lists_out[FORWARDED_FIELDS_MAX])
{
    size_t position = 0;
    size_t count = 0;

    for (;;) {
        const struct str value =
            http_request_next_header(&call->exchange->request, "X-Forwarded-For", &position);

        if (!value.bytes) {
            return count;
        }
        if (count == FORWARDED_FIELDS_MAX) {
            return 0;
        }
        lists_out[count++] = value;
    }
}

static bool is_from_proxy(const struct call *call)
{
    return proxies_trust(&call->api->config.proxies, call->exchange->peer_address);
}

/* Takes the last entry off a list with commas. */
static struct str last_of(struct str *list)
{
    const size_t comma = str_last_index_of(*list, ',');
    const struct str last = comma < list->length ? str_from_index(*list, comma + 1) : *list;

    *list = str_slice(*list, 0, comma < list->length ? comma : 0);
    return str_trim(last);
}

struct str origin_url(struct call *call)
{
    const struct str scheme = forwarded(call, "X-Forwarded-Proto");
    bool is_https = call->exchange->is_tls;
    const char *url = NULL;

    if (call->api->config.public_url) {
        return str_from(call->api->config.public_url);
    }
    if (scheme.length > 0) {
        is_https = str_is_ignoring_case(scheme, "https");
    }
    url = arena_format(&call->exchange->arena, "%s://%.*s", is_https ? "https" : "http",
                       STR_FORMAT(origin_service(call)));
    return str_from(url ? url : "http://localhost");
}

struct str origin_service(const struct call *call)
{
    struct str host = str_from(call->api->config.public_url);

    if (host.length > 0) {
        return without_scheme(host);
    }
    host = forwarded(call, "X-Forwarded-Host");
    if (!is_host(host)) {
        host = call->exchange->request.host;
    }
    return is_host(host) ? host : str_from("localhost"); /* HTTP/1.0 need not say */
}

static struct str without_scheme(struct str url)
{
    const size_t slash = str_index_of(url, '/');

    return slash < url.length ? str_from_index(url, slash + 2) : url;
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

/* The first entry of a field that the trusted proxy sets. */
static struct str forwarded(const struct call *call, const char *name)
{
    struct str list = http_request_header(&call->exchange->request, name);
    struct str first = {0};

    if (is_from_proxy(call)) {
        (void)str_cut(&list, ',', &first);
    }
    return str_trim(first);
}

/* What may stand between the quotes of a challenge: a host and a port. */
static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.length; i++) {
        const char byte = host.bytes[i];

        if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= '0' && byte <= '9') || memchr(".-_:[]", byte, sizeof(".-_:[]") - 1))) {
            return false;
        }
    }
    return host.length > 0;
}
