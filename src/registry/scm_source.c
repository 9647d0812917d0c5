#include "registry/scm_source.h"

#include "base/json_value.h"
#include "registry/descriptor.h"
#include "registry/registry_private.h"

struct field {
    const char *name;
    bool is_needed;
    struct str *value;
};

static enum error_code scm_source_read_field(const struct json_value *json,
                                             const struct field *field, struct arena *arena,
                                             struct error *err)
{
    const struct json_value *member = json_value_member(json, field->name);
    const struct str value = json_value_string(member);
    struct str copy;

    if (member && !json_value_is_string(member)) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_INVALID, "the source's %s must be a string",
                               field->name);
    }
    if (field->is_needed && value.length == 0) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_INVALID,
                               "the source needs a %s: {\"url\":…,\"revision\":…,\"author\":…,"
                               "\"status\":…}",
                               field->name);
    }
    if (value.length > SCM_SOURCE_FIELD_BYTES) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_INVALID,
                               "the source's %s has more than %d bytes", field->name,
                               SCM_SOURCE_FIELD_BYTES);
    }
    copy = arena_copy(arena, value);
    if (!copy.bytes) {
        return error_set(err, ERROR_TOO_LARGE, "the source is too large");
    }
    *field->value = copy;
    return OK;
}

enum error_code scm_source_parse(struct str text, struct arena *arena,
                                 struct scm_source *source_out, struct error *err)
{
    struct scm_source source = {0};
    const struct field fields[] = {
        {"url", true, &source.url},
        {"revision", true, &source.revision},
        {"author", false, &source.author},
        {"status", false, &source.status},
    };
    struct json_value *json = NULL;
    struct error reason = {0};
    enum error_code code = OK;

    if (json_value_parse(text, &json, &reason)) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_INVALID,
                               "the source must be a JSON object: %s", reason.message);
    }
    if (member_names_check(json, OBJECT_SOURCE, &reason)) {
        code = error_set_about(err, ABOUT_SOURCE, ERROR_INVALID, "the source is ambiguous: %s",
                               reason.message);
    }
    for (size_t i = 0; i < ARRAY_LEN(fields) && !code; i++) {
        code = scm_source_read_field(json, &fields[i], arena, err);
    }
    json_value_free(json);
    if (!code) {
        *source_out = source;
    }
    return code;
}

static enum error_code find_tagged(struct registry *registry, const struct repository *repository,
                                   struct str tag, struct arena *arena,
                                   struct tag_place *tagged_out, struct error *err)
{
    struct tag_detail detail;
    const enum error_code code =
        registry_find_tag_detail(registry, repository, tag, arena, &detail, err);

    if (!code) {
        *tagged_out = (struct tag_place){repository->name, detail.tag.name, detail.tag.digest};
    }
    return code;
}

enum error_code registry_find_scm_source(struct registry *registry,
                                         const struct repository *repository, struct str tag,
                                         struct arena *arena, struct scm_record *record_out,
                                         struct error *err)
{
    struct tag_place tagged;
    const enum error_code code = find_tagged(registry, repository, tag, arena, &tagged, err);

    return code ? code
                : metadata_find_scm_source(registry->config.metadata, &tagged, arena, record_out,
                                           err);
}

enum error_code registry_mark_production_ready(struct registry *registry,
                                               const struct release *release, struct error *err)
{
    const struct release_mark mark = {release->incident_id, release->identity,
                                      clock_wall_ms(registry->config.clock)};
    struct scm_record record;
    struct tag_place tagged;
    enum error_code code =
        find_tagged(registry, release->repository, release->tag, release->arena, &tagged, err);

    if (code) {
        return code;
    }
    code =
        metadata_find_scm_source(registry->config.metadata, &tagged, release->arena, &record, err);
    if (code == ERROR_NOT_FOUND) {
        return ERROR_INVALID; /* with the message and topic that it has */
    }
    return code ? code
                : metadata_mark_production_ready(registry->config.metadata, &tagged, &mark, err);
}
