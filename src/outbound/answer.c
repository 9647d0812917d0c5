#include "outbound/answer.h"

enum { WANTED_MAX = 32 };

static bool is_wanted(const char *const *wanted, struct str name);
static void read_max_age(struct str value, struct outbound_answer *answer);

void answer_take_field(struct outbound_answer *answer, const char *const *wanted, struct str line)
{
    struct str value = line;
    struct str name;

    if (!str_cut(&value, ':', &name) || !value.bytes) {
        return;
    }
    if (str_is_ignoring_case(name, "Cache-Control")) {
        read_max_age(value, answer);
    }
    if (is_wanted(wanted, name)) {
        strbuf_append(&answer->fields, line);
    }
}

static bool is_wanted(const char *const *wanted, struct str name)
{
    for (size_t i = 0; i < WANTED_MAX && wanted && wanted[i]; i++) {
        if (str_is_ignoring_case(name, wanted[i])) {
            return true;
        }
    }
    return false;
}

/* RFC 9111 5.2.2.1; `no-cache` and `no-store` (5.2.2.4, 5.2.2.5) are an age of nothing. */
static void read_max_age(struct str value, struct outbound_answer *answer)
{
    struct str directive;
    uint64_t age_s = 0;

    while (str_cut(&value, ',', &directive)) {
        const size_t end = str_index_of(directive, '\r');
        struct str text = str_trim(str_slice(directive, 0, end));
        struct str name = str_slice(text, 0, str_index_of(text, '='));

        if (str_is_ignoring_case(name, "no-store") || str_is_ignoring_case(name, "no-cache")) {
            answer->max_age_s = 0;
            return;
        }
        if (str_is_ignoring_case(name, "max-age") &&
            str_parse_uint64(str_from_index(text, name.length + 1), &age_s) && age_s <= INT32_MAX) {
            answer->max_age_s = (int64_t)age_s;
        }
    }
}

void outbound_answer_release(struct outbound_answer *answer)
{
    strbuf_release(&answer->body);
    strbuf_release(&answer->fields);
}

struct str outbound_answer_field(const struct outbound_answer *answer, const char *name)
{
    struct str rest = strbuf_str(&answer->fields);
    struct str line;
    struct str found;

    while (str_cut(&rest, '\n', &line)) {
        if (str_cut(&line, ':', &found) && str_is_ignoring_case(found, name)) {
            return str_trim(str_slice(line, 0, str_index_of(line, '\r')));
        }
    }
    return (struct str){0};
}
