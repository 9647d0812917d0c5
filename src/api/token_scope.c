#include "api/token_scope.h"

static bool parse(struct str text, struct token_scope *scope_out);
static struct str without_class(struct str type);
static bool is_printable(struct str text);

bool token_scope_next(struct str *rest, struct token_scope *scope_out, bool *is_valid_out)
{
    struct str word = {0};

    while (word.length == 0) {
        if (!str_cut(rest, ' ', &word)) {
            return false;
        }
    }
    *is_valid_out = parse(word, scope_out);
    return true;
}

/* A name may hold colons (host:port), a type may not. */
static bool parse(struct str text, struct token_scope *scope_out)
{
    const size_t first = str_index_of(text, ':');
    const size_t last = str_last_index_of(text, ':');

    if (first == text.length || last <= first + 1 || first == 0 || !is_printable(text)) {
        return false;
    }
    scope_out->type = without_class(str_slice(text, 0, first));
    scope_out->name = str_slice(text, first + 1, last);
    scope_out->actions = str_from_index(text, last + 1);
    return scope_out->actions.length > 0;
}

/* Distribution's "Resource Class": deprecated and ignored, but docker still sends it for plugins.
 */
static struct str without_class(struct str type)
{
    return str_ends_with(type, ")") ? str_slice(type, 0, str_index_of(type, '(')) : type;
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] <= ' ' || text.bytes[i] > '~') {
            return false;
        }
    }
    return true;
}

const char *token_scope_of(struct str grants, struct arena *arena)
{
    const struct str lines = str_slice(grants, 0, str_last_index_of(grants, '\n'));
    char *const scope = arena_text(arena, lines);

    for (char *byte = scope; byte && *byte; byte++) {
        *byte = *byte == '\n' ? ' ' : *byte;
    }
    return scope;
}
