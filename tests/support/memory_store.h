#pragma once

#include "blobs/blob_store.h"

/* Blobs in memory, for tests and for nothing else: all is gone with the process. */
struct blob_store *memory_store_new(void);
