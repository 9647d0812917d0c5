#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/str.h"

/* Hosts as URLs, header fields and settings have them. */

/*
 * Reads an address in figures. One of IPv4 becomes one of IPv6 (RFC 4291 2.5.5.2), and
 * *is_ipv4_out says that it was written as the former. False if it is none.
 */
MUST_USE bool host_parse_address(struct str text, struct in6_addr *address_out, bool *is_ipv4_out);

/*
 * Whom an address in figures belongs to: to itself; but one of IPv6 to its /64, as whoever has one
 * of that has all (RFC 4291 2.5.4). `::` for what is no address.
 */
struct in6_addr host_address_owner(struct str address);

/* Whether only this machine answers there, with or without a port: `localhost`, 127.0.0.0/8, ::1.
 */
bool host_is_loopback(struct str host);

/* Of `host[:port]` the host; of an IPv6 address in brackets, or without both, the address. */
struct str host_without_port(struct str host);
