#include "base/json_reader.h"
#include "cli/api_client.h"
#include "cli/command.h"

enum { LIMIT_OF_ARTIFACT = 20, LIMIT_OF_TEAM = 3 };

/* Tags, as they are added to a table. */
struct tags {
    struct cli *cli;
    struct table *table;
    const char *team;
    const char *artifact;
    const char *tag; /* whose history is added */
    uint64_t limit;  /* of each artifact */
};

static const struct column tag_columns[] = {
    {"team", "Team", COLUMN_TEXT},
    {"artifact", "Artifact", COLUMN_TEXT},
    {"tag", "Tag", COLUMN_TEXT},
    {"created_time", "Created", COLUMN_TIME},
    {"created_by", "By", COLUMN_TEXT},
    {"status", "Status", COLUMN_TEXT},
    {"status_reason", "Status Reason", COLUMN_TEXT},
};

static const struct column source_columns[] = {
    {"tag", "Tag", COLUMN_TEXT},       {"author", "Author", COLUMN_TEXT},
    {"url", "URL", COLUMN_TEXT},       {"revision", "Revision", COLUMN_TEXT},
    {"status", "Status", COLUMN_TEXT}, {"created_time", "Created", COLUMN_TIME},
    {"created_by", "By", COLUMN_TEXT},
};

static const struct column change_columns[] = {
    {"tag", "Tag", COLUMN_TEXT},
    {"changed_time", "Changed", COLUMN_TIME},
    {"changed_by_kind", "Kind", COLUMN_TEXT},
    {"changed_by", "By", COLUMN_TEXT},
    {"from", "From", COLUMN_DIGEST},
    {"to", "To", COLUMN_DIGEST},
};

static const struct column detail_columns[] = {
    {"team", "Team", COLUMN_TEXT},
    {"artifact", "Artifact", COLUMN_TEXT},
    {"tag", "Tag", COLUMN_TEXT},
    {"digest", "Digest", COLUMN_TEXT},
    {"image", "Image", COLUMN_TEXT},
    {"media_type", "Media type", COLUMN_TEXT},
    {"size", "Size", COLUMN_SIZE},
    {"platforms", "Platforms", COLUMN_TEXT},
    {"created_time", "Created", COLUMN_TIME},
    {"created_by", "By", COLUMN_TEXT},
    {"status", "Status", COLUMN_TEXT},
    {"status_reason", "Reason", COLUMN_TEXT},
    {"scm_url", "URL", COLUMN_TEXT},
    {"scm_revision", "Revision", COLUMN_TEXT},
    {"scm_author", "Author", COLUMN_TEXT},
    {"scm_status", "Work tree", COLUMN_TEXT},
};

/* What a command lists: rows of these columns. */
struct listing {
    const struct column *columns;
    size_t column_count;
    enum error_code (*add)(struct tags *tags, struct error *err);
};

static struct cell tag_time_of(const struct json_value *json, const char *name)
{
    int64_t time_ms = 0;

    return clock_parse_iso(json_value_member_string(json, name), &time_ms) ? cell_number(time_ms)
                                                                           : cell_absent();
}

static enum error_code add_tag(void *context, const struct json_value *tag, struct error *err)
{
    const struct tags *const tags = context;
    const struct cell row[] = {
        cell_text(str_from(tags->team)),           cell_text(str_from(tags->artifact)),
        api_cell(tags->cli, tag, "name"),          tag_time_of(tag, "created"),
        api_cell(tags->cli, tag, "created_by"),    api_cell(tags->cli, tag, "status"),
        api_cell(tags->cli, tag, "status_reason"),
    };

    (void)err;
    table_add(tags->table, row);
    return OK;
}

static enum error_code add_artifact(struct tags *tags, struct error *err)
{
    const char *const parts[] = {tags->team, tags->artifact};
    const struct api_visitor visitor = {tags, add_tag};

    return api_list_newest(tags->cli, parts, tags->limit, &visitor, err);
}

static enum error_code add_named_artifact(void *context, const struct json_value *element,
                                          struct error *err)
{
    struct tags *const tags = context;

    tags->artifact = arena_text(&tags->cli->arena, json_value_string(element));
    return add_artifact(tags, err);
}

