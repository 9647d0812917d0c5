#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"

/* More are counted but not kept: nobody corrects more at once. */
enum { PROBLEMS_MAX = 20, PROBLEM_MAX_BYTES = 1024 };

/*
 * All that is wrong with a configuration, not only the first, so that it can be corrected in one
 * go. Each problem is one line of plain text.
 */
struct problems {
    struct strbuf lines;
    size_t count;
};

void problems_init(struct problems *problems);
void problems_release(struct problems *problems);

/* Control characters become '?': the text may quote what came from outside. */
void problems_add(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);

bool problems_is_empty(const struct problems *problems);

/* Walks the lines: begins with problems_lines, then str_cut(&rest, '\n', &line). */
struct str problems_lines(const struct problems *problems);
