#include "http/tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
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

#include "http/tls_tickets.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

enum {
    FILE_BYTES = 300000,
    PATH_BYTES = 4096,
    RUNS = 1000000,
    RECORD_HEADER_BYTES = 5,
    APPLICATION_DATA = 23,
};

struct fixture {
    char *folder;
    char certificate[PATH_BYTES];
    char key[PATH_BYTES];
    struct tls_config config;
    struct fake_clock clock;
    struct tls *tls;
    struct transport transport; /* the server's side */
    SSL_CTX *client_context;
    SSL *client;
    SSL_SESSION *session; /* that the client resumes; or NULL */
    int client_fd;
    int file_fd;
};

static void new_certificate(struct fixture *fixture, const char *name)
{
    certificate_write(name, fixture->certificate, fixture->key);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[] = "/tmp/pierone-test-tls-XXXXXX";
    char *bytes = malloc(FILE_BYTES);

    memset(bytes, 'f', FILE_BYTES);
    fixture->file_fd = mkstemp(path);
    (void)unlink(path);
    assert_int_equal(write(fixture->file_fd, bytes, FILE_BYTES), FILE_BYTES);
    free(bytes);
    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->certificate, PATH_BYTES, "%s/certificate.pem", fixture->folder);
    (void)snprintf(fixture->key, PATH_BYTES, "%s/key.pem", fixture->folder);
    new_certificate(fixture, "first");
    fixture->config =
        (struct tls_config){fixture->certificate, fixture->key, .ciphers = TLS_CIPHERS_DEFAULT};
    fake_clock_init(&fixture->clock);
    fixture->client_context = SSL_CTX_new(TLS_client_method());
    *state = fixture;
    return 0;
}

static void hang_up(struct fixture *fixture)
{
    if (fixture->client) {
        SSL_set_shutdown(fixture->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(fixture->client);
        fixture->client = NULL;
        (void)close(fixture->client_fd);
        transport_release(&fixture->transport);
    }
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    hang_up(fixture);
    SSL_SESSION_free(fixture->session);
    SSL_CTX_free(fixture->client_context);
    tls_free(fixture->tls);
    (void)close(fixture->file_fd);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static void start(struct fixture *fixture)
{
    assert_int_equal(tls_new(&fixture->config, &fixture->clock.clock, &fixture->tls, NULL), OK);
}

/* Both ends in one thread: each moves when the other waits. False if one of them gives up. */
static bool connects(struct fixture *fixture)
{
    int ends[2];
    enum io_result result = IO_WAIT_READ;
    int connected = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    fixture->client_fd = ends[0];
    fixture->client = SSL_new(fixture->client_context);
    (void)SSL_set_fd(fixture->client, ends[0]);
    if (fixture->session) {
        assert_int_equal(SSL_set_session(fixture->client, fixture->session), 1);
    }
    assert_true(tls_transport_init(fixture->tls, &fixture->transport, ends[1]));
    for (int i = 0; i < RUNS && result != IO_CLOSED && (result != IO_DONE || connected != 1); i++) {
        if (connected != 1) {
            connected = SSL_connect(fixture->client);
        }
        if (result != IO_DONE) {
            result = fixture->transport.driver->handshake(&fixture->transport);
        }
    }
    return result == IO_DONE && connected == 1;
}

static void connect_both(struct fixture *fixture)
{
    assert_true(connects(fixture));
}

static void open_both(struct fixture *fixture)
{
    start(fixture);
    connect_both(fixture);
}

static void bytes_go_both_ways(void **state)
{
    struct fixture *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[10] = {0};
    size_t length = 0;

    open_both(fixture);
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
    struct fixture *fixture = *state;
    uint64_t offset = 0;
    size_t heard = 0;

    open_both(fixture);
    for (int i = 0; i < RUNS && heard < FILE_BYTES; i++) {
        char bytes[20000];
        size_t sent = 0;
        int got = 0;

        if (offset < FILE_BYTES &&
            fixture->transport.driver->send_file(&fixture->transport, fixture->file_fd, offset,
                                                 FILE_BYTES - (size_t)offset, &sent) == IO_DONE) {
            offset += sent;
        }
        if (offset == FILE_BYTES) {
            (void)fixture->transport.driver->flush(&fixture->transport);
        }
        got = SSL_read(fixture->client, bytes, sizeof(bytes));
        for (int j = 0; j < got; j++) {
            assert_int_equal(bytes[j], 'f');
        }
        heard += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(heard, FILE_BYTES);
}

static void the_end_is_told_and_heard(void **state)
{
    struct fixture *fixture = *state;
    char bytes[10];
    size_t length = 1;

    open_both(fixture);
    (void)SSL_shutdown(fixture->client);
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, sizeof(bytes), &length),
        IO_DONE);
    assert_int_equal(length, 0);
    fixture->transport.driver->shutdown_write(&fixture->transport);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 0);
    assert_int_equal(SSL_get_error(fixture->client, 0), SSL_ERROR_ZERO_RETURN);
}