static enum error_code add_team(struct tags *tags, struct error *err)
{
    const struct api_visitor visitor = {tags, add_named_artifact};
    const enum error_code code =
        api_list(tags->cli, api_path(tags->cli, "/teams/%s/artifacts", &tags->team), &visitor, err);

    return !code && !tags->artifact ? command_unknown_team(tags->cli, tags->team, err) : code;
}

static enum error_code add_artifacts(struct tags *tags, struct error *err)
{
    const struct options *const options = &tags->cli->options;
    enum error_code code = options->argument_count == 1 ? add_team(tags, err) : OK;

    for (size_t i = 1; i < options->argument_count && !code; i++) {
        tags->artifact = options->arguments[i];
        code = add_artifact(tags, err);
    }
    return code;
}

static enum error_code tag_list(struct cli *cli, const struct listing *listing,
                                uint64_t usual_limit, struct error *err)
{
    const struct options *const options = &cli->options;
    struct table table;
    struct tags tags = {
        .cli = cli,
        .table = &table,
        .team = options->arguments[0],
        .artifact = options->argument_count > 1 ? options->arguments[1] : NULL,
        .limit = options->limit > 0 ? options->limit : usual_limit,
    };
    enum error_code code = OK;

    table_init(&table, listing->columns, listing->column_count);
    code = listing->add(&tags, err);
    if (!code) {
        table_print(&table, &cli->output);
    }
    table_release(&table);
    return command_explain(cli, tags.team, code, err);
}

enum error_code command_tags(struct cli *cli, struct error *err)
{
    static const struct listing listing = {tag_columns, ARRAY_LEN(tag_columns), add_artifacts};
    const bool is_of_team = cli->options.argument_count == 1;

    return tag_list(cli, &listing, is_of_team ? LIMIT_OF_TEAM : LIMIT_OF_ARTIFACT, err);
}

/* NULL with OK: nobody says. */
static enum error_code find_source(struct tags *tags, const char *tag, struct json_value **json_out,
                                   struct error *err)
{
    const char *const parts[] = {tags->team, tags->artifact, tag};
    const enum error_code code =
        api_get(tags->cli, api_path(tags->cli, "/teams/%s/artifacts/%s/tags/%s/scm-source", parts),
                json_out, err);

    return code == ERROR_NOT_FOUND ? OK : code;
}

static enum error_code add_source_of(void *context, const struct json_value *tag, struct error *err)
{
    struct tags *const tags = context;
    struct cli *const cli = tags->cli;
    const struct cell name = api_cell(cli, tag, "name");
    struct json_value *source = NULL;
    const enum error_code code =
        find_source(tags, name.is_absent ? "" : name.text.bytes, &source, err);

    if (code) {
        return code;
    }
    table_add(tags->table, (const struct cell[]){
                               name,
                               api_cell(cli, source, "author"),
                               api_cell(cli, source, "url"),
                               api_cell(cli, source, "revision"),
                               api_cell(cli, source, "status"),
                               tag_time_of(tag, "created"),
                               api_cell(cli, tag, "created_by"),
                           });
    json_value_free(source);
    return OK;
}

/* Those that are named, or the newest ones. */
static enum error_code add_sources(struct tags *tags, struct error *err)
{
    const struct options *const options = &tags->cli->options;
    const char *parts[] = {tags->team, tags->artifact, NULL};
    enum error_code code = OK;

    if (options->argument_count == 2) {
        return api_list_newest(tags->cli, parts, tags->limit,
                               &(struct api_visitor){tags, add_source_of}, err);
    }
    for (size_t i = 2; i < options->argument_count && !code; i++) {
        struct json_value *tag = NULL;

        parts[2] = options->arguments[i];
        code = api_get(tags->cli, api_path(tags->cli, "/teams/%s/artifacts/%s/tags/%s", parts),
                       &tag, err);
        if (!code) {
            code = add_source_of(tags, tag, err);
            json_value_free(tag);
        }
    }
    return code;
}

enum error_code command_scm_source(struct cli *cli, struct error *err)
{
    static const struct listing listing = {source_columns, ARRAY_LEN(source_columns), add_sources};

    return tag_list(cli, &listing, LIMIT_OF_ARTIFACT, err);
}

