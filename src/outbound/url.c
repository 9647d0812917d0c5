#include "outbound/url.h"

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
