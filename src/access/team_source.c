#include "access/team_source.h"

void team_source_free(struct team_source *source)
{
    if (source) {
        source->driver->free(source);
    }
}