static enum error_code add_change(void *context, const struct json_value *change, struct error *err)
{
    const struct tags *const tags = context;
    struct cli *const cli = tags->cli;

    (void)err;
    table_add(tags->table, (const struct cell[]){
                               cell_text(str_from(tags->tag)),
                               tag_time_of(change, "changed"),
                               api_cell(cli, change, "changed_by_kind"),
                               api_cell(cli, change, "changed_by"),
                               api_cell(cli, change, "from"),
                               api_cell(cli, change, "to"),
                           });
    return OK;
}

static enum error_code add_history(struct tags *tags, struct error *err)
{
    const char *const parts[] = {tags->team, tags->artifact, tags->tag};
    const struct api_visitor visitor = {tags, add_change};

    return api_list(tags->cli, api_path(tags->cli, "/teams/%s/artifacts/%s/tags/%s/history", parts),
                    &visitor, err);
}

static enum error_code add_history_of(void *context, const struct json_value *tag,
                                      struct error *err)
{
    struct tags *const tags = context;

    tags->tag = arena_text(&tags->cli->arena, json_value_member_string(tag, "name"));
    return add_history(tags, err);
}

/* Of the tag that is named, or of the newest ones. */
static enum error_code add_histories(struct tags *tags, struct error *err)
{
    const struct options *const options = &tags->cli->options;
    const char *const parts[] = {tags->team, tags->artifact};
    const struct api_visitor visitor = {tags, add_history_of};

    if (options->argument_count > 2) {
        tags->tag = options->arguments[2];
        return add_history(tags, err);
    }
    return api_list_newest(tags->cli, parts, tags->limit, &visitor, err);
}

enum error_code command_history(struct cli *cli, struct error *err)
{
    static const struct listing listing = {change_columns, ARRAY_LEN(change_columns),
                                           add_histories};

    return tag_list(cli, &listing, LIMIT_OF_ARTIFACT, err);
}

static void add_details(struct cli *cli, const struct json_value *tag,
                        const struct json_value *source, struct table *table)
{
    uint64_t size_bytes = 0;
    const char *const platforms =
        json_texts_join(json_value_member(tag, "platforms"), SIZE_MAX, ",", &cli->arena);
    const bool has_size = json_value_uint64(json_value_member(tag, "size"), &size_bytes);
    const struct cell row[ARRAY_LEN(detail_columns)] = {
        cell_text(str_from(cli->options.arguments[0])),
        cell_text(str_from(cli->options.arguments[1])),
        api_cell(cli, tag, "name"),
        api_cell(cli, tag, "digest"),
        api_cell(cli, tag, "image"),
        api_cell(cli, tag, "media_type"),
        has_size ? cell_number((int64_t)size_bytes) : cell_absent(),
        platforms[0] != '\0' ? cell_text(str_from(platforms)) : cell_absent(),
        tag_time_of(tag, "created"),
        api_cell(cli, tag, "created_by"),
        api_cell(cli, tag, "status"),
        api_cell(cli, tag, "status_reason"),
        api_cell(cli, source, "url"),
        api_cell(cli, source, "revision"),
        api_cell(cli, source, "author"),
        api_cell(cli, source, "status"),
    };

    table_add(table, row);
}

enum error_code command_describe(struct cli *cli, struct error *err)
{
    static const char *const headings[ARRAY_LEN(detail_columns)] = {
        [0] = "Image", [12] = "Built from"};
    const char *const *const arguments = cli->options.arguments;
    struct tags tags = {.cli = cli, .team = arguments[0], .artifact = arguments[1]};
    struct json_value *tag = NULL;
    struct json_value *source = NULL;
    struct table table;
    enum error_code code =
        api_get(cli, api_path(cli, "/teams/%s/artifacts/%s/tags/%s", arguments), &tag, err);

    if (!code) {
        code = find_source(&tags, arguments[2], &source, err);
    }
    if (!code) {
        table_init(&table, detail_columns, ARRAY_LEN(detail_columns));
        add_details(cli, tag, source, &table);
        table_print_details(&table, headings, &cli->output);
        table_release(&table);
    }
    json_value_free(tag);
    json_value_free(source);
    return command_explain(cli, tags.team, code, err);
}