/* How many records have arrived at the client, which has not read them yet. */
static size_t count_records(const struct fixture *fixture)
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

static void quiet_client(struct fixture *fixture)
{
    char byte = 0;

    assert_int_equal(SSL_read(fixture->client, &byte, 1), -1);
    assert_int_equal(count_records(fixture), 0);
}

static void head_and_bytes_are_one_record(void **state)
{
    struct fixture *fixture = *state;
    char bytes[10] = {0};
    size_t sent = 0;

    open_both(fixture);
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
    struct fixture *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[10] = {0};
    size_t sent = 0;

    open_both(fixture);
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
    struct fixture *fixture = *state;
    char bytes[10] = {0};
    size_t sent = 0;
    open_both(fixture);
    assert_int_equal(fixture->transport.driver->write(&fixture->transport, str_from("head"),
                                                      (struct str){0}, true, &sent),
                     IO_DONE);
    assert_int_equal(fixture->transport.driver->flush(&fixture->transport), IO_DONE);
    assert_int_equal(SSL_read(fixture->client, bytes, sizeof(bytes)), 4);
}

static void an_answer_is_not_out_before_the_socket_has_it(void **state)
{
    struct fixture *fixture = *state;
    const struct transport_driver *driver = NULL;
    char *bytes = calloc(1, FILE_BYTES);
    size_t length = 1;
    size_t sent = 0;
    size_t heard = 0;

    open_both(fixture);
    driver = fixture->transport.driver;
    while (driver->write(&fixture->transport, (struct str){0}, (struct str){bytes, FILE_BYTES},
                         false, &length) == IO_DONE) {
        sent += length;
    }
    assert_int_equal(driver->flush(&fixture->transport), IO_WAIT_WRITE);
    for (int i = 0; i < RUNS && heard < sent; i++) {
        const int got = SSL_read(fixture->client, bytes, FILE_BYTES);

        heard += got > 0 ? (size_t)got : 0;
        (void)driver->flush(&fixture->transport);
    }
    assert_int_equal(heard, sent);
    assert_int_equal(driver->flush(&fixture->transport), IO_DONE);
    free(bytes);
}

static void many_records_are_read_at_once(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = calloc(1, FILE_BYTES);
    size_t length = 0;

    open_both(fixture);
    assert_int_equal(SSL_write(fixture->client, bytes, 100000), 100000);
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, FILE_BYTES, &length), IO_DONE);
    assert_int_equal(length, 100000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(SSL_write(fixture->client, "b", 1), 1);
    }
    assert_int_equal(
        fixture->transport.driver->read(&fixture->transport, bytes, FILE_BYTES, &length), IO_DONE);
    assert_int_equal(length, 100);
    free(bytes);
}

static void what_there_is_no_room_for_is_read_later(void **state)
{
    struct fixture *fixture = *state;
    const struct transport_driver *driver = NULL;
    char bytes[1000];
    size_t total = 0;
    size_t length = 0;

    open_both(fixture);
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
static int trickle(struct fixture *fixture, BIO *said)
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
    struct fixture *fixture = *state;
    BIO *said = BIO_new(BIO_s_mem());

    open_both(fixture);
    SSL_set0_wbio(fixture->client, said);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_write(fixture->client, "hello", 5), 5);
        assert_int_equal(trickle(fixture, said), 1);
    }
}

