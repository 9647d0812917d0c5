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

static enum error_code add_name(void *context, const struct json_value *element, struct error *err);
static enum error_code add_image(void *context, const struct json_value *element,
                                 struct error *err);

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

static enum error_code add_name(void *context, const struct json_value *element, struct error *err)
{
    const struct names *const names = context;
    const struct cell name = cell_text(arena_copy(&names->cli->arena, json_value_string(element)));
    const struct cell row[] = {cell_text(str_from(names->team)), name};

    (void)err;
    table_add(names->table, names->team ? row : &row[1]);
    return OK;
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
        code = api_unknown_team(cli, team, err);
    }
    if (!code) {
        table_print(&table, &cli->output);
    }
    table_release(&table);
    return code;
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

static enum error_code add_image(void *context, const struct json_value *element, struct error *err)
{
    const struct names *const names = context;
    const struct cell row[] = {
        cell_text(arena_copy(&names->cli->arena, json_value_member_string(element, "team"))),
        cell_text(arena_copy(&names->cli->arena, json_value_member_string(element, "artifact"))),
        cell_text(arena_copy(&names->cli->arena, json_value_member_string(element, "name"))),
    };

    (void)err;
    table_add(names->table, row);
    return OK;
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
        return api_explain(cli, cli->options.arguments[0], code, err);
    }
    row = cell_text(arena_copy(&cli->arena, json_value_member_string(json, "name")));
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
