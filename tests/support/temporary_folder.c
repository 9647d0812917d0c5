#include "tests/support/temporary_folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum { OPEN_FOLDERS = 8, PATH_BYTES = 256 };

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *position);

char *temporary_folder_new(void)
{
    const char *parent = getenv("TMPDIR");
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/pierone-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
    return memory_copy_text(path);
}

void temporary_folder_free(char *path)
{
    if (path) {
        (void)nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
        free(path);
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}
