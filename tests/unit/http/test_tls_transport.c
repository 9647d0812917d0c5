#include "http/tls_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/http/tls_world.h"

enum { RECORD_HEADER_BYTES = 5, APPLICATION_DATA = 23 };

static void bytes_go_both_ways(void **state)
{
    struct tls_world *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[10] = {0};
    size_t length = 0;

    tls_world_open(fixture);
    driver = fixture->transport.driver;
    assert_int_equal(driver->read(&fixture->transport, bytes, sizeof(bytes), &length),
                     IO_WAIT_READ);
    assert_int_equal(SSL_write(fixture->client, "hello", 5), 5);
    assert_int_equal(driver->read(&fixture->transport, bytes, 2, &length), IO_DONE);
    assert_int_equal(length, 2);
    assert_true(driver->has_pending(&fixture->transport));
    assert_int_equal(driver->read(&fixture->transport, bytes + 2, 8, &length), IO_DONE);
    assert_string_equal(bytes, "hello");
    assert_int_equal(
        driver->write(&fixture->transport, (struct str){0}, str_from("you"), false, &length),
        IO_DONE);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 3);
    assert_memory_equal(bytes, "you", 3);
}

static void a_file_arrives_whole(void **state)
{
    struct tls_world *fixture = *state;
    uint64_t offset = 0;
    size_t heard = 0;

    tls_world_open(fixture);
    for (int i = 0; i < TLS_WORLD_RUNS && heard < TLS_WORLD_FILE_BYTES; i++) {
        char bytes[20000];
        size_t sent = 0;
        int got = 0;

        if (offset < TLS_WORLD_FILE_BYTES &&
            fixture->transport.driver->send_file(&fixture->transport, fixture->file_fd, offset,
                                                 TLS_WORLD_FILE_BYTES - (size_t)offset,
                                                 &sent) == IO_DONE) {
            offset += sent;
        }
        if (offset == TLS_WORLD_FILE_BYTES) {
            (void)fixture->transport.driver->flush(&fixture->transport);
        }
        got = SSL_read(fixture->client, bytes, sizeof(bytes));
        for (int j = 0; j < got; j++) {
            assert_int_equal(bytes[j], 'f');
        }
        heard += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(heard, TLS_WORLD_FILE_BYTES);
}

static void the_end_is_told_and_heard(void **state)
{
    struct tls_world *fixture = *state;
    char bytes[10];
    size_t length = 1;

    tls_world_open(fixture);
    (void)SSL_shutdown(fixture->client);
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, sizeof(bytes), &length),
        IO_DONE);
    assert_int_equal(length, 0);
    fixture->transport.driver->shutdown_write(&fixture->transport);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 0);
    assert_int_equal(SSL_get_error(fixture->client, 0), SSL_ERROR_ZERO_RETURN);
}

/* The end came with bytes before it: no event tells of it any more. */
static void assert_end_is_pending(struct tls_world *fixture, enum io_result end)
{
    const struct transport_driver *const driver = fixture->transport.driver;
    char bytes[10];
    size_t length = 0;

    assert_int_equal(driver->read(&fixture->transport, bytes, sizeof(bytes), &length), IO_DONE);
    assert_int_equal(length, 5);
    assert_true(driver->has_pending(&fixture->transport));
    assert_int_equal(driver->read(&fixture->transport, bytes, sizeof(bytes), &length), end);
    assert_true(end == IO_CLOSED || length == 0);
}

static void an_end_that_comes_with_bytes_is_heard_behind_them(void **state)
{
    struct tls_world *fixture = *state;

    tls_world_open(fixture);
    assert_int_equal(SSL_write(fixture->client, "hello", 5), 5);
    (void)SSL_shutdown(fixture->client);
    assert_end_is_pending(fixture, IO_DONE);
}

static void a_broken_record_that_comes_with_bytes_is_heard_behind_them(void **state)
{
    static const char broken[] = "\x17\x03\x03\x00\x20thirty-two bytes that are not so";
    struct tls_world *fixture = *state;
    const ssize_t length = RECORD_HEADER_BYTES + 0x20;

    tls_world_open(fixture);
    assert_int_equal(SSL_write(fixture->client, "hello", 5), 5);
    assert_int_equal(write(fixture->client_fd, broken, (size_t)length), length);
    assert_end_is_pending(fixture, IO_CLOSED);
}

