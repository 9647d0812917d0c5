#include "settings/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_init(struct problems *problems)
{
    strbuf_init(&problems->lines, (size_t)PROBLEMS_MAX * PROBLEM_MAX_BYTES);
    problems->count = 0;
}

void problems_release(struct problems *problems)
{
    strbuf_release(&problems->lines);
    problems->count = 0;
}

void problems_add(struct problems *problems, const char *format, ...)
{
    char line[PROBLEM_MAX_BYTES];
    va_list values;

    problems->count++;
    if (problems->count > PROBLEMS_MAX) {
        return;
    }
    va_start(values, format);
    (void)vsnprintf(line, sizeof(line), format, values);
    va_end(values);
    for (char *byte = line; *byte != '\0'; byte++) {
        if ((unsigned char)*byte < ' ' || *byte == '\x7f') {
            *byte = '?';
        }
    }
    if (problems->count > 1) {
        strbuf_append_byte(&problems->lines, '\n');
    }
    strbuf_append_text(&problems->lines, line);
}

bool problems_is_empty(const struct problems *problems)
{
    return problems->count == 0;
}

struct str problems_lines(const struct problems *problems)
{
    return problems->count == 0 ? (struct str){0} : strbuf_str(&problems->lines);
}
