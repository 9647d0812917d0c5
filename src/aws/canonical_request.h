#pragma once

#include <stddef.h>

#include "aws/signature.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * The parts of a canonical request, in the one form that signer and server both arrive at. For
 * aws/signature.c. Lists are put in order where they are.
 */

/* Encoded once, with slashes as they are. The path begins with one. */
void aws_canonical_path(struct strbuf *buf, struct str path);

/* `name=value`, encoded, in the order of encoded names and values, with `&` between them. */
void aws_canonical_query(struct strbuf *buf, struct aws_pair *query, size_t count);

/* `name:value` lines in the order of the names, which are in lower case. */
void aws_canonical_headers(struct strbuf *buf, struct aws_pair *headers, size_t count);

/* The names of headers that are in order, with `;` between them. */
void aws_canonical_names(struct strbuf *buf, const struct aws_pair *headers, size_t count);
