#pragma once

#include <stddef.h>
#include <stdint.h>

enum { OPTION_PATHS_MAX = 8, OPTION_PORTS_MAX = 8 };

/* What all kinds of load are told by: `load KIND name=value …`. Ends the program if it is wrong. */
struct options {
    unsigned port;                    /* the last one that was given */
    unsigned ports[OPTION_PORTS_MAX]; /* given by port=…: of instances that share the clients */
    size_t port_count;
    unsigned connections;
    unsigned threads;
    unsigned seconds;
    unsigned rate;      /* requests a second, all connections together */
    unsigned count;     /* of uploads, each connection */
    unsigned distinct;  /* … of which so many have contents of their own; the rest are repeats */
    unsigned idle;      /* connections that only rest */
    unsigned uploads;   /* slow ones */
    unsigned downloads; /* slow ones */
    unsigned tls;       /* not 0: all speak it */
    unsigned resumes;   /* not 0: handshakes after the first do */
    uint64_t bytes;     /* of a blob */
    const char *method;
    const char *repository;
    const char *paths[OPTION_PATHS_MAX]; /* given by path=…, in order */
    size_t path_count;
};

struct options options_parse(int count, char *const *words);

/* Ends the program with a message. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
