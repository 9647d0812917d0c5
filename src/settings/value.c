#include "settings/value.h"

#include <assert.h>
#include <string.h>

#include "settings/quantity.h"

enum { RANGE_TEXT_BYTES = 128, QUOTED_BYTES = 80 };

static_assert(sizeof(size_t) == sizeof(uint64_t), "SETTING_SIZE fills fields of both types");
static_assert(sizeof(enum setting_type) == sizeof(unsigned), "SETTING_WORD fills enums");

static enum error_code set_text(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err);
static enum error_code set_bool(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err);
static enum error_code set_word(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err);
static enum error_code set_number(const struct setting *setting, struct str text,
                                  const struct settings_target *target, struct error *err);
static enum error_code check_text(const struct setting *setting, struct str text,
                                  struct error *err);
static enum error_code check_url(enum setting_type type, struct str text, struct error *err);
static enum error_code refuse_url(struct str text, struct error *err, const char *expected);
static enum error_code refuse_outside(const struct setting *setting, struct str text,
                                      struct error *err);
static bool parse_number(enum setting_type type, struct str text, uint64_t *number_out);
static void store(const struct setting *setting, const struct settings_target *target,
                  const void *value, size_t size);
static void load(const struct setting *setting, const void *values, void *value_out, size_t size);
static void append_text(const struct setting *setting, const void *values, struct strbuf *buf);
static void append_secret(const struct setting *setting, const void *values, struct strbuf *buf);
static void append_bool(const struct setting *setting, const void *values, struct strbuf *buf);
static void append_word(const struct setting *setting, const void *values, struct strbuf *buf);
static void append_number(const struct setting *setting, const void *values, struct strbuf *buf);
static void append_words(const char *const *words, struct strbuf *buf);
static void append_quantity(enum setting_type type, uint64_t number, struct strbuf *buf);

/* What differs by type. */
static const struct {
    const char *name;
    const char *expected; /* follows `"TEXT" ` in a message */
    enum error_code (*set)(const struct setting *setting, struct str text,
                           const struct settings_target *target, struct error *err);
    void (*append)(const struct setting *setting, const void *values, struct strbuf *buf);
} types[] = {
    [SETTING_PATH] = {"path", "", set_text, append_text},
    [SETTING_TEXT] = {"text", "", set_text, append_text},
    [SETTING_SECRET] = {"text", "", set_text, append_secret},
    [SETTING_ADDRESS] = {"address", "", set_text, append_text},
    [SETTING_ADDRESSES] = {"addresses", "", set_text, append_text},
    [SETTING_URL] = {"URL", "", set_text, append_text},
    [SETTING_SERVICE] = {"URL", "", set_text, append_text},
    [SETTING_BOOL] = {"true or false", "is neither true nor false", set_bool, append_bool},
    [SETTING_WORD] = {"word", "", set_word, append_word},
    [SETTING_NUMBER] = {"number", "is not a whole number", set_number, append_number},
    [SETTING_COUNT] = {"number", "is not a whole number", set_number, append_number},
    [SETTING_SIZE] = {"size", "is not a size: write bytes, or a unit as in 64K or 4MiB", set_number,
                      append_number},
    [SETTING_RATE] = {"size per second",
                      "is not a size per second: write bytes, or a unit as in 1K", set_number,
                      append_number},
    [SETTING_DURATION] = {"duration",
                          "is not a duration: write a number with its unit, as in 500ms, 75s, 5m, "
                          "24h or 7d",
                          set_number, append_number},
};

enum error_code setting_value_set(const struct setting *setting, struct str text,
                                  const struct settings_target *target, struct error *err)
{
    if (text.length == 0) {
        return error_set(err, ERROR_INVALID, "is empty");
    }
    return types[setting->type].set(setting, text, target, err);
}

static enum error_code set_text(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err)
{
    const enum error_code code = check_text(setting, text, err);
    const char *copy;

    if (code) {
        return code;
    }
    copy = arena_text(target->texts, text);
    if (!copy) {
        return error_set(err, ERROR_TOO_LARGE, "is too long");
    }
    store(setting, target, &copy, sizeof(copy));
    return OK;
}

static enum error_code check_text(const struct setting *setting, struct str text, struct error *err)
{
    if (str_index_of(text, '\0') != text.length) {
        return error_set(err, ERROR_INVALID, "holds a NUL character");
    }
    if (setting->type == SETTING_URL || setting->type == SETTING_SERVICE) {
        return check_url(setting->type, text, err);
    }
    return setting->check ? setting->check(text, err) : OK;
}

/* Docker and the others know registries by host and port alone, so a path could never be met. */
static enum error_code check_url(enum setting_type type, struct str text, struct error *err)
{
    const char *const forbidden = type == SETTING_URL ? "/?#@\\\"<>" : "?#@\\\"<>";
    const char *const expected = type == SETTING_URL
                                     ? "is not http://HOST[:PORT] or https://HOST[:PORT]"
                                     : "is not http[s]://HOST[:PORT][/PATH]";
    struct str host;

    if (str_starts_with(text, "https://")) {
        host = str_from_index(text, sizeof("https://") - 1);
    } else if (str_starts_with(text, "http://")) {
        host = str_from_index(text, sizeof("http://") - 1);
    } else {
        return refuse_url(text, err, expected);
    }
    for (size_t i = 0; i < host.length; i++) {
        if (host.bytes[i] <= ' ' || host.bytes[i] > '~' || strchr(forbidden, host.bytes[i])) {
            return refuse_url(text, err, expected);
        }
    }
    return host.length > 0 && host.bytes[0] != '/' ? OK : refuse_url(text, err, expected);
}

