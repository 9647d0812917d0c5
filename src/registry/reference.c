#include "registry/reference.h"

#include "base/ascii.h"

static bool is_name_byte(char byte)
{
    return ascii_is_lower(byte) || ascii_is_digit(byte);
}

/* How long the separator is that the rest begins with and that something follows; 0: none. */
static size_t skip_separator(struct str rest)
{
    size_t length = 0;

    if (str_starts_with(rest, "__")) {
        length = 2;
    } else if (str_starts_with(rest, "_") || str_starts_with(rest, ".")) {
        length = 1;
    } else {
        while (length < rest.length && rest.bytes[length] == '-') {
            length++;
        }
    }
    return length < rest.length ? length : 0;
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_component(struct str component)
{
    size_t letters = 0;

    do {
        letters = 0;
        while (letters < component.length && is_name_byte(component.bytes[letters])) {
            letters++;
        }
        component = str_from_index(component, letters);
        if (letters == 0 || component.length == 0) {
            break;
        }
        letters = skip_separator(component);
        component = str_from_index(component, letters);
    } while (letters > 0);
    return letters > 0 && component.length == 0;
}

enum error_code repository_parse(struct str name, struct repository *repository_out,
                                 struct error *err)
{
    const size_t slash = str_index_of(name, '/');
    struct str rest = name;
    struct str component = {0};

    if (name.length == 0 || name.length > REPOSITORY_MAX_LENGTH) {
        return error_set_about(err, ABOUT_NAME, ERROR_INVALID,
                               "a repository's name has 1 to %d bytes, like team/app",
                               REPOSITORY_MAX_LENGTH);
    }
    while (str_cut(&rest, '/', &component)) {
        if (!is_component(component)) {
            return error_set_about(
                err, ABOUT_NAME, ERROR_INVALID,
                "'%.*s' is no repository: names are like team/app, in lower case letters and "
                "digits, with single '.', '_', '__' or dashes between them",
                STR_FORMAT(name));
        }
    }
    if (slash == name.length) {
        return error_set_about(
            err, ABOUT_NAME, ERROR_INVALID,
            "'%.*s' names no team: a repository is team/artifact, like team/%.*s", STR_FORMAT(name),
            STR_FORMAT(name));
    }
    repository_out->name = name;
    repository_out->team = str_slice(name, 0, slash);
    repository_out->artifact = str_from_index(name, slash + 1);
    return OK;
}

static bool is_tag_byte(char byte, bool is_first)
{
    return ascii_is_letter_or_digit(byte) || byte == '_' ||
           (!is_first && (byte == '.' || byte == '-'));
}

enum error_code tag_check(struct str tag, struct error *err)
{
    bool is_good = tag.length > 0 && tag.length <= TAG_MAX_LENGTH;

    for (size_t i = 0; i < tag.length && is_good; i++) {
        is_good = is_tag_byte(tag.bytes[i], i == 0);
    }
    if (!is_good) {
        return error_set_about(
            err, ABOUT_TAG, ERROR_INVALID,
            "a tag has 1 to %d letters, digits, '.', '_' or '-', and begins with "
            "neither '.' nor '-'",
            TAG_MAX_LENGTH);
    }
    return OK;
}

enum error_code reference_parse(struct str text, struct reference *reference_out, struct error *err)
{
    struct reference reference = {.is_digest = str_index_of(text, ':') < text.length};
    enum error_code code = OK;

    if (reference.is_digest) {
        code = digest_parse(text, &reference.digest, err);
    } else {
        reference.tag = text;
        code = tag_check(text, err);
    }
    if (!code) {
        *reference_out = reference;
    }
    return code;
}
