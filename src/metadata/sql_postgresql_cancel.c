#include "metadata/sql_postgresql_cancel.h"

#include <pthread.h>

/* The connection is closed last: by it a proxy knows whose statement is meant. */
static void *cancel_and_close(void *context)
{
    PGconn *const handle = context;
    PGcancel *const cancel = PQgetCancel(handle);
    char reason[256];

    /* A server that cannot be asked has ended, or will find nobody when it answers. */
    (void)PQcancel(cancel, reason, sizeof(reason));
    PQfreeCancel(cancel);
    PQfinish(handle);
    return NULL;
}

/*
 * PQcancel makes a connection and waits for its end, so a thread of its own does it. A host that is
 * gone ends it by tcp_user_timeout. One that is there and answers nobody may keep it for longer,
 * but gives us no new connections meanwhile: such threads are never more than the pool is large.
 */
void postgresql_cancel_and_close(PGconn *handle)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, cancel_and_close, handle) != 0) {
        PQfinish(handle);
    }
    (void)pthread_attr_destroy(&attributes);
}
