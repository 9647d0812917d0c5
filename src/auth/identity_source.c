#include "auth/identity_source.h"

void identity_source_free(struct identity_source *source)
{
    if (source) {
        source->driver->free(source);
    }
}
