#include "cli/registry_url.h"

#include <string.h>

#include "base/ascii.h"

static bool take_scheme(struct str *text, const char *scheme);
static bool is_host(struct str host);
static const char *lower_case(struct arena *arena, struct str text);

enum error_code registry_url_parse(struct str text, struct arena *arena,
                                   struct registry_url *url_out, struct error *err)
{
    struct str host = str_trim(text);
    const bool is_plain = take_scheme(&host, "http://");
    const char *lower = NULL;
    struct str path;

    if (!is_plain) {
        (void)take_scheme(&host, "https://");
    }
    path = str_from_index(host, str_index_of(host, '/'));
    host = str_slice(host, 0, str_index_of(host, '/'));
    if (!is_host(host) || str_ends_with(host, ":")) {
        return error_set(err, ERROR_INVALID,
                         "\"%.*s\" is not the address of a registry: give its host, like "
                         "pierone.example.org, host:port, or http://host:port without TLS",
                         STR_FORMAT(str_slice(text, 0, REGISTRY_URL_MAX_BYTES)));
    }
    lower = lower_case(arena, host);
    *url_out = (struct registry_url){
        .url = arena_format(arena, "%s://%s", is_plain ? "http" : "https", lower),
        .host = lower,
        .has_path = path.length > 1,
    };
    return OK;
}

/* In any case (RFC 3986 3.1). */
static bool take_scheme(struct str *text, const char *scheme)
{
    const size_t length = strlen(scheme);
    const bool is_there = str_is_ignoring_case(str_slice(*text, 0, length), scheme);

    *text = str_from_index(*text, is_there ? length : 0);
    return is_there;
}

static bool is_host(struct str host)
{
    bool is_plain = host.length > 0 && host.length <= REGISTRY_URL_MAX_BYTES;

    for (size_t i = 0; i < host.length && is_plain; i++) {
        const char byte = host.bytes[i];

        is_plain = ascii_is_letter_or_digit(byte) || (byte != '\0' && strchr("-._:[]", byte));
    }
    return is_plain && host.bytes[0] != ':' && host.bytes[host.length - 1] != ':';
}

static const char *lower_case(struct arena *arena, struct str text)
{
    char *const copy = arena_text(arena, text);

    for (size_t i = 0; copy && i < text.length; i++) {
        copy[i] = ascii_lower(copy[i]);
    }
    return copy;
}
