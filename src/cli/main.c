#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/command.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* POSIX has nobody declare it; glibc does. */
extern char **environ; /* NOLINT(readability-redundant-declaration) */

/* A full disk behind `> file` is a failure, too. */
static int flush_results(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("pierone: cannot write the results");
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int cli_main_run(const struct options *options)
{
    const struct cli_start start = {options, environ, stdout, stderr};
    struct error err = {0};
    struct cli cli;
    enum error_code code = cli_open(&cli, &start, &err);

    if (!code) {
        code = options->command->run(&cli, &err);
    }
    cli_release(&cli);
    if (code) {
        /* It may be what a server says. */
        (void)fputs("pierone: ", stderr);
        show_text(stderr, str_from(err.message));
        (void)fputc('\n', stderr);
        return EXIT_FAILED;
    }
    return flush_results();
}

int main(int argc, char *argv[])
{
    struct options options = {0};
    struct error err = {0};

    if (options_parse(argc, argv, &options, &err)) {
        (void)fprintf(stderr, "pierone: %s\nTry `pierone --help`.\n", err.message);
        return EXIT_USAGE;
    }
    if (options.wants_version) {
        (void)puts("pierone " PIERONE_VERSION);
        return flush_results();
    }
    if (options.wants_help) {
        help_print(options.command, stdout);
        return flush_results();
    }
    if (!options.command) {
        help_print(NULL, stderr);
        return EXIT_USAGE;
    }
    return cli_main_run(&options);
}
