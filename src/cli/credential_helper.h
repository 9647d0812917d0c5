#pragma once

#include <stdio.h>

/*
 * Docker's credential helper protocol (docker/docker-credential-helpers): `get`, `store`, `erase`
 * and `list`, with input on standard input, results and errors on standard output. Never asks
 * anybody: `docker build` runs every helper there is. Returns the exit status.
 */
int credential_helper_run(int argc, char *const argv[], char *const *environment, FILE *input,
                          FILE *output);
