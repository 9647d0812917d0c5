#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/strbuf.h"

enum { JSON_WRITER_MAX_DEPTH = 16 };

/*
 * Writes JSON (RFC 8259) into a buffer: commas and escapes are its business, so that no text from
 * outside can break out of its string. Bytes that are not UTF-8 become U+FFFD. Begin and end calls
 * must match (asserted).
 */
struct json_writer {
    struct strbuf *buf; /* not owned */
    unsigned depth;
    bool needs_comma[JSON_WRITER_MAX_DEPTH];
};

void json_writer_init(struct json_writer *writer, struct strbuf *buf);

void json_writer_begin_object(struct json_writer *writer);
void json_writer_end_object(struct json_writer *writer);
void json_writer_begin_array(struct json_writer *writer);
void json_writer_end_array(struct json_writer *writer);

/* The name of the member that the next call writes. */
void json_writer_name(struct json_writer *writer, const char *name);

void json_writer_string(struct json_writer *writer, struct str value);
void json_writer_int64(struct json_writer *writer, int64_t value);
void json_writer_null(struct json_writer *writer);

/* A value that is JSON already. */
void json_writer_raw(struct json_writer *writer, struct str json);

/* Name and value in one call, the commonest case. */
void json_writer_member(struct json_writer *writer, const char *name, struct str value);
void json_writer_member_uint64(struct json_writer *writer, const char *name, uint64_t value);
