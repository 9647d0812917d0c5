#include "tests/contract/blob_store_contract.h"
#include "tests/support/memory_store.h"

static struct blob_store *open_memory(void *context)
{
    (void)context;
    return memory_store_new();
}

static void close_memory(struct blob_store *store, void *context)
{
    (void)context;
    blob_store_free(store);
}

int main(void)
{
    const struct blob_store_contract contract = {
        .driver = "memory",
        .open = open_memory,
        .close = close_memory,
    };

    return blob_store_contract_run(&contract);
}
