#include "http/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/tls_tickets.h"
#include "tests/support/certificate.h"
#include "tests/unit/http/tls_world.h"

/* Whose certificate the client sees. */
static void assert_certificate(struct tls_world *fixture, const char *name)
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
    struct tls_world *fixture = *state;

    tls_world_open(fixture);
    assert_certificate(fixture, "first");
    tls_world_write_certificate(fixture, "second");
    assert_int_equal(tls_reload(fixture->tls, NULL), OK);
    assert_certificate(fixture, "first");
    tls_world_hang_up(fixture);
    tls_world_connect(fixture);
    assert_certificate(fixture, "second");
}

static void a_reload_that_fails_keeps_the_old(void **state)
{
    struct tls_world *fixture = *state;
    struct error err = {0};

    tls_world_start(fixture);
    assert_int_equal(truncate(fixture->certificate, 10), 0);
    assert_int_equal(tls_reload(fixture->tls, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture->certificate));
    tls_world_connect(fixture);
    assert_certificate(fixture, "first");
}

static void assert_refused(struct tls_world *fixture, const char *certificate, const char *key,
                           struct error *err)
{
    fixture->config.certificate = certificate;
    fixture->config.key = key;
    assert_int_equal(tls_new(&fixture->config, &fixture->clock.clock, &fixture->tls, err),
                     ERROR_INVALID);
}

static void files_that_do_not_fit_are_refused(void **state)
{
    struct tls_world *fixture = *state;
    struct error err = {0};
    char other_key[TLS_WORLD_PATH_BYTES + 8];
    char other_certificate[TLS_WORLD_PATH_BYTES + 8];

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
static bool serves(struct tls_world *fixture, int version, const char *ciphers)
{
    bool is_served = false;

    assert_int_equal(SSL_CTX_set_max_proto_version(fixture->client_context, version), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(fixture->client_context, ciphers), 1);
    is_served = tls_world_connects(fixture);
    tls_world_hang_up(fixture);
    return is_served;
}

static void only_good_ciphers_are_spoken(void **state)
{
    struct tls_world *fixture = *state;

    tls_world_start(fixture);
    assert_true(serves(fixture, TLS1_3_VERSION, "ALL"));
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+AESGCM"));
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+CHACHA20"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA384"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA1"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+AESCCM"));
}

static void ciphers_and_the_oldest_version_can_be_chosen(void **state)
{
    struct tls_world *fixture = *state;

    fixture->config.ciphers = "ECDHE-ECDSA-AES256-SHA384";
    tls_world_start(fixture);
    assert_true(serves(fixture, TLS1_2_VERSION, "ECDHE+SHA384"));
    assert_false(serves(fixture, TLS1_2_VERSION, "ECDHE+AESGCM"));
    tls_free(fixture->tls);
    fixture->config =
        (struct tls_config){fixture->certificate, fixture->key, TLS_1_3, TLS_CIPHERS_DEFAULT};
    tls_world_start(fixture);
    assert_false(serves(fixture, TLS1_2_VERSION, "ALL"));
    assert_true(serves(fixture, TLS1_3_VERSION, "ALL"));
}

static void ciphers_that_nobody_knows_are_named(void **state)
{
    struct tls_world *fixture = *state;
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
static bool resumes(struct tls_world *fixture)
{
    bool is_resumed = false;

    tls_world_connect(fixture);
    is_resumed = SSL_session_reused(fixture->client) == 1;
    tls_world_hang_up(fixture);
    return is_resumed;
}

static void begin_session(struct tls_world *fixture, int version)
{
    char byte = 0;

    SSL_SESSION_free(fixture->session);
    fixture->session = NULL;
    assert_int_equal(SSL_CTX_set_max_proto_version(fixture->client_context, version), 1);
    tls_world_connect(fixture);
    assert_int_equal(SSL_read(fixture->client, &byte, 1), -1); /* the ticket of TLS 1.3 */
    fixture->session = SSL_get1_session(fixture->client);
    assert_true(SSL_SESSION_is_resumable(fixture->session));
    tls_world_hang_up(fixture);
}

static void a_ticket_counts_until_its_key_was_changed_twice(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const int64_t lifetime_ms = TLS_TICKET_LIFETIME_S * 1000;
    struct tls_world *fixture = *state;

    tls_world_start(fixture);
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
    struct tls_world *fixture = *state;

    tls_world_start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    fake_clock_advance(&fixture->clock, (int64_t)TLS_TICKET_LIFETIME_S * 1000 * 2);
    assert_false(resumes(fixture));
}

/* RFC 8446 C.4: a client uses a ticket once, and then has to have another. */
static void a_session_that_is_resumed_can_be_resumed_again(void **state)
{
    struct tls_world *fixture = *state;
    char byte = 0;

    tls_world_start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    for (int i = 0; i < 3; i++) {
        tls_world_connect(fixture);
        assert_int_equal(SSL_session_reused(fixture->client), 1);
        assert_int_equal(SSL_read(fixture->client, &byte, 1), -1);
        SSL_SESSION_free(fixture->session);
        fixture->session = SSL_get1_session(fixture->client);
        assert_true(SSL_SESSION_is_resumable(fixture->session));
        tls_world_hang_up(fixture);
    }
}

static void the_cheapest_cipher_is_preferred(void **state)
{
    struct tls_world *fixture = *state;

    tls_world_open(fixture);
    assert_string_equal(SSL_get_cipher_name(fixture->client), "TLS_AES_128_GCM_SHA256");
    tls_world_hang_up(fixture);
    assert_int_equal(
        SSL_CTX_set_ciphersuites(fixture->client_context,
                                 "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        1);
    tls_world_connect(fixture);
    assert_string_equal(SSL_get_cipher_name(fixture->client), "TLS_CHACHA20_POLY1305_SHA256");
}

static void a_reload_ends_no_session(void **state)
{
    struct tls_world *fixture = *state;

    tls_world_start(fixture);
    begin_session(fixture, TLS1_3_VERSION);
    assert_int_equal(tls_reload(fixture->tls, NULL), OK);
    assert_true(resumes(fixture));
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reload_is_for_new_connections, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_reload_that_fails_keeps_the_old, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(files_that_do_not_fit_are_refused, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(only_good_ciphers_are_spoken, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(ciphers_and_the_oldest_version_can_be_chosen,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(ciphers_that_nobody_knows_are_named, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_counts_until_its_key_was_changed_twice,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_does_not_outlive_its_key_because_nobody_came,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_is_resumed_can_be_resumed_again,
                                        tls_world_set_up, tls_world_tear_down),
        cmocka_unit_test_setup_teardown(the_cheapest_cipher_is_preferred, tls_world_set_up,
                                        tls_world_tear_down),
        cmocka_unit_test_setup_teardown(a_reload_ends_no_session, tls_world_set_up,
                                        tls_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
