#include "auth/identity.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The identity and, right behind it, its texts. */
struct block {
    struct identity identity; /* first */
    atomic_int references;
    char texts[];
};

static const char *const kind_names[] = {
    [IDENTITY_UNKNOWN] = "unknown",   [IDENTITY_ANONYMOUS] = "anonymous",
    [IDENTITY_EMPLOYEE] = "employee", [IDENTITY_SERVICE] = "service",
    [IDENTITY_INSTANCE] = "instance",
};

static struct str identity_keep(char **end, struct str text)
{
    const struct str kept = {*end, text.length};

    if (text.length > 0) {
        memcpy(*end, text.bytes, text.length);
        *end += text.length;
    }
    return kept;
}

struct identity *identity_new(const struct identity *fields)
{
    const struct str none = {0};
    const struct str scopes = fields->scopes.length <= IDENTITY_LIST_BYTES ? fields->scopes : none;
    const struct str teams = fields->teams.length <= IDENTITY_LIST_BYTES ? fields->teams : none;
    struct block *block =
        memory_new(1, sizeof(*block) + fields->name.length + scopes.length + teams.length +
                          fields->grants.length + fields->refusals.length +
                          fields->audience.length + fields->login.length);
    char *end = block->texts;

    assert(fields->name.length > 0);
    assert(fields->name.length <= IDENTITY_NAME_BYTES);
    block->identity = *fields;
    block->identity.name = identity_keep(&end, fields->name);
    block->identity.scopes = identity_keep(&end, scopes);
    block->identity.teams = identity_keep(&end, teams);
    block->identity.grants = identity_keep(&end, fields->grants);
    block->identity.refusals = identity_keep(&end, fields->refusals);
    block->identity.audience = identity_keep(&end, fields->audience);
    block->identity.login = identity_keep(&end, fields->login);
    atomic_init(&block->references, 1);
    return &block->identity;
}

static struct block *block_of(struct identity *identity)
{
    return (struct block *)identity; /* its first member */
}

struct identity *identity_retain(struct identity *identity)
{
    (void)atomic_fetch_add_explicit(&block_of(identity)->references, 1, memory_order_relaxed);
    return identity;
}

void identity_release(struct identity *identity)
{
    struct block *block = block_of(identity);

    if (block && atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1) {
        free(block);
    }
}

static bool identity_has_line(struct str lines, struct str line)
{
    struct str one;

    while (line.length > 0 && str_cut(&lines, '\n', &one)) {
        if (str_equal(one, line)) {
            return true;
        }
    }
    return false;
}

bool identity_has_scope(const struct identity *identity, const char *scope)
{
    return identity_has_line(identity->scopes, str_from(scope));
}

bool identity_names_team(const struct identity *identity, struct str team)
{
    return identity_has_line(identity->teams, team);
}

const char *identity_kind_name(enum identity_kind kind)
{
    return kind_names[kind];
}

bool identity_kind_parse(struct str name, enum identity_kind *kind_out)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
        if (str_is(name, kind_names[i])) {
            *kind_out = (enum identity_kind)i;
            return true;
        }
    }
    return false;
}
