#include "base/json_writer.h"
#include "base/nearest.h"
#include "cli/api_client.h"
#include "cli/command.h"

/* A list of names, as it is filled. */
struct names {
    struct cli *cli;
    struct table *table;
    const char *team; /* NULL: of no team */
};

static const struct column team_columns[] = {{"name", "Name", COLUMN_TEXT}};
static const struct column artifact_columns[] = {{"team", "Team", COLUMN_TEXT},
                                                 {"artifact", "Artifact", COLUMN_TEXT}};
static const struct column image_columns[] = {{"team", "Team", COLUMN_TEXT},
                                              {"artifact", "Artifact", COLUMN_TEXT},
                                              {"name", "Tag", COLUMN_TEXT}};
static const struct column latest_columns[] = {{"tag", "Tag", COLUMN_TEXT}};

struct team_search {
    struct cli *cli;
    struct str team;
    struct nearest nearest;
    bool is_there;
};

static enum error_code team_search_offer(void *context, const struct json_value *element,
                                         struct error *err)
{
    struct team_search *const search = context;
    const struct str name = json_value_string(element);

    (void)err;
    search->is_there = search->is_there || str_equal(name, search->team);
    nearest_offer(&search->nearest, arena_copy(&search->cli->arena, name));
    return OK;
}

static enum error_code team_search_run(struct team_search *search, struct error *err)
{
    const struct api_visitor visitor = {search, team_search_offer};

    nearest_init(&search->nearest, search->team);
    return api_list(search->cli, "/teams", &visitor, err);
}

static enum error_code team_search_refuse(const struct team_search *search, struct error *err)
{
    char hint[NEAREST_HINT_BYTES];

    nearest_hint(&search->nearest, hint);
    return error_set(err, ERROR_NOT_FOUND, "the team \"%.*s\" has no artifacts%s",
                     STR_FORMAT(str_slice(search->team, 0, 64)), hint);
}

/* A team is there as soon as it has an artifact. */
enum error_code command_unknown_team(struct cli *cli, const char *team, struct error *err)
{
    struct team_search search = {.cli = cli, .team = str_from(team)};
    const enum error_code code = team_search_run(&search, err);

    return code ? code : team_search_refuse(&search, err);
}

enum error_code command_explain(struct cli *cli, const char *team, enum error_code code,
                                struct error *err)
{
    struct team_search search = {.cli = cli, .team = str_from(team)};

    if (code != ERROR_NOT_FOUND || team_search_run(&search, NULL) || search.is_there) {
        return code;
    }
    return team_search_refuse(&search, err);
}

static enum error_code add_name(void *context, const struct json_value *element, struct error *err)
{
    const struct names *const names = context;
    const struct cell name = cell_text(arena_copy(&names->cli->arena, json_value_string(element)));
    const struct cell row[] = {cell_text(str_from(names->team)), name};

    (void)err;
    table_add(names->table, names->team ? row : &row[1]);
    return OK;
}

enum error_code command_teams(struct cli *cli, struct error *err)
{
    struct table table;
    struct names names = {.cli = cli, .table = &table};
    const struct api_visitor visitor = {&names, add_name};
    enum error_code code = OK;

    table_init(&table, team_columns, ARRAY_LEN(team_columns));
    code = api_list(cli, "/teams", &visitor, err);
    if (!code) {
        table_print(&table, &cli->output);
    }
    table_release(&table);
    return code;
}

enum error_code command_artifacts(struct cli *cli, struct error *err)
{
    const char *const team = cli->options.arguments[0];
    struct table table;
    struct names names = {.cli = cli, .table = &table, .team = team};
    const struct api_visitor visitor = {&names, add_name};
    enum error_code code = OK;

    table_init(&table, artifact_columns, ARRAY_LEN(artifact_columns));
    code = api_list(cli, api_path(cli, "/teams/%s/artifacts", &team), &visitor, err);
    if (!code && table.row_count == 0) {
        code = command_unknown_team(cli, team, err);
    }
    if (!code) {
        table_print(&table, &cli->output);
    }
    table_release(&table);
    return code;
}

static enum error_code add_image(void *context, const struct json_value *element, struct error *err)
{
    const struct names *const names = context;
    const struct cell row[] = {
        api_cell(names->cli, element, "team"),
        api_cell(names->cli, element, "artifact"),
        api_cell(names->cli, element, "name"),
    };

    (void)err;
    table_add(names->table, row);
    return OK;
}

enum error_code command_image(struct cli *cli, struct error *err)
{
    struct table table;
    struct names names = {.cli = cli, .table = &table};
    const struct api_visitor visitor = {&names, add_image};
    enum error_code code = OK;

    table_init(&table, image_columns, ARRAY_LEN(image_columns));
    code = api_list(cli, api_path(cli, "/tags/%s", cli->options.arguments), &visitor, err);
    if (!code) {
        table_print(&table, &cli->output);
    }
    table_release(&table);
    return code;
}

