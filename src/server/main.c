/* pieroned: what happens from its start to its end, in order. Each line of the contents is a file
 * or a folder of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "http/server.h"
#include "metadata/metadata.h"
#include "registry/registry.h"
#include "server/admission.h"
#include "server/check_config.h"
#include "server/data_folder.h"
#include "server/database_login.h"
#include "server/housekeeping.h"
#include "server/listen_address.h"
#include "server/migrate_command.h"
#include "server/options.h"
#include "server/process.h"
#include "server/settings.h"
#include "server/storage.h"
#include "server/sweep_command.h"
#include "server/user_command.h"
#include "settings/document.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    HOUSEKEEPING_INTERVAL_MS = 60 * 1000,
    LOG_END_MS = 1000,
};

/* All that lives as long as the process, in the order of its making. */
struct daemon {
    struct settings settings;
    struct log log;
    struct metrics *metrics;
    struct data_folder data;
    struct database_login database_login;
    struct metadata *metadata;
    struct storage storage;
    struct free_space free_space;
    struct registry *registry;
    struct admission admission;
    struct api *api;
    struct http_server *server;
    struct housekeeping housekeeping;
};

static void print_problems(const struct problems *problems)
{
    struct str rest = problems_lines(problems);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        (void)fprintf(stderr, "pieroned: %.*s\n", STR_FORMAT(line));
    }
    if (problems->count > PROBLEMS_MAX) {
        (void)fprintf(stderr, "pieroned: and %zu more\n", problems->count - PROBLEMS_MAX);
    }
}

static enum error_code begin_log(struct daemon *daemon, struct error *err)
{
    const enum log_format_choice choice = daemon->settings.log.format;
    const bool is_text =
        choice == LOG_FORMAT_TEXT || (choice == LOG_FORMAT_AUTO && isatty(STDERR_FILENO));

    log_init(&daemon->log, STDERR_FILENO, is_text ? LOG_TEXT : LOG_JSON, daemon->settings.log.level,
             &clock_system);
    signals_keep_log(&daemon->log);
    daemon->metrics = metrics_new();
    return log_start_thread(&daemon->log, err);
}

static enum error_code open_data(struct daemon *daemon, struct error *err)
{
    const bool takes_pushes = settings_read_only(&daemon->settings) == NULL;

    return takes_pushes ? data_folder_open(daemon->settings.data, &daemon->data, err)
                        : data_folder_share(daemon->settings.data, &daemon->data, err);
}

static enum error_code open_metadata(struct daemon *daemon, struct error *err)
{
    return database_login_and_open(&daemon->settings, daemon->data.metadata, metadata_open,
                                   &daemon->database_login, &daemon->metadata, err);
}

static enum error_code open_blobs(struct daemon *daemon, struct error *err)
{
    return storage_open(&daemon->settings, daemon->data.blobs, daemon->metadata, daemon->metrics,
                        &daemon->storage, err);
}

static enum error_code make_registry(struct daemon *daemon, struct error *err)
{
    const struct settings *const settings = &daemon->settings;
    const struct registry_config config = {
        .metadata = daemon->metadata,
        .blobs = daemon->storage.blobs,
        .clock = &clock_system,
        .free_space = &daemon->free_space,
        .settings = settings->registry,
        .metrics = daemon->metrics,
    };

    (void)err;
    /* The blobs may be on another disk. */
    daemon->free_space = (struct free_space){.folders = {daemon->data.path, daemon->data.blobs},
                                             .reserve_bytes = settings->registry.free_space_bytes,
                                             .clock = &clock_system};
    daemon->registry = registry_new(&config);
    return OK;
}

static enum error_code open_admission(struct daemon *daemon, struct error *err)
{
    const struct admission_config config = {.settings = &daemon->settings,
                                            .secret_path = daemon->data.secret,
                                            .metadata = daemon->metadata,
                                            .metrics = daemon->metrics,
                                            .log = &daemon->log};

    return admission_open(&config, &daemon->admission, err);
}

/* Asked only by requests, so there is a server. */
static bool is_ready(void *context)
{
    const struct daemon *const daemon = context;

    return !http_server_is_draining(daemon->server);
}

