#include "blobs/s3_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/blobs/s3_world.h"

#define CONTENT "written by pieroned --check-config\n"
#define READ S3_HEAD("206 Partial Content", "Content-Length: 35\r\n") CONTENT
#define DOCUMENT(status, text) S3_HEAD(status, "") text
#define ERROR_DOCUMENT(status, code) DOCUMENT(status, "<Error><Code>" code "</Code></Error>")
#define NO_LOCK ERROR_DOCUMENT("404 x", "ObjectLockConfigurationNotFoundError")
#define LOCK(rule)                                                                                 \
    DOCUMENT("200 OK",                                                                             \
             "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" rule        \
             "</ObjectLockConfiguration>")
#define REFUSED_TWICE S3_HEAD("412 Precondition Failed", "")
#define DELETED S3_HEAD("204 No Content", "")
#define VERSIONS(text) DOCUMENT("200 OK", "<VersioningConfiguration>" text)

static enum error_code check(const char *const *answers, enum s3_lock_mode mode,
                             struct strbuf *report, struct error *err)
{
    struct s3_world world;
    struct s3_objects objects = {.style = {.lock_mode = mode}, .clock = &clock_system};
    enum error_code code = OK;

    s3_world_init(&world, answers);
    world.client_config.retry_ms = 1;
    objects.client = s3_client_new(&world.client_config);
    code = s3_check(&objects, "pre/", report, err);
    s3_client_free(objects.client);
    s3_world_release(&world);
    return code;
}

static void what_a_bucket_can_do_is_reported(void **state)
{
    static const struct {
        const char *answers[9];
        const char *lines[4];
    } rows[] = {
        {{NO_LOCK, S3_DONE, READ, REFUSED_TWICE, S3_BEGUN, DELETED, VERSIONS("")},
         {"Object Lock: no\n", "written and read\n", "conditional writes: yes",
          "versioning: off\n"}},
        {{LOCK("<Rule><Mode>GOVERNANCE</Mode><Days>7</Days></Rule>"), S3_DONE, READ, S3_DONE,
          S3_BEGUN, DELETED, VERSIONS("<Status>Enabled</Status>")},
         {"Object Lock: yes, by default GOVERNANCE for 7 days\n", "written and read\n",
          "conditional writes: no; a request that is repeated may write an object twice, with the "
          "same bytes\n",
          "versioning: on"}},
        {{LOCK("<Rule><Mode>COMPLIANCE</Mode><Years>2</Years></Rule>"), S3_DONE, READ, S3_DONE,
          S3_BEGUN, DELETED, ERROR_DOCUMENT("403 x", "AccessDenied")},
         {"by default COMPLIANCE for 2 years\n", "", "",
          "versioning: unknown: allow s3:GetBucketVersioning"}},
        {{S3_HEAD("403 x",
                  "Date: Thu, 01 Jan 2015 10:00:00 GMT\r\n") "<Error><Code>RequestTimeTooSkewed</"
                                                             "Code></Error>",
          NO_LOCK, S3_DONE, READ, S3_DONE, S3_BEGUN, DELETED, VERSIONS("")},
         {"clock: this machine's is ", " s ahead of that of S3", "set it\n", "versioning: off\n"}},
        {{LOCK(""), S3_DONE, READ, S3_DONE, S3_BEGUN, DELETED, VERSIONS("")},
         {"without a default retention\n", "", "", ""}},
        {{ERROR_DOCUMENT("403 x", "AccessDenied"), S3_DONE, READ, S3_DONE, S3_BEGUN, DELETED,
          VERSIONS("")},
         {"Object Lock: unknown: allow s3:GetBucketObjectLockConfiguration", "", "", ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf report;
        struct error err = {0};

        strbuf_init(&report, 10000);
        if (check(rows[i].answers, S3_LOCK_NONE, &report, &err)) {
            fail_msg("row %zu: %s", i, err.message);
        }
        for (size_t k = 0; k < 4; k++) {
            assert_non_null(strstr(report.text, rows[i].lines[k]));
        }
        strbuf_release(&report);
    }
}

static void what_must_work_and_does_not_is_an_error(void **state)
{
    static const struct {
        const char *answers[8];
        enum s3_lock_mode mode;
        enum error_code code;
        const char *words;
    } rows[] = {
        {{ERROR_DOCUMENT("404 x", "NoSuchBucket")},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "create the bucket"},
        {{NO_LOCK, ERROR_DOCUMENT("403 x", "AccessDenied")},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "refuses PUT"},
        {{NO_LOCK, S3_DONE, ERROR_DOCUMENT("403 x", "AccessDenied")},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "refuses GET"},
        {{NO_LOCK, S3_DONE,
          S3_HEAD("206 Partial Content", "Content-Length: 35\r\n") "something else, of the same "
                                                                   "length\n"},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "other bytes"},
        {{NO_LOCK, S3_DONE, READ, REFUSED_TWICE, ERROR_DOCUMENT("403 x", "AccessDenied")},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "refuses POST"},
        {{NO_LOCK, S3_DONE, READ, REFUSED_TWICE, S3_BEGUN, ERROR_DOCUMENT("403 x", "AccessDenied")},
         S3_LOCK_NONE,
         ERROR_UNAVAILABLE,
         "refuses DELETE"},
        {{NO_LOCK}, S3_LOCK_COMPLIANCE, ERROR_INVALID, "has no Object Lock"},
        {{S3_HEAD("200 OK", "Content-Length: 97\r\n") "<ObjectLockConfiguration>"
                                                      "<ObjectLockEnabled>Enabled"
                                                      "</ObjectLockEnabled>"
                                                      "</ObjectLockConfiguration>"},
         S3_LOCK_BUCKET,
         ERROR_INVALID,
         "no default retention"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf report;
        struct error err = {0};

        strbuf_init(&report, 10000);
        assert_int_equal(check(rows[i].answers, rows[i].mode, &report, &err), rows[i].code);
        assert_non_null(strstr(err.message, rows[i].words));
        strbuf_release(&report);
    }
}

static void wrong_credentials_are_told_before_all_else(void **state)
{
    static const struct {
        const char *answers[2];
        const char *words;
    } rows[] = {
        {{ERROR_DOCUMENT("403 x", "InvalidAccessKeyId")}, "access key is unknown"},
        {{ERROR_DOCUMENT("403 x", "SignatureDoesNotMatch")}, "secret key is wrong"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf report;
        struct error err = {0};

        strbuf_init(&report, 10000);
        assert_int_equal(check(rows[i].answers, S3_LOCK_NONE, &report, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, rows[i].words));
        assert_string_equal(report.text, ""); /* no permission would help */
        strbuf_release(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_bucket_can_do_is_reported),
        cmocka_unit_test(what_must_work_and_does_not_is_an_error),
        cmocka_unit_test(wrong_credentials_are_told_before_all_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
