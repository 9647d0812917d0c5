#include "server/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A service manager's end, in the abstract name space: nothing is left behind. */
static int open_manager(char *name, size_t capacity)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    (void)snprintf(name, capacity, "@pierone-test-notify-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    return fd;
}

static void the_state_arrives(void **state)
{
    char name[64];
    char text[64] = "";
    const int fd = open_manager(name, sizeof(name));

    (void)state;
    notify_send(name, "READY=1");
    assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), strlen("READY=1"));
    assert_string_equal(text, "READY=1");
    assert_int_equal(close(fd), 0);
}

static void nobody_needs_to_listen(void **state)
{
    char longest[200];

    (void)state;
    notify_send(NULL, "READY=1");
    notify_send("", "READY=1");
    notify_send("/nowhere/at/all", "READY=1");
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    notify_send(longest, "READY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_arrives),
        cmocka_unit_test(nobody_needs_to_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
