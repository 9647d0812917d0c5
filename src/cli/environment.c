#include "cli/environment.h"

#include <string.h>

const char *environment_get(const struct environment *environment, const char *name)
{
    const size_t length = strlen(name);

    for (char *const *entry = environment->entries; entry && *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return (*entry)[length + 1] != '\0' ? *entry + length + 1 : NULL;
        }
    }
    return NULL;
}
