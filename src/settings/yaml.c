#include "settings/yaml.h"

#include <yaml.h>

#include "base/ascii.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

enum {
    PATH_MAX_BYTES = YAML_MAX_DEPTH * (YAML_MAX_KEY_BYTES + 1),
    TEXTS_MAX_BYTES = 4 * 1024 * 1024, /* of all paths and values */
};

/* The state between two of libyaml's events. */
struct reader {
    yaml_parser_t parser;
    const char *name;
    struct yaml_entries *entries;
    struct error *err;
    struct strbuf path;                  /* of the innermost mapping, or of the key in it */
    size_t depth;                        /* of open mappings */
    size_t path_lengths[YAML_MAX_DEPTH]; /* of each open mapping's path */
    struct yaml_entry *open_entry;       /* has its key and awaits its value */
    bool has_document;
};

/* libyaml would guess UTF-16 as well, and counts no lines in what it cannot decode. */
static enum error_code check_encoding(const char *name, struct str text, struct error *err)
{
    unsigned line = 1;

    while (text.length > 0) {
        const size_t length = utf8_character_length(text);

        if (length == 0) {
            return error_set(err, ERROR_INVALID, "%s:%u: is not UTF-8 text", name, line);
        }
        line += text.bytes[0] == '\n' ? 1 : 0;
        text = str_from_index(text, length);
    }
    return OK;
}

static enum error_code refuse_syntax(struct reader *reader)
{
    const yaml_parser_t *const parser = &reader->parser;
    const char *const problem = parser->problem ? parser->problem : "cannot be read";

    return error_set(reader->err, ERROR_INVALID, "%s:%zu: is not valid YAML: %s", reader->name,
                     parser->problem_mark.line + 1, problem);
}

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static enum error_code yaml_refuse(struct reader *reader, const yaml_event_t *event,
                                   const char *reason)
{
    return error_set(reader->err, ERROR_INVALID, "%s:%u: %s", reader->name, line_of(event), reason);
}

static enum error_code begin_document(struct reader *reader, const yaml_event_t *event)
{
    if (reader->has_document) {
        return yaml_refuse(reader, event, "has a second document (---), but only one can be read");
    }
    reader->has_document = true;
    return OK;
}

static enum error_code check_plain(struct reader *reader, const yaml_event_t *event,
                                   const void *anchor, const void *tag)
{
    if (anchor) {
        return yaml_refuse(reader, event, "anchors (&name) are not supported");
    }
    return tag ? yaml_refuse(reader, event, "tags (!name) are not supported") : OK;
}

/* YAML 1.2.2, 10.3.2; quoted, they are texts like any other. */
static bool is_null(const yaml_event_t *event, struct str value)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is(value, words[i])) {
            return true;
        }
    }
    return false;
}

/* Back to the innermost open mapping, which awaits its next key. */
static void close_entry(struct reader *reader)
{
    const size_t length = reader->path_lengths[reader->depth - 1];

    reader->path.length = length;
    reader->path.text[length] = '\0';
    reader->open_entry = NULL;
}

static enum error_code yaml_take_value(struct reader *reader, const yaml_event_t *event,
                                       struct str value)
{
    struct yaml_entry *const entry = reader->open_entry;

    if (!is_null(event, value)) {
        entry->kind = YAML_VALUE;
        entry->value = (struct str){arena_text(&reader->entries->texts, value), value.length};
        if (!entry->value.bytes) {
            return yaml_refuse(reader, event, "is too large");
        }
    }
    close_entry(reader);
    return OK;
}

static bool is_word(struct str key)
{
    for (size_t i = 0; i < key.length; i++) {
        const char byte = key.bytes[i];

        if (!ascii_is_letter_or_digit(byte) && byte != '_' && byte != '-') {
            return false;
        }
    }
    return true;
}

static const struct yaml_entry *find_entry(const struct yaml_entries *entries, struct str path)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (str_is(path, entries->list[i].path)) {
            return &entries->list[i];
        }
    }
    return NULL;
}

static enum error_code yaml_add_entry(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_entries *const entries = reader->entries;
    const struct str path = strbuf_str(&reader->path);
    const struct yaml_entry *const earlier = find_entry(entries, path);

    if (earlier) {
        return error_set(reader->err, ERROR_INVALID, "%s:%u: \"%s\" stands in line %u already",
                         reader->name, line_of(event), earlier->path, earlier->line);
    }
    if (entries->count == YAML_MAX_ENTRIES) {
        return yaml_refuse(reader, event, "has too many keys");
    }
    entries->list = memory_resize(entries->list, entries->count + 1, sizeof(*entries->list));
    reader->open_entry = &entries->list[entries->count++];
    *reader->open_entry = (struct yaml_entry){
        .path = arena_text(&entries->texts, path),
        .line = line_of(event),
        .kind = YAML_NULL,
    };
    return reader->open_entry->path ? OK : yaml_refuse(reader, event, "is too large");
}

