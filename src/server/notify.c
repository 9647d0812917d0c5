#include "server/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *socket_path, const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = socket_path ? strlen(socket_path) : 0;
    int fd;

    if (length == 0 || length >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, socket_path, length);
    if (socket_path[0] == '@') {
        address.sun_path[0] = '\0'; /* unix(7): the abstract name space */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
        (void)close(fd);
    }
}
