#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config.h"

enum { TIMEOUT_MS = 60 * 1000, LINE_BYTES = 512 };

/* How many registries there is a login at, and the last of them. */
struct known_hosts {
    struct arena *arena;
    const char *host;
    size_t count;
};

/* https://no-color.org */
static bool wants_colour(const struct cli *cli, FILE *file)
{
    const char *const terminal = environment_get(&cli->environment, "TERM");

    return isatty(fileno(file)) && !environment_get(&cli->environment, "NO_COLOR") && terminal &&
           strcmp(terminal, "dumb") != 0;
}

enum error_code cli_open(struct cli *cli, const struct cli_start *start, struct error *err)
{
    struct http_client_config config = {
        .user_agent = "pierone/" PIERONE_VERSION,
        .timeout_ms = TIMEOUT_MS,
        .answer_max_bytes = CLI_ANSWER_MAX_BYTES,
    };
    enum error_code code = OK;

    *cli = (struct cli){
        .options = *start->options,
        .environment = {start->environment},
        .clock = &clock_system,
        .output = {.file = start->results, .format = start->options->format},
        .chatter = start->chatter,
    };
    arena_init(&cli->arena, CLI_ARENA_BYTES);
    cli->arena.is_secret = true;
    cli->output.now_ms = clock_wall_ms(cli->clock);
    cli->output.has_colour = wants_colour(cli, start->results);
    cli->can_ask = isatty(STDIN_FILENO) && isatty(fileno(start->chatter));
    config.ca_file = environment_get(&cli->environment, "SSL_CERT_FILE");
    code = paths_find(&cli->environment, platform_is_macos, &cli->arena, &cli->paths, err);
    return code ? code : http_client_new(&config, &cli->client, err);
}

void cli_release(struct cli *cli)
{
    http_client_free(cli->client);
    arena_release(&cli->arena);
}

static void count_login(void *context, const char *host, struct str user)
{
    struct known_hosts *const known = context;

    (void)user;
    known->host = arena_text(known->arena, str_from(host));
    known->count++;
}

/* Where there is just one, nobody has to say which. */
static enum error_code find_only_login(struct cli *cli, const char **url_out, struct error *err)
{
    struct known_hosts known = {.arena = &cli->arena};
    const struct login_visitor visitor = {&known, count_login};
    struct json_value *store = NULL;
    const enum error_code code = login_store_read(cli->paths.logins, &store, err);

    if (code) {
        return code;
    }
    login_store_each(store, &visitor);
    if (known.count == 1) {
        const struct str url = login_store_find(store, known.host, &cli->arena).url;

        *url_out = url.length > 0 ? url.bytes : known.host;
    }
    json_value_free(store);
    return OK;
}

static enum error_code ask_url(struct cli *cli, const char **url_out, struct error *err)
{
    char line[LINE_BYTES];

    if (!cli->can_ask) {
        return error_set(err, ERROR_INVALID,
                         "which registry? Give --url URL, set PIERONE_URL, or write `url: URL` "
                         "into %s",
                         cli->paths.config);
    }
    (void)fputs("Address of the registry (like pierone.example.org): ", cli->chatter);
    (void)fflush(cli->chatter);
    if (!fgets(line, sizeof(line), stdin)) {
        return error_set(err, ERROR_INVALID, "no address was given");
    }
    line[strcspn(line, "\r\n")] = '\0';
    *url_out = arena_text(&cli->arena, str_from(line));
    cli->is_url_asked = true;
    return OK;
}

/* Docker knows no registries below a path; to cut it off would ask another server than was meant.
 */
static enum error_code take_url(struct cli *cli, const char *text, struct error *err)
{
    struct registry_url url = {0};
    const enum error_code code = registry_url_parse(str_from(text), &cli->arena, &url, err);

    if (!code && url.has_path) {
        return error_set(err, ERROR_INVALID,
                         "the address of a registry has no path: if it is %s, give that", url.url);
    }
    if (!code) {
        cli->url = url;
    }
    return code;
}

enum error_code cli_find_url(struct cli *cli, struct error *err)
{
    const char *url = cli->options.url;
    enum error_code code = OK;

    if (cli->url.url) {
        return OK;
    }
    if (!url) {
        url = environment_get(&cli->environment, "PIERONE_URL");
    }
    if (!url) {
        code = config_file_read(&cli->paths, &cli->arena, &url, err);
    }
    if (!code && !url) {
        code = find_only_login(cli, &url, err);
    }
    if (!code && !url) {
        code = ask_url(cli, &url, err);
    }
    if (!code) {
        code = take_url(cli, url, err);
    }
    return code || !cli->is_url_asked ? code : config_file_add_url(&cli->paths, cli->url.url, err);
}

enum error_code cli_find_login(struct cli *cli, struct error *err)
{
    enum error_code code = cli_find_url(cli, err);
    struct access access;

    if (code || cli->has_login) {
        return code;
    }
    access = cli_access(cli);
    code = access_get(&access, cli->url.host, &cli->login, err);
    cli->has_login = !code;
    return code;
}

struct access cli_access(struct cli *cli)
{
    return (struct access){
        .environment = &cli->environment,
        .paths = &cli->paths,
        .client = cli->client,
        .clock = cli->clock,
        .arena = &cli->arena,
        .is_plain = str_starts_with(str_from(cli->url.url), "http://"),
    };
}
