#include "aws/xml.h"

#include <string.h>

enum { TAG_MAX_BYTES = 64, TEXT_MAX_BYTES = 4096 };

static const struct {
    struct str entity;
    char byte;
} entities[] = {
    {STR_LITERAL("&lt;"), '<'},  {STR_LITERAL("&gt;"), '>'},    {STR_LITERAL("&quot;"), '"'},
    {STR_LITERAL("&#34;"), '"'}, {STR_LITERAL("&apos;"), '\''}, {STR_LITERAL("&#39;"), '\''},
    {STR_LITERAL("&amp;"), '&'},
};

/* Where it stands, or the length of xml. */
static size_t xml_index_of(struct str xml, const struct strbuf *tag)
{
    const char *found =
        xml.length == 0 ? NULL : memmem(xml.bytes, xml.length, tag->text, tag->length);

    return found ? (size_t)(found - xml.bytes) : xml.length;
}

/* Between the first tags of that name; it is the only one if no other begins behind it. */
static bool xml_find(struct str xml, const char *name, struct str *content_out, bool *is_only_out)
{
    CLEANUP(strbuf_release) struct strbuf tag;
    struct str rest;
    size_t end = 0;

    strbuf_init(&tag, TAG_MAX_BYTES);
    strbuf_append_format(&tag, "<%s>", name);
    rest = str_from_index(xml, xml_index_of(xml, &tag));
    if (rest.length == 0) {
        return false;
    }
    rest = str_from_index(rest, tag.length);
    *is_only_out = xml_index_of(rest, &tag) == rest.length;
    strbuf_clear(&tag);
    strbuf_append_format(&tag, "</%s>", name);
    end = xml_index_of(rest, &tag);
    if (end == rest.length) {
        return false;
    }
    *content_out = str_slice(rest, 0, end);
    return true;
}

bool aws_xml_only(struct str xml, const char *name, struct str *content_out)
{
    struct str content;
    bool is_only = false;

    if (!xml_find(xml, name, &content, &is_only) || !is_only) {
        return false;
    }
    *content_out = content;
    return true;
}

/* How many bytes stand for the one; an entity that is unknown stands for itself. */
static size_t xml_decode(struct str encoded, char *byte_out)
{
    for (size_t i = 0; encoded.bytes[0] == '&' && i < ARRAY_LEN(entities); i++) {
        if (str_starts_with(encoded, entities[i].entity.bytes)) {
            *byte_out = entities[i].byte;
            return entities[i].entity.length;
        }
    }
    return 1;
}

static void append_decoded(struct strbuf *text, struct str encoded)
{
    while (encoded.length > 0) {
        char byte = encoded.bytes[0];
        const size_t length = xml_decode(encoded, &byte);

        strbuf_append_byte(text, byte);
        encoded = str_from_index(encoded, length);
    }
}

bool aws_xml_text(struct str xml, const char *name, struct strbuf *text)
{
    struct str content;
    bool is_only = false;

    if (!xml_find(xml, name, &content, &is_only) || content.length > TEXT_MAX_BYTES ||
        str_index_of(content, '<') < content.length) {
        return false;
    }
    append_decoded(text, content);
    return true;
}

bool aws_xml_is(struct str xml, const char *name, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf found;

    strbuf_init(&found, TEXT_MAX_BYTES);
    return aws_xml_text(xml, name, &found) && str_is(strbuf_str(&found), text);
}

void aws_xml_append(struct strbuf *xml, struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        const char byte = text.bytes[i];
        size_t entity = 0;

        while (entity < ARRAY_LEN(entities) && entities[entity].byte != byte) {
            entity++;
        }
        if (entity < ARRAY_LEN(entities)) {
            strbuf_append(xml, entities[entity].entity);
        } else {
            strbuf_append_byte(xml, byte);
        }
    }
}
