#include <time.h>

#include "base/clock.h"
#include "base/workers.h"
#include "crew.h"
#include "kinds.h"

static void probe(struct crew_member *member);
static void sleep_until(int64_t due_us);
static void get(struct crew_member *member, const char *path, int64_t since_us);
static void download(struct crew_member *member);
static void pull(struct crew_member *member);

void load_probe(const struct options *options)
{
    crew_run(options, options->connections, &(struct crew_work){.work = probe});
}

static void probe(struct crew_member *member)
{
    const struct options *options = member->options;
    const int64_t interval_us = (int64_t)options->connections * 1000000 / options->rate;
    const int64_t end_us = member->begin_us + (int64_t)options->seconds * 1000000;
    int64_t due_us = member->begin_us + interval_us * member->number / options->connections;

    scheduling_be_prompt(); /* its own waiting for a processor is not the server's */
    for (size_t i = member->number; due_us < end_us; i++) {
        sleep_until(due_us);
        get(member, options->paths[i % options->path_count], due_us);
        due_us += interval_us;
    }
}

static void sleep_until(int64_t due_us)
{
    const int64_t left_us = due_us - clock_elapsed_us();
    const struct timespec pause = {.tv_sec = left_us / 1000000,
                                   .tv_nsec = left_us % 1000000 * 1000};

    if (left_us > 0) {
        (void)nanosleep(&pause, NULL);
    }
}

static void get(struct crew_member *member, const char *path, int64_t since_us)
{
    const struct client_request request = {.method = member->options->method, .path = path};
    struct client_answer answer;

    if (client_ask(&member->client, &request, &answer) && answer.status == 200) {
        recorder_add(&member->recorder, clock_elapsed_us() - since_us);
        member->recorder.bytes += answer.body_bytes;
    } else {
        member->recorder.failed++;
    }
}

void load_download(const struct options *options)
{
    crew_run(options, options->connections, &(struct crew_work){.work = download});
}

static void download(struct crew_member *member)
{
    const int64_t end_us = member->begin_us + (int64_t)member->options->seconds * 1000000;
    int64_t now_us = member->begin_us;

    while (now_us < end_us) {
        get(member, member->options->paths[0], now_us);
        now_us = clock_elapsed_us();
    }
}

void load_pull(const struct options *options)
{
    crew_run(options, options->connections, &(struct crew_work){.work = pull});
}

/* All paths are one pull: it took as long as they did together. */
static void pull(struct crew_member *member)
{
    const struct options *options = member->options;
    bool is_done = true;

    for (size_t i = 0; i < options->path_count && is_done; i++) {
        const struct client_request request = {.method = "GET", .path = options->paths[i]};
        struct client_answer answer;

        is_done = client_ask(&member->client, &request, &answer) && answer.status == 200;
        member->recorder.bytes += is_done ? answer.body_bytes : 0;
    }
    if (is_done) {
        recorder_add(&member->recorder, clock_elapsed_us() - member->begin_us);
    } else {
        member->recorder.failed++;
    }
}
