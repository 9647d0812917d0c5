#include "crew.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

enum { STACK_BYTES = 256 * 1024 };

struct crew {
    const struct crew_work *work;
    pthread_barrier_t start;
    struct recorder all;
};

struct place {
    struct crew *crew;
    struct crew_member member;
    pthread_t thread;
};

static void *run_member(void *context);
static unsigned port_of(const struct options *options, unsigned number);
static void start_member(struct place *place);

void crew_run(const struct options *options, unsigned count, const struct crew_work *work)
{
    struct crew crew = {.work = work};
    struct place *places = memory_new(count, sizeof(*places));
    struct secure *secure = options->tls ? secure_new() : NULL;
    int64_t begin_us;

    (void)pthread_barrier_init(&crew.start, NULL, count + 1);
    for (unsigned i = 0; i < count; i++) {
        places[i] = (struct place){
            .crew = &crew,
            .member = {.options = options,
                       .number = i,
                       .client = {.fd = -1, .port = port_of(options, i), .secure = secure}},
        };
        start_member(&places[i]);
    }
    (void)pthread_barrier_wait(&crew.start);
    begin_us = clock_elapsed_us();
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(places[i].thread, NULL);
    }
    begin_us = clock_elapsed_us() - begin_us;
    for (unsigned i = 0; i < count; i++) {
        recorder_merge(&crew.all, &places[i].member.recorder);
    }
    recorder_print(&crew.all, begin_us);
    recorder_release(&crew.all);
    secure_free(secure);
    free(places);
}

/* Instances in turn: a client stays with its own. */
static unsigned port_of(const struct options *options, unsigned number)
{
    return options->port_count ? options->ports[number % options->port_count] : 0;
}

static void start_member(struct place *place)
{
    pthread_attr_t attributes;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (pthread_create(&place->thread, &attributes, run_member, place) != 0) {
        fail("cannot start a thread");
    }
    (void)pthread_attr_destroy(&attributes);
}

static void *run_member(void *context)
{
    struct place *place = context;
    struct crew_member *member = &place->member;

    if (place->crew->work->prepare) {
        place->crew->work->prepare(member);
    }
    (void)pthread_barrier_wait(&place->crew->start);
    member->begin_us = clock_elapsed_us();
    place->crew->work->work(member);
    client_close(&member->client);
    return NULL;
}
