#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

enum { PROXIES_MAX = 64 };

/* Networks whose word on a client's address counts. IPv4 ones are held as IPv6 (RFC 4291 2.5.5.2).
 */
struct proxies {
    struct {
        struct in6_addr address;
        unsigned prefix_bits;
    } networks[PROXIES_MAX];
    size_t count;
};

/* Addresses and networks (`10.0.0.0/8 ::1`), separated by spaces. ERROR_INVALID names the wrong
 * one. */
MUST_USE enum error_code proxies_parse(struct str text, struct proxies *proxies_out,
                                       struct error *err);

bool proxies_trust(const struct proxies *proxies, struct str address);
