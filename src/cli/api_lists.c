#include <inttypes.h>

#include "base/nearest.h"
#include "cli/api_client.h"

struct search {
    struct cli *cli;
    struct nearest nearest;
};

static enum error_code offer(void *context, const struct json_value *element, struct error *err);

enum error_code api_list_newest(struct cli *cli, const char *const *parts, uint64_t limit,
                                const struct api_visitor *visitor, struct error *err)
{
    const char *const path = api_path(cli, "/teams/%s/artifacts/%s/tags", parts);

    return api_list(cli, arena_format(&cli->arena, "%s?newest=%" PRIu64, path, limit), visitor,
                    err);
}

/* A team is there as soon as it has an artifact. */
enum error_code api_unknown_team(struct cli *cli, const char *team, struct error *err)
{
    struct search search = {.cli = cli};
    const struct api_visitor visitor = {&search, offer};
    char hint[NEAREST_HINT_BYTES];
    enum error_code code = OK;

    nearest_init(&search.nearest, str_from(team));
    code = api_list(cli, "/teams", &visitor, err);
    if (code) {
        return code;
    }
    nearest_hint(&search.nearest, hint);
    return error_set(err, ERROR_NOT_FOUND, "the team \"%.64s\" has no artifacts%s", team, hint);
}

static enum error_code offer(void *context, const struct json_value *element, struct error *err)
{
    struct search *const search = context;
    const struct str name = json_value_string(element);
    const char *const copy = arena_text(&search->cli->arena, name);

    (void)err;
    nearest_offer(&search->nearest, (struct str){copy, copy ? name.length : 0});
    return OK;
}
