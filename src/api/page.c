#include "api/page.h"

#include <string.h>

enum {
    LINK_FRAME_BYTES = 128, /* all but what it is filled with */
    ENCODED_BYTE_BYTES = sizeof("%41") - 1,
};

const struct page_style page_of_oci = {"n", "last", 1000, .takes_none = true};
const struct page_style page_of_teams = {"limit", "cursor", 10 * 1000, .takes_none = false};

static enum error_code read_size(struct call *call, const struct page_style *style,
                                 size_t *limit_out, struct error *err)
{
    uint64_t number = style->most_entries;
    struct str value;
    const enum error_code code = call_parameter(call, style->size, ABOUT_PAGE, &value, err);

    if (code) {
        return code;
    }
    if (value.bytes && (!str_parse_uint64(value, &number) || (number == 0 && !style->takes_none))) {
        return error_set_about(
            err, ABOUT_PAGE, ERROR_INVALID,
            style->takes_none ? "%s must be a number: how many entries to list at the most"
                              : "%s must be a number above 0: how many entries to list at most",
            style->size);
    }
    *limit_out = number < style->most_entries ? (size_t)number : style->most_entries;
    return OK;
}

enum error_code page_read(struct call *call, const struct page_style *style, struct page *page_out,
                          struct error *err)
{
    struct page page = {.style = style};
    enum error_code code = read_size(call, style, &page.limit, err);

    if (!code) {
        code = call_parameter(call, style->position, ABOUT_PAGE, &page.after, err);
    }
    if (!code) {
        *page_out = page;
    }
    return code;
}

bool page_cut_number(struct str *position, int64_t *number_out)
{
    uint64_t number = 0;
    struct str first;

    if (!str_cut(position, '-', &first) || !str_parse_uint64(first, &number) ||
        number > INT64_MAX) {
        return false;
    }
    *number_out = (int64_t)number;
    return true;
}

enum error_code page_refuse(const struct page *page, struct error *err)
{
    return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                           "%s must be one that an answer's Link field has given",
                           page->style->position);
}

/* All but RFC 3986 2.3's unreserved characters and the slash, which a query may hold. */
static void append_encoded(struct strbuf *buf, struct str value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

    for (size_t i = 0; i < value.length; i++) {
        if (memchr(plain, value.bytes[i], sizeof(plain) - 1)) {
            strbuf_append_byte(buf, value.bytes[i]);
        } else {
            strbuf_append_format(buf, "%%%02X", (unsigned char)value.bytes[i]);
        }
    }
}

void page_add_link_with(struct call *call, const struct page *page, struct str after,
                        const char *name, struct str value)
{
    const struct str path = call->exchange->request.path;
    struct strbuf link;

    strbuf_init(&link, LINK_FRAME_BYTES + path.length +
                           ENCODED_BYTE_BYTES * (after.length + value.length));
    strbuf_append_byte(&link, '<');
    strbuf_append(&link, path);
    strbuf_append_format(&link, "?%s=%zu&%s=", page->style->size, page->limit,
                         page->style->position);
    append_encoded(&link, after);
    if (value.length > 0) {
        strbuf_append_format(&link, "&%s=", name);
        append_encoded(&link, value);
    }
    strbuf_append_text(&link, ">; rel=\"next\"");
    http_response_add(&call->exchange->response, "Link", strbuf_str(&link));
    strbuf_release(&link);
}

void page_add_link(struct call *call, const struct page *page, struct str after)
{
    page_add_link_with(call, page, after, NULL, (struct str){0});
}

enum error_code page_read_names(struct call *call, const struct page_style *style,
                                struct name_query *query, struct error *err)
{
    struct page page = {0};
    const enum error_code code = page_read(call, style, &page, err);

    *query = (struct name_query){
        .limit = page.limit, .after = page.after, .arena = &call->exchange->arena};
    return code;
}

void page_add_names_link(struct call *call, const struct page_style *style,
                         const struct name_query *query, const struct name_page *page)
{
    if (page->has_more && page->count > 0) {
        page_add_link(call, &(struct page){style, query->limit, {0}}, page->names[page->count - 1]);
    }
}

void page_write_names(struct json_writer *writer, const struct name_page *page)
{
    json_writer_begin_array(writer);
    for (size_t i = 0; i < page->count; i++) {
        json_writer_string(writer, page->names[i]);
    }
    json_writer_end_array(writer);
}
