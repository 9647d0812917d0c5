#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "crew.h"
#include "kinds.h"

static void shake_hands(struct crew_member *member);
static bool ask_anew(struct crew_member *member, struct secure_session **before);
static void hang_up(struct client *client);

void load_handshake(const struct options *options)
{
    crew_run(options, options->connections, &(struct crew_work){.work = shake_hands});
}

static void shake_hands(struct crew_member *member)
{
    const int64_t end_us = member->begin_us + (int64_t)member->options->seconds * 1000000;
    struct secure_session *before = NULL;
    int64_t now_us = member->begin_us;

    while (now_us < end_us) {
        const int64_t begin_us = now_us;
        const bool is_done = ask_anew(member, &before);

        now_us = clock_elapsed_us();
        if (is_done) {
            recorder_add(&member->recorder, now_us - begin_us);
        } else {
            member->recorder.failed++;
        }
    }
    secure_close(before);
}

/* One request on a connection of its own. What *before held is resumed, if that is to be. */
static bool ask_anew(struct crew_member *member, struct secure_session **before)
{
    const struct client_request request = {.method = "GET", .path = member->options->paths[0]};
    struct client *client = &member->client;
    struct client_answer answer;
    bool is_done = false;

    client->before = *before;
    is_done = client_ask(client, &request, &answer) && answer.status == 200 &&
              (!*before || secure_is_resumed(client->session));
    client->before = NULL;
    if (is_done && member->options->resumes) {
        secure_close(*before);
        *before = client->session; /* its tickets came with the answer */
        client->session = NULL;
    }
    hang_up(client);
    return is_done;
}

/* With a reset: thousands that linger (TIME_WAIT) use up the ports. */
static void hang_up(struct client *client)
{
    const struct linger none = {.l_onoff = 1};

    if (client->fd >= 0) {
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    }
    client_close(client);
}