static void who_only_changes_keys_is_not_heard_for_ever(void **state)
{
    struct fixture *fixture = *state;
    enum io_result result = IO_WAIT_READ;
    char bytes[10];
    size_t length = 1;

    open_both(fixture);
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
static enum io_result greet(struct fixture *fixture, const char *bytes, size_t length)
{
    struct transport transport;
    enum io_result result = IO_DONE;
    int ends[2];

    start(fixture);
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

/* Whose certificate the client sees. */
static void assert_certificate(struct fixture *fixture, const char *name)
{
    X509 *certificate = SSL_get1_peer_certificate(fixture->client);
    char text[100] = "";

    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                                    sizeof(text));
    X509_free(certificate);
    assert_string_equal(text, name);
}

static void a_reload_is_for_new_connections(void **state)
{
    struct fixture *fixture = *state;

    open_both(fixture);
    assert_certificate(fixture, "first");
    new_certificate(fixture, "second");
    assert_int_equal(tls_reload(fixture->tls, NULL), OK);
    assert_certificate(fixture, "first");
    hang_up(fixture);
    connect_both(fixture);
    assert_certificate(fixture, "second");
}

static void a_reload_that_fails_keeps_the_old(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    start(fixture);
    assert_int_equal(truncate(fixture->certificate, 10), 0);
    assert_int_equal(tls_reload(fixture->tls, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture->certificate));
    connect_both(fixture);
    assert_certificate(fixture, "first");
}

static void assert_refused(struct fixture *fixture, const char *certificate, const char *key,
                           struct error *err)
{
    fixture->config.certificate = certificate;
    fixture->config.key = key;
    assert_int_equal(tls_new(&fixture->config, &fixture->clock.clock, &fixture->tls, err),
                     ERROR_INVALID);
}

static void files_that_do_not_fit_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    char other_key[PATH_BYTES + 8];
    char other_certificate[PATH_BYTES + 8];

    (void)snprintf(other_key, sizeof(other_key), "%s.other", fixture->key);
    (void)snprintf(other_certificate, sizeof(other_certificate), "%s.other", fixture->certificate);
    assert_refused(fixture, other_certificate, fixture->key, &err);
    assert_non_null(strstr(err.message, other_certificate));
    assert_refused(fixture, fixture->certificate, other_key, &err);
    assert_non_null(strstr(err.message, other_key));
    certificate_write("other", other_certificate, other_key);
    assert_refused(fixture, fixture->certificate, other_key, &err);
    assert_non_null(strstr(err.message, other_key));
    assert_null(fixture->tls);
}

/* Whether a client that offers no more than these is served. */
static bool serves(struct fixture *fixture, int version, const char *ciphers)
{
    bool is_served = false;

    assert_int_equal(SSL_CTX_set_max_proto_version(fixture->client_context, version), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(fixture->client_context, ciphers), 1);
    is_served = connects(fixture);
    hang_up(fixture);
    return is_served;
}

static void only_good_ciphers_are_spoken(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    assert_true(serves(fixture, TLS1_3_VERSION, "ALL"));
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+AESGCM"));
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+CHACHA20"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA384"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA1"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+AESCCM"));
}

static void ciphers_and_the_oldest_version_can_be_chosen(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.ciphers = "ECDHE-ECDSA-AES256-SHA384";
    start(fixture);
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA384"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+AESGCM"));
    tls_free(fixture->tls);
    fixture->config =
        (struct tls_config){fixture->certificate, fixture->key, TLS_1_3, TLS_CIPHERS_DEFAULT};
    start(fixture);
    assert_false(serves(fixture, TLS1_2_VERSION, "ALL"));
    assert_true(serves(fixture, TLS1_3_VERSION, "ALL"));
}

static void ciphers_that_nobody_knows_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(tls_check_ciphers(TLS_CIPHERS_DEFAULT, &err), OK);
    assert_int_equal(tls_check_ciphers("ECDHE+AESGCM:AES999", &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "\"AES999\""));
    assert_int_equal(tls_check_ciphers("ECDHE+AESGCM::AESCCM", &err), ERROR_INVALID);
    assert_int_equal(tls_check_ciphers("TLS_AES_128_GCM_SHA256", &err), ERROR_INVALID);
    fixture->config.ciphers = "AES999";
    assert_int_equal(tls_new(&fixture->config, &fixture->clock.clock, &fixture->tls, &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, "AES999"));
}

