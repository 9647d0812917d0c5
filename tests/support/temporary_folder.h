#pragma once

/* A new, empty folder of mode 0700 below TMPDIR or /tmp. Aborts if there can be none. */
char *temporary_folder_new(void);

/* Removes it with all that is in it, and frees the path. NULL is accepted. */
void temporary_folder_free(char *path);
