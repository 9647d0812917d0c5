#include "settings/quantity.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

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

static bool quantity_cut(struct str text, struct quantity *quantity_out);
static void quantity_format(uint64_t value, const struct unit *units, char *text_out);

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

static bool quantity_cut(struct str text, struct quantity *quantity_out)
{
    size_t digits = 0;

    while (digits < text.length && ascii_is_digit(text.bytes[digits])) {
        digits++;
    }
    quantity_out->unit = str_from_index(text, digits);
    return str_parse_uint64(str_slice(text, 0, digits), &quantity_out->number);
}

void size_format(uint64_t bytes, char text_out[QUANTITY_TEXT_BYTES])
{
    quantity_format(bytes, size_units, text_out);
}

void duration_format(uint64_t ms, char text_out[QUANTITY_TEXT_BYTES])
{
    quantity_format(ms, duration_units, text_out);
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
