#pragma once

#include <stdint.h>

/* Nothing that this process creates can be read by other users. */
void process_keep_files_private(void);

/* Nor what is in its memory: no core dump, no debugger of other users. */
void process_keep_memory_private(void);

/* Raises the limit of open files to what the system permits and returns it. */
uint64_t process_raise_descriptor_limit(void);

/* The processor cores that this process may use, at least 1. */
unsigned process_core_count(void);
