#include "base/json_writer.h"

#include <assert.h>

#include "base/utf8.h"

void json_writer_init(struct json_writer *writer, struct strbuf *buf)
{
    *writer = (struct json_writer){.buf = buf};
}

static void begin_value(struct json_writer *writer)
{
    if (writer->needs_comma[writer->depth]) {
        strbuf_append_byte(writer->buf, ',');
    }
    writer->needs_comma[writer->depth] = true;
}

static void open_level(struct json_writer *writer, char bracket)
{
    begin_value(writer);
    assert(writer->depth + 1 < JSON_WRITER_MAX_DEPTH);
    writer->needs_comma[++writer->depth] = false;
    strbuf_append_byte(writer->buf, bracket);
}

void json_writer_begin_object(struct json_writer *writer)
{
    open_level(writer, '{');
}

static void close_level(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0);
    writer->depth--;
    strbuf_append_byte(writer->buf, bracket);
}

void json_writer_end_object(struct json_writer *writer)
{
    close_level(writer, '}');
}

void json_writer_begin_array(struct json_writer *writer)
{
    open_level(writer, '[');
}

void json_writer_end_array(struct json_writer *writer)
{
    close_level(writer, ']');
}

/* RFC 8259 7: above U+FFFF as two surrogates. */
static void append_escape(struct strbuf *buf, uint32_t point)
{
    const uint32_t above = point - 0x10000;

    if (point < 0x10000) {
        strbuf_append_format(buf, "\\u%04x", (unsigned)point);
    } else {
        strbuf_append_format(buf, "\\u%04x\\u%04x", (unsigned)(0xd800 + (above >> 10)),
                             (unsigned)(0xdc00 + (above & 0x3ff)));
    }
}

static void append_control(struct strbuf *buf, char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        strbuf_append_byte(buf, '\\');
        strbuf_append_byte(buf, byte);
        return;
    case '\n':
        strbuf_append_text(buf, "\\n");
        return;
    case '\t':
        strbuf_append_text(buf, "\\t");
        return;
    default:
        strbuf_append_format(buf, "\\u%04x", (unsigned char)byte);
    }
}

/* Appends the first character, which is not plain; returns how many bytes of text that was. What is
 * hidden need not be escaped, but steers or deceives those who look at it on a terminal. */
static size_t append_character(struct strbuf *buf, struct str text)
{
    const size_t length = text.length == 0 ? 0 : utf8_character_length(text);

    if (length > 1 && utf8_is_hidden(str_slice(text, 0, length))) {
        append_escape(buf, utf8_code_point(str_slice(text, 0, length)));
    } else if (length > 1) {
        strbuf_append(buf, str_slice(text, 0, length));
    } else if (length == 1) {
        append_control(buf, text.bytes[0]);
    } else if (text.length > 0) {
        strbuf_append_text(buf, "\\ufffd");
        return 1;
    }
    return length;
}

static void append_escaped(struct strbuf *buf, struct str text)
{
    strbuf_append_byte(buf, '"');
    while (text.length > 0) {
        const size_t plain = utf8_plain_prefix(text);

        strbuf_append(buf, str_slice(text, 0, plain));
        text = str_from_index(text, plain);
        text = str_from_index(text, append_character(buf, text));
    }
    strbuf_append_byte(buf, '"');
}

void json_writer_name(struct json_writer *writer, const char *name)
{
    begin_value(writer);
    append_escaped(writer->buf, str_from(name));
    strbuf_append_byte(writer->buf, ':');
    writer->needs_comma[writer->depth] = false;
}

void json_writer_string(struct json_writer *writer, struct str value)
{
    begin_value(writer);
    append_escaped(writer->buf, value);
}

void json_writer_int64(struct json_writer *writer, int64_t value)
{
    begin_value(writer);
    if (value < 0) {
        strbuf_append_byte(writer->buf, '-');
    }
    strbuf_append_uint64(writer->buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_writer_null(struct json_writer *writer)
{
    json_writer_raw(writer, str_from("null"));
}

void json_writer_raw(struct json_writer *writer, struct str json)
{
    begin_value(writer);
    strbuf_append(writer->buf, json);
}

void json_writer_member(struct json_writer *writer, const char *name, struct str value)
{
    json_writer_name(writer, name);
    json_writer_string(writer, value);
}

void json_writer_member_uint64(struct json_writer *writer, const char *name, uint64_t value)
{
    json_writer_name(writer, name);
    begin_value(writer);
    strbuf_append_uint64(writer->buf, value);
}
