#include "server/sweep_command.h"

#include <getopt.h>
#include <stdio.h>

#include "metadata/swept_blobs.h"
#include "server/bucket_sweep.h"
#include "server/data_folder.h"
#include "server/database_login.h"
#include "server/process.h"
#include "server/settings.h"
#include "server/storage.h"
#include "settings/value.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, OPTION_DATA = 256 };

enum option_code { OPTION_OLDER_THAN = OPTION_DATA + 1, OPTION_DELETE, OPTION_HELP };

/* What is to be done, and what was. Texts are borrowed from argv. */
struct wish {
    const char *config_file;
    const char *data;
    const char *older_than; /* NULL: limits.upload_lifetime, or a day if that is longer */
    bool removes;
    bool help;
    struct settings settings;
    struct database_login database_login;
    struct metadata *metadata;
    int64_t now_ms;
    int64_t untouched_since_ms;
    uint64_t blobs;
    uint64_t bytes;
    struct bucket_sweep bucket; /* what came of it, in S3 */
    struct error refusal;       /* the first of S3's */
};

static const char default_age[] = "24h";

static enum error_code sweep_take_option(int option, const char *word, struct wish *wish,
                                         struct error *err)
{
    switch (option) {
    case 'c':
        wish->config_file = optarg;
        return OK;
    case OPTION_DATA:
        wish->data = optarg;
        return OK;
    case OPTION_OLDER_THAN:
        wish->older_than = optarg;
        return OK;
    case OPTION_DELETE:
        wish->removes = true;
        return OK;
    case 'h':
    case OPTION_HELP:
        wish->help = true;
        return OK;
    case ':':
        return error_set(err, ERROR_INVALID, "%s needs a value", word);
    default:
        return error_set(err, ERROR_INVALID, "\"%s\" is not understood", word);
    }
}

static enum error_code sweep_parse(int argc, char *const argv[], struct wish *wish,
                                   struct error *err)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, OPTION_DATA},
        {"older-than", required_argument, NULL, OPTION_OLDER_THAN},
        {"delete", no_argument, NULL, OPTION_DELETE},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    int option = 0;

    opterr = 0; /* the messages are ours */
    optind = 0;
    while ((option = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
        const enum error_code code = sweep_take_option(option, argv[optind - 1], wish, err);

        if (code) {
            return code;
        }
    }
    return optind == argc
               ? OK
               : error_set(err, ERROR_INVALID, "\"%s\" is one word too many", argv[optind]);
}

static int sweep_fail_usage(const struct error *err)
{
    (void)fprintf(stderr, "pieroned sweep: %s\nTry 'pieroned sweep --help'.\n", err->message);
    return EXIT_USAGE;
}

