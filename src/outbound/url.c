#include "outbound/url.h"

#include <curl/curl.h>
#include <string.h>

void url_append_encoded(struct strbuf *buf, struct str bytes)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < bytes.length; i++) {
        if (memchr(unreserved, bytes.bytes[i], sizeof(unreserved) - 1)) {
            strbuf_append_byte(buf, bytes.bytes[i]);
        } else {
            strbuf_append_format(buf, "%%%02X", (unsigned char)bytes.bytes[i]);
        }
    }
}

void url_append_parameter(struct strbuf *buf, const char *name, struct str value)
{
    const char last = buf->length > 0 ? buf->text[buf->length - 1] : '?';

    if (last != '?') {
        strbuf_append_byte(buf, '&');
    }
    url_append_encoded(buf, str_from(name));
    strbuf_append_byte(buf, '=');
    url_append_encoded(buf, value);
}

bool url_append_resolved(struct strbuf *buf, const char *base, const char *reference)
{
    CURLU *const place = curl_url();
    char *text = NULL;
    const bool is_found = place && reference[0] != '\0' &&
                          !curl_url_set(place, CURLUPART_URL, base, 0) &&
                          !curl_url_set(place, CURLUPART_URL, reference, 0) &&
                          !curl_url_get(place, CURLUPART_URL, &text, 0);

    if (is_found) {
        strbuf_append_text(buf, text);
    }
    curl_free(text);
    curl_url_cleanup(place);
    return is_found;
}
