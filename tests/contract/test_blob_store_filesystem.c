#include <stdio.h>

#include "blobs/filesystem_store.h"
#include "tests/contract/blob_store_contract.h"
#include "tests/support/temporary_folder.h"

struct context {
    char *folder;
};

static struct blob_store *open_filesystem(void *argument)
{
    struct context *context = argument;
    struct blob_store *store = NULL;
    struct error err = {0};

    context->folder = temporary_folder_new();
    if (filesystem_store_new(context->folder, &store, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return store;
}

static void close_filesystem(struct blob_store *store, void *argument)
{
    struct context *context = argument;

    blob_store_free(store);
    temporary_folder_free(context->folder);
}

int main(void)
{
    struct context context = {NULL};
    const struct blob_store_contract contract = {
        .driver = "filesystem",
        .open = open_filesystem,
        .close = close_filesystem,
        .context = &context,
    };

    return blob_store_contract_run(&contract);
}
