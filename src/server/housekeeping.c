#include "server/housekeeping.h"

#include "registry/uploads.h"

/* Between two batches, for whoever pushes. */
enum { EXPIRY_PAUSE_MS = 100 };

static int64_t renew_token_keys(void *context);
static int64_t expire_uploads(void *context);

enum error_code housekeeping_start(struct housekeeping *housekeeping, struct error *err)
{
    const struct chore list[] = {
        {renew_token_keys, housekeeping, housekeeping->interval_ms},
        {expire_uploads, housekeeping, 0}, /* however often the server is started again */
    };

    return chores_start(list, ARRAY_LEN(list), &clock_system, &housekeeping->chores, err);
}

void housekeeping_end(struct housekeeping *housekeeping)
{
    chores_end(housekeeping->chores);
    housekeeping->chores = NULL;
}

static int64_t renew_token_keys(void *context)
{
    const struct housekeeping *const housekeeping = context;
    struct error err;

    if (housekeeping->token_keys && token_keys_refresh(housekeeping->token_keys, &err)) {
        log_message(housekeeping->log, LOG_WARNING, "token_keys_not_renewed", "%s", err.message);
    }
    return housekeeping->interval_ms;
}

static int64_t expire_uploads(void *context)
{
    const struct housekeeping *const housekeeping = context;
    struct upload_expiry expiry;
    struct error err;

    if (registry_expire_uploads(housekeeping->registry, &expiry, &err)) {
        log_message(housekeeping->log, LOG_WARNING, "expire_failed", "%s", err.message);
    } else if (expiry.expired > 0) {
        log_message(housekeeping->log, LOG_INFO, "uploads_expired", "%zu unfinished uploads",
                    expiry.expired);
    }
    return expiry.has_more ? EXPIRY_PAUSE_MS : housekeeping->interval_ms;
}
