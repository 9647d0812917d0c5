#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/json_value.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "layers/layer_reader.h"

enum {
    PART_BYTES = 4 * 1024 * 1024, /* of a layer, fetched at a time */
    MANIFEST_MAX_BYTES = 16 * 1024 * 1024,
    MODE_BYTES = 11,
    PERMISSIONS = 07777,
    INDEXES_MAX = 4, /* one within another */
    TAGS_MAX = INT32_MAX,
};

enum { LAYER_INDEX = 0, LAYER_ID, MODE, NAME, SIZE, CREATED };

static const struct column columns[] = {
    [LAYER_INDEX] = {"layer_index", "Idx", COLUMN_NUMBER},
    [LAYER_ID] = {"layer_id", "Layer ID", COLUMN_DIGEST},
    [MODE] = {"mode", "Mode", COLUMN_TEXT},
    [NAME] = {"name", "Name", COLUMN_TEXT},
    [SIZE] = {"size", "Size", COLUMN_SIZE},
    [CREATED] = {"created_time", "Created", COLUMN_TIME},
};

/* An image that is being looked into. */
struct inspection {
    struct cli *cli;
    const char *team;
    const char *artifact;
    uint64_t layers_max; /* of each image, from the top, that have files */
    struct table table;
    int indexes; /* that led to the manifest */
    int64_t layer_index;
    struct str layer_id;
};

/* A layer that is fetched part by part. */
struct source {
    struct cli *cli;
    const char *path;
    uint64_t size_bytes;
    uint64_t offset_bytes; /* fetched so far */
    struct strbuf part;
    size_t used_bytes; /* of the part */
};

/* Systems have names of their own for what images call it. */
static const char *machine_architecture(void)
{
    static const struct {
        const char *machine;
        const char *architecture;
    } names[] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"arm64", "arm64"},     {"armv7l", "arm"},
        {"i686", "386"},     {"s390x", "s390x"},   {"ppc64le", "ppc64le"}, {"riscv64", "riscv64"},
    };
    struct utsname system;

    for (size_t i = 0; i < ARRAY_LEN(names) && uname(&system) >= 0; i++) {
        if (strcmp(system.machine, names[i].machine) == 0) {
            return names[i].architecture;
        }
    }
    return "";
}

/* As buildx adds them: of an image, but none. */
static bool is_attestation(const struct json_value *entry)
{
    const struct json_value *const platform = json_value_member(entry, "platform");
    const struct json_value *const annotations = json_value_member(entry, "annotations");

    return str_is(json_value_member_string(platform, "os"), "unknown") ||
           json_value_member(annotations, "vnd.docker.reference.type");
}

/* This machine's as docker runs it, which is Linux everywhere; else the first; NULL: none. */
static const struct json_value *choose_image(const struct json_value *entries)
{
    const char *const machine = machine_architecture();
    const struct json_value *first = NULL;

    for (size_t i = 0; i < json_value_length(entries); i++) {
        const struct json_value *const entry = json_value_element(entries, i);
        const struct json_value *const platform = json_value_member(entry, "platform");

        if (is_attestation(entry)) {
            continue;
        }
        if (str_is(json_value_member_string(platform, "os"), "linux") &&
            str_is(json_value_member_string(platform, "architecture"), machine)) {
            return entry;
        }
        first = first ? first : entry;
    }
    return first;
}

/* Of a signature, for one, there is nothing to list. */
static bool is_archive(const struct json_value *layer)
{
    const struct str type = json_value_member_string(layer, "mediaType");

    return type.length == 0 || strstr(type.bytes, ".tar");
}

static enum error_code read_source(void *context, char *buffer, size_t capacity, size_t *length_out,
                                   struct error *err)
{
    struct source *const source = context;
    const uint64_t left_bytes = source->size_bytes - source->offset_bytes;
    size_t length = 0;

    if (source->used_bytes == source->part.length && left_bytes > 0) {
        const struct api_part part = {
            .path = source->path,
            .offset_bytes = source->offset_bytes,
            .length = left_bytes < PART_BYTES ? (size_t)left_bytes : (size_t)PART_BYTES,
        };
        enum error_code code = OK;

        strbuf_clear(&source->part);
        source->used_bytes = 0;
        code = api_get_part(source->cli, &part, &source->part, err);
        if (!code && source->part.length != part.length) {
            code = error_set(err, ERROR_UNAVAILABLE, "a layer is shorter than its manifest says");
        }
        if (code) {
            return code;
        }
        source->offset_bytes += part.length;
    }
    length = source->part.length - source->used_bytes;
    length = length < capacity ? length : capacity;
    for (size_t i = 0; i < length; i++) {
        buffer[i] = source->part.text[source->used_bytes + i];
    }
    source->used_bytes += length;
    *length_out = length;
    return OK;
}

