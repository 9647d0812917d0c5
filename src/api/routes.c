#include "api/routes.h"

#include <stdlib.h>

#include "base/random.h"

/* In the order of the distribution specification's "Endpoints". */
static const struct route routes[] = {
    {HTTP_GET, "/v2/", ACCESS_LOGIN, HTTP_LOOP, ERRORS_OCI, &base_handler},
    {HTTP_GET, "/v2", ACCESS_LOGIN, HTTP_LOOP, ERRORS_OCI, &base_handler},
    {HTTP_GET, "/v2/{name}/blobs/{digest}", ACCESS_PULL, HTTP_WORKER, ERRORS_OCI,
     &blob_get_handler},
    {HTTP_DELETE, "/v2/{name}/blobs/{digest}", ACCESS_PUSH, HTTP_LOOP, ERRORS_OCI,
     &immutable_handler},
    {HTTP_GET, "/v2/{name}/manifests/{reference}", ACCESS_PULL, HTTP_WORKER, ERRORS_OCI,
     &manifest_get_handler},
    {HTTP_PUT, "/v2/{name}/manifests/{reference}", ACCESS_PUSH, HTTP_CARRIER, ERRORS_OCI,
     &manifest_put_handler},
    {HTTP_DELETE, "/v2/{name}/manifests/{reference}", ACCESS_PUSH, HTTP_LOOP, ERRORS_OCI,
     &immutable_handler},
    {HTTP_POST, "/v2/{name}/blobs/uploads/", ACCESS_PUSH, HTTP_WORKER, ERRORS_OCI,
     &upload_post_handler},
    {HTTP_GET, "/v2/{name}/blobs/uploads/{upload}", ACCESS_UPLOAD, HTTP_WORKER, ERRORS_OCI,
     &upload_get_handler},
    {HTTP_PATCH, "/v2/{name}/blobs/uploads/{upload}", ACCESS_UPLOAD, HTTP_CARRIER, ERRORS_OCI,
     &upload_patch_handler},
    {HTTP_PUT, "/v2/{name}/blobs/uploads/{upload}", ACCESS_UPLOAD, HTTP_CARRIER, ERRORS_OCI,
     &upload_put_handler},
    {HTTP_DELETE, "/v2/{name}/blobs/uploads/{upload}", ACCESS_UPLOAD, HTTP_CARRIER, ERRORS_OCI,
     &upload_delete_handler},
    {HTTP_GET, "/v2/{name}/tags/list", ACCESS_PULL, HTTP_WORKER, ERRORS_OCI, &tag_list_handler},
    {HTTP_GET, "/v2/{name}/referrers/{digest}", ACCESS_PULL, HTTP_WORKER, ERRORS_OCI,
     &referrers_handler},
    {HTTP_GET, "/v2/_catalog", ACCESS_CATALOG, HTTP_WORKER, ERRORS_OCI, &catalog_handler},
    {HTTP_GET, TOKEN_PATH, ACCESS_TOKEN, HTTP_LOOP, ERRORS_OCI, &token_get_handler},
    {HTTP_POST, TOKEN_PATH, ACCESS_TOKEN, HTTP_WAITER, ERRORS_OCI, &token_post_handler},
    {HTTP_GET, "/teams", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM, &team_list_handler},
    /* The longer first: a tag may be called `tags` or `artifacts`. */
    {HTTP_GET, "/teams/{team}/artifacts/{artifact}/tags/{tag}/scm-source", ACCESS_PULL, HTTP_WORKER,
     ERRORS_PROBLEM, &scm_source_handler},
    {HTTP_GET, "/teams/{team}/artifacts/{artifact}/tags/{tag}/history", ACCESS_PULL, HTTP_WORKER,
     ERRORS_PROBLEM, &tag_history_handler},
    {HTTP_POST, "/teams/{team}/artifacts/{artifact}/tags/{tag}/production-ready", ACCESS_PUSH,
     HTTP_WORKER, ERRORS_PROBLEM, &production_ready_handler},
    {HTTP_POST, "/teams/{team}/artifacts/{artifact}/tags/{tag}/recheck", ACCESS_PULL, HTTP_WORKER,
     ERRORS_PROBLEM, &tag_recheck_handler},
    {HTTP_POST, "/teams/{team}/artifacts/{artifact}/recheck", ACCESS_PULL, HTTP_WORKER,
     ERRORS_PROBLEM, &artifact_recheck_handler},
    {HTTP_GET, "/teams/{team}/artifacts/{artifact}/tags/{tag}", ACCESS_PULL, HTTP_WORKER,
     ERRORS_PROBLEM, &artifact_tag_handler},
    {HTTP_GET, "/teams/{team}/artifacts/{artifact}/tags", ACCESS_PULL, HTTP_WORKER, ERRORS_PROBLEM,
     &artifact_tags_handler},
    {HTTP_GET, "/teams/{team}/artifacts", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM,
     &artifact_list_handler},
    {HTTP_GET, "/tags/{image}", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM, &image_tags_handler},
    {HTTP_GET, "/stats", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM, &statistics_handler},
    {HTTP_GET, "/stats/teams", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM,
     &all_team_statistics_handler},
    {HTTP_GET, "/stats/teams/{team}", ACCESS_CATALOG, HTTP_WORKER, ERRORS_PROBLEM,
     &team_statistics_handler},
    {HTTP_GET, "/whoami", ACCESS_LOGIN, HTTP_LOOP, ERRORS_PROBLEM, &whoami_handler},
    {HTTP_GET, "/openapi.json", ACCESS_PUBLIC, HTTP_LOOP, ERRORS_PROBLEM, &openapi_handler},
    {HTTP_GET, "/.well-known/pierone", ACCESS_PUBLIC, HTTP_LOOP, ERRORS_PROBLEM, &client_handler},
    {HTTP_GET, "/v1/repositories/{team}/{artifact}/tags", ACCESS_PULL, HTTP_WORKER, ERRORS_PROBLEM,
     &image_ids_handler},
    {HTTP_GET, "/health", ACCESS_PUBLIC, HTTP_LOOP, ERRORS_PROBLEM, &health_handler},
    {HTTP_GET, "/.well-known/health", ACCESS_PUBLIC, HTTP_LOOP, ERRORS_PROBLEM, &health_handler},
    {HTTP_GET, "/ready", ACCESS_PUBLIC, HTTP_LOOP, ERRORS_PROBLEM, &ready_handler},
};