/* Whether a new connection resumes the session that is remembered. */
static bool resumes(struct fixture *fixture)
{
    bool is_resumed = false;

    connect_both(fixture);
    is_resumed = SSL_session_reused(fixture->client) == 1;
    hang_up(fixture);
    return is_resumed;
}

static void begin_session(struct fixture *fixture, int version)
{
    char byte = 0;

    SSL_SESSION_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(SSL_CTX_set_max_proto_version(fixture->client_context, version), 1);
    connect_both(fixture);
    assert_int_equal(SSL_read(fixture->client, &byte, 1), -1); /* the ticket of TLS 1.3 */
    fixture->session = SSL_get1_session(fixture->client);
    assert_true(SSL_SESSION_is_resumable(fixture->session));
    hang_up(fixture);
}

static void a_ticket_counts_until_its_key_was_changed_twice(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const int64_t lifetime_ms = TLS_TICKET_LIFETIME_S * 1000;
    struct fixture *fixture = *state;

    start(fixture);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        begin_session(fixture, versions[i]);
        assert_true(resumes(fixture));
        fake_clock_advance(&fixture->clock, lifetime_ms - 1);
        assert_true(resumes(fixture));
        fake_clock_advance(&fixture->clock, 1);
        assert_true(resumes(fixture));
        fake_clock_advance(&fixture->clock, lifetime_ms);
        assert_false(resumes(fixture));
    }
}

static void a_ticket_does_not_outlive_its_key_because_nobody_came(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    fake_clock_advance(&fixture->clock, (int64_t)TLS_TICKET_LIFETIME_S * 1000 * 2);
    assert_false(resumes(fixture));
}

/* RFC 8446 C.4: a client uses a ticket once, and then has to have another. */
static void a_session_that_is_resumed_can_be_resumed_again(void **state)
{
    struct fixture *fixture = *state;
    char byte = 0;

    start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    for (int i = 0; i < 3; i++) {
        connect_both(fixture);
        assert_int_equal(SSL_session_reused(fixture->client), 1);
        assert_int_equal(SSL_read(fixture->client, &byte, 1), -1);
        SSL_SESSION_free(fixture->session);
        fixture->session = SSL_get1_session(fixture->client);
        assert_true(SSL_SESSION_is_resumable(fixture->session));
        hang_up(fixture);
    }
}

static void the_cheapest_cipher_is_preferred(void **state)
{
    struct fixture *fixture = *state;

    open_both(fixture);
    assert_string_equal(SSL_get_cipher_name(fixture->client), "TLS_AES_128_GCM_SHA256");
    hang_up(fixture);
    assert_int_equal(
        SSL_CTX_set_ciphersuites(fixture->client_context,
                                 "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        1);
    connect_both(fixture);
    assert_string_equal(SSL_get_cipher_name(fixture->client), "TLS_CHACHA20_POLY1305_SHA256");
}

static void a_reload_ends_no_session(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    assert_int_equal(tls_reload(fixture->tls, NULL), OK);
    assert_true(resumes(fixture));
}

static void the_kernel_encrypts_only_on_tcp(void **state)
{
    struct fixture *fixture = *state;

    open_both(fixture);
    assert_false(tls_transport_is_offloaded(&fixture->transport));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_arrives_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_told_and_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_and_bytes_are_one_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_and_its_short_file_are_one_record, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_to_leave_with_more_leaves_by_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_not_out_before_the_socket_has_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_records_are_read_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_there_is_no_room_for_is_read_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_is_read_when_it_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_only_changes_keys_is_not_heard_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(http_is_told_from_what_is_no_tls_either, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_is_for_new_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_that_fails_keeps_the_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_do_not_fit_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_good_ciphers_are_spoken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ciphers_and_the_oldest_version_can_be_chosen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ciphers_that_nobody_knows_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_counts_until_its_key_was_changed_twice, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_does_not_outlive_its_key_because_nobody_came,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_is_resumed_can_be_resumed_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_cheapest_cipher_is_preferred, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_ends_no_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_kernel_encrypts_only_on_tcp, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
