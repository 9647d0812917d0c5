#include "base/nearest.h"
#include "cli/api_client.h"

/* The last tags of a list that goes by. */
struct newest {
    uint64_t limit;
    uint64_t seen;
    uint64_t total;
    const struct api_visitor *visitor;
};

struct search {
    struct cli *cli;
    struct nearest nearest;
};

static enum error_code count(void *context, const struct json_value *element, struct error *err);
static enum error_code pass_on(void *context, const struct json_value *element, struct error *err);
static enum error_code offer(void *context, const struct json_value *element, struct error *err);

/* How many there are is only known behind them, so that they are listed twice: they are oldest
 * first, since that is what does not change. */
enum error_code api_list_newest(struct cli *cli, const char *const *parts, uint64_t limit,
                                const struct api_visitor *visitor, struct error *err)
{
    const char *const path = api_path(cli, "/teams/%s/artifacts/%s/tags", parts);
    struct newest newest = {.limit = limit, .visitor = visitor};
    const struct api_visitor counter = {&newest, count};
    const struct api_visitor passing = {&newest, pass_on};
    const enum error_code code = api_list(cli, path, &counter, err);

    return code ? code : api_list(cli, path, &passing, err);
}

static enum error_code count(void *context, const struct json_value *element, struct error *err)
{
    struct newest *const newest = context;

    (void)element;
    (void)err;
    newest->total++;
    return OK;
}

static enum error_code pass_on(void *context, const struct json_value *element, struct error *err)
{
    struct newest *const newest = context;
    const uint64_t left = newest->seen < newest->total ? newest->total - newest->seen : 0;
    const bool is_new = left <= newest->limit;

    newest->seen++;
    return is_new ? newest->visitor->visit(newest->visitor->context, element, err) : OK;
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