static enum error_code make_api(struct daemon *daemon, struct error *err)
{
    const char *const proxies = daemon->settings.trusted_proxies;
    struct api_config config = {
        .registry = daemon->registry,
        .log = &daemon->log,
        .clock = &clock_system,
        .manifest_max_bytes = daemon->settings.registry.manifest_max_bytes,
        .push_patience_ms = settings_push_patience_ms(&daemon->settings),
        .downloads_max = daemon->settings.storage.s3.downloads,
        .authenticator = daemon->admission.authenticator,
        .teams = daemon->admission.teams,
        .token_keys = daemon->admission.token_keys,
        .login_hash = daemon->admission.login_hash,
        .token_lifetime_ms = daemon->settings.auth.token_lifetime_ms,
        .public_read = daemon->settings.auth.public_read,
        .read_only = settings_read_only(&daemon->settings),
        .public_url = daemon->settings.public_url,
        .login = admission_login(&daemon->settings),
        .is_ready = is_ready,
        .is_ready_context = daemon,
    };

    if (proxies && proxies_parse(str_from(proxies), &config.proxies, err)) {
        return ERROR_INVALID; /* the settings were checked for it */
    }
    daemon->api = api_new(&config);
    return OK;
}

static enum error_code open_server(struct daemon *daemon, struct error *err)
{
    struct http_server_config config = {
        .listen = daemon->settings.listen,
        .tls = daemon->settings.tls,
        .limits = daemon->settings.limits,
        .application = api_application(daemon->api),
        .log = &daemon->log,
        .clock = &clock_system,
        .metrics = daemon->metrics,
    };
    const uint64_t descriptors = process_raise_descriptor_limit();

    if (descriptors < config.limits.connections) {
        log_message(&daemon->log, LOG_WARNING, "few_descriptors",
                    "%llu files can be open at once, fewer than limits.connections: raise "
                    "`ulimit -n` or LimitNOFILE",
                    (unsigned long long)descriptors);
    }
    config.limits.hashers = (process_core_count() + 1) / 2; /* guessing must not take the machine */
    config.limits.loops = config.limits.loops > 0 ? config.limits.loops : process_core_count();
    return http_server_new(&config, &daemon->server, err);
}

static enum error_code start_server(struct daemon *daemon, struct error *err)
{
    return http_server_start(daemon->server, err);
}

static enum error_code start_housekeeping(struct daemon *daemon, struct error *err)
{
    daemon->housekeeping = (struct housekeeping){
        .registry = daemon->registry,
        .token_keys = daemon->admission.token_keys,
        .log = &daemon->log,
        .interval_ms = HOUSEKEEPING_INTERVAL_MS,
        .keys_interval_ms = daemon->settings.auth.revocation_time_ms,
    };
    return housekeeping_start(&daemon->housekeeping, err);
}

static enum error_code daemon_start(struct daemon *daemon, struct error *err)
{
    static enum error_code (*const steps[])(struct daemon * daemon, struct error * err) = {
        open_data, open_metadata, open_blobs,   make_registry,      open_admission,
        make_api,  open_server,   start_server, start_housekeeping,
    };
    enum error_code code = OK;

    for (size_t i = 0; !code && i < ARRAY_LEN(steps); i++) {
        code = steps[i](daemon, err);
    }
    return code;
}

static void daemon_finish(struct daemon *daemon)
{
    housekeeping_end(&daemon->housekeeping);
    http_server_free(daemon->server);
    api_free(daemon->api);
    admission_release(&daemon->admission);
    registry_free(daemon->registry);
    storage_release(&daemon->storage);
    metadata_free(daemon->metadata);
    database_login_release(&daemon->database_login);
    data_folder_release(&daemon->data);
    metrics_log(daemon->metrics, &daemon->log);
    metrics_free(daemon->metrics);
    settings_release(&daemon->settings);
    signals_keep_log(NULL);
    log_end_thread(&daemon->log, LOG_END_MS);
}

static void announce(struct daemon *daemon)
{
    char listen[LISTEN_TEXT_BYTES] = "";
    struct listen_address address;
    struct log_line line;

    if (!listen_address_parse(str_from(daemon->settings.listen), &address, NULL)) {
        listen_address_format(&address, http_server_port(daemon->server), listen);
    }
    log_begin(&line, &daemon->log, LOG_INFO, "started");
    log_text(&line, "version", str_from(PIERONE_VERSION));
    log_text(&line, "listen", str_from(listen));
    log_text(&line, "data", str_from(daemon->data.path));
    log_end(&line);
    settings_warn(&daemon->settings, &daemon->log);
    if (admission_asks_nobody_about_teams(&daemon->admission)) {
        log_message(&daemon->log, LOG_INFO, "own_teams", "teams are " ADMISSION_OWN_TEAMS);
    }
    notify_send(getenv("NOTIFY_SOCKET"), "READY=1");
}

