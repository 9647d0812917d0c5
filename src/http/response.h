#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"

enum { HTTP_RESPONSE_HEADERS_MAX_BYTES = 16384 };

/* Whether a status has no body by definition (1xx, 204, 304; RFC 9110 6.4.1). */
bool http_status_has_no_body(int status);

/* "Not Found" for 404; an empty phrase for a status that is not in RFC 9110 15 or RFC 6585. */
const char *http_status_reason(int status);

enum { HTTP_DATE_BYTES = sizeof("Sun, 06 Nov 1994 08:49:37 GMT") };

/* RFC 9110 5.6.7 IMF-fixdate; seconds from 0 to the year 9999. */
void http_date_format(int64_t seconds, char text_out[HTTP_DATE_BYTES]);

/*
 * A body that comes from another server, piece by piece: the next one is asked for when the client
 * has taken the one before. Embedded in what knows where it comes from.
 */
struct http_source {
    /*
     * Appends some bytes from that offset on, `left` at most and one at least, to pieces, which is
     * empty. On a carrier: blocks. False: there are none to be had, and the connection ends.
     */
    bool (*read)(struct http_source *source, uint64_t offset_bytes, uint64_t left_bytes,
                 struct strbuf *piece);

    /* Must not block. */
    void (*free)(struct http_source *source);
};

enum { HTTP_SOURCE_PIECE_MAX_BYTES = 1024 * 1024 };

/* A part of a body that has several: bytes of its own, then some of the file or the source. */
struct http_part {
    struct str head;
    uint64_t offset_bytes;
    uint64_t length_bytes; /* 0: there are none */
};

/*
 * The response to a request. Filled by the application; Date, Content-Length and Connection are
 * added when it is sent, and the body is left out where there is none (HEAD, 204, 304).
 */
struct http_response {
    int status;            /* 0: none yet */
    const char *reason;    /* NULL: the status' usual phrase (RFC 9110 15); a literal otherwise */
    struct strbuf headers; /* whole field lines, each with its CRLF */
    struct str body;       /* borrowed until the exchange is finished; used if file_fd is -1 */
    int file_fd;           /* owned: closed when sent; -1: none */
    uint64_t file_offset_bytes;
    uint64_t file_length_bytes;
    struct http_source *source; /* owned: the body instead of a file, with its offset and length */
    const struct http_part *parts; /* borrowed: of file or source, instead of offset and length */
    size_t part_count;             /* 0: it is in one piece */
    bool closes;                   /* end the connection behind this response */
};

void http_response_init(struct http_response *response);
void http_response_release(struct http_response *response);

/* Back to its beginning: for an application that changes its mind. */
void http_response_clear(struct http_response *response);

/*
 * Adds a field; the name is a token. Bytes of the value that are not allowed in one (CR, LF, NUL,
 * other controls) are left out. Beyond HTTP_RESPONSE_HEADERS_MAX_BYTES a field is left out whole,
 * and headers.is_truncated is set.
 */
void http_response_add(struct http_response *response, const char *name, struct str value);
void http_response_add_format(struct http_response *response, const char *name, const char *format,
                              ...) PRINTF_LIKE(3, 4);

/*
 * How many bytes the body has, whether or not it is sent. For HEAD file_length_bytes can be told
 * without opening a file.
 */
uint64_t http_response_size(const struct http_response *response);

/* What is added when a response is sent, because only the connection knows it. */
struct http_delivery {
    bool is_head; /* the response to HEAD: the size is told, nothing sent */
    bool closes;  /* Connection: close; else keep-alive is told to HTTP/1.0 */
    bool is_http_1_0;
    int64_t date_s; /* wall-clock, seconds since 1970 */
};

/* Appends status line, fields and the empty line to `head`. */
void http_response_write_head(const struct http_response *response,
                              const struct http_delivery *delivery, struct strbuf *head);