/* How many records have arrived at the client, which has not read them yet. */
static size_t count_records(const struct tls_world *fixture)
{
    unsigned char bytes[100000];
    const ssize_t length = recv(fixture->client_fd, bytes, sizeof(bytes), MSG_PEEK);
    size_t count = 0;

    for (ssize_t at = 0; at + RECORD_HEADER_BYTES <= length; count++) {
        assert_int_equal(bytes[at], APPLICATION_DATA);
        at += RECORD_HEADER_BYTES + (bytes[at + 3] << 8 | bytes[at + 4]);
    }
    return count;
}

static void quiet_client(struct tls_world *fixture)
{
    char byte = 0;

    assert_int_equal(SSL_read(fixture->client, &byte, 1), -1);
    assert_int_equal(count_records(fixture), 0);
}

static void head_and_bytes_are_one_record(void **state)
{
    struct tls_world *fixture = *state;
    char bytes[10] = {0};
    size_t sent = 0;

    tls_world_open(fixture);
    quiet_client(fixture);
    assert_int_equal(fixture->transport.driver->write(&fixture->transport, str_from("head,"),
                                                      str_from("body"), false, &sent),
                     IO_DONE);
    assert_int_equal(count_records(fixture), 1);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 9);
    assert_string_equal(bytes, "head,body");
}

static void a_head_and_its_short_file_are_one_record(void **state)
{
    struct tls_world *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[10] = {0};
    size_t sent = 0;

    tls_world_open(fixture);
    quiet_client(fixture);
    driver = fixture->transport.driver;
    assert_int_equal(
        driver->write(&fixture->transport, str_from("head,"), (struct str){0}, true, &sent),
        IO_DONE);
    assert_int_equal(sent, 5);
    assert_int_equal(count_records(fixture), 0);
    assert_int_equal(driver->send_file(&fixture->transport, fixture->file_fd, 1, 4, &sent),
                     IO_DONE);
    assert_int_equal(sent, 4);
    assert_int_equal(driver->flush(&fixture->transport), IO_DONE);
    assert_int_equal(count_records(fixture), 1);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 9);
    assert_string_equal(bytes, "head,ffff");
}

static void what_was_to_leave_with_more_leaves_by_itself(void **state)
{
    struct tls_world *fixture = *state;
    char bytes[10] = {0};
    size_t sent = 0;
    tls_world_open(fixture);
    assert_int_equal(fixture->transport.driver->write(&fixture->transport, str_from("head"),
                                                      (struct str){0}, true, &sent),
                     IO_DONE);
    assert_int_equal(fixture->transport.driver->flush(&fixture->transport), IO_DONE);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 4);
}

static void an_answer_is_not_out_before_the_socket_has_it(void **state)
{
    struct tls_world *fixture = *state;
    const struct transport_driver *driver = NULL;
    char *bytes = calloc(1, TLS_WORLD_FILE_BYTES);
    size_t length = 1;
    size_t sent = 0;
    size_t heard = 0;

    tls_world_open(fixture);
    driver = fixture->transport.driver;
    while (driver->write(&fixture->transport, (struct str){0},
                         (struct str){bytes, TLS_WORLD_FILE_BYTES}, false, &length) == IO_DONE) {
        sent += length;
    }
    assert_int_equal(driver->flush(&fixture->transport), IO_WAIT_WRITE);
    for (int i = 0; i < TLS_WORLD_RUNS && heard < sent; i++) {
        const int got = SSL_read(fixture->client, bytes, TLS_WORLD_FILE_BYTES);

        heard += got > 0 ? (size_t)got : 0;
        (void)driver->flush(&fixture->transport);
    }
    assert_int_equal(heard, sent);
    assert_int_equal(driver->flush(&fixture->transport), IO_DONE);
    free(bytes);
}

static void many_records_are_read_at_once(void **state)
{
    struct tls_world *fixture = *state;
    char *bytes = calloc(1, TLS_WORLD_FILE_BYTES);
    size_t length = 0;

    tls_world_open(fixture);
    assert_int_equal(SSL_write(fixture->client, bytes, 100000), 100000);
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, TLS_WORLD_FILE_BYTES, &length),
        IO_DONE);
    assert_int_equal(length, 100000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(SSL_write(fixture->client, "b", 1), 1);
    }
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, TLS_WORLD_FILE_BYTES, &length),
        IO_DONE);
    assert_int_equal(length, 100);
    free(bytes);
}