/* In archives, the names of folders end in one. */
static struct str without_slash(struct str name)
{
    while (name.length > 1 && str_ends_with(name, "/")) {
        name = str_slice(name, 0, name.length - 1);
    }
    return name;
}

/* As `ls -l` has it. */
static void format_mode(uint32_t mode, char text[MODE_BYTES])
{
    static const char letters[] = "rwxrwxrwx";

    text[0] = S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISCHR(mode) ? 'c' : '-';
    text[0] = S_ISBLK(mode) ? 'b' : S_ISFIFO(mode) ? 'p' : text[0];
    for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
        text[1 + i] = (mode & (1U << (sizeof(letters) - 2 - i))) != 0 ? letters[i] : '-';
    }
    text[3] = (mode & S_ISUID) != 0 ? 's' : text[3];
    text[6] = (mode & S_ISGID) != 0 ? 's' : text[6];
    text[9] = (mode & S_ISVTX) != 0 ? 't' : text[9];
    text[MODE_BYTES - 1] = '\0';
}

/* Whatever an archive says; a time that cannot be is none. */
static struct cell time_cell(int64_t time_s)
{
    const int64_t latest_s = INT64_MAX / MS_PER_SECOND;

    return time_s >= 0 && time_s <= latest_s ? cell_number(time_s * MS_PER_SECOND) : cell_absent();
}

static bool add_entry(void *context, const struct layer_entry *entry)
{
    struct inspection *const inspection = context;
    struct arena *const arena = &inspection->cli->arena;
    const bool is_for_people = inspection->cli->output.format == OUTPUT_TEXT;
    const char *const name =
        is_for_people && entry->link.length > 0
            ? arena_format(arena, "%.*s -> %.*s", STR_FORMAT(entry->name), STR_FORMAT(entry->link))
            : arena_text(arena, without_slash(entry->name));
    char mode[MODE_BYTES];

    if (is_for_people) {
        format_mode(entry->mode, mode);
    } else {
        (void)snprintf(mode, sizeof(mode), "%04o", (unsigned)entry->mode & PERMISSIONS);
    }
    table_add(&inspection->table,
              (const struct cell[]){
                  [LAYER_INDEX] = cell_number(inspection->layer_index),
                  [LAYER_ID] = cell_text(inspection->layer_id),
                  [MODE] = cell_text(str_from(arena_text(arena, str_from(mode)))),
                  [NAME] = cell_text(str_from(name)),
                  [SIZE] = cell_number((int64_t)entry->size_bytes),
                  [CREATED] = time_cell(entry->modified_s),
              });
    return name != NULL;
}

static enum error_code inspect_layer(struct inspection *inspection, const struct json_value *layer,
                                     struct error *err)
{
    static const struct layer_limits limits = {
        .compressed_max_bytes = UINT64_MAX,
        .unpacked_max_bytes = UINT64_MAX,
        .max_entries = UINT64_MAX,
        .time_max_ms = INT32_MAX, /* it is the person's own time: they can end it */
        .clock = &clock_system,
    };
    struct cli *const cli = inspection->cli;
    const struct str digest = json_value_member_string(layer, "digest");
    struct source source = {
        .cli = cli,
        .path = arena_format(&cli->arena, "/v2/%s/%s/blobs/%.*s", inspection->team,
                             inspection->artifact, STR_FORMAT(digest)),
    };
    const struct layer_input input = {&source, read_source};
    enum error_code code = OK;

    (void)!json_value_uint64(json_value_member(layer, "size"), &source.size_bytes);
    inspection->layer_id = (struct str){arena_text(&cli->arena, digest), digest.length};
    strbuf_init(&source.part, PART_BYTES);
    code = layer_list(&input, &limits, add_entry, inspection, err);
    strbuf_release(&source.part);
    return code;
}

