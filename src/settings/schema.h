#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/nearest.h"
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

/* What a setting's text means, and which type its field has. */
enum setting_type {
    SETTING_PATH,      /* const char * */
    SETTING_TEXT,      /* const char * */
    SETTING_SECRET,    /* const char *: never shown */
    SETTING_ADDRESS,   /* const char *, as the next one: the row's check knows which are right */
    SETTING_ADDRESSES, /* const char * */
    SETTING_URL,       /* const char *: http[s]://HOST[:PORT] */
    SETTING_SERVICE,   /* const char *: http[s]://HOST[:PORT][/PATH] */
    SETTING_BOOL,      /* bool */
    SETTING_WORD,      /* an enum: the index of the word */
    SETTING_NUMBER,    /* unsigned */
    SETTING_COUNT,     /* size_t */
    SETTING_SIZE,      /* size_t or uint64_t: bytes */
    SETTING_RATE,      /* uint64_t: bytes per second */
    SETTING_DURATION,  /* int64_t: milliseconds */
};

/* For minima and maxima, in milliseconds and bytes. */
#define SETTING_SECOND UINT64_C(1000)
#define SETTING_MINUTE (60 * SETTING_SECOND)
#define SETTING_HOUR (60 * SETTING_MINUTE)
#define SETTING_DAY (24 * SETTING_HOUR)
#define SETTING_KIB (UINT64_C(1) << 10)
#define SETTING_MIB (UINT64_C(1) << 20)
#define SETTING_GIB (UINT64_C(1) << 30)
#define SETTING_TIB (UINT64_C(1) << 40)

/* Another variable of the environment that a setting is known by. Our own name wins over it. */
struct setting_alias {
    const char *name;
    const char *prefix; /* before a value that is not a whole one; NULL: none */
    bool is_of_machine; /* meant for all programs: no more than another default */
};

enum { SETTING_ALIASES_MAX = 2 };

/*
 * One setting. Its row is the only place that knows its key; reading, messages, --help,
 * docs/configuration.md, pieroned.yaml(5) and the example file all come from there.
 */
struct setting {
    const char *key; /* `tls.certificate`: sections and name, joined by dots */
    enum setting_type type;
    size_t offset;            /* in the struct that its owner keeps its settings in */
    const char *default_text; /* NULL: not set unless somebody sets it */
    const char *example;      /* where there is no default */
    uint64_t minimum;         /* of numbers, in bytes or milliseconds */
    uint64_t maximum;
    const char *const *words; /* of SETTING_WORD, NULL behind the last */
    const char *help;         /* what it does, in full sentences */
    /* Refuses texts that have the right type and are wrong all the same; NULL: none are. */
    enum error_code (*check)(struct str text, struct error *err);
    struct setting_alias aliases[SETTING_ALIASES_MAX]; /* the last that is set wins */
};

/* What one owner brings. Settings of a section stand together. */
struct settings_table {
    const struct setting *rows;
    size_t count;
    /* Adds what is wrong with values that are right each by itself, but not together; NULL: none.
     * `values` is the owner's struct. */
    void (*check)(const void *values, struct problems *problems);
};

/* All settings of a program: the tables of the owners, whose structs are parts of one. */
struct settings_schema {
    const struct settings_part {
        const struct settings_table *table;
        size_t offset; /* of the owner's struct */
    } * parts;
    size_t count;
    const char *markdown_head; /* what begins the manual, */
    const char *yaml_head;     /* the example, */
    const char *man_head;      /* and the manual page, */
    const char *man_foot;      /* and what ends that */
};

/* What is filled. */
struct settings_target {
    const struct settings_schema *schema;
    void *values;        /* the struct with all parts */
    struct arena *texts; /* where its texts live */
};

/* Settings by their order in the schema; offsets are in the struct with all parts from here on. */
size_t settings_schema_count(const struct settings_schema *schema);
struct setting settings_schema_at(const struct settings_schema *schema, size_t index);

/* The setting of that key. */
bool settings_schema_find(const struct settings_schema *schema, struct str key,
                          struct setting *setting_out);

/* Whether keys begin with `path` and a dot. */
bool settings_schema_has_section(const struct settings_schema *schema, struct str path);

/* Offers all keys, and the sections too if what is sought is a section. */
void settings_schema_offer(const struct settings_schema *schema, struct nearest *nearest,
                           bool is_section);

/* Lets each owner look at its part. */
void settings_schema_check(const struct settings_schema *schema, const void *values,
                           struct problems *problems);
