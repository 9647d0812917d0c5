#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"

/* A key that signs the registry's tokens, as it is kept: encrypted. */
struct token_key_record {
    struct str id;
    int64_t created_ms;
    struct str sealed;
};

struct token_key_list {
    struct token_key_record *keys; /* newest first */
    size_t count;
};

enum { TOKEN_KEYS_MAX = 64 };

/* Durable. ERROR_CONFLICT if the id is taken. */
MUST_USE enum error_code metadata_add_token_key(struct metadata *metadata,
                                                const struct token_key_record *key,
                                                struct error *err);

/* The newest, at most TOKEN_KEYS_MAX. */
MUST_USE enum error_code metadata_list_token_keys(struct metadata *metadata, struct arena *arena,
                                                  struct token_key_list *list_out,
                                                  struct error *err);

/* Those that were created before that time. */
MUST_USE enum error_code metadata_remove_token_keys(struct metadata *metadata, int64_t before_ms,
                                                    struct error *err);
