#include "fuzz.h"

#include <assert.h>
#include <regex.h>
#include <string.h>

#include "registry/reference.h"

/* A regular expression, compiled when it is first used. */
struct pattern {
    const char *text;
    bool is_compiled;
    regex_t compiled;
};

/* As distribution-spec "Pulling manifests" has them, but for the team, which we want. */
#define COMPONENT "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"
static struct pattern name_pattern = {.text = "^" COMPONENT "(/" COMPONENT ")+$"};
static struct pattern tag_pattern = {.text = "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$"};

static void check_repository(struct str text);
static void check_reference(struct str text);
static bool is_match(struct pattern *pattern, struct str text);

/* A name, a tag or a digest, held against the specification's regular expressions. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str text = {(const char *)bytes, length};

    check_repository(text);
    check_reference(text);
    return 0;
}

static void check_repository(struct str text)
{
    struct repository repository;
    struct error err = {0};
    const enum error_code code = repository_parse(text, &repository, &err);

    assert((code == OK) == is_match(&name_pattern, text));
    if (code) {
        assert(code == ERROR_INVALID);
        assert(err.topic == ABOUT_NAME);
        return;
    }
    assert(str_equal(repository.name, text));
    assert(repository.team.bytes == text.bytes);
    assert(repository.artifact.bytes == text.bytes + repository.team.length + 1);
    assert(repository.team.length + 1 + repository.artifact.length == text.length);
    assert(str_index_of(repository.team, '/') == repository.team.length);
}

static bool is_match(struct pattern *pattern, struct str text)
{
    char copy[REPOSITORY_MAX_LENGTH + 1] = {0};

    if (text.length == 0 || text.length > REPOSITORY_MAX_LENGTH ||
        memchr(text.bytes, 0, text.length)) {
        return false;
    }
    if (!pattern->is_compiled) {
        pattern->is_compiled =
            regcomp(&pattern->compiled, pattern->text, REG_EXTENDED | REG_NOSUB) == 0;
    }
    assert(pattern->is_compiled);
    memcpy(copy, text.bytes, text.length);
    return regexec(&pattern->compiled, copy, 0, NULL, 0) == 0;
}

static void check_reference(struct str text)
{
    struct reference reference;
    struct error err = {0};
    const enum error_code code = reference_parse(text, &reference, &err);
    char digest[DIGEST_TEXT_BYTES];

    if (code) {
        assert(code == ERROR_INVALID);
        assert(err.topic == ABOUT_DIGEST || err.topic == ABOUT_TAG);
        assert(!is_match(&tag_pattern, text));
    } else if (reference.is_digest) {
        digest_format(&reference.digest, digest);
        assert(str_is(text, digest));
    } else {
        assert(str_equal(reference.tag, text));
        assert(is_match(&tag_pattern, text));
    }
}