static enum error_code yaml_take_key(struct reader *reader, const yaml_event_t *event,
                                     struct str key)
{
    const size_t dot = str_index_of(key, '.');

    if (key.length > YAML_MAX_KEY_BYTES || key.length == 0) {
        return yaml_refuse(reader, event, "has a key that is empty or too long");
    }
    if (dot < key.length) {
        return error_set(reader->err, ERROR_INVALID,
                         "%s:%u: \"%.*s\" must be nested: a line \"%.*s:\" and, indented below "
                         "it, \"%.*s:\"",
                         reader->name, line_of(event), STR_FORMAT(key),
                         STR_FORMAT(str_slice(key, 0, dot)),
                         STR_FORMAT(str_from_index(key, dot + 1)));
    }
    if (!is_word(key)) {
        return yaml_refuse(reader, event, "has a key that is not made of letters, digits and _");
    }
    if (reader->path.length > 0) {
        strbuf_append_byte(&reader->path, '.');
    }
    strbuf_append(&reader->path, key);
    return yaml_add_entry(reader, event);
}

static enum error_code yaml_take_scalar(struct reader *reader, const yaml_event_t *event)
{
    const struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const enum error_code code =
        check_plain(reader, event, event->data.scalar.anchor, event->data.scalar.tag);

    if (code) {
        return code;
    }
    if (reader->depth == 0) {
        /* An empty document is an empty scalar. */
        return text.length == 0 ? OK : yaml_refuse(reader, event, "must hold lines of KEY: VALUE");
    }
    return reader->open_entry ? yaml_take_value(reader, event, text)
                              : yaml_take_key(reader, event, text);
}

static enum error_code begin_mapping(struct reader *reader, const yaml_event_t *event)
{
    const enum error_code code =
        check_plain(reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);

    if (code) {
        return code;
    }
    if (reader->depth > 0 && !reader->open_entry) {
        return yaml_refuse(reader, event, "has a mapping where a key belongs");
    }
    if (reader->depth == YAML_MAX_DEPTH) {
        return yaml_refuse(reader, event, "is nested too deeply");
    }
    if (reader->open_entry) {
        reader->open_entry->kind = YAML_SECTION;
        reader->open_entry = NULL;
    }
    reader->path_lengths[reader->depth++] = reader->path.length;
    return OK;
}

/* The mapping was the value of a key, which is closed with it. */
static void end_mapping(struct reader *reader)
{
    reader->depth--;
    if (reader->depth > 0) {
        close_entry(reader);
    }
}

static enum error_code begin_list(struct reader *reader, const yaml_event_t *event)
{
    if (!reader->open_entry) {
        return yaml_refuse(reader, event, "has a list where lines of KEY: VALUE belong");
    }
    return error_set(reader->err, ERROR_INVALID, "%s:%u: \"%s\" takes one value, not a list",
                     reader->name, line_of(event), reader->open_entry->path);
}

static enum error_code yaml_take_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return begin_document(reader, event);
    case YAML_SCALAR_EVENT:
        return yaml_take_scalar(reader, event);
    case YAML_MAPPING_START_EVENT:
        return begin_mapping(reader, event);
    case YAML_MAPPING_END_EVENT:
        end_mapping(reader);
        return OK;
    case YAML_SEQUENCE_START_EVENT:
        return begin_list(reader, event);
    case YAML_ALIAS_EVENT:
        return yaml_refuse(reader, event, "aliases (*name) are not supported");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return OK;
    }
    return yaml_refuse(reader, event, "is not valid YAML");
}

static enum error_code read_events(struct reader *reader)
{
    enum error_code code = OK;
    bool is_last = false;

    while (!code && !is_last) {
        yaml_event_t event;

        if (!yaml_parser_parse(&reader->parser, &event)) {
            return refuse_syntax(reader);
        }
        code = yaml_take_event(reader, &event);
        is_last = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return code;
}

void yaml_entries_release(struct yaml_entries *entries)
{
    arena_release(&entries->texts);
    free(entries->list);
    entries->list = NULL;
    entries->count = 0;
}

enum error_code yaml_entries_read(const char *name, struct str text,
                                  struct yaml_entries *entries_out, struct error *err)
{
    struct yaml_entries entries = {0};
    struct reader reader = {.name = name, .entries = &entries, .err = err};
    enum error_code code = check_encoding(name, text, err);

    if (code) {
        return code;
    }
    /* To libyaml, which is told the encoding, it is a column: the first key would be indented. */
    if (str_starts_with(text, byte_order_mark)) {
        text = str_from_index(text, sizeof(byte_order_mark) - 1);
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        return error_set(err, ERROR_INTERNAL, "%s: no memory to read it", name);
    }
    arena_init(&entries.texts, TEXTS_MAX_BYTES);
    strbuf_init(&reader.path, PATH_MAX_BYTES);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.bytes, text.length);
    code = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    strbuf_release(&reader.path);
    if (code) {
        yaml_entries_release(&entries);
        return code;
    }
    *entries_out = entries;
    return OK;
}
