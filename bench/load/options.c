#include "options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/str.h"

struct number_option {
    const char *name;
    size_t offset;
};

static void set_option(struct options *options, const char *word);
static bool set_number(struct options *options, struct str name, struct str value);
static bool add_port(struct options *options, uint64_t number);
static bool set_text(struct options *options, struct str name, const char *value);

static const struct number_option numbers[] = {
    {"connections", offsetof(struct options, connections)},
    {"threads", offsetof(struct options, threads)},
    {"seconds", offsetof(struct options, seconds)},
    {"rate", offsetof(struct options, rate)},
    {"count", offsetof(struct options, count)},
    {"distinct", offsetof(struct options, distinct)},
    {"idle", offsetof(struct options, idle)},
    {"uploads", offsetof(struct options, uploads)},
    {"downloads", offsetof(struct options, downloads)},
    {"tls", offsetof(struct options, tls)},
    {"resumes", offsetof(struct options, resumes)},
};

struct options options_parse(int count, char *const *words)
{
    struct options options = {
        .connections = 1,
        .threads = 1,
        .seconds = 1,
        .rate = 100,
        .count = 1,
        .bytes = 4096,
        .method = "GET",
        .repository = "team/bench",
    };

    for (int i = 0; i < count; i++) {
        set_option(&options, words[i]);
    }
    return options;
}

static void set_option(struct options *options, const char *word)
{
    struct str value = str_from(word);
    struct str name;

    if (!str_cut(&value, '=', &name) || !value.bytes ||
        !(set_number(options, name, value) || set_text(options, name, value.bytes))) {
        fail("unknown or wrong: %s", word);
    }
}

static bool set_number(struct options *options, struct str name, struct str value)
{
    uint64_t number = 0;

    if (!str_parse_uint64(value, &number)) {
        return false;
    }
    if (str_is(name, "bytes")) {
        options->bytes = number;
        return true;
    }
    if (str_is(name, "port")) {
        return add_port(options, number);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (str_is(name, numbers[i].name) && number <= UINT32_MAX) {
            const unsigned narrow = (unsigned)number;

            memcpy((char *)options + numbers[i].offset, &narrow, sizeof(narrow));
            return true;
        }
    }
    return false;
}

static bool add_port(struct options *options, uint64_t number)
{
    if (number > UINT16_MAX || options->port_count == OPTION_PORTS_MAX) {
        return false;
    }
    options->port = (unsigned)number;
    options->ports[options->port_count++] = options->port;
    return true;
}

static bool set_text(struct options *options, struct str name, const char *value)
{
    if (str_is(name, "method")) {
        options->method = value;
    } else if (str_is(name, "repository")) {
        options->repository = value;
    } else if (str_is(name, "path") && options->path_count < OPTION_PATHS_MAX) {
        options->paths[options->path_count++] = value;
    } else {
        return false;
    }
    return true;
}

void fail(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    (void)fputs("load: ", stderr);
    (void)vfprintf(stderr, format, values);
    (void)fputc('\n', stderr);
    va_end(values);
    exit(1);
}
