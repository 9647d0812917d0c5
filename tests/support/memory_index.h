#pragma once

#include "blobs/blob_index.h"

/* Where blobs are, in memory: for the tests of stores that need to be told. */
struct memory_index;

struct memory_index *memory_index_new(void);
void memory_index_free(struct memory_index *index);
struct blob_index memory_index_functions(struct memory_index *index);

/* Saves the tail of an upload that rests, if it is new; one upload's at a time. */
void memory_index_keep_tail(struct memory_index *index, const struct blob_upload *upload);
