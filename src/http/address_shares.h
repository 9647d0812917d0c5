#pragma once

#include <stddef.h>

#include "base/str.h"

/*
 * How many of something each address has now. Of IPv6, a /64 is one address, as whoever has one of
 * it has all; whatever is no address is one, too. Memory only for addresses that have something.
 * Used by many threads at once.
 */
struct address_shares;

/* What one address has. */
struct address_share;

/* Fast for so many addresses at once. */
struct address_shares *address_shares_new(size_t addresses);

/* When all was given back. NULL is accepted. */
void address_shares_free(struct address_shares *shares);

/* One more for the address, and how many it has then. */
struct address_share *address_shares_take(struct address_shares *shares, struct str address,
                                          unsigned *count_out);

/* One less. NULL is accepted. */
void address_shares_give_back(struct address_shares *shares, struct address_share *share);
