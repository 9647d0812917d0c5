#pragma once

#include "base/error.h"
#include "registry/open_uploads.h"
#include "registry/registry.h"

/*
 * How many uploads an identity and a team may have open, with how many bytes in them, and whether
 * there is room on the disk at all: for uploads.c only. What rests is summed by the metadata, what
 * requests have written since by open_uploads.
 */

/* Whose the upload is. A new one is refused (ERROR_TOO_MANY) where there are too many already. Both
 * texts are borrowed until the upload is left. */
MUST_USE enum error_code upload_quota_begin(struct registry *registry, struct open_upload *open,
                                            struct str created_by, struct str repository,
                                            struct error *err);
void upload_quota_resume(struct registry *registry, struct open_upload *open, struct str created_by,
                         struct str repository);

/* Whether so many bytes more may come. ERROR_TOO_MANY, ERROR_NO_SPACE. */
MUST_USE enum error_code upload_quota_check(struct registry *registry,
                                            const struct open_upload *open, uint64_t more_bytes,
                                            struct error *err);

/* The same for a piece that is about to be written: looked up only now and then. */
MUST_USE enum error_code upload_quota_take(struct registry *registry, struct open_upload *open,
                                           uint64_t bytes, struct error *err);

/* All that was written is known to the metadata. */
void upload_quota_saved(struct registry *registry, struct open_upload *open);

/* What was written since it was last saved is gone. */
void upload_quota_dropped(struct registry *registry, struct open_upload *open);
