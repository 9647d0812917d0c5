#include "registry/scm_source.h"

#include "base/json_reader.h"
#include "registry/registry_private.h"

enum error_code scm_source_parse(struct str text, struct arena *arena,
                                 struct scm_source *source_out, struct error *err)
{
    static const char *const names[] = {"url", "revision", "author", "status"};
    static const struct json_subject subject = {
        .name = "the source",
        .code = ERROR_INVALID,
        .topic = ABOUT_SOURCE,
        .example = "{\"url\":…,\"revision\":…,\"author\":…,\"status\":…}",
        .text_max_bytes = SCM_SOURCE_FIELD_BYTES,
        .absent = JSON_NOTHING_IS_ABSENT,
    };
    struct json_reader reader;
    struct scm_source source;
    enum error_code code = OK;

    json_reader_open(&reader, text, &subject, arena, err);
    json_reader_check_names(&reader, names, ARRAY_LEN(names));
    source.url = json_reader_needed_text(&reader, names[0]);
    source.revision = json_reader_needed_text(&reader, names[1]);
    source.author = json_reader_text(&reader, names[2]);
    source.status = json_reader_text(&reader, names[3]);
    code = json_reader_close(&reader);
    if (!code) {
        *source_out = source;
    }
    return code;
}

static enum error_code scm_find_tagged(struct registry *registry,
                                       const struct repository *repository, struct str tag,
                                       struct arena *arena, struct tag_place *tagged_out,
                                       struct error *err)
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
    const enum error_code code = scm_find_tagged(registry, repository, tag, arena, &tagged, err);

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
        scm_find_tagged(registry, release->repository, release->tag, release->arena, &tagged, err);

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