/* Until we are asked to end. */
static void attend(struct daemon *daemon, const struct settings_sources *sources)
{
    const struct reload reload = {sources, &daemon->settings, &daemon->log, daemon->server};

    for (;;) {
        switch (signals_wait()) {
        case SIGNAL_RELOAD:
            reload_run(&reload);
            break;
        case SIGNAL_END:
            return;
        }
    }
}

static void daemon_drain(struct daemon *daemon)
{
    log_message(&daemon->log, LOG_INFO, "draining", "a second signal ends at once");
    notify_send(getenv("NOTIFY_SOCKET"), "STOPPING=1");
    signals_end_at_once();
    http_server_drain(daemon->server);
    log_message(&daemon->log, LOG_INFO, "stopped", "all requests are finished or were given up");
}

/* The life of the server. */
static int daemon_serve(const struct settings_sources *sources)
{
    CLEANUP(problems_release) struct problems problems;
    struct daemon daemon = {0};
    struct error err;

    problems_init(&problems);
    if (settings_load(sources, &daemon.settings, &problems)) {
        print_problems(&problems);
        return EXIT_FAILED;
    }
    process_keep_files_private();
    process_keep_memory_private();
    process_return_memory();
    signals_block();
    if (begin_log(&daemon, &err) || daemon_start(&daemon, &err)) {
        log_message(&daemon.log, LOG_ERROR, "start_failed", "%s", err.message);
        daemon_finish(&daemon);
        return EXIT_FAILED;
    }
    announce(&daemon);
    attend(&daemon, sources);
    daemon_drain(&daemon);
    daemon_finish(&daemon);
    return EXIT_SUCCESS;
}

static int daemon_check(const struct settings_sources *sources)
{
    CLEANUP(problems_release) struct problems problems;
    CLEANUP(strbuf_release) struct strbuf report;
    bool is_valid = false;

    problems_init(&problems);
    strbuf_init(&report, CHECK_REPORT_MAX_BYTES);
    is_valid = check_config(sources, &report, &problems);
    is_valid = fputs(report.text, stdout) >= 0 && fflush(stdout) == 0 && is_valid;
    print_problems(&problems);
    return is_valid ? EXIT_SUCCESS : EXIT_FAILED;
}

static int print(const struct strbuf *text)
{
    return fputs(text->text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_SUCCESS;
}

static int print_settings(void (*append)(const struct settings_schema *schema, struct strbuf *buf))
{
    CLEANUP(strbuf_release) struct strbuf text;

    strbuf_init(&text, SETTINGS_DOCUMENT_MAX_BYTES);
    append(&settings_schema, &text);
    return print(&text);
}

static int daemon_print_help(void)
{
    CLEANUP(strbuf_release) struct strbuf text;

    strbuf_init(&text, SETTINGS_DOCUMENT_MAX_BYTES);
    options_append_help(&text);
    return print(&text);
}

static int daemon_run(const struct options *options)
{
    const struct settings_sources sources = {.file = options->file,
                                             .environment = environ,
                                             .overrides = options->overrides,
                                             .override_count = options->override_count};

    switch (options->command) {
    case COMMAND_SERVE:
        return daemon_serve(&sources);
    case COMMAND_CHECK_CONFIG:
        return daemon_check(&sources);
    case COMMAND_PRINT_MARKDOWN:
        return print_settings(settings_document_markdown);
    case COMMAND_PRINT_YAML:
        return print_settings(settings_document_yaml);
    case COMMAND_PRINT_MAN:
        return print_settings(settings_document_man);
    case COMMAND_VERSION:
        return puts("pieroned " PIERONE_VERSION) < 0 ? EXIT_FAILED : EXIT_SUCCESS;
    case COMMAND_HELP:
        return daemon_print_help();
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err;

    if (argc > 1 && str_is(str_from(argv[1]), "user")) {
        return user_command_run(argc - 1, argv + 1, environ);
    }
    if (argc > 1 && str_is(str_from(argv[1]), "migrate")) {
        return migrate_command_run(argc - 1, argv + 1);
    }
    if (argc > 1 && str_is(str_from(argv[1]), "sweep")) {
        return sweep_command_run(argc - 1, argv + 1, environ);
    }
    if (options_parse(argc, argv, &options, &err)) {
        (void)fprintf(stderr, "pieroned: %s\nTry 'pieroned --help'.\n", err.message);
        return EXIT_USAGE;
    }
    return daemon_run(&options);
}
