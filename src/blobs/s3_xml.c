#include "blobs/s3_xml.h"

enum { TAG_MAX_BYTES = 64, TEXT_MAX_BYTES = 4096 };

static const struct {
    struct str entity;
    char byte;
} entities[] = {
    {STR_LITERAL("&lt;"), '<'},  {STR_LITERAL("&gt;"), '>'},    {STR_LITERAL("&quot;"), '"'},
    {STR_LITERAL("&#34;"), '"'}, {STR_LITERAL("&apos;"), '\''}, {STR_LITERAL("&#39;"), '\''},
    {STR_LITERAL("&amp;"), '&'},
};

static bool find(struct str xml, const char *name, struct str *text_out);
static struct str behind(struct str xml, const char *tag);
static void append_decoded(struct strbuf *text, struct str encoded);
static size_t decode(struct str encoded, char *byte_out);

bool s3_xml_text(struct str xml, const char *name, struct strbuf *text)
{
    struct str encoded;

    if (!find(xml, name, &encoded)) {
        return false;
    }
    append_decoded(text, encoded);
    return true;
}

static bool find(struct str xml, const char *name, struct str *text_out)
{
    CLEANUP(strbuf_release) struct strbuf tag;
    struct str text;
    struct str end;

    strbuf_init(&tag, TAG_MAX_BYTES);
    strbuf_append_format(&tag, "<%s>", name);
    text = behind(xml, tag.text);
    if (!text.bytes) {
        return false;
    }
    text = str_slice(text, 0, str_index_of(text, '<'));
    end = str_from_index(xml, (size_t)(text.bytes - xml.bytes) + text.length);
    strbuf_clear(&tag);
    strbuf_append_format(&tag, "</%s>", name);
    if (!str_starts_with(end, tag.text) || text.length > TEXT_MAX_BYTES) {
        return false;
    }
    *text_out = text;
    return true;
}

/* What stands behind the first such tag; {NULL, 0}: there is none. */
static struct str behind(struct str xml, const char *tag)
{
    while (xml.length > 0) {
        xml = str_from_index(xml, str_index_of(xml, '<'));
        if (str_starts_with(xml, tag)) {
            return str_from_index(xml, str_from(tag).length);
        }
        xml = str_from_index(xml, 1);
    }
    return (struct str){0};
}

static void append_decoded(struct strbuf *text, struct str encoded)
{
    while (encoded.length > 0) {
        char byte = encoded.bytes[0];
        const size_t length = decode(encoded, &byte);

        strbuf_append_byte(text, byte);
        encoded = str_from_index(encoded, length);
    }
}

/* How many bytes stand for the one; an entity that is unknown stands for itself. */
static size_t decode(struct str encoded, char *byte_out)
{
    for (size_t i = 0; encoded.bytes[0] == '&' && i < ARRAY_LEN(entities); i++) {
        if (str_starts_with(encoded, entities[i].entity.bytes)) {
            *byte_out = entities[i].byte;
            return entities[i].entity.length;
        }
    }
    return 1;
}

bool s3_xml_is(struct str xml, const char *name, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf found;

    strbuf_init(&found, TEXT_MAX_BYTES);
    return s3_xml_text(xml, name, &found) && str_is(strbuf_str(&found), text);
}

void s3_xml_append(struct strbuf *xml, struct str text)
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
