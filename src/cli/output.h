#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/*
 * Results on standard output. Text is for people: aligned columns, times as "5m ago", no promise.
 * JSON (one line: an array of objects) and TSV (a line of names, then one for each row) are for
 * programs and stay as they are: names as below, times in seconds since 1970, sizes in bytes.
 */
enum output_format { OUTPUT_TEXT = 0, OUTPUT_JSON, OUTPUT_TSV };

struct output {
    FILE *file;
    enum output_format format;
    bool has_colour;
    int64_t now_ms; /* wall clock */
};

enum column_type {
    COLUMN_TEXT = 0,
    COLUMN_DIGEST, /* cut in text */
    COLUMN_NUMBER,
    COLUMN_SIZE,
    COLUMN_TIME,
};

struct column {
    const char *name;  /* of JSON and TSV */
    const char *title; /* of text */
    enum column_type type;
};

/* Text, borrowed until the table is printed; or a number: of a time, milliseconds. Absent: null in
 * JSON, empty elsewhere. */
struct cell {
    bool is_absent;
    struct str text;
    int64_t number;
};

struct cell cell_text(struct str text);
struct cell cell_number(int64_t number);
struct cell cell_absent(void);

enum { TABLE_MAX_COLUMNS = 20 };

struct table {
    const struct column *columns;
    size_t column_count;
    struct cell *cells;
    size_t row_count;
    size_t row_capacity;
};

void table_init(struct table *table, const struct column *columns, size_t column_count);
void table_release(struct table *table);

/* A row of column_count cells. */
void table_add(struct table *table, const struct cell *row);

void table_print(const struct table *table, const struct output *output);

/* As table_print, but in text each row is a paragraph of `title: value` lines, and a heading stands
 * before the columns that `headings` (as many as columns, mostly NULL) names one for. Absent values
 * are left out. */
void table_print_details(const struct table *table, const char *const *headings,
                         const struct output *output);

/* `now`, `5m ago`, `3d ago`, `in 5m`; a size as `1.5 MiB`. */
enum { SHOWN_BYTES = 32 };
void show_time(int64_t time_ms, int64_t now_ms, char text_out[SHOWN_BYTES]);
void show_size(uint64_t size_bytes, char text_out[SHOWN_BYTES]);

/* Text without what would steer a terminal or deceive who reads it: control characters become `?`,
 * what is hidden (utf8.h) is escaped: `\u202e`. */
void show_text(FILE *file, struct str text);