static void what_there_is_no_room_for_is_read_later(void **state)
{
    struct tls_world *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[1000];
    size_t total = 0;
    size_t length = 0;

    tls_world_open(fixture);
    driver = fixture->transport.driver;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(SSL_write(fixture->client, bytes, 700), 700);
    }
    assert_int_equal(driver->read(&fixture->transport, bytes, sizeof(bytes), &length), IO_DONE);
    for (total = length; driver->has_pending(&fixture->transport); total += length) {
        assert_int_equal(driver->read(&fixture->transport, bytes, sizeof(bytes), &length), IO_DONE);
    }
    assert_int_equal(total, 14000);
}

/* Gives the server what the client says byte by byte, and counts how often it hears something. */
static int trickle(struct tls_world *fixture, BIO *said)
{
    char byte = 0;
    char heard[100];
    size_t length = 0;
    int count = 0;

    while (BIO_read(said, &byte, 1) == 1) {
        assert_int_equal(write(fixture->client_fd, &byte, 1), 1);
        count += fixture->transport.driver->read(&fixture->transport, heard, sizeof(heard),
                                                 &length) == IO_DONE;
    }
    assert_memory_equal(heard, "hello", 5);
    return count;
}

static void a_record_is_read_when_it_is_whole(void **state)
{
    struct tls_world *fixture = *state;
    BIO *said = BIO_new(BIO_s_mem());

    tls_world_open(fixture);
    SSL_set0_wbio(fixture->client, said);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_write(fixture->client, "hello", 5), 5);
        assert_int_equal(trickle(fixture, said), 1);
    }
}

static void who_only_changes_keys_is_not_heard_for_ever(void **state)
{
    struct tls_world *fixture = *state;
    enum io_result result = IO_WAIT_READ;
    char bytes[10];
    size_t length = 1;

    tls_world_open(fixture);
    for (int i = 0; i < 3000 && result == IO_WAIT_READ; i++) {
        assert_int_equal(SSL_key_update(fixture->client, SSL_KEY_UPDATE_REQUESTED), 1);
        (void)SSL_do_handshake(fixture->client);
        result =
            fixture->transport.driver->read(&fixture->transport, bytes, sizeof(bytes), &length);
    }
    assert_true(result == IO_DONE && length == 0);
    assert_true(fixture->transport.driver->has_pending(&fixture->transport));
}

/* What the server makes of bytes that come first. */
static enum io_result greet(struct tls_world *fixture, const char *bytes, size_t length)
{
    struct transport transport;
    enum io_result result = IO_DONE;
    int ends[2];

    tls_world_start(fixture);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_true(tls_transport_init(fixture->tls, &transport, ends[1]));
    assert_int_equal(transport.driver->handshake(&transport), IO_WAIT_READ);
    assert_int_equal(write(ends[0], bytes, length), length);
    result = transport.driver->handshake(&transport);
    transport_release(&transport);
    (void)close(ends[0]);
    tls_free(fixture->tls);
    fixture->tls = NULL;
    return result;
}

static void http_is_told_from_what_is_no_tls_either(void **state)
{
    assert_int_equal(greet(*state, "GET / HTTP/1.1\r\n\r\n", 18), IO_FOREIGN);
    assert_int_equal(greet(*state, "P", 1), IO_FOREIGN);
    assert_int_equal(greet(*state, "\x80\x2e\x01\x03\x01", 5), IO_CLOSED); /* SSL 2 */
    assert_int_equal(greet(*state, "\x16\x02\x00\x00\x01", 5), IO_CLOSED);
    assert_int_equal(greet(*state, "\x16\x03\x01\xff\xff", 5), IO_CLOSED);
    assert_int_equal(greet(*state, "\x16\x03\x01", 3), IO_WAIT_READ);
}

static void the_kernel_encrypts_only_on_tcp(void **state)
{
    struct tls_world *fixture = *state;

    tls_world_open(fixture);
    assert_false(tls_transport_is_offloaded(&fixture->transport));
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways, tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_file_arrives_whole, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_told_and_heard, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_comes_with_bytes_is_heard_behind_them,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_broken_record_that_comes_with_bytes_is_heard_behind_them,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(head_and_bytes_are_one_record, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_head_and_its_short_file_are_one_record, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(what_was_to_leave_with_more_leaves_by_itself,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_not_out_before_the_socket_has_it,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(many_records_are_read_at_once, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(what_there_is_no_room_for_is_read_later, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_record_is_read_when_it_is_whole, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(who_only_changes_keys_is_not_heard_for_ever,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(http_is_told_from_what_is_no_tls_either, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(the_kernel_encrypts_only_on_tcp, tls_world_set_up,
                                        tls_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
