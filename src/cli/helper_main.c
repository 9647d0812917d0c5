#include <stdio.h>

#include "cli/credential_helper.h"

/* POSIX has nobody declare it; glibc does. */
extern char **environ; /* NOLINT(readability-redundant-declaration) */

int main(int argc, char *argv[])
{
    return credential_helper_run(argc, argv, environ, stdin, stdout);
}
