#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/contract/metadata_contract.h"
#include "tests/support/temporary_folder.h"

static char *folder;

static void begin(void)
{
    folder = temporary_folder_new();
}

static struct metadata *open_database(void)
{
    struct metadata *metadata = NULL;
    struct error err = {0};
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", folder);
    assert_int_equal(metadata_open_sqlite(path, &metadata, &err), OK);
    return metadata;
}

static void end(void)
{
    temporary_folder_free(folder);
    folder = NULL;
}

int main(void)
{
    static const struct metadata_driver driver = {begin, open_database, end};

    return metadata_contract_run(&driver);
}
