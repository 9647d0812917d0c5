/* The main program of a fuzz target built without libFuzzer: runs the files that it is given. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "fuzz.h"

enum { INPUT_MAX_BYTES = 1024 * 1024, PATH_MAX_BYTES = 4096 };

static int run_folder(const char *folder, DIR *entries);
static int run_file(const char *path);

/* Each argument is a folder of inputs. */
int main(int count, char **arguments)
{
    int runs = 0;

    for (int i = 1; i < count; i++) {
        DIR *entries = opendir(arguments[i]);

        if (!entries) {
            perror(arguments[i]);
            return 1;
        }
        runs += run_folder(arguments[i], entries);
        (void)closedir(entries);
    }
    (void)printf("%d inputs\n", runs);
    return runs > 0 ? 0 : 1;
}

static int run_folder(const char *folder, DIR *entries)
{
    int runs = 0;

    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char path[PATH_MAX_BYTES];

        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            runs += run_file(path);
        }
    }
    return runs;
}

/* In memory of just its size, so that sanitizers see a read beyond it. */
static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = memory_new(INPUT_MAX_BYTES, 1);
    size_t length = 0;

    if (!file) {
        perror(path);
        exit(1);
    }
    length = fread(bytes, 1, INPUT_MAX_BYTES, file);
    (void)fclose(file);
    bytes = memory_resize(bytes, length > 0 ? length : 1, 1);
    (void)LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    return 1;
}
