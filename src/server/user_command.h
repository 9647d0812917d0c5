#pragma once

/*
 * `pieroned user …`: makes and changes the file of local users. argv[0] is `user`. Results go to
 * standard output, all else to standard error. Returns the exit status: 0 done, 1 failed, 2 wrong
 * usage.
 */
int user_command_run(int argc, char *const argv[], char *const *environment);
