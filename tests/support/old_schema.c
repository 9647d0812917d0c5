#include "tests/support/old_schema.h"

#include "base/attributes.h"

enum { FIRST_VERSION = 6 };

/* What undoes each step of schema/sqlite/, from FIRST_VERSION on. */
static const char *const undoing[] = {
    /* upload-sums */
    "drop trigger upload_is_counted; drop trigger upload_is_counted_again;"
    "drop trigger upload_is_not_counted_any_more; drop table upload_sum;",
    /* sums */
    "drop trigger team_is_counted; drop trigger repository_is_counted;"
    "drop trigger tag_is_counted; drop trigger named_blob_is_counted;"
    "drop table registry_sum; drop table team_sum;",
    /* runnable */
    "drop index tag_by_rank; alter table tag drop column is_runnable;"
    "alter table manifest drop column is_runnable;",
    /* swept-blobs */
    "drop table swept_blob;",
    /* ended-uploads */
    "drop table ended_upload; alter table upload drop column login_ends_ms;",
    /* referrers-by-age */
    "",
    /* kinds */
    "alter table tag_change drop column changed_by_kind;"
    "alter table tag drop column created_by_kind;"
    "alter table manifest drop column created_by_kind;"
    "alter table scm_source drop column created_by_kind;"
    "alter table production_ready drop column marked_by_kind;",
    /* swept-places */
    "drop table swept_place; drop trigger blob_place_never_moves;"
    "drop trigger named_blob_keeps_its_place; drop index blob_place_by_location;"
    "alter table blob_place drop column touched_ms;",
};

void old_schema_append(struct strbuf *script, int version)
{
    for (size_t i = ARRAY_LEN(undoing); i > (size_t)(version + 1 - FIRST_VERSION); i--) {
        strbuf_append_text(script, undoing[i - 1]);
    }
    strbuf_append_format(script,
                         "delete from schema_version where version > %d;"
                         "delete from schema_compatibility where version > %d;",
                         version, version);
}
