#pragma once

#include <stdint.h>

#include "base/strbuf.h"

/* Layers, made by libarchive's own writer. */
enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

struct layer_file {
    const char *name;
    const char *content; /* NULL: a folder */
    const char *link;    /* a symbolic link, if not NULL */
};

/* A tar archive of these files, of mode 0644 and time 1,700,000,000. Release the buffer. */
struct strbuf layer_maker_make(enum layer_compression compression, const struct layer_file *files,
                               size_t count);

/* One with a file of so many zeros, between a first and a last small one. */
struct strbuf layer_maker_make_bomb(enum layer_compression compression, uint64_t zeros);
