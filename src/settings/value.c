#include "settings/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first. The first of each factor is the one to write. */
static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"T", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"G", UINT64_C(1) << 30},
    {"MiB", 1U << 20},
    {"M", 1U << 20},
    {"KiB", 1U << 10},
    {"K", 1U << 10},
    {"", 1},
    {"B", 1},
};

static const struct unit duration_units[] = {
    {"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1},
};

/* A quantity as written: `64K` is 64 and `K`. */
struct quantity {
    uint64_t number;
    struct str unit;
};

enum { RANGE_TEXT_BYTES = 128, QUOTED_BYTES = 80 };

static_assert(sizeof(size_t) == sizeof(uint64_t), "SETTING_SIZE fills fields of both types");
static_assert(sizeof(enum setting_type) == sizeof(unsigned), "SETTING_WORD fills enums");

/* How a field holds its value. */
enum value_form { FORM_TEXT, FORM_SECRET, FORM_BOOL, FORM_WORD, FORM_NUMBER };

/* What differs by type. */
static const struct {
    const char *name;
    enum value_form form;
    const char *expected; /* follows `"TEXT" ` in a message */
} types[] = {
    [SETTING_PATH] = {"path", FORM_TEXT, ""},
    [SETTING_TEXT] = {"text", FORM_TEXT, ""},
    [SETTING_SECRET] = {"text", FORM_SECRET, ""},
    [SETTING_ADDRESS] = {"address", FORM_TEXT, ""},
    [SETTING_ADDRESSES] = {"addresses", FORM_TEXT, ""},
    [SETTING_URL] = {"URL", FORM_TEXT, ""},
    [SETTING_SERVICE] = {"URL", FORM_TEXT, ""},
    [SETTING_BOOL] = {"true or false", FORM_BOOL, "is neither true nor false"},
    [SETTING_WORD] = {"word", FORM_WORD, ""},
    [SETTING_NUMBER] = {"number", FORM_NUMBER, "is not a whole number"},
    [SETTING_COUNT] = {"number", FORM_NUMBER, "is not a whole number"},
    [SETTING_SIZE] = {"size", FORM_NUMBER,
                      "is not a size: write bytes, or a unit as in 64K or 4MiB"},
    [SETTING_RATE] = {"size per second", FORM_NUMBER,
                      "is not a size per second: write bytes, or a unit as in 1K"},
    [SETTING_DURATION] = {"duration", FORM_NUMBER,
                          "is not a duration: write a number with its unit, as in 500ms, 75s, 5m, "
                          "24h or 7d"},
};

static bool quantity_cut(struct str text, struct quantity *quantity_out)
{
    size_t digits = 0;

    while (digits < text.length && ascii_is_digit(text.bytes[digits])) {
        digits++;
    }
    quantity_out->unit = str_from_index(text, digits);
    return str_parse_uint64(str_slice(text, 0, digits), &quantity_out->number);
}

bool size_parse(struct str text, uint64_t *bytes_out)
{
    struct quantity quantity;

    if (!quantity_cut(text, &quantity)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(size_units); i++) {
        if (str_is_ignoring_case(quantity.unit, size_units[i].name)) {
            return !__builtin_mul_overflow(quantity.number, size_units[i].factor, bytes_out);
        }
    }
    return false;
}

bool duration_parse(struct str text, uint64_t *ms_out)
{
    struct quantity quantity;

    if (!quantity_cut(text, &quantity)) {
        return false;
    }
    if (quantity.unit.length == 0 && quantity.number == 0) {
        *ms_out = 0;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        if (str_is(quantity.unit, duration_units[i].name)) {
            return !__builtin_mul_overflow(quantity.number, duration_units[i].factor, ms_out);
        }
    }
    return false;
}

/* The last unit has the factor 1 and so always fits. */
static void quantity_format(uint64_t value, const struct unit *units, char *text_out)
{
    if (value == 0) {
        (void)snprintf(text_out, QUANTITY_TEXT_BYTES, "0");
        return;
    }
    while (value % units->factor != 0) {
        units++;
    }
    (void)snprintf(text_out, QUANTITY_TEXT_BYTES, "%" PRIu64 "%s", value / units->factor,
                   units->name);
}

void size_format(uint64_t bytes, char text_out[QUANTITY_TEXT_BYTES])
{
    quantity_format(bytes, size_units, text_out);
}

void duration_format(uint64_t ms, char text_out[QUANTITY_TEXT_BYTES])
{
    quantity_format(ms, duration_units, text_out);
}

enum error_code setting_value_refuse(struct str text, struct error *err, const char *reason)
{
    return error_set(err, ERROR_INVALID, "\"%.*s\" %s",
                     STR_FORMAT(str_slice(text, 0, QUOTED_BYTES)), reason);
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

/* Docker and the others know registries by host and port alone, so a path could never be met. */
static enum error_code value_check_url(enum setting_type type, struct str text, struct error *err)
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

static enum error_code check_text(const struct setting *setting, struct str text, struct error *err)
{
    if (str_index_of(text, '\0') != text.length) {
        return error_set(err, ERROR_INVALID, "holds a NUL character");
    }
    if (setting->type == SETTING_URL || setting->type == SETTING_SERVICE) {
        return value_check_url(setting->type, text, err);
    }
    return setting->check ? setting->check(text, err) : OK;
}

/* The offsets point to fields of just this type (schema.h). */
static void value_store(const struct setting *setting, const struct settings_target *target,
                        const void *value, size_t size)
{
    memcpy((char *)target->values + setting->offset, value, size);
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
    value_store(setting, target, &copy, sizeof(copy));
    return OK;
}

static void value_load(const struct setting *setting, const void *values, void *value_out,
                       size_t size)
{
    memcpy(value_out, (const char *)values + setting->offset, size);
}

static void append_text(const struct setting *setting, const void *values, struct strbuf *buf)
{
    const char *text;

    value_load(setting, values, &text, sizeof(text));
    strbuf_append(buf, str_from(text));
}

static void append_secret(const struct setting *setting, const void *values, struct strbuf *buf)
{
    const char *text;

    value_load(setting, values, &text, sizeof(text));
    strbuf_append_text(buf, text ? "(secret)" : "");
}

static enum error_code set_bool(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err)
{
    const bool value = str_is(text, "true");

    if (!value && !str_is(text, "false")) {
        return setting_value_refuse(text, err, types[setting->type].expected);
    }
    value_store(setting, target, &value, sizeof(value));
    return OK;
}

static void append_bool(const struct setting *setting, const void *values, struct strbuf *buf)
{
    bool value;

    value_load(setting, values, &value, sizeof(value));
    strbuf_append_text(buf, value ? "true" : "false");
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

    if (type == SETTING_DURATION) {
        duration_format(number, text);
    } else if (type == SETTING_SIZE || type == SETTING_RATE) {
        size_format(number, text);
    } else {
        (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    }
    strbuf_append_text(buf, text);
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

static enum error_code refuse_outside(const struct setting *setting, struct str text,
                                      struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf range;

    strbuf_init(&range, RANGE_TEXT_BYTES);
    strbuf_append_text(&range, "is not allowed: ");
    setting_range_append(setting, &range);
    return setting_value_refuse(text, err, range.text);
}

static enum error_code set_word(const struct setting *setting, struct str text,
                                const struct settings_target *target, struct error *err)
{
    for (unsigned value = 0; setting->words[value]; value++) {
        if (str_is(text, setting->words[value])) {
            value_store(setting, target, &value, sizeof(value));
            return OK;
        }
    }
    return refuse_outside(setting, text, err);
}

static void append_word(const struct setting *setting, const void *values, struct strbuf *buf)
{
    unsigned value;

    value_load(setting, values, &value, sizeof(value));
    strbuf_append_text(buf, setting->words[value]);
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
        value_store(setting, target, &narrow, sizeof(narrow));
        return OK;
    }
    value_store(setting, target, &number, sizeof(number));
    return OK;
}

static void append_number(const struct setting *setting, const void *values, struct strbuf *buf)
{
    unsigned narrow;
    uint64_t number;

    if (setting->type == SETTING_NUMBER) {
        value_load(setting, values, &narrow, sizeof(narrow));
        number = narrow;
    } else {
        value_load(setting, values, &number, sizeof(number));
    }
    append_quantity(setting->type, number, buf);
}

static const struct {
    enum error_code (*set)(const struct setting *setting, struct str text,
                           const struct settings_target *target, struct error *err);
    void (*append)(const struct setting *setting, const void *values, struct strbuf *buf);
} forms[] = {
    [FORM_TEXT] = {set_text, append_text},       [FORM_SECRET] = {set_text, append_secret},
    [FORM_BOOL] = {set_bool, append_bool},       [FORM_WORD] = {set_word, append_word},
    [FORM_NUMBER] = {set_number, append_number},
};

enum error_code setting_value_set(const struct setting *setting, struct str text,
                                  const struct settings_target *target, struct error *err)
{
    if (text.length == 0) {
        return error_set(err, ERROR_INVALID, "is empty");
    }
    return forms[types[setting->type].form].set(setting, text, target, err);
}

void setting_value_append(const struct setting *setting, const void *values, struct strbuf *buf)
{
    forms[types[setting->type].form].append(setting, values, buf);
}

const char *setting_type_name(enum setting_type type)
{
    return types[type].name;
}
