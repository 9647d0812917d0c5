#include "outbound/http_client.h"

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
