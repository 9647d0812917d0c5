#pragma once

#include <stdio.h>

struct command;

/* What --help prints: of the program (command NULL), or of one command. */
void help_print(const struct command *command, FILE *file);