static int sweep_print_help(void)
{
    static const char text[] =
        "Usage: pieroned sweep [-c FILE] [--data FOLDER] [--older-than TIME] [--delete]\n"
        "\n"
        "Lists blobs that no manifest names: what was pushed and then never used. Servers\n"
        "may be running. Manifests and tags, and whatever they name, always stay.\n"
        "\n"
        "  -c, --config FILE    the server's settings\n"
        "      --data FOLDER    the server's data folder, if not as the settings say\n"
        "      --older-than TIME\n"
        "                       only what nobody has pushed or asked for in so long; at\n"
        "                       least limits.upload_lifetime, usually 24h\n"
        "      --delete         remove them, too; in S3 that needs s3:DeleteObject\n"
        "  -h, --help           print this\n";

    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static bool sweep_load_settings(struct wish *wish, char *const *environment)
{
    CLEANUP(problems_release) struct problems problems;
    const struct settings_override data = {"data", "data", wish->data};
    const struct settings_sources sources = {
        .file = wish->config_file,
        .environment = environment,
        .overrides = &data,
        .override_count = wish->data ? 1 : 0,
    };
    enum error_code code = OK;

    problems_init(&problems);
    settings_release(&wish->settings);
    code = settings_load(&sources, &wish->settings, &problems);
    if (code) {
        const struct str lines = problems_lines(&problems);

        settings_init(&wish->settings);
        (void)fprintf(stderr, "pieroned sweep: %.*s", STR_FORMAT(lines));
    }
    return !code;
}

/* A push may take as long as an upload may rest: only then come its other layers, and its manifest.
 */
static enum error_code find_age(const struct wish *wish, int64_t *age_ms_out, struct error *err)
{
    const int64_t least_ms = wish->settings.registry.upload_lifetime_ms;
    const char *const text = wish->older_than ? wish->older_than : default_age;
    char least[QUANTITY_TEXT_BYTES];
    uint64_t age_ms = 0;

    if (!duration_parse(str_from(text), &age_ms) || age_ms > INT64_MAX / 2) {
        return error_set(err, ERROR_INVALID, "--older-than takes a time like 24h or 7d, not \"%s\"",
                         text);
    }
    if (wish->older_than && (int64_t)age_ms < least_ms) {
        duration_format((uint64_t)least_ms, least);
        return error_set(err, ERROR_INVALID,
                         "--older-than must be %s at least: so long may an upload rest "
                         "(limits.upload_lifetime), and its push go on",
                         least);
    }
    *age_ms_out = (int64_t)age_ms < least_ms ? least_ms : (int64_t)age_ms;
    return OK;
}

static void print_blob(const struct old_blob *blob, const char *end)
{
    char digest[DIGEST_TEXT_BYTES];
    char time[CLOCK_ISO_BYTES];

    digest_format(&blob->digest, digest);
    clock_format_iso(blob->touched_ms > 0 ? blob->touched_ms : 0, time);
    (void)printf("%s %llu bytes, since %s%s\n", digest, (unsigned long long)blob->size_bytes, time,
                 end);
}

static void sweep_tell(void *context, const struct old_blob *blob)
{
    struct wish *wish = context;

    print_blob(blob, "");
    wish->blobs++;
    wish->bytes += blob->size_bytes;
}

static void tell_of_bucket(void *context, const struct old_blob *blob, const struct error *refusal)
{
    struct wish *wish = context;

    if (!refusal) {
        sweep_tell(context, blob);
        return;
    }
    print_blob(blob, ": refused");
    if (wish->refusal.message[0] == '\0') {
        wish->refusal = *refusal;
    }
}

static enum error_code sweep_bucket(struct wish *wish, struct error *err)
{
    struct s3_objects objects;
    struct storage storage;
    enum error_code code = storage_open_bucket(&wish->settings, &storage, &objects, err);

    if (code) {
        return code;
    }
    wish->bucket = (struct bucket_sweep){
        .metadata = wish->metadata,
        .objects = wish->removes ? &objects : NULL,
        .untouched_since_ms = wish->untouched_since_ms,
        .now_ms = wish->now_ms,
        .context = wish,
        .tell = tell_of_bucket,
    };
    code = bucket_sweep_run(&wish->bucket, err);
    storage_release(&storage);
    if (!code && wish->bucket.refused > 0) {
        code = error_set(err, ERROR_DENIED, "what was refused is tried again by the next sweep: %s",
                         wish->refusal.message);
    }
    return code;
}

static enum error_code sweep_is_named(void *context, const struct digest *digest,
                                      bool *is_named_out, struct error *err)
{
    const struct wish *wish = context;
    enum blob_standing standing = BLOB_UNNAMED;
    const enum error_code code =
        metadata_find_blob_standing(wish->metadata, digest, &standing, err);

    *is_named_out = standing == BLOB_NAMED;
    return code;
}

static enum error_code sweep_mark(void *context, const struct digest *digests, size_t count,
                                  bool *gone_out, struct error *err)
{
    const struct wish *wish = context;
    const struct blob_sweep sweep = {digests, count, wish->now_ms};

    return metadata_sweep_blobs(wish->metadata, &sweep, gone_out, err);
}

static enum error_code sweep_folder(struct wish *wish, const char *path, struct error *err)
{
    const struct folder_sweep sweep = {
        .path = path,
        .untouched_since_ms = wish->untouched_since_ms,
        .removes = wish->removes,
        .context = wish,
        .is_named = sweep_is_named,
        .mark = sweep_mark,
        .tell = sweep_tell,
    };

    return folder_sweep_run(&sweep, err);
}

static enum error_code find_and_sweep(struct wish *wish, struct error *err)
{
    struct data_folder paths;
    int64_t age_ms = 0;
    enum error_code code = find_age(wish, &age_ms, err);

    if (!code) {
        code = data_folder_find(wish->settings.data, &paths, err);
    }
    if (!code) {
        code = database_login_and_open(&wish->settings, paths.metadata, metadata_join,
                                       &wish->database_login, &wish->metadata, err);
    }
    if (code) {
        return code;
    }
    wish->untouched_since_ms = wish->now_ms - age_ms;
    return wish->settings.storage.s3.bucket ? sweep_bucket(wish, err)
                                            : sweep_folder(wish, paths.blobs, err);
}

static bool sweep_print_sum(const struct wish *wish)
{
    int length = printf("%llu blobs that no manifest names, %llu bytes: %s\n",
                        (unsigned long long)wish->blobs, (unsigned long long)wish->bytes,
                        wish->removes ? "removed" : "nothing was removed (see --delete)");

    if (length > 0 && wish->bucket.refused > 0) {
        length = printf("%llu more: S3 refused to remove them\n",
                        (unsigned long long)wish->bucket.refused);
    }
    if (length > 0 && wish->bucket.kept > 0) {
        length = printf("%llu of those removed are hidden only: the bucket has versions and keeps "
                        "their bytes\n",
                        (unsigned long long)wish->bucket.kept);
    }
    return length > 0 && fflush(stdout) == 0;
}

static int sweep_run(struct wish *wish, int argc, char *const argv[], char *const *environment)
{
    struct error err = {0};

    if (sweep_parse(argc, argv, wish, &err)) {
        return sweep_fail_usage(&err);
    }
    if (wish->help) {
        return sweep_print_help();
    }
    if (!sweep_load_settings(wish, environment)) {
        return EXIT_FAILED;
    }
    if (find_and_sweep(wish, &err)) {
        (void)sweep_print_sum(wish);
        (void)fprintf(stderr, "pieroned sweep: %s\n", err.message);
        return EXIT_FAILED;
    }
    return sweep_print_sum(wish) ? EXIT_DONE : EXIT_FAILED;
}

int sweep_command_run(int argc, char *const argv[], char *const *environment)
{
    struct wish wish = {.now_ms = clock_wall_ms(&clock_system)};
    int status = 0;

    process_keep_files_private();
    settings_init(&wish.settings);
    status = sweep_run(&wish, argc, argv, environment);
    metadata_free(wish.metadata);
    database_login_release(&wish.database_login);
    settings_release(&wish.settings);
    return status;
}
