#include "server/migrate_command.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metadata/blob_places.h"
#include "metadata/transfer.h"
#include "server/blob_transfer.h"
#include "server/data_folder.h"
#include "server/database_login.h"
#include "server/move_progress.h"
#include "server/process.h"
#include "server/storage.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    OPTION_FROM = 256,
    OPTION_TO,
    OPTION_SKIP_DAMAGED,
    OPTION_HELP,
    COPIES_AT_ONCE = 8,
};

/* One of the two registries. */
struct side {
    const char *where; /* a file of settings, or a data folder; borrowed from argv */
    struct settings settings;
    struct data_folder paths;
    struct data_folder folder;   /* locked */
    struct database_login login; /* to the database */
    struct metadata *metadata;
    struct storage storage;
};

struct move {
    struct side from;
    struct side to;
    bool skips_damaged;
    bool help;
    bool takes_pushes; /* the source, as far as one can tell */
    bool keeps_blobs;  /* both sides have them in the same place */
    struct move_progress progress;
    struct blob_transfer_count count;
};

static enum error_code take_option(int option, const char *word, struct move *move,
                                   struct error *err)
{
    switch (option) {
    case OPTION_FROM:
        move->from.where = optarg;
        return OK;
    case OPTION_TO:
        move->to.where = optarg;
        return OK;
    case OPTION_SKIP_DAMAGED:
        move->skips_damaged = true;
        return OK;
    case 'h':
    case OPTION_HELP:
        move->help = true;
        return OK;
    case ':':
        return error_set(err, ERROR_INVALID, "%s needs a value", word);
    default:
        return error_set(err, ERROR_INVALID, "\"%s\" is not understood", word);
    }
}

