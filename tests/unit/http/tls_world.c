#include "tests/unit/http/tls_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/certificate.h"
#include "tests/support/temporary_folder.h"

void tls_world_write_certificate(struct tls_world *world, const char *name)
{
    certificate_write(name, world->certificate, world->key);
}

int tls_world_set_up(void **state)
{
    struct tls_world *world = calloc(1, sizeof(*world));
    char path[] = "/tmp/pierone-test-tls-XXXXXX";
    char *bytes = malloc(TLS_WORLD_FILE_BYTES);

    memset(bytes, 'f', TLS_WORLD_FILE_BYTES);
    world->file_fd = mkstemp(path);
    (void)unlink(path);
    assert_int_equal(write(world->file_fd, bytes, TLS_WORLD_FILE_BYTES), TLS_WORLD_FILE_BYTES);
    free(bytes);
    world->folder = temporary_folder_new();
    (void)snprintf(world->certificate, TLS_WORLD_PATH_BYTES, "%s/certificate.pem", world->folder);
    (void)snprintf(world->key, TLS_WORLD_PATH_BYTES, "%s/key.pem", world->folder);
    tls_world_write_certificate(world, "first");
    world->config =
        (struct tls_config){world->certificate, world->key, .ciphers = TLS_CIPHERS_DEFAULT};
    fake_clock_init(&world->clock);
    world->client_context = SSL_CTX_new(TLS_client_method());
    *state = world;
    return 0;
}

void tls_world_hang_up(struct tls_world *world)
{
    if (world->client) {
        SSL_set_shutdown(world->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(world->client);
        world->client = NULL;
        (void)close(world->client_fd);
        transport_release(&world->transport);
    }
}

int tls_world_tear_down(void **state)
{
    struct tls_world *world = *state;

    tls_world_hang_up(world);
    SSL_SESSION_free(world->session);
    SSL_CTX_free(world->client_context);
    tls_free(world->tls);
    (void)close(world->file_fd);
    temporary_folder_free(world->folder);
    free(world);
    return 0;
}

void tls_world_start(struct tls_world *world)
{
    assert_int_equal(tls_new(&world->config, &world->clock.clock, &world->tls, NULL), OK);
}

/* Each end moves when the other waits. */
bool tls_world_connects(struct tls_world *world)
{
    int ends[2];
    enum io_result result = IO_WAIT_READ;
    int connected = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    world->client_fd = ends[0];
    world->client = SSL_new(world->client_context);
    (void)SSL_set_fd(world->client, ends[0]);
    if (world->session) {
        assert_int_equal(SSL_set_session(world->client, world->session), 1);
    }
    assert_true(tls_transport_init(world->tls, &world->transport, ends[1]));
    for (int i = 0;
         i < TLS_WORLD_RUNS && result != IO_CLOSED && (result != IO_DONE || connected != 1); i++) {
        if (connected != 1) {
            connected = SSL_connect(world->client);
        }
        if (result != IO_DONE) {
            result = world->transport.driver->handshake(&world->transport);
        }
    }
    return result == IO_DONE && connected == 1;
}

void tls_world_connect(struct tls_world *world)
{
    assert_true(tls_world_connects(world));
}

void tls_world_open(struct tls_world *world)
{
    tls_world_start(world);
    tls_world_connect(world);
}
