#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log_queue.h"

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

enum {
    MESSAGE_BYTES = 1024,
    MAX_ESCAPED_BYTES = 6,  /* of one byte: \u001f */
    FIELD_EXTRA_BYTES = 32, /* quotes, comma, a number; what ends the line */
};

void log_init(struct log *log, int fd, enum log_format format, enum log_level level,
              const struct clock *clock)
{
    log->fd = fd;
    log->queue = NULL;
    log->format = format;
    log->clock = clock;
    atomic_init(&log->level, level);
}

enum error_code log_start_thread(struct log *log, struct error *err)
{
    return log_queue_new(log, &log->queue, err);
}

void log_await(const struct log *log, int timeout_ms)
{
    if (log->queue) {
        log_queue_await(log->queue, timeout_ms);
    }
}

void log_end_thread(struct log *log, int timeout_ms)
{
    log_await(log, timeout_ms);
    log_queue_free(log->queue);
    log->queue = NULL;
}

bool log_is_enabled(const struct log *log, enum log_level level)
{
    return level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

void log_begin(struct log_line *line, struct log *log, enum log_level level, const char *event)
{
    char now[CLOCK_ISO_BYTES];

    line->log = log_is_enabled(log, level) ? log : NULL;
    if (!line->log) {
        return;
    }
    strbuf_init(&line->buf, LOG_LINE_MAX_BYTES);
    json_writer_init(&line->json, &line->buf);
    clock_format_iso(clock_wall_ms(log->clock), now);
    if (log->format == LOG_TEXT) {
        strbuf_append_format(&line->buf, "%s %s %s", now, level_names[level], event);
        return;
    }
    json_writer_begin_object(&line->json);
    json_writer_member(&line->json, "time", str_from(now));
    json_writer_member(&line->json, "level", str_from(level_names[level]));
    json_writer_member(&line->json, "event", str_from(event));
}

/* How many bytes of a value surely fit, however they are escaped, so that a line always ends well.
 */
static size_t room_for_value(const struct log_line *line, const char *name)
{
    const size_t used = line->buf.length + strlen(name) + FIELD_EXTRA_BYTES;

    return used < LOG_LINE_MAX_BYTES ? (LOG_LINE_MAX_BYTES - used) / MAX_ESCAPED_BYTES : 0;
}

/* Whether a value can stand in a text line without quotes. */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.length; i++) {
        const char byte = value.bytes[i];

        if (byte <= ' ' || byte > '~' || byte == '"' || byte == '\\' || byte == '=') {
            return false;
        }
    }
    return value.length > 0;
}

void log_text(struct log_line *line, const char *name, struct str value)
{
    struct json_writer quoted;

    if (!line->log || room_for_value(line, name) == 0) {
        return;
    }
    value = str_slice(value, 0, room_for_value(line, name));
    if (line->log->format == LOG_JSON) {
        json_writer_member(&line->json, name, value);
        return;
    }
    strbuf_append_format(&line->buf, " %s=", name);
    if (is_plain(value)) {
        strbuf_append(&line->buf, value);
        return;
    }
    json_writer_init(&quoted, &line->buf);
    json_writer_string(&quoted, value);
}

void log_number(struct log_line *line, const char *name, int64_t value)
{
    if (!line->log || room_for_value(line, name) == 0) {
        return;
    }
    if (line->log->format == LOG_JSON) {
        json_writer_name(&line->json, name);
        json_writer_int64(&line->json, value);
        return;
    }
    strbuf_append_format(&line->buf, " %s=%lld", name, (long long)value);
}

void log_end(struct log_line *line)
{
    if (!line->log) {
        return;
    }
    if (line->log->format == LOG_JSON) {
        json_writer_end_object(&line->json);
    }
    strbuf_append_byte(&line->buf, '\n');
    if (line->log->queue) {
        log_queue_add(line->log->queue, strbuf_str(&line->buf));
    } else {
        (void)!write(line->log->fd, line->buf.text, line->buf.length);
    }
    strbuf_release(&line->buf);
}

void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    struct log_line line;
    va_list values;

    va_start(values, format);
    (void)vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    log_begin(&line, log, level, event);
    log_text(&line, "message", str_from(message));
    log_end(&line);
}
