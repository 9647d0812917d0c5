#include "api/known_login.h"

#include <stdlib.h>

#include "api/api_private.h"
#include "base/memory.h"
#include "base/strbuf.h"

struct known_login {
    struct strbuf field;
    struct authenticator_ticket ticket;
};

static struct known_login *new_known_login(void);

struct identity *known_login_recall(const struct call *call, struct str field)
{
    const struct known_login *known = call->exchange->session;

    return known && credentials_are_equal(strbuf_str(&known->field), field)
               ? authenticator_recall(call->api->config.authenticator, &known->ticket)
               : NULL;
}

void known_login_keep(struct call *call, struct str field)
{
    struct http_exchange *exchange = call->exchange;
    struct known_login *known = NULL;

    if (field.length > KNOWN_LOGIN_MAX_BYTES) {
        return;
    }
    if (!exchange->session) {
        exchange->session = new_known_login();
    }
    known = exchange->session;
    strbuf_clear(&known->field);
    strbuf_append(&known->field, field);
    known->ticket = call->ticket;
}

static struct known_login *new_known_login(void)
{
    struct known_login *known = memory_new(1, sizeof(*known));

    strbuf_init_secret(&known->field, KNOWN_LOGIN_MAX_BYTES);
    return known;
}

void known_login_leave(void *context, void *session)
{
    struct known_login *known = session;

    (void)context;
    if (known) {
        strbuf_release(&known->field);
        memory_wipe(&known->ticket, sizeof(known->ticket));
        free(known);
    }
}