/* The bare tag, so that it can be used in a command line. */
enum error_code command_latest(struct cli *cli, struct error *err)
{
    struct json_value *json = NULL;
    struct table table;
    struct cell row;
    const enum error_code code =
        api_get(cli, api_path(cli, "/teams/%s/artifacts/%s/tags/latest", cli->options.arguments),
                &json, err);

    if (code) {
        return command_explain(cli, cli->options.arguments[0], code, err);
    }
    row = api_cell(cli, json, "name");
    json_value_free(json);
    if (cli->output.format == OUTPUT_TEXT) {
        show_text(cli->output.file, row.text);
        (void)fputc('\n', cli->output.file);
        return OK;
    }
    table_init(&table, latest_columns, ARRAY_LEN(latest_columns));
    table_add(&table, &row);
    table_print(&table, &cli->output);
    table_release(&table);
    return OK;
}

enum { BODY_MAX_BYTES = 4096 };

static const struct column stats_columns[] = {{"teams", "Teams", COLUMN_NUMBER},
                                              {"storage", "Storage", COLUMN_SIZE}};
static const struct column team_stats_columns[] = {{"artifacts", "Artifacts", COLUMN_NUMBER},
                                                   {"tags", "Tags", COLUMN_NUMBER}};
static const struct column release_columns[] = {
    {"team", "Team", COLUMN_TEXT},
    {"artifact", "Artifact", COLUMN_TEXT},
    {"tag", "Tag", COLUMN_TEXT},
    {"status", "Status", COLUMN_TEXT},
    {"status_reason", "Status Reason", COLUMN_TEXT},
};
static const struct column note_columns[] = {{"message", "Message", COLUMN_TEXT}};

static void registry_print_row(const struct output *output, const struct column *columns,
                               size_t column_count, const struct cell *row)
{
    struct table table;

    table_init(&table, columns, column_count);
    table_add(&table, row);
    table_print(&table, output);
    table_release(&table);
}

/* For programs with the names that `tags` has. */
static void tell_of_release(const struct cli *cli)
{
    const char *const *const arguments = cli->options.arguments;
    const struct cell row[ARRAY_LEN(release_columns)] = {
        cell_text(str_from(arguments[1])), cell_text(str_from(arguments[2])),
        cell_text(str_from(arguments[3])), cell_text(str_from("production-ready")),
        cell_text(str_from(arguments[0])),
    };

    if (cli->output.format == OUTPUT_TEXT) {
        (void)fprintf(cli->output.file, "Marked %s/%s:%s as ready for production (%s).\n",
                      arguments[1], arguments[2], arguments[3], arguments[0]);
    } else {
        registry_print_row(&cli->output, release_columns, ARRAY_LEN(release_columns), row);
    }
}

enum error_code command_mark_production_ready(struct cli *cli, struct error *err)
{
    const char *const *const arguments = cli->options.arguments;
    const char *const path =
        api_path(cli, "/teams/%s/artifacts/%s/tags/%s/production-ready", &arguments[1]);
    struct json_value *answer = NULL;
    struct json_writer writer;
    struct strbuf body;
    enum error_code code = OK;

    strbuf_init(&body, BODY_MAX_BYTES);
    json_writer_init(&writer, &body);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "incident_id", str_from(arguments[0]));
    json_writer_end_object(&writer);
    code = api_post(cli, path, strbuf_str(&body), &answer, err);
    strbuf_release(&body);
    json_value_free(answer);
    if (!code) {
        tell_of_release(cli);
    }
    return command_explain(cli, arguments[1], code, err);
}

enum error_code command_stats(struct cli *cli, struct error *err)
{
    const bool is_of_team = cli->options.argument_count == 1;
    const struct column *const columns = is_of_team ? team_stats_columns : stats_columns;
    const char *const path =
        is_of_team ? api_path(cli, "/stats/teams/%s", cli->options.arguments) : "/stats";
    struct json_value *json = NULL;
    struct cell row[2];
    bool is_empty = true;
    const enum error_code code = api_get(cli, path, &json, err);

    if (code) {
        return code;
    }
    for (size_t i = 0; i < 2; i++) {
        uint64_t number = 0;

        (void)!json_value_uint64(json_value_member(json, columns[i].name), &number);
        row[i] = cell_number((int64_t)number);
        is_empty = is_empty && number == 0;
    }
    json_value_free(json);
    if (is_of_team && is_empty) {
        return command_unknown_team(cli, cli->options.arguments[0], err);
    }
    registry_print_row(&cli->output, columns, 2, row);
    return OK;
}

enum error_code command_cves(struct cli *cli, struct error *err)
{
    static const char note[] =
        "`pierone cves` is gone: Pier One has no scanner of its own. Scan an image with a scanner "
        "of your choice, by the digest that `pierone describe` shows.";
    const struct cell row = cell_text(str_from(note));

    (void)err;
    if (cli->output.format == OUTPUT_TEXT) {
        (void)fprintf(cli->output.file, "%s\n", note);
    } else {
        registry_print_row(&cli->output, note_columns, 1, &row);
    }
    return OK;
}
