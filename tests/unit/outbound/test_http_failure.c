#include "outbound/http_failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static void failures_name_host_and_reason_alone(void **state)
{
    static const struct {
        struct http_failure failure;
        const char *said;
    } rows[] = {
        {{"https://host:1/path?token=sesame", CURLE_OPERATION_TIMEDOUT, "https://x?token=sesame",
          false},
         "host:1 cannot be asked: no answer in time"},
        {{"http://host?token=sesame", CURLE_COULDNT_CONNECT, "refused", false},
         "host cannot be asked: refused"},
        {{"http://host/", CURLE_COULDNT_RESOLVE_HOST, "", false}, "resolve host"},
        {{"http://host/", CURLE_WRITE_ERROR, "sesame", true}, "the answer is too long"},
        {{"http://host/", CURLE_GOT_NOTHING, "sesame", false}, "host cannot be asked: "},
        {{"http://host/", CURLE_SSL_CONNECT_ERROR, "wrong version", false}, "wrong version"},
        {{"https://127.0.0.1:1/", CURLE_PEER_FAILED_VERIFICATION, "self-signed", false},
         "cannot be asked: self-signed"}, /* and nobody is there to show a certificate */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};

        assert_int_equal(http_failure_set(&rows[i].failure, &err), ERROR_UNAVAILABLE);
        assert_null(strstr(err.message, "sesame"));
        if (!strstr(err.message, rows[i].said)) {
            fail_msg("row %zu: %s", i, err.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest http_failure[] = {
        cmocka_unit_test(failures_name_host_and_reason_alone),
    };

    return cmocka_run_group_tests(http_failure, NULL, NULL);
}
