#include "base/nearest.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/ascii.h"

enum {
    NAME_MAX_LENGTH = 63, /* longer names are near to nothing */
    LEAST_TOLERANCE = 2,
    LETTERS_PER_MISTAKE = 3,
};

void nearest_init(struct nearest *nearest, struct str wrong)
{
    const size_t tolerance = wrong.length / LETTERS_PER_MISTAKE;

    nearest->wrong = wrong;
    nearest->best = (struct str){0};
    nearest->best_distance = (tolerance > LEAST_TOLERANCE ? tolerance : LEAST_TOLERANCE) + 1;
}

static char plain_letter(char letter)
{
    return letter == '.' ? '_' : ascii_lower(letter);
}

static bool is_same_letter(char a, char b)
{
    return plain_letter(a) == plain_letter(b);
}

static bool ends_with_component(struct str name, struct str component)
{
    const size_t begin = name.length - component.length;

    if (component.length == 0 || name.length <= component.length || name.bytes[begin - 1] != '.') {
        return false;
    }
    for (size_t i = 0; i < component.length; i++) {
        if (!is_same_letter(name.bytes[begin + i], component.bytes[i])) {
            return false;
        }
    }
    return true;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void next_row(const size_t *above, size_t *row, char letter, struct str b)
{
    for (size_t i = 0; i < b.length; i++) {
        const size_t replaced = above[i] + (is_same_letter(letter, b.bytes[i]) ? 0 : 1);

        row[i + 1] = smaller(replaced, smaller(above[i + 1], row[i]) + 1);
    }
}

/* Levenshtein's distance, row by row of its table. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t rows[2][NAME_MAX_LENGTH + 1];
    size_t *above = rows[0];
    size_t *row = rows[1];

    for (size_t i = 0; i <= b.length; i++) {
        above[i] = i;
    }
    for (size_t i = 0; i < a.length; i++) {
        size_t *const done = row;

        row[0] = i + 1;
        next_row(above, row, a.bytes[i], b);
        row = above;
        above = done;
    }
    return above[b.length];
}

void nearest_offer(struct nearest *nearest, struct str name)
{
    size_t distance;

    if (nearest->wrong.length > NAME_MAX_LENGTH || name.length > NAME_MAX_LENGTH) {
        return;
    }
    /* `certificate` at the top is `tls.certificate` without its section. */
    distance = ends_with_component(name, nearest->wrong) ? 0 : edit_distance(nearest->wrong, name);
    if (distance < nearest->best_distance) {
        nearest->best = name;
        nearest->best_distance = distance;
    }
}

void nearest_hint(const struct nearest *nearest, char text_out[NEAREST_HINT_BYTES])
{
    text_out[0] = '\0';
    if (nearest->best.bytes) {
        (void)snprintf(text_out, NEAREST_HINT_BYTES, "; did you mean \"%.*s\"?",
                       STR_FORMAT(nearest->best));
    }
}
