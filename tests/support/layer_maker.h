#pragma once

#include <stdint.h>

#include "base/strbuf.h"
#include "layers/layer_reader.h"

struct archive;

/* How a layer is compressed. */
enum layer_kind { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

/* Formats that libarchive's writer makes, by its names. */
#define LAYER_PAX "pax"
#define LAYER_GNU "gnutar"
#define LAYER_USTAR "ustar"

enum { LAYER_BLOCK_BYTES = 512 }; /* of tar: headers and content come in these */

/* Makes a layer in memory; whatever fails ends the program. */
struct layer_maker {
    struct strbuf bytes; /* the layer, once it is finished */
    struct archive *archive;
};

void layer_maker_init(struct layer_maker *maker, const char *format, enum layer_kind kind);
void layer_maker_release(struct layer_maker *maker);

/* The entry's size is the content's; a link on anything but a symbolic link makes a hard link. */
void layer_maker_add(struct layer_maker *maker, struct layer_entry entry, const char *content);
void layer_maker_add_file(struct layer_maker *maker, const char *name, const char *content);
void layer_maker_add_zeros(struct layer_maker *maker, const char *name, uint64_t size_bytes);

/* A file of size_bytes that is all hole but for a text at an offset. */
void layer_maker_add_sparse(struct layer_maker *maker, const char *name, const char *text,
                            uint64_t offset, uint64_t size_bytes);

/* Borrowed until the maker is released. */
struct str layer_maker_finish(struct layer_maker *maker);

/* Appends the header of an entry by hand, right in form: for those that no writer makes. */
void layer_append_header(struct strbuf *tar, const char *name, char type, uint64_t size_bytes);

/* Sets the checksum of a header that was changed. */
void layer_seal_header(char header[LAYER_BLOCK_BYTES]);

/* Appends content, padded to whole blocks. */
void layer_append_content(struct strbuf *tar, struct str content);

/* Appends bytes to `out` as they are or compressed, whatever they are. */
void layer_compress(struct strbuf *out, enum layer_kind kind, struct str bytes);
