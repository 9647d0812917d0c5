#include "base/json_writer.h"
#include "cli/api_client.h"
#include "cli/command.h"

enum { BODY_MAX_BYTES = 4096 };

static const struct column all_columns[] = {{"teams", "Teams", COLUMN_NUMBER},
                                            {"storage", "Storage", COLUMN_SIZE}};
static const struct column team_columns[] = {{"artifacts", "Artifacts", COLUMN_NUMBER},
                                             {"tags", "Tags", COLUMN_NUMBER}};
static const struct column release_columns[] = {
    {"team", "Team", COLUMN_TEXT},
    {"artifact", "Artifact", COLUMN_TEXT},
    {"tag", "Tag", COLUMN_TEXT},
    {"status", "Status", COLUMN_TEXT},
    {"status_reason", "Status Reason", COLUMN_TEXT},
};
static const struct column note_columns[] = {{"message", "Message", COLUMN_TEXT}};

static void tell_of_release(const struct cli *cli);
static void print_row(const struct output *output, const struct column *columns,
                      size_t column_count, const struct cell *row);

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
    return api_explain(cli, arguments[1], code, err);
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
        print_row(&cli->output, release_columns, ARRAY_LEN(release_columns), row);
    }
}

static void print_row(const struct output *output, const struct column *columns,
                      size_t column_count, const struct cell *row)
{
    struct table table;

    table_init(&table, columns, column_count);
    table_add(&table, row);
    table_print(&table, output);
    table_release(&table);
}

enum error_code command_stats(struct cli *cli, struct error *err)
{
    const bool is_of_team = cli->options.argument_count == 1;
    const struct column *const columns = is_of_team ? team_columns : all_columns;
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
        return api_unknown_team(cli, cli->options.arguments[0], err);
    }
    print_row(&cli->output, columns, 2, row);
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
        print_row(&cli->output, note_columns, 1, &row);
    }
    return OK;
}
