#include "api/routes.h"

#include "api/handlers.h"
#include "base/random.h"

/* In the order of the distribution specification's "Endpoints". */
static const struct route routes[] = {
    {HTTP_GET, "/v2/", ACCESS_LOGIN, HTTP_LOOP, &base_handler},
    {HTTP_GET, "/v2", ACCESS_LOGIN, HTTP_LOOP, &base_handler},
    {HTTP_GET, "/v2/{name}/blobs/{reference}", ACCESS_PULL, HTTP_WORKER, &blob_get_handler},
    {HTTP_DELETE, "/v2/{name}/blobs/{reference}", ACCESS_PUSH, HTTP_LOOP, &immutable_handler},
    {HTTP_GET, "/v2/{name}/manifests/{reference}", ACCESS_PULL, HTTP_WORKER, &manifest_get_handler},
    {HTTP_PUT, "/v2/{name}/manifests/{reference}", ACCESS_PUSH, HTTP_CARRIER,
     &manifest_put_handler},
    {HTTP_DELETE, "/v2/{name}/manifests/{reference}", ACCESS_PUSH, HTTP_LOOP, &immutable_handler},
    {HTTP_POST, "/v2/{name}/blobs/uploads/", ACCESS_PUSH, HTTP_WORKER, &upload_post_handler},
    {HTTP_GET, "/v2/{name}/blobs/uploads/{reference}", ACCESS_UPLOAD, HTTP_WORKER,
     &upload_get_handler},
    {HTTP_PATCH, "/v2/{name}/blobs/uploads/{reference}", ACCESS_UPLOAD, HTTP_CARRIER,
     &upload_patch_handler},
    {HTTP_PUT, "/v2/{name}/blobs/uploads/{reference}", ACCESS_UPLOAD, HTTP_CARRIER,
     &upload_put_handler},
    {HTTP_DELETE, "/v2/{name}/blobs/uploads/{reference}", ACCESS_UPLOAD, HTTP_CARRIER,
     &upload_delete_handler},
    {HTTP_GET, "/v2/{name}/tags/list", ACCESS_PULL, HTTP_WORKER, &tag_list_handler},
    {HTTP_GET, "/v2/{name}/referrers/{reference}", ACCESS_PULL, HTTP_WORKER, &referrers_handler},
    {HTTP_GET, "/v2/_catalog", ACCESS_CATALOG, HTTP_WORKER, &catalog_handler},
    {HTTP_GET, TOKEN_PATH, ACCESS_TOKEN, HTTP_LOOP, &token_get_handler},
    {HTTP_POST, TOKEN_PATH, ACCESS_TOKEN, HTTP_WAITER, &token_post_handler},
    {HTTP_GET, "/teams", ACCESS_CATALOG, HTTP_WORKER, &team_list_handler},
    /* The longer first: a tag may be called `tags` or `artifacts`. */
    {HTTP_GET, "/teams/{name}/tags/{reference}/scm-source", ACCESS_PULL, HTTP_WORKER,
     &scm_source_handler},
    {HTTP_POST, "/teams/{name}/tags/{reference}/production-ready", ACCESS_PUSH, HTTP_WORKER,
     &production_ready_handler},
    {HTTP_POST, "/teams/{name}/tags/{reference}/recheck", ACCESS_PULL, HTTP_WORKER,
     &tag_recheck_handler},
    {HTTP_POST, "/teams/{name}/recheck", ACCESS_PULL, HTTP_WORKER, &artifact_recheck_handler},
    {HTTP_GET, "/teams/{name}/tags/{reference}", ACCESS_PULL, HTTP_WORKER, &artifact_tag_handler},
    {HTTP_GET, "/teams/{name}/tags", ACCESS_PULL, HTTP_WORKER, &artifact_tags_handler},
    {HTTP_GET, "/teams/{name}/artifacts", ACCESS_CATALOG, HTTP_WORKER, &artifact_list_handler},
    {HTTP_GET, "/tags/{name}", ACCESS_CATALOG, HTTP_WORKER, &image_tags_handler},
    {HTTP_GET, "/stats", ACCESS_CATALOG, HTTP_WORKER, &statistics_handler},
    {HTTP_GET, "/stats/teams", ACCESS_CATALOG, HTTP_WORKER, &all_team_statistics_handler},
    {HTTP_GET, "/stats/teams/{name}", ACCESS_CATALOG, HTTP_WORKER, &team_statistics_handler},
    {HTTP_GET, "/whoami", ACCESS_LOGIN, HTTP_LOOP, &whoami_handler},
    {HTTP_GET, "/openapi.json", ACCESS_PUBLIC, HTTP_LOOP, &openapi_handler},
    {HTTP_GET, "/.well-known/pierone", ACCESS_PUBLIC, HTTP_LOOP, &client_handler},
    {HTTP_GET, "/v1/repositories/{name}/tags", ACCESS_PULL, HTTP_WORKER, &image_ids_handler},
    {HTTP_GET, "/health", ACCESS_PUBLIC, HTTP_LOOP, &health_handler},
    {HTTP_GET, "/.well-known/health", ACCESS_PUBLIC, HTTP_LOOP, &health_handler},
    {HTTP_GET, "/ready", ACCESS_PUBLIC, HTTP_LOOP, &ready_handler},
};

