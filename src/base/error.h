#pragma once

#include "base/attributes.h"

/*
 * How a function failed, named after what its caller can do about it. Zero is success, so that
 * `if (code)` reads as "if it failed".
 */
enum error_code {
    OK = 0,
    ERROR_INVALID,         /* the input is wrong: correct it */
    ERROR_UNAUTHENTICATED, /* say who you are */
    ERROR_DENIED,          /* you may not, and trying again will not help */
    ERROR_NOT_FOUND,       /* there is no such thing */
    ERROR_CONFLICT,        /* it exists already, and differs */
    ERROR_OUT_OF_RANGE,    /* not at this offset */
    ERROR_TOO_LARGE,       /* a limit: send less */
    ERROR_UNSUPPORTED,     /* never done here */
    ERROR_TOO_MANY,        /* you ask too often: wait */
    ERROR_NO_SPACE,        /* the disk is full: make room, then try again */
    ERROR_UNAVAILABLE,     /* try again later */
    ERROR_INTERNAL,        /* our fault: look into the log */
};

/* What an error is about, where that decides how it is reported to a client. */
enum error_topic {
    ABOUT_NOTHING = 0,
    ABOUT_NAME,       /* of a repository */
    ABOUT_TAG,        /* its form, or the tag itself */
    ABOUT_DIGEST,     /* its form, or content that does not match it */
    ABOUT_SIZE,       /* content longer or shorter than promised */
    ABOUT_BLOB,       /* a blob */
    ABOUT_UPLOAD,     /* an upload in progress */
    ABOUT_MANIFEST,   /* a manifest */
    ABOUT_REFERENCED, /* what a manifest refers to */
    ABOUT_IMAGE,      /* an image, by its id */
    ABOUT_SOURCE,     /* what an image was built from */
    ABOUT_PAGE,       /* the n or last of a listing */
    ABOUT_PUSH,       /* the right to push */
    ABOUT_READING,    /* a registry that is only read for now */
};

enum { ERROR_MESSAGE_BYTES = 512 };

/* The text behind an error code: one sentence for whoever reads it, without secrets. */
struct error {
    enum error_topic topic;
    unsigned retry_after_s; /* of ERROR_TOO_MANY and ERROR_UNAVAILABLE; 0: not known */
    char message[ERROR_MESSAGE_BYTES];
};

/*
 * Sets the message (cut at ERROR_MESSAGE_BYTES) and returns the code, so that failing is one line:
 * `return error_set(err, ERROR_NOT_FOUND, "no file %s", path);`. err may be NULL: then the caller
 * does not want to know why.
 */
enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* As error_set, and says what the error is about. */
enum error_code error_set_about(struct error *err, enum error_topic topic, enum error_code code,
                                const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * As error_set, for a failed system call: appends what errno says, and turns a full disk
 * into ERROR_NO_SPACE, a lack of descriptors or memory into ERROR_UNAVAILABLE, all else into
 * ERROR_INTERNAL.
 */
enum error_code error_set_errno(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The code's name in lower case, for logs. */
const char *error_code_name(enum error_code code);
