#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/nearest.h"
#include "base/str.h"

/* What a setting's text means, and which type its field in struct settings has. */
enum setting_type {
    SETTING_PATH,     /* const char * */
    SETTING_LISTEN,   /* const char *: HOST:PORT */
    SETTING_TEXT,     /* const char * */
    SETTING_SECRET,   /* const char *: never shown */
    SETTING_URL,      /* const char *: http[s]://HOST[:PORT] */
    SETTING_SERVICE,  /* const char *: http[s]://HOST[:PORT][/PATH] */
    SETTING_NETWORKS, /* const char *: addresses and networks */
    SETTING_BOOL,     /* bool */
    SETTING_WORD,     /* an enum: the index of the word */
    SETTING_NUMBER,   /* unsigned */
    SETTING_COUNT,    /* size_t */
    SETTING_SIZE,     /* size_t or uint64_t: bytes */
    SETTING_RATE,     /* uint64_t: bytes per second */
    SETTING_DURATION, /* int64_t: milliseconds */
};

/*
 * One setting. This table is the only place that knows its key; reading, messages, --help,
 * docs/configuration.md and the example file all come from here.
 */
struct setting {
    const char *key; /* `tls.certificate`: sections and name, joined by dots */
    enum setting_type type;
    size_t offset;            /* in struct settings */
    const char *default_text; /* NULL: not set unless somebody sets it */
    const char *example;      /* where there is no default */
    uint64_t minimum;         /* of numbers, in bytes or milliseconds */
    uint64_t maximum;
    const char *const *words; /* of SETTING_WORD, NULL behind the last */
    const char *help;         /* what it does, in full sentences */
};

extern const struct setting settings_table[];
extern const size_t settings_table_length;

/* The setting of that key, or NULL. */
const struct setting *settings_table_find(struct str key);

/* Whether keys begin with `path` and a dot. */
bool settings_table_has_section(struct str path);

/* Offers all keys, and the sections too if what is sought is a section. */
void settings_table_offer(struct nearest *nearest, bool is_section);
