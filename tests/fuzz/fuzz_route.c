#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "api/routes.h"
#include "registry/reference.h"

enum { ALLOWED_MAX_BYTES = 64 };

static void check_match(const struct route_match *match, struct str path);
static struct str put_together(const struct route_match *match, struct strbuf *buf);
static void check_parameter(enum path_parameter parameter, struct str text);
static void check_name(struct str name);
static void check_reference(struct str text);

/* A path, as it stands in a request. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str path = {(const char *)bytes, length};
    struct strbuf allowed;

    strbuf_init(&allowed, ALLOWED_MAX_BYTES);
    routes_append_allowed(path, &allowed);
    assert(!allowed.is_truncated);
    for (int method = HTTP_GET; method <= HTTP_METHOD_OTHER; method++) {
        const struct route_match match = routes_find((enum http_method)method, path);

        /* Whether there is something at a path does not depend on what is asked of it. */
        assert(match.is_known_path == (allowed.length > 0));
        if (match.route) {
            assert(match.is_known_path);
            check_match(&match, path);
        }
    }
    strbuf_release(&allowed);
    return 0;
}

/* The row's pattern with its marks filled in is the path: nothing was lost or read twice. */
static void check_match(const struct route_match *match, struct str path)
{
    struct strbuf buf;

    strbuf_init(&buf, path.length + strlen(match->route->pattern));
    assert(str_equal(put_together(match, &buf), path));
    strbuf_release(&buf);
    check_name(match->parameters[PATH_NAME]);
    check_reference(match->parameters[PATH_REFERENCE]);
    check_reference(match->parameters[PATH_TAG]);
    check_reference(match->parameters[PATH_DIGEST]);
}

static struct str put_together(const struct route_match *match, struct strbuf *buf)
{
    struct str pattern = str_from(match->route->pattern);
    struct str component = {0};

    while (str_cut(&pattern, '/', &component)) {
        const enum path_parameter parameter = routes_parameter(component);

        if (parameter == PATH_PARAMETERS) {
            strbuf_append(buf, component);
        } else {
            check_parameter(parameter, match->parameters[parameter]);
            strbuf_append(buf, match->parameters[parameter]);
        }
        strbuf_append_text(buf, pattern.bytes ? "/" : "");
    }
    return strbuf_str(buf);
}

static void check_parameter(enum path_parameter parameter, struct str text)
{
    assert(text.length > 0);
    assert(parameter == PATH_NAME || parameter == PATH_ARTIFACT ||
           str_index_of(text, '/') == text.length);
}

/* Whatever passes as a name is safe in a path, a log and a link. */
static void check_name(struct str name)
{
    struct repository repository;

    if (repository_parse(name, &repository, NULL)) {
        return;
    }
    assert(name.length <= REPOSITORY_MAX_LENGTH);
    assert(repository.team.length > 0);
    assert(repository.artifact.length > 0);
    assert(repository.team.length + 1 + repository.artifact.length == name.length);
    for (size_t i = 0; i < name.length; i++) {
        const char byte = name.bytes[i];
        const bool may_repeat = byte == '_' || byte == '-' || (byte >= 'a' && byte <= 'z') ||
                                (byte >= '0' && byte <= '9');

        assert(may_repeat || byte == '.' || byte == '/');
        assert(may_repeat || i == 0 || name.bytes[i - 1] != byte);
    }
}

static void check_reference(struct str text)
{
    struct reference reference;
    char digest[DIGEST_TEXT_BYTES];

    if (reference_parse(text, &reference, NULL)) {
        return;
    }
    if (reference.is_digest) {
        digest_format(&reference.digest, digest);
        assert(str_is(text, digest));
    } else {
        assert(text.length <= TAG_MAX_LENGTH);
        assert(text.bytes[0] != '.');
        assert(text.bytes[0] != '-');
    }
}
