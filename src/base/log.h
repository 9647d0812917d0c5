#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "base/strbuf.h"

enum log_level { LOG_ERROR = 0, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

enum { LOG_LINE_MAX_BYTES = 8192 };

struct log_queue;

/*
 * Where log lines go. Used by many threads at once, and lines never mix. Whoever logs writes, and
 * waits for the reader, unless log_start_thread was called.
 */
struct log {
    int fd;
    struct log_queue *queue; /* of the thread that writes; or NULL */
    enum log_format format;
    _Atomic enum log_level level; /* more detailed lines are dropped */
    const struct clock *clock;
};

void log_init(struct log *log, int fd, enum log_format format, enum log_level level,
              const struct clock *clock);

/*
 * From here on a thread of its own writes what is logged, and a reader that stalls holds up nobody:
 * LOG_QUEUE_BYTES wait for it; lines beyond are dropped, and one `lines_dropped` says how many.
 */
MUST_USE enum error_code log_start_thread(struct log *log, struct error *err);

/* Until all that was logged is written, but not for longer than that. A signal's handler may call
 * it. */
void log_await(const struct log *log, int timeout_ms);

/* Awaits that, then ends the thread; what the reader left is lost. When nobody logs any more. */
void log_end_thread(struct log *log, int timeout_ms);

bool log_is_enabled(const struct log *log, enum log_level level);

/*
 * One line: begin, any fields, end. Text: `2015-05-07T15:49:51.230Z info request method=GET …`;
 * JSON: one object with `time`, `level`, `event` and the fields. Values are escaped: nothing from
 * outside can begin a line of its own. Never give it a secret.
 */
struct log_line {
    struct log *log; /* NULL: the level is off, fields are dropped */
    struct strbuf buf;
    struct json_writer json;
};

void log_begin(struct log_line *line, struct log *log, enum log_level level, const char *event);
void log_text(struct log_line *line, const char *name, struct str value);
void log_number(struct log_line *line, const char *name, int64_t value);
void log_end(struct log_line *line);

/* A line with one field, `message`. */
void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
    PRINTF_LIKE(4, 5);
