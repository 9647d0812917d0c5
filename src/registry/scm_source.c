#include "registry/scm_source.h"

#include "base/json_value.h"
#include "registry/member_names.h"

struct field {
    const char *name;
    bool is_needed;
    struct str *value;
};

static enum error_code read_field(const struct json_value *json, const struct field *field,
                                  struct arena *arena, struct error *err);

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
        code = read_field(json, &fields[i], arena, err);
    }
    json_value_free(json);
    if (!code) {
        *source_out = source;
    }
    return code;
}

static enum error_code read_field(const struct json_value *json, const struct field *field,
                                  struct arena *arena, struct error *err)
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
