#include "metadata/sql_postgresql_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void each_server_is_told_apart(void **state)
{
    struct postgresql_servers servers;

    (void)state;
    assert_int_equal(
        postgresql_servers_read("postgresql://me@a:6000,b/x?hostaddr=10.0.0.1,10.0.0.2", "other",
                                &servers, NULL),
        OK);
    assert_int_equal(servers.count, 2);
    assert_string_equal(servers.servers[0].server.host, "a");
    assert_int_equal(servers.servers[0].server.port, 6000);
    assert_string_equal(servers.servers[0].port_text, "6000");
    assert_string_equal(servers.servers[0].address, "10.0.0.1");
    assert_string_equal(servers.servers[0].server.user, "me");
    assert_string_equal(servers.servers[1].server.host, "b");
    assert_int_equal(servers.servers[1].server.port, 5432);
    assert_string_equal(servers.servers[1].address, "10.0.0.2");
    assert_string_equal(servers.servers[1].server.user, "me");
    postgresql_servers_release(&servers);
}

static void one_port_is_that_of_all(void **state)
{
    struct postgresql_servers servers;

    (void)state;
    assert_int_equal(
        postgresql_servers_read("postgresql:///x?host=a,b,c&port=7000", "me", &servers, NULL), OK);
    assert_int_equal(servers.count, 3);
    for (size_t i = 0; i < servers.count; i++) {
        assert_int_equal(servers.servers[i].server.port, 7000);
        assert_null(servers.servers[i].address);
        assert_string_equal(servers.servers[i].server.user, "me");
    }
    postgresql_servers_release(&servers);
}

static void what_tells_no_server_is_refused_without_being_shown(void **state)
{
    static const char *const urls[] = {
        "postgresql://me:secret@/x",
        "postgresql://me:secret@a,/x",
        "postgresql://me:secret@a:70000/x",
        "postgresql://me:secret@a/x?secret=1",
        "postgresql://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/x?user=secret",
        "postgresql://a/secret",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct postgresql_servers servers;
        struct error err = {0};

        assert_int_equal(postgresql_servers_read(urls[i], NULL, &servers, &err), ERROR_INVALID);
        assert_null(strstr(err.message, "secret"));
        assert_true(strlen(err.message) > 0);
    }
}

static void tls_is_demanded_by_three_modes(void **state)
{
    (void)state;
    (void)unsetenv("PGSSLMODE");
    assert_true(postgresql_url_demands_tls("postgresql://a/x?sslmode=require"));
    assert_true(postgresql_url_demands_tls("postgresql://a/x?sslmode=verify-ca"));
    assert_true(postgresql_url_demands_tls("postgresql://a/x?sslmode=verify-full"));
    assert_false(postgresql_url_demands_tls("postgresql://a/x?sslmode=prefer"));
    assert_false(postgresql_url_demands_tls("postgresql://a/x?sslmode=disable"));
    assert_false(postgresql_url_demands_tls("postgresql://a/x"));
    assert_false(postgresql_url_demands_tls("postgresql:///x?host=a,/run&sslmode=require"));
    (void)setenv("PGSSLMODE", "verify-full", 1);
    assert_true(postgresql_url_demands_tls("postgresql://a/x"));
    assert_false(postgresql_url_demands_tls("postgresql://a/x?sslmode=disable"));
    (void)unsetenv("PGSSLMODE");
}

static void a_password_is_seen(void **state)
{
    (void)state;
    assert_true(postgresql_url_has_password("postgresql://me:secret@a/x"));
    assert_true(postgresql_url_has_password("postgresql://me@a/x?password=secret"));
    assert_false(postgresql_url_has_password("postgresql://me@a/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_told_apart),
        cmocka_unit_test(one_port_is_that_of_all),
        cmocka_unit_test(what_tells_no_server_is_refused_without_being_shown),
        cmocka_unit_test(tls_is_demanded_by_three_modes),
        cmocka_unit_test(a_password_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