static const struct str parameter_names[PATH_PARAMETERS] = {
    [PATH_NAME] = STR_LITERAL("{name}"),         [PATH_TEAM] = STR_LITERAL("{team}"),
    [PATH_ARTIFACT] = STR_LITERAL("{artifact}"), [PATH_TAG] = STR_LITERAL("{tag}"),
    [PATH_DIGEST] = STR_LITERAL("{digest}"),     [PATH_REFERENCE] = STR_LITERAL("{reference}"),
    [PATH_UPLOAD] = STR_LITERAL("{upload}"),     [PATH_IMAGE] = STR_LITERAL("{image}"),
};

const struct route *routes_all(size_t *count_out)
{
    *count_out = ARRAY_LEN(routes);
    return routes;
}

/* Only who may push is let to a row that keeps anything, and what they only look at is GET. */
bool route_writes(const struct route *route)
{
    const bool is_for_pushers = route->access == ACCESS_PUSH || route->access == ACCESS_UPLOAD;

    return is_for_pushers && route->method != HTTP_GET;
}

enum path_parameter routes_parameter(struct str component)
{
    if (component.length == 0 || component.bytes[0] != '{') {
        return PATH_PARAMETERS;
    }
    for (int i = 0; i < PATH_PARAMETERS; i++) {
        if (str_equal(component, parameter_names[i])) {
            return (enum path_parameter)i;
        }
    }
    abort(); /* a test sees that patterns name no others */
}

enum error_format routes_error_format(const struct route *route, struct str path)
{
    const bool is_distribution =
        path.length == 0 || str_is(path, "/v2") || str_starts_with(path, "/v2/");

