#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

/*
 * Slows down whoever guesses: after some failures for one name from one address, no more is tried
 * for a while, right or wrong. Of IPv6, a /64 is one address, and those of a /48 together have a
 * limit too. Also tells who goes first where logins have to queue. Bounded memory: when it is full,
 * the one that was quiet for longest is forgotten.
 */
struct login_limiter;

enum {
    LOGIN_FAILURES_MAX = 10,     /* of one name from one address… */
    LOGIN_WINDOW_MS = 60 * 1000, /* …within this time */
    LOGIN_SITE_FACTOR = 4,       /* an IPv6 /48 may fail that many times as often as an address */
    LOGIN_TRUST_MS = 24 * 60 * 60 * 1000,
    LOGIN_LIMITER_ENTRIES = 16 * 1024,
};

/* Who goes first: nobody can get ahead of those who have been right by being many, or wrong. */
enum login_rank {
    LOGIN_TRUSTED = 0, /* the name was right from this address within LOGIN_TRUST_MS */
    LOGIN_NEW,
    LOGIN_SUSPECT, /* a login from this address, or its /48, has failed within LOGIN_WINDOW_MS */
};

/* `address_failures_max`: of all names from one address, within the same time. */
struct login_limiter *login_limiter_new(unsigned address_failures_max, const struct clock *clock);

/* NULL is accepted. */
void login_limiter_free(struct login_limiter *limiter);

/* ERROR_TOO_MANY: wait; the message says how long. */
MUST_USE enum error_code login_limiter_check(struct login_limiter *limiter, struct str address,
                                             struct str name, struct error *err);

/* The same for all names from the address together. */
MUST_USE enum error_code login_limiter_check_address(struct login_limiter *limiter,
                                                     struct str address, struct error *err);

/* The password was right. */
void login_limiter_trust(struct login_limiter *limiter, struct str address, struct str name);

enum login_rank login_limiter_rank(struct login_limiter *limiter, struct str address,
                                   struct str name);

/* The password was wrong. */
void login_limiter_count(struct login_limiter *limiter, struct str address, struct str name);

/*
 * The same for what is no guess when it is repeated, such as a token that has expired: each name
 * counts once within the time, for its address alone.
 */
void login_limiter_count_once(struct login_limiter *limiter, struct str address, struct str name);
