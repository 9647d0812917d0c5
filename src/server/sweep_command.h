#pragma once

/*
 * `pieroned sweep …`: lists, and with --delete removes, blobs that no manifest names; a server may
 * be running meanwhile. Returns the exit status: 0, 1 if it failed, 2 for a wrong command line.
 * argv[0] is the word `sweep`; environment as `environ`.
 */
int sweep_command_run(int argc, char *const argv[], char *const *environment);