static const char reference_mark[] = "{reference}";

enum { NAME_MARK_LENGTH = sizeof("{name}") - 1 };

static bool matches(const char *pattern, struct str path, struct route_match *match);
static bool names_artifact(struct str pattern);
static bool has_artifact(struct str name);
static bool cut_from_right(struct str *path, struct str suffix, struct str *reference);
static struct str last_component(struct str path);

const struct route *routes_all(size_t *count_out)
{
    *count_out = ARRAY_LEN(routes);
    return routes;
}

struct route_match routes_find(enum http_method method, struct str path)
{
    const enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
    struct route_match found = {0};

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct route_match match = {0};

        if (!matches(routes[i].pattern, path, &match)) {
            continue;
        }
        found.is_known_path = true;
        if (routes[i].method == wanted) {
            match.route = &routes[i];
            match.is_known_path = true;
            return match;
        }
    }
    return found;
}

static bool matches(const char *pattern, struct str path, struct route_match *match)
{
    const struct str whole = str_from(pattern);
    const size_t mark = str_index_of(whole, '{');
    struct str name;

    if (mark == whole.length) {
        return str_equal(whole, path);
    }
    if (path.length < mark || !str_equal(str_slice(path, 0, mark), str_slice(whole, 0, mark))) {
        return false;
    }
    name = str_from_index(path, mark);
    if (!cut_from_right(&name, str_from_index(whole, mark + NAME_MARK_LENGTH), &match->reference)) {
        return false;
    }
    match->name = name;
    return name.length > 0 && (!names_artifact(whole) || has_artifact(name));
}

/* Below a team, all rows but the one that lists its artifacts are about one of them. */
static bool names_artifact(struct str pattern)
{
    return str_starts_with(pattern, "/teams/{name}/") && !str_ends_with(pattern, "/artifacts");
}

/* TEAM/artifacts/ARTIFACT: what else there is, is no tag of an artifact but one called `tags`. */
static bool has_artifact(struct str name)
{
    static const char mark[] = "artifacts/";
    struct str team;

    return str_cut(&name, '/', &team) && str_starts_with(name, mark) &&
           name.length > sizeof(mark) - 1;
}

/* Takes the components of suffix, one by one, from the right end of the path. */
static bool cut_from_right(struct str *path, struct str suffix, struct str *reference)
{
    while (suffix.length > 0) {
        const struct str wanted = last_component(suffix);
        const struct str actual = last_component(*path);

        if (actual.length == path->length) {
            return false; /* nothing is left for the name */
        }
        if (str_is(wanted, reference_mark)) {
            *reference = actual;
        } else if (!str_equal(wanted, actual)) {
            return false;
        }
        if (str_is(wanted, reference_mark) && actual.length == 0) {
            return false;
        }
        *path = str_slice(*path, 0, path->length - actual.length - 1);
        suffix = str_slice(suffix, 0, suffix.length - wanted.length - 1);
    }
    return true;
}

/* What is behind the last slash. */
static struct str last_component(struct str path)
{
    const size_t slash = str_last_index_of(path, '/');

    return slash == path.length ? path : str_from_index(path, slash + 1);
}

/* Whatever the method: who asks with a wrong one may have the right id. */
struct str routes_shown_path(struct str path)
{
    struct str name = path;
    struct str id;

    if (str_ends_with(path, "/")) {
        name.length--;
    }
    if (!cut_from_right(&name, str_from("/blobs/uploads/{reference}"), &id)) {
        return path;
    }
    return str_slice(path, 0, (size_t)(id.bytes - path.bytes) + RANDOM_ID_SHOWN_LENGTH);
}

void routes_append_allowed(struct str path, struct strbuf *buf)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, HEAD", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",       [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    struct route_match match = {0};
    bool is_told[ARRAY_LEN(names)] = {false};

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const enum http_method method = routes[i].method;

        /* What is never done is not allowed, although it has a row to say so. */
        if (routes[i].handler != &immutable_handler && !is_told[method] &&
            matches(routes[i].pattern, path, &match)) {
            is_told[method] = true;
            strbuf_append_text(buf, buf->length > 0 ? ", " : "");
            strbuf_append_text(buf, names[method]);
        }
    }
}