    if (route) {
        return route->errors;
    }
    return is_distribution ? ERRORS_OCI : ERRORS_PROBLEM;
}

/* What is behind the last slash. */
static struct str last_component(struct str path)
{
    const size_t slash = str_last_index_of(path, '/');

    return slash == path.length ? path : str_from_index(path, slash + 1);
}

static bool match_component(struct str wanted, struct str actual,
                            struct str parameters[PATH_PARAMETERS])
{
    const enum path_parameter parameter = routes_parameter(wanted);

    if (parameter == PATH_PARAMETERS) {
        return str_equal(wanted, actual);
    }
    parameters[parameter] = actual;
    return actual.length > 0;
}

/* Takes the components of the pattern off the path, one by one. */
static bool match_from_right(struct str pattern, struct str *path,
                             struct str parameters[PATH_PARAMETERS])
{
    for (;;) {
        const struct str wanted = last_component(pattern);
        const struct str actual = last_component(*path);

        if (actual.length == path->length || !match_component(wanted, actual, parameters)) {
            return false;
        }
        *path = str_slice(*path, 0, path->length - actual.length - 1);
        if (wanted.length == pattern.length) {
            return true;
        }
        pattern = str_slice(pattern, 0, pattern.length - wanted.length - 1);
    }
}

/* Component by component from the left, and what is behind a parameter that has several, from the
 * right. */
static bool match_from_left(struct str pattern, struct str path,
                            struct str parameters[PATH_PARAMETERS])
{
    struct str wanted;
    struct str actual;

    while (str_cut(&pattern, '/', &wanted)) {
        const enum path_parameter parameter = routes_parameter(wanted);

        if (parameter == PATH_NAME || parameter == PATH_ARTIFACT) {
            parameters[parameter] = path;
            return match_from_right(pattern, &parameters[parameter], parameters) &&
                   parameters[parameter].length > 0;
        }
        if (!str_cut(&path, '/', &actual) || !match_component(wanted, actual, parameters)) {
            return false;
        }
    }
    return !path.bytes;
}

/* Most rows differ in what stands before their first parameter. */
static bool matches(const struct route *route, struct str path, struct route_match *match_out)
{
    const struct str pattern = str_from(route->pattern);
    const size_t literal = str_index_of(pattern, '{');

    if (!str_equal(str_slice(pattern, 0, literal), str_slice(path, 0, literal))) {
        return false;
    }
    *match_out = (struct route_match){.route = route, .is_known_path = true};
    return literal == pattern.length
               ? path.length == pattern.length
               : match_from_left(str_from_index(pattern, literal), str_from_index(path, literal),
                                 match_out->parameters);
}

struct route_match routes_find(enum http_method method, struct str path)
{
    const enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
    struct route_match found = {0};

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct route_match match;

        if (!matches(&routes[i], path, &match)) {
            continue;
        }
        found.is_known_path = true;
        if (routes[i].method == wanted) {
            return match;
        }
    }
    return found;
}

struct str routes_shown_path(struct str path)
{
    struct str parameters[PATH_PARAMETERS];
    struct str name = path;

    if (str_ends_with(path, "/")) {
        name.length--;
    }
    if (!match_from_right(str_from("blobs/uploads/{upload}"), &name, parameters)) {
        return path;
    }
    return str_slice(path, 0,
                     (size_t)(parameters[PATH_UPLOAD].bytes - path.bytes) + RANDOM_ID_SHOWN_LENGTH);
}

void routes_append_allowed(struct str path, struct strbuf *buf)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, HEAD", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",       [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    struct route_match ignored;
    bool is_told[ARRAY_LEN(names)] = {false};

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const enum http_method method = routes[i].method;

        /* What is never done is not allowed, although it has a row to say so. */
        if (routes[i].handler != &immutable_handler && !is_told[method] &&
            matches(&routes[i], path, &ignored)) {
            is_told[method] = true;
            strbuf_append_text(buf, buf->length > 0 ? ", " : "");
            strbuf_append_text(buf, names[method]);
        }
    }
}
