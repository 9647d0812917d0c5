#pragma once

#include <stdint.h>

/* Nothing that this process creates can be read by other users. */
void process_keep_files_private(void);

/* Nor what is in its memory: no core dump, no debugger of other users. */
void process_keep_memory_private(void);

/*
 * What large buffers took goes back to the system when they are freed: glibc would raise the size
 * from which that is so with each one, and keep them for the thread that had them.
 */
void process_return_memory(void);

/* Raises the limit of open files to what the system permits and returns it. */
uint64_t process_raise_descriptor_limit(void);

/* The processor cores that this process may use, at least 1. */
unsigned process_core_count(void);