static enum error_code migrate_parse(int argc, char *const argv[], struct move *move,
                                     struct error *err)
{
    static const struct option longs[] = {
        {"from", required_argument, NULL, OPTION_FROM},
        {"to", required_argument, NULL, OPTION_TO},
        {"skip-damaged", no_argument, NULL, OPTION_SKIP_DAMAGED},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    int option = 0;

    opterr = 0; /* the messages are ours */
    optind = 0;
    while ((option = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        const enum error_code code = take_option(option, argv[optind - 1], move, err);

        if (code) {
            return code;
        }
    }
    if (optind < argc) {
        return error_set(err, ERROR_INVALID, "\"%s\" is one word too many", argv[optind]);
    }
    if (!move->help && (!move->from.where || !move->to.where)) {
        return error_set(err, ERROR_INVALID, "it needs --from FILE and --to FILE");
    }
    return OK;
}

static int print_help(void)
{
    static const char text[] =
        "Usage: pieroned migrate --from FILE --to FILE [--skip-damaged]\n"
        "\n"
        "Moves a registry to another database, another storage, or both: repositories, manifests\n"
        "and tags with their history and times, and all blobs that they name. Each blob and each\n"
        "manifest is hashed on its way, and all rows are compared at the end. Whatever breaks it\n"
        "off, run it again: it goes on.\n"
        "\n"
        "  --from FILE      the settings of the registry that there is; or its data folder\n"
        "  --to FILE        the settings of the one that is to be: nothing may be there, but what\n"
        "                   an earlier run has brought\n"
        "  --skip-damaged   finish without the blobs that are damaged or missing in the source\n"
        "  -h, --help       print this\n"
        "\n"
        "While servers take pushes at the source, only blobs are copied. Then set read_only, "
        "start\n"
        "them again, and run this again for the rest. Settings do not come from the environment.\n";

    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool migrate_load_settings(struct side *side)
{
    CLEANUP(problems_release) struct problems problems;
    static char *const nothing[] = {NULL};
    const bool is_data = is_folder(side->where);
    const struct settings_override data = {"data", "data", side->where};
    const struct settings_sources sources = {
        .file = is_data ? NULL : side->where,
        .environment = nothing,
        .overrides = &data,
        .override_count = is_data ? 1 : 0,
    };
    enum error_code code = OK;

    problems_init(&problems);
    settings_release(&side->settings);
    code = settings_load(&sources, &side->settings, &problems);
    if (code) {
        const struct str lines = problems_lines(&problems);

        settings_init(&side->settings);
        (void)fprintf(stderr, "pieroned migrate: %.*s", STR_FORMAT(lines));
    }
    return !code;
}

/* Who takes pushes has its data folder alone; of servers over PostgreSQL, which have folders of
 * their own, only the settings tell. */
static enum error_code find_out_about_pushes(struct move *move, struct error *err)
{
    struct side *from = &move->from;
    enum error_code code = OK;

    if (database_settings_is_postgresql(&from->settings.database)) {
        move->takes_pushes = settings_read_only(&from->settings) == NULL;
        return OK;
    }
    code = data_folder_share(from->settings.data, &from->folder, err);
    move->takes_pushes = code == ERROR_CONFLICT;
    return move->takes_pushes ? OK : code;
}

static enum error_code open_source(struct move *move, struct error *err)
{
    struct side *from = &move->from;
    enum error_code code = data_folder_find(from->settings.data, &from->paths, err);

    if (!code) {
        code = database_login_and_open(&from->settings, from->paths.metadata, metadata_join,
                                       &from->login, &from->metadata, err);
    }
    return code ? code : find_out_about_pushes(move, err);
}

static bool is_same_folder(const struct side *a, const struct side *b)
{
    struct stat first;
    struct stat second;

    return stat(a->paths.path, &first) == 0 && stat(b->paths.path, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static bool is_same_text(const char *a, const char *b)
{
    return str_equal(str_from(a ? a : ""), str_from(b ? b : ""));
}

/* Objects are known by their whole keys, so that their prefix does not matter. */
static bool have_same_blobs(const struct side *a, const struct side *b)
{
    const struct s3_settings *first = &a->settings.storage.s3;
    const struct s3_settings *second = &b->settings.storage.s3;

    if (!first->bucket && !second->bucket) {
        return is_same_folder(a, b);
    }
    return is_same_text(first->bucket, second->bucket) &&
           is_same_text(first->endpoint, second->endpoint) &&
           is_same_text(first->region, second->region);
}

static enum error_code open_storages(struct move *move, struct error *err)
{
    const enum error_code code =
        storage_join(&move->from.settings, move->from.paths.blobs, &move->from.storage, err);

    return code ? code
                : storage_open(&move->to.settings, move->to.paths.blobs, move->to.metadata, NULL,
                               &move->to.storage, err);
}

static enum error_code open_destination(struct move *move, struct error *err)
{
    struct side *to = &move->to;
    enum error_code code = data_folder_find(to->settings.data, &to->paths, err);

    if (!code && !is_same_folder(&move->from, to)) {
        code = data_folder_open(to->settings.data, &to->folder, err);
    }
    if (!code) {
        code = database_login_and_open(&to->settings, to->paths.metadata, metadata_open_to_fill,
                                       &to->login, &to->metadata, err);
    }
    move->keeps_blobs = have_same_blobs(&move->from, to);
    return code || move->keeps_blobs ? code : open_storages(move, err);
}

static enum error_code refuse_damaged(const struct move *move, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "%" PRIu64 " blobs (above) are damaged or missing in the source, the others "
                     "are copied: take the damaged ones away there and bring back their bytes, "
                     "from a backup or by pushing their images again; then run this again. Or go "
                     "without them (--skip-damaged)",
                     move->count.damaged);
}

static enum error_code move_blobs(struct move *move, struct error *err)
{
    const struct blob_transfer transfer = {
        .from_metadata = move->from.metadata,
        .from = move->from.storage.blobs,
        .to_metadata = move->to.metadata,
        .to = move->to.storage.blobs,
        .threads = COPIES_AT_ONCE,
        .context = &move->progress,
        .tell = move_progress_blobs,
        .tell_damaged = move_progress_damaged,
    };
    enum error_code code = metadata_count_named_blobs(move->from.metadata, &move->progress.blobs,
                                                      &move->progress.blob_bytes, err);

    if (!code) {
        move_progress_begin(&move->progress, "blobs");
        code = blob_transfer_run(&transfer, &move->count, err);
    }
    if (!code && move->count.damaged > 0 && !move->skips_damaged) {
        code = refuse_damaged(move, err);
    }
    return code;
}

static enum error_code move_rows(const struct transfer *transfer, struct move *move,
                                 struct error *err)
{
    enum error_code code = OK;

    move_progress_begin(&move->progress, "rows");
    code = transfer_copy(transfer, err);
    if (!code) {
        move_progress_begin(&move->progress, "comparing");
        code = transfer_compare(transfer, err);
    }
    return code ? code : transfer_end(transfer, err);
}

static enum error_code move_all(struct move *move, struct error *err)
{
    struct transfer transfer = {.context = &move->progress, .tell = move_progress_rows};
    enum error_code code = open_source(move, err);

    if (!code) {
        code = open_destination(move, err);
    }
    if (code) {
        return code;
    }
    transfer.from = move->from.metadata;
    transfer.to = move->to.metadata;
    transfer.keeps_places = move->keeps_blobs;
    code = transfer_begin(&transfer, err);
    if (!code && !move->keeps_blobs) {
        code = move_blobs(move, err);
    }
    if (!code && move->takes_pushes) {
        code = error_set(err, ERROR_CONFLICT,
                         "the blobs are copied, and the source takes pushes, so that more may "
                         "come: set read_only for all its servers, start them again (or stop "
                         "them), and run this again for the rest");
    }
    return code ? code : move_rows(&transfer, move, err);
}

static bool migrate_print_sum(const struct move *move)
{
    int length = 0;

    if (move->keeps_blobs) {
        length = printf("moved: all rows are the same on both sides; the blobs stay where they "
                        "are\n");
    } else {
        length = printf(
            "moved: all rows are the same on both sides; %" PRIu64 " blobs copied (%" PRIu64
            " bytes), %" PRIu64 " copied earlier, %" PRIu64 " damaged\n",
            move->count.copied, move->count.copied_bytes, move->count.present, move->count.damaged);
    }
    return length > 0 && fflush(stdout) == 0;
}

static int migrate_run(struct move *move, int argc, char *const argv[])
{
    struct error err = {0};

    if (migrate_parse(argc, argv, move, &err)) {
        (void)fprintf(stderr, "pieroned migrate: %s\nTry 'pieroned migrate --help'.\n",
                      err.message);
        return EXIT_USAGE;
    }
    if (move->help) {
        return print_help();
    }
    if (!migrate_load_settings(&move->from) || !migrate_load_settings(&move->to)) {
        return EXIT_FAILED;
    }
    if (move_all(move, &err)) {
        (void)fprintf(stderr, "pieroned migrate: %s\n", err.message);
        return EXIT_FAILED;
    }
    return migrate_print_sum(move) ? EXIT_DONE : EXIT_FAILED;
}

static void side_release(struct side *side)
{
    storage_release(&side->storage);
    metadata_free(side->metadata);
    database_login_release(&side->login);
    data_folder_release(&side->folder);
    settings_release(&side->settings);
}

int migrate_command_run(int argc, char *const argv[])
{
    struct move move = {
        .progress = {.out = stderr, .is_terminal = isatty(STDERR_FILENO), .clock = &clock_system}};
    int status = 0;

    process_keep_files_private();
    settings_init(&move.from.settings);
    settings_init(&move.to.settings);
    status = migrate_run(&move, argc, argv);
    side_release(&move.from);
    side_release(&move.to);
    return status;
}
