#pragma once

#include "base/arena.h"
#include "base/json_value.h"

/*
 * Reading an object of JSON, as short as writing one: it is opened, its members are read one after
 * the other, and closing it says whether all was as it has to be. The first failure sticks; from
 * then on everything reads as absent, which is an empty text, 0 or NULL, so that nothing has to be
 * checked in between. A member that is null is absent, unless its subject says otherwise.
 *
 *     json_reader_open(&reader, text, &subject, arena, err);
 *     user = json_reader_needed_text(&reader, "user");
 *     age = json_reader_uint64(&reader, "age");
 *     return json_reader_close(&reader);
 */
struct json_reader {
    const struct json_value *object; /* for what is not read by this reader; NULL after a failure */
    struct json_value *document;     /* its own; NULL: somebody else has parsed it */
    const struct json_subject *subject;
    struct arena *arena;
    struct error *err;
    enum error_code code;
};

/* What is taken for absent, so that it fails only where it is needed. */
enum json_absent {
    JSON_NULL_IS_ABSENT = 0,
    JSON_WRONG_IS_ABSENT, /* what others send and we can do without: a wrong kind, too */
    JSON_NOTHING_IS_ABSENT,
};

/* What is read, for messages ("the answer has no access_token"), and what failing is called. */
struct json_subject {
    const char *name;
    enum error_code code;
    enum error_topic topic;
    const char *example;   /* added to messages; NULL: none */
    size_t max_bytes;      /* of all; 0: who opens the reader has limited it */
    size_t text_max_bytes; /* of each text; 0: any */
    enum json_absent absent;
};

/* Parses a text, and fails unless it is an object; the message shows nothing of the text. Texts are
 * copied into the arena, or without one borrowed until the reader is closed. */
void json_reader_open(struct json_reader *reader, struct str text,
                      const struct json_subject *subject, struct arena *arena, struct error *err);

/* The same of a value that somebody else has parsed, and keeps. */
void json_reader_open_value(struct json_reader *reader, const struct json_value *value,
                            const struct json_subject *subject, struct arena *arena,
                            struct error *err);

/* Fails if it has a member that is one of these names but for case (json_value_check_names). */
void json_reader_check_names(struct json_reader *reader, const char *const *names, size_t count);

/* Frees what was parsed, and returns the first failure. */
MUST_USE enum error_code json_reader_close(struct json_reader *reader);

/* A text. Failure: it is none, too long, or not there or empty though it is needed.
 * ERROR_TOO_LARGE: the arena is full. */
struct str json_reader_text(struct json_reader *reader, const char *name);
struct str json_reader_needed_text(struct json_reader *reader, const char *name);

/* The same, terminated by NUL; NULL if it is absent or empty. */
const char *json_reader_c_text(struct json_reader *reader, const char *name);

/* An integer. Failure: it is none, or negative, or beyond the most that it may be, or not there
 * though it is needed. */
uint64_t json_reader_uint64(struct json_reader *reader, const char *name, uint64_t most);
uint64_t json_reader_needed_uint64(struct json_reader *reader, const char *name, uint64_t most);

/* An array, which lives as long as what was parsed. Failure: it is none, or not there. */
const struct json_value *json_reader_needed_array(struct json_reader *reader, const char *name);

/* The texts among the first elements of an array, in one text in the arena. */
const char *json_texts_join(const struct json_value *array, size_t most, const char *separator,
                            struct arena *arena);

/* What the caller itself finds wrong: the name of what is read, and this text behind it. The first
 * failure counts. */
void json_reader_fail(struct json_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