/* Passwords stand before an @, tokens in a query: neither is for a log. */
static enum error_code refuse_url(struct str text, struct error *err, const char *expected)
{
    if (str_index_of(text, '@') < text.length) {
        return error_set(err, ERROR_INVALID, "what stands before the @ has no place there: it %s",
                         expected);
    }
    return setting_value_refuse(str_slice(text, 0, str_index_of(text, '?') + 1), err, expected);
}

static enum error_code set_bool(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err)
{
    const bool value = str_is(text, "true");

    if (!value && !str_is(text, "false")) {
        return setting_value_refuse(text, err, types[setting->type].expected);
    }
    store(setting, target, &value, sizeof(value));
    return OK;
}

static enum error_code set_word(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err)
{
    for (unsigned value = 0; setting->words[value]; value++) {
        if (str_is(text, setting->words[value])) {
            store(setting, target, &value, sizeof(value));
            return OK;
        }
    }
    return refuse_outside(setting, text, err);
}

static enum error_code set_number(const struct setting *setting, struct str text,
                                  const struct settings_target *target, struct error *err)
{
    uint64_t number;
    unsigned narrow;

    if (!parse_number(setting->type, text, &number)) {
        return setting_value_refuse(text, err, types[setting->type].expected);
    }
    if (number < setting->minimum || number > setting->maximum) {
        return refuse_outside(setting, text, err);
    }
    if (setting->type == SETTING_NUMBER) {
        narrow = (unsigned)number;
        store(setting, target, &narrow, sizeof(narrow));
        return OK;
    }
    store(setting, target, &number, sizeof(number));
    return OK;
}

static bool parse_number(enum setting_type type, struct str text, uint64_t *number_out)
{
    if (type == SETTING_SIZE || type == SETTING_RATE) {
        return size_parse(text, number_out);
    }
    if (type == SETTING_DURATION) {
        return duration_parse(text, number_out);
    }
    return str_parse_uint64(text, number_out);
}

enum error_code setting_value_refuse(struct str text, struct error *err, const char *reason)
{
    return error_set(err, ERROR_INVALID, "\"%.*s\" %s",
                     STR_FORMAT(str_slice(text, 0, QUOTED_BYTES)), reason);
}

static enum error_code refuse_outside(const struct setting *setting, struct str text,
                                      struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf range;

    strbuf_init(&range, RANGE_TEXT_BYTES);
    strbuf_append_text(&range, "is not allowed: ");
    setting_range_append(setting, &range);
    return setting_value_refuse(text, err, range.text);
}

/* The offsets point to fields of just this type (schema.h). */
static void store(const struct setting *setting, const struct settings_target *target,
                  const void *value, size_t size)
{
    memcpy((char *)target->values + setting->offset, value, size);
}

static void load(const struct setting *setting, const void *values, void *value_out, size_t size)
{
    memcpy(value_out, (const char *)values + setting->offset, size);
}

void setting_value_append(const struct setting *setting, const void *values, struct strbuf *buf)
{
    types[setting->type].append(setting, values, buf);
}

static void append_text(const struct setting *setting, const void *values, struct strbuf *buf)
{
    const char *text;

    load(setting, values, &text, sizeof(text));
    strbuf_append(buf, str_from(text));
}

static void append_secret(const struct setting *setting, const void *values, struct strbuf *buf)
{
    const char *text;

    load(setting, values, &text, sizeof(text));
    strbuf_append_text(buf, text ? "(secret)" : "");
}

static void append_bool(const struct setting *setting, const void *values, struct strbuf *buf)
{
    bool value;

    load(setting, values, &value, sizeof(value));
    strbuf_append_text(buf, value ? "true" : "false");
}

static void append_word(const struct setting *setting, const void *values, struct strbuf *buf)
{
    unsigned value;

    load(setting, values, &value, sizeof(value));
    strbuf_append_text(buf, setting->words[value]);
}

static void append_number(const struct setting *setting, const void *values, struct strbuf *buf)
{
    unsigned narrow;
    uint64_t number;

    if (setting->type == SETTING_NUMBER) {
        load(setting, values, &narrow, sizeof(narrow));
        number = narrow;
    } else {
        load(setting, values, &number, sizeof(number));
    }
    append_quantity(setting->type, number, buf);
}

void setting_range_append(const struct setting *setting, struct strbuf *buf)
{
    if (setting->type == SETTING_WORD) {
        append_words(setting->words, buf);
        return;
    }
    if (setting->maximum > 0) {
        append_quantity(setting->type, setting->minimum, buf);
        strbuf_append_text(buf, " to ");
        append_quantity(setting->type, setting->maximum, buf);
    }
}

static void append_words(const char *const *words, struct strbuf *buf)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0) {
            strbuf_append_text(buf, words[i + 1] ? ", " : " or ");
        }
        strbuf_append_text(buf, words[i]);
    }
}

static void append_quantity(enum setting_type type, uint64_t number, struct strbuf *buf)
{
    char text[QUANTITY_TEXT_BYTES];

    if (type == SETTING_SIZE || type == SETTING_RATE) {
        size_format(number, text);
        strbuf_append_text(buf, text);
    } else if (type == SETTING_DURATION) {
        duration_format(number, text);
        strbuf_append_text(buf, text);
    } else {
        strbuf_append_uint64(buf, number);
    }
}

const char *setting_type_name(enum setting_type type)
{
    return types[type].name;
}
