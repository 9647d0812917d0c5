#pragma once

#include "api/call.h"
#include "base/json_writer.h"
#include "registry/registry.h"

/* The pages of listings: which one a query asks for, and where the next one is. */

/* What a listing calls the parameters of its query. */
struct page_style {
    const char *size;     /* how many entries at most */
    const char *position; /* behind which one it begins */
    size_t most_entries;  /* also where it is not said */
    bool takes_none;      /* a size of 0 is one */
};

extern const struct page_style page_of_oci;   /* `n` and `last` (distribution-spec "Listing") */
extern const struct page_style page_of_teams; /* `limit` and `cursor`: Pier One's own API, whose old
                                                 clients ask for no page and expect all */

/* What a request asks for. */
struct page {
    const struct page_style *style;
    size_t limit;
    struct str after; /* {NULL, 0}: the first page */
};

/* ERROR_INVALID about PAGE. */
MUST_USE enum error_code page_read(struct call *call, const struct page_style *style,
                                   struct page *page_out, struct error *err);

/* Takes `NUMBER-` off a position that holds more, or the number that it is. False: there is none
 * that fits into 63 bits. */
MUST_USE bool page_cut_number(struct str *position, int64_t *number_out);

/* For a position that cannot be read: no Link field has given it. */
enum error_code page_refuse(const struct page *page, struct error *err);

/* Link to the page behind that entry (RFC 8288), with a parameter more if its value is not empty.
 */
void page_add_link(struct call *call, const struct page *page, struct str after);
void page_add_link_with(struct call *call, const struct page *page, struct str after,
                        const char *name, struct str value);

/* Pages of names, each of which is its own position. */
MUST_USE enum error_code page_read_names(struct call *call, const struct page_style *style,
                                         struct name_query *query, struct error *err);
void page_add_names_link(struct call *call, const struct page_style *style,
                         const struct name_query *query, const struct name_page *page);
void page_write_names(struct json_writer *writer, const struct name_page *page);
