#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/docker_setup.h"

static const struct column columns[] = {
    {"registry", "Registry", COLUMN_TEXT},
    {"name", "Name", COLUMN_TEXT},
    {"kind", "Kind", COLUMN_TEXT},
    {"expires_time", "Token expires", COLUMN_TIME},
};

static struct cell copy(struct cli *cli, const struct json_value *json, const char *name);

enum error_code command_logout(struct cli *cli, struct error *err)
{
    const struct access access = cli_access(cli);
    const struct login nobody = {.kind = LOGIN_NONE};
    bool was_there = false;
    enum error_code code = cli_find_url(cli, err);

    if (!code) {
        code = access_keep(&access, cli->url.host, &nobody, &was_there, err);
    }
    if (!code) {
        code = docker_setup_logout(cli, err);
    }
    if (!code) {
        (void)fprintf(cli->chatter,
                      was_there ? "Logged out at %s.\n" : "There was no login at %s.\n",
                      cli->url.host);
    }
    return code;
}

enum error_code command_whoami(struct cli *cli, struct error *err)
{
    struct json_value *json = NULL;
    struct table table;
    const enum error_code code = api_get(cli, "/whoami", &json, err);

    if (code) {
        return code;
    }
    table_init(&table, columns, ARRAY_LEN(columns));
    table_add(&table,
              (const struct cell[]){
                  cell_text(str_from(cli->url.host)),
                  copy(cli, json, "name"),
                  copy(cli, json, "kind"),
                  cli->login.expires_ms > 0 ? cell_number(cli->login.expires_ms) : cell_absent(),
              });
    table_print(&table, &cli->output);
    table_release(&table);
    json_value_free(json);
    return OK;
}

static struct cell copy(struct cli *cli, const struct json_value *json, const char *name)
{
    return cell_text(arena_copy(&cli->arena, json_value_member_string(json, name)));
}