/* From the top; what has no files does not count. */
static enum error_code inspect_layers(struct inspection *inspection,
                                      const struct json_value *layers, struct error *err)
{
    const size_t count = json_value_length(layers);
    uint64_t found = 0;
    enum error_code code = OK;

    for (size_t i = 0; i < count && found < inspection->layers_max && !code; i++) {
        const size_t rows = inspection->table.row_count;

        inspection->layer_index = (int64_t)i;
        if (is_archive(json_value_element(layers, count - 1 - i))) {
            code = inspect_layer(inspection, json_value_element(layers, count - 1 - i), err);
        }
        found += inspection->table.row_count > rows ? 1 : 0;
    }
    return code;
}

/* An index leads to another manifest. */
static enum error_code inspect(struct inspection *inspection, const char *reference,
                               struct error *err);

/* Of an index, one image: all have the same layers but for their platform's. */
static enum error_code inspect_manifest(struct inspection *inspection,
                                        const struct json_value *manifest, struct error *err)
{
    const struct json_value *const entries = json_value_member(manifest, "manifests");
    const struct json_value *const layers = json_value_member(manifest, "layers");

    if (json_value_length(entries) > 0) {
        const struct json_value *const entry = choose_image(entries);
        const struct str digest = json_value_member_string(entry, "digest");
        enum error_code code = OK;

        if (!entry) {
            return error_set(err, ERROR_INVALID, "the index names no image, only attestations");
        }
        if (inspection->indexes == INDEXES_MAX) {
            return error_set(err, ERROR_INVALID, "there are more than %d indexes in one another",
                             INDEXES_MAX);
        }
        inspection->indexes++;
        code = inspect(inspection, arena_text(&inspection->cli->arena, digest), err);
        inspection->indexes--;
        return code;
    }
    return inspect_layers(inspection, layers, err);
}

static enum error_code inspect(struct inspection *inspection, const char *reference,
                               struct error *err)
{
    struct cli *const cli = inspection->cli;
    const char *const repository =
        arena_format(&cli->arena, "%s/%s", inspection->team, inspection->artifact);
    const char *const path =
        arena_format(&cli->arena, "/v2/%s/manifests/%s", repository, reference);
    struct json_value *manifest = NULL;
    struct strbuf bytes;
    enum error_code code = OK;

    strbuf_init(&bytes, MANIFEST_MAX_BYTES);
    code = api_get_manifest(cli, path, &bytes, err);
    if (!code) {
        code = json_value_parse(strbuf_str(&bytes), &manifest, err);
    }
    if (!code && !json_value_is_object(manifest)) {
        code = error_set(err, ERROR_INVALID, "what is at %s is no manifest", reference);
    }
    if (!code) {
        code = inspect_manifest(inspection, manifest, err);
    }
    json_value_free(manifest);
    strbuf_release(&bytes);
    return code;
}

static enum error_code inspect_tag(void *context, const struct json_value *tag, struct error *err)
{
    struct inspection *const inspection = context;
    const char *const name =
        arena_text(&inspection->cli->arena, json_value_member_string(tag, "name"));

    return inspect(inspection, name, err);
}

/* The top layer first; in it, by name. */
static int compare_rows(const void *a, const void *b)
{
    const struct cell *const one = a;
    const struct cell *const other = b;

    if (one[LAYER_INDEX].number != other[LAYER_INDEX].number) {
        return one[LAYER_INDEX].number < other[LAYER_INDEX].number ? -1 : 1;
    }
    return str_compare(one[NAME].text, other[NAME].text);
}

static void sort_rows(struct table *table)
{
    if (table->row_count > 0) {
        qsort(table->cells, table->row_count, table->column_count * sizeof(*table->cells),
              compare_rows);
    }
}

enum error_code command_inspect_contents(struct cli *cli, struct error *err)
{
    const struct options *const options = &cli->options;
    struct inspection inspection = {
        .cli = cli,
        .team = options->arguments[0],
        .artifact = options->arguments[1],
        .layers_max = options->limit > 0 ? options->limit : 1,
    };
    enum error_code code = OK;

    table_init(&inspection.table, columns, ARRAY_LEN(columns));
    if (options->argument_count == 2) {
        code = api_list_newest(cli, options->arguments, TAGS_MAX,
                               &(struct api_visitor){&inspection, inspect_tag}, err);
    }
    for (size_t i = 2; i < options->argument_count && !code; i++) {
        code = inspect(&inspection, options->arguments[i], err);
    }
    if (!code) {
        sort_rows(&inspection.table);
        table_print(&inspection.table, &cli->output);
    }
    table_release(&inspection.table);
    return command_explain(cli, inspection.team, code, err);
}
