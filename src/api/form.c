#include "api/form.h"

#include <string.h>

#include "http/request.h"

static bool decode(struct str encoded, struct arena *arena, struct str *decoded_out);

bool form_next(struct str *rest, struct arena *arena, struct form_field *field_out,
               bool *is_valid_out)
{
    struct str field = {0};
    size_t equals = 0;

    while (field.length == 0) {
        if (!str_cut(rest, '&', &field)) {
            return false;
        }
    }
    equals = str_index_of(field, '=');
    *is_valid_out = decode(str_slice(field, 0, equals), arena, &field_out->name) &&
                    decode(str_from_index(field, equals + 1), arena, &field_out->value);
    return true;
}

static bool decode(struct str encoded, struct arena *arena, struct str *decoded_out)
{
    char *spaced = arena_text(arena, encoded);
    char *decoded = arena_new(arena, encoded.length + 1, 1);

    if (!spaced || !decoded) {
        return false;
    }
    for (size_t i = 0; i < encoded.length; i++) {
        spaced[i] = spaced[i] == '+' ? ' ' : spaced[i];
    }
    if (!http_percent_decode((struct str){spaced, encoded.length}, decoded, encoded.length + 1)) {
        return false;
    }
    *decoded_out = str_from(decoded);
    return true;
}
