#include <stdio.h>

#include "cli/credential_helper.h"

extern char **environ;

int main(int argc, char *argv[])
{
    return credential_helper_run(argc, argv, environ, stdin, stdout);
}
