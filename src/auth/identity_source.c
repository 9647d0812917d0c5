#include "auth/identity_source.h"

#include <assert.h>

void identity_source_free(struct identity_source *source)
{
    if (source) {
        source->driver->free(source);
    }
}

enum error_code identity_source_identify(struct identity_source *source,
                                         const struct credentials *credentials,
                                         struct identity **identity_out, struct error *err)
{
    struct identity *identity = NULL;
    enum error_code code = OK;

    assert(credentials->kind != CREDENTIALS_NONE);
    assert(identity_out);
    code = source->driver->identify(source, credentials, &identity, err);
    assert((code == OK) == (identity != NULL));
    if (!code) {
        *identity_out = identity;
    }
    return code;
}

enum error_code identity_source_identify_expired(struct identity_source *source,
                                                 const struct credentials *credentials,
                                                 struct identity **identity_out, struct error *err)
{
    struct identity *identity = NULL;
    enum error_code code = OK;

    if (!source->driver->identify_expired) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid any more");
    }
    assert(credentials->kind != CREDENTIALS_NONE);
    assert(identity_out);
    code = source->driver->identify_expired(source, credentials, &identity, err);
    assert((code == OK) == (identity != NULL));
    if (!code) {
        *identity_out = identity;
    }
    return code;
}

bool identity_source_knows_name(struct identity_source *source, struct str name)
{
    return source->driver->knows_name && source->driver->knows_name(source, name);
}
