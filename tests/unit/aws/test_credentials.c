#include "aws/credentials.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

#define KEYS(id, expiration)                                                                       \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hidden\",\"Token\":\"token\","              \
    "\"Expiration\":\"" expiration "\"}"

enum { THREADS = 8, SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

static const char container[] = "http://169.254.170.2/keys";

static struct aws_credentials *begin(struct aws_world *world)
{
    struct aws_credentials *credentials = NULL;

    aws_world_init(world);
    assert_int_equal(aws_credentials_new(&world->config, &credentials, &world->err), OK);
    return credentials;
}

static void end(struct aws_world *world, struct aws_credentials *credentials)
{
    aws_credentials_free(credentials);
    aws_world_release(world);
}

static void use_container(struct aws_world *world, const char *answer)
{
    aws_world_set(world, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys");
    fake_http_client_answer(world->config.client, container, answer ? 200 : 0, answer ? answer : "",
                            -1);
}

static void expect_id(struct aws_credentials *credentials, const char *id)
{
    struct aws_key_copy copy;
    struct error err = {0};

    if (aws_credentials_get(credentials, &copy, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(copy.keys.access_key_id, id);
    aws_key_copy_release(&copy);
}

static void expect_failure(struct aws_credentials *credentials, const char *message)
{
    struct aws_key_copy copy = {0};
    struct error err = {0};

    assert_int_equal(aws_credentials_get(credentials, &copy, &err), ERROR_UNAVAILABLE);
    if (!strstr(err.message, message)) {
        fail_msg("'%s' is not in: %s", message, err.message);
    }
    assert_null(strstr(err.message, "hidden"));
    assert_int_equal(err.retry_after_s, 5);
    assert_null(copy.memory);
}

static void expect_description(struct aws_credentials *credentials, const char *description)
{
    struct strbuf text;

    strbuf_init(&text, 1024);
    aws_credentials_describe(credentials, &text);
    assert_string_equal(text.text, description);
    strbuf_release(&text);
}

static void without_a_region_there_are_no_credentials(void **state)
{
    struct aws_credentials *credentials = NULL;
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    world.config.region = "";
    assert_int_equal(aws_credentials_new(&world.config, &credentials, NULL), ERROR_INVALID);
    aws_credentials_free(NULL);
    aws_world_release(&world);
}

/* From the last place to the first: each is preferred to those before. */
static void sources_are_asked_in_their_order(void **state)
{
    static const char assumed[] =
        "<Credentials><AccessKeyId>WEB</AccessKeyId><SecretAccessKey>hidden</SecretAccessKey>"
        "<SessionToken>token</SessionToken><Expiration>2015-05-07T16:49:51Z</Expiration>"
        "</Credentials>";
    char *folder = temporary_folder_new();
    char *token = aws_world_file(folder, "token", "ey");
    char *file = aws_world_file(
        folder, "file", "[default]\naws_access_key_id=FILE\naws_secret_access_key=hidden\n");
    struct aws_world world;
    struct aws_credentials *credentials[5];

    (void)state;
    aws_world_init(&world);
    for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
        assert_int_equal(aws_credentials_new(&world.config, &credentials[i], NULL), OK);
    }
    fake_http_client_answer(world.config.client, "http://169.254.169.254/latest/api/token", 200,
                            "session", -1);
    fake_http_client_answer(world.config.client,
                            "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                            200, "Role", -1);
    fake_http_client_answer(world.config.client,
                            "http://169.254.169.254/latest/meta-data/iam/security-credentials/Role",
                            200, KEYS("INSTANCE", "2015-05-07T16:49:51Z"), -1);
    expect_id(credentials[0], "INSTANCE");
    expect_description(credentials[0], "the role Role of this instance (instance metadata), until "
                                       "2015-05-07T16:49:51.000Z");
    use_container(&world, KEYS("CONTAINER", "2015-05-07T16:49:51Z"));
    expect_id(credentials[1], "CONTAINER");
    aws_world_set(&world, "AWS_WEB_IDENTITY_TOKEN_FILE", token);
    aws_world_set(&world, "AWS_ROLE_ARN", "arn");
    fake_http_client_answer(world.config.client, "https://sts.eu-central-1.amazonaws.com/", 200,
                            assumed, -1);
    expect_id(credentials[2], "WEB");
    assert_int_equal(fake_http_client_request(world.config.client)->timeout_ms, 10 * SECOND_MS);
    aws_world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", file);
    expect_id(credentials[3], "FILE");
    aws_world_set(&world, "AWS_ACCESS_KEY_ID", "ENVIRONMENT");
    aws_world_set(&world, "AWS_SECRET_ACCESS_KEY", "hidden");
    expect_id(credentials[4], "ENVIRONMENT");
    expect_description(credentials[4], "the environment (AWS_ACCESS_KEY_ID)");
    for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
        aws_credentials_free(credentials[i]);
    }
    aws_world_release(&world);
    free(file);
    free(token);
    temporary_folder_free(folder);
}

static void where_nothing_is_set_up_all_that_was_tried_is_said(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    expect_description(credentials, "nowhere yet");
    expect_failure(credentials, "no AWS credentials: set AWS_ACCESS_KEY_ID and "
                                "AWS_SECRET_ACCESS_KEY, or give this machine or container a role");
    expect_failure(credentials, "tried environment (AWS_ACCESS_KEY_ID is not set), credentials "
                                "file (");
    expect_failure(credentials, "instance metadata (nobody answers)");
    assert_int_equal(fake_http_client_count(world.config.client, NULL), 1);
    end(&world, credentials);
}

/* A failure is told again for a while, so that callers do not wait for it one after the other. */
static void a_failure_is_remembered_for_some_seconds(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, NULL);
    expect_failure(credentials, "no AWS credentials from the container: nobody answers");
    use_container(&world, KEYS("NEW", "2015-05-07T16:49:51Z"));
    fake_clock_advance(&world.clock, 4 * SECOND_MS);
    expect_failure(credentials, "nobody answers");
    fake_clock_advance(&world.clock, 1 * SECOND_MS);
    expect_id(credentials, "NEW");
    end(&world, credentials);
}

static void a_source_that_fails_is_not_skipped(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    aws_world_set(&world, "AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/at/all");
    aws_world_set(&world, "AWS_ROLE_ARN", "arn");
    use_container(&world, KEYS("CONTAINER", "2015-05-07T16:49:51Z"));
    expect_failure(credentials, "no AWS credentials from the web identity: the web identity token "
                                "/nowhere/at/all: there is no such file");
    end(&world, credentials);
}

/* Asked again at once, but not again and again where that brings nothing new. */
static void refused_keys_are_renewed_once_in_some_seconds(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);
    const struct aws_keys first = {"OLD", "hidden", "token"};
    const struct aws_keys other = {"NEW", "hidden", "token"};

    (void)state;
    use_container(&world, KEYS("OLD", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "OLD");
    assert_true(aws_credentials_renew(credentials, &first));
    expect_id(credentials, "OLD");
    assert_false(aws_credentials_renew(credentials, &first));
    fake_clock_advance(&world.clock, 5 * SECOND_MS);
    use_container(&world, KEYS("NEW", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "OLD");
    assert_true(aws_credentials_renew(credentials, &first));
    assert_false(aws_credentials_are_at_hand(credentials));
    expect_id(credentials, "NEW");
    assert_true(aws_credentials_renew(credentials, &first)); /* somebody else has done it */
    assert_false(aws_credentials_renew(credentials, &other));
    expect_id(credentials, "NEW");
    end(&world, credentials);
}

struct asker {
    pthread_t thread;
    struct aws_credentials *credentials;
    enum error_code code;
    struct aws_key_copy copy;
};

static void *ask(void *context)
{
    struct asker *asker = context;

    asker->code = aws_credentials_get(asker->credentials, &asker->copy, NULL);
    return NULL;
}

static void start(struct asker *asker, struct aws_credentials *credentials)
{
    *asker = (struct asker){.credentials = credentials};
    assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

/* Until fake_http_client_hold() says otherwise. */
static void start_and_hold(struct asker *asker, struct aws_credentials *credentials,
                           struct aws_world *world)
{
    fake_http_client_hold(world->config.client, true);
    start(asker, credentials);
    fake_http_client_wait_for_request(world->config.client);
}

static void expect_answer(struct asker *asker, enum error_code code, const char *id)
{
    assert_int_equal(pthread_join(asker->thread, NULL), 0);
    assert_int_equal(asker->code, code);
    if (!code) {
        assert_string_equal(asker->copy.keys.access_key_id, id);
    }
    aws_key_copy_release(&asker->copy);
}

/* It is 15:49:51; ten minutes before the end it is time. */
static void keys_are_renewed_before_they_expire(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:49:51Z"));
    assert_false(aws_credentials_are_at_hand(credentials));
    expect_id(credentials, "FIRST");
    assert_true(aws_credentials_are_at_hand(credentials));
    use_container(&world, KEYS("SECOND", "2015-05-07T17:49:51Z"));
    fake_clock_advance(&world.clock, 49 * MINUTE_MS);
    expect_id(credentials, "FIRST");
    assert_int_equal(fake_http_client_count(world.config.client, container), 1);
    fake_clock_advance(&world.clock, 1 * MINUTE_MS);
    expect_id(credentials, "SECOND");
    expect_id(credentials, "SECOND");
    assert_int_equal(fake_http_client_count(world.config.client, container), 2);
    fake_clock_advance(&world.clock, 59 * MINUTE_MS);
    assert_true(aws_credentials_are_at_hand(credentials));
    fake_clock_advance(&world.clock, 11 * MINUTE_MS);
    assert_false(aws_credentials_are_at_hand(credentials));
    end(&world, credentials);
}

/* Whoever asks then may be the one that waits for a service. */
static void keys_that_are_due_are_not_at_hand_unless_somebody_renews_them(void **state)
{
    struct asker renewing;
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "FIRST");
    fake_clock_advance(&world.clock, 50 * MINUTE_MS);
    assert_false(aws_credentials_are_at_hand(credentials));
    use_container(&world, NULL);
    start_and_hold(&renewing, credentials, &world);
    assert_true(aws_credentials_are_at_hand(credentials));
    fake_http_client_hold(world.config.client, false);
    expect_answer(&renewing, OK, "FIRST");
    assert_true(aws_credentials_are_at_hand(credentials)); /* it failed: not again at once */
    fake_clock_advance(&world.clock, 5 * SECOND_MS);
    assert_false(aws_credentials_are_at_hand(credentials));
    end(&world, credentials);
}

static void short_lives_are_used_for_three_quarters(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:05:51Z"));
    expect_id(credentials, "FIRST");
    fake_clock_advance(&world.clock, 11 * MINUTE_MS);
    expect_id(credentials, "FIRST");
    assert_int_equal(fake_http_client_count(world.config.client, container), 1);
    fake_clock_advance(&world.clock, 1 * MINUTE_MS);
    expect_id(credentials, "FIRST");
    assert_int_equal(fake_http_client_count(world.config.client, container), 2);
    end(&world, credentials);
}

static void old_keys_do_while_new_ones_cannot_be_had(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "FIRST");
    use_container(&world, NULL);
    fake_clock_advance(&world.clock, 55 * MINUTE_MS);
    expect_id(credentials, "FIRST");
    expect_id(credentials, "FIRST");
    assert_int_equal(fake_http_client_count(world.config.client, container), 2);
    fake_clock_advance(&world.clock, 5 * MINUTE_MS - 11 * SECOND_MS);
    expect_id(credentials, "FIRST");
    fake_clock_advance(&world.clock, 2 * SECOND_MS);
    expect_failure(credentials, "nobody answers");
    use_container(&world, KEYS("SECOND", "2015-05-07T17:49:51Z"));
    fake_clock_advance(&world.clock, 5 * SECOND_MS);
    expect_id(credentials, "SECOND");
    end(&world, credentials);
}

static void keys_that_have_expired_are_not_handed_out(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("OLD", "2015-05-07T15:49:55Z"));
    expect_failure(credentials, "have expired already: is this machine's clock right?");
    end(&world, credentials);
}

/* So short that they are unusable before a quarter of their life is left. */
static void keys_of_few_seconds_are_asked_for_again(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T15:50:03Z"));
    expect_id(credentials, "FIRST");
    use_container(&world, KEYS("SECOND", "2015-05-07T16:50:03Z"));
    fake_clock_advance(&world.clock, 2 * SECOND_MS);
    expect_id(credentials, "SECOND");
    end(&world, credentials);
}

static void a_changed_file_counts_within_seconds(void **state)
{
    char *folder = temporary_folder_new();
    char *file = aws_world_file(
        folder, "file", "[default]\naws_access_key_id=FIRST\naws_secret_access_key=hidden\n");
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    aws_world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", file);
    expect_id(credentials, "FIRST");
    free(aws_world_file(folder, "file", "[default]\naws_access_key_id=SEC"));
    fake_clock_advance(&world.clock, 5 * SECOND_MS);
    assert_true(aws_credentials_are_at_hand(credentials)); /* a file answers at once */
    expect_id(credentials, "FIRST");                       /* half written */
    free(aws_world_file(folder, "file",
                        "[default]\naws_access_key_id=SECOND\naws_secret_access_key=hidden\n"));
    expect_id(credentials, "FIRST");
    fake_clock_advance(&world.clock, 5 * SECOND_MS);
    expect_id(credentials, "SECOND");
    end(&world, credentials);
    free(file);
    temporary_folder_free(folder);
}

static void the_source_that_gave_keys_is_stayed_with(void **state)
{
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("CONTAINER", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "CONTAINER");
    aws_world_set(&world, "AWS_ACCESS_KEY_ID", "ENVIRONMENT");
    aws_world_set(&world, "AWS_SECRET_ACCESS_KEY", "hidden");
    use_container(&world, KEYS("RENEWED", "2015-05-07T18:49:51Z"));
    fake_clock_advance(&world.clock, 2 * HOUR_MS);
    expect_id(credentials, "RENEWED");
    end(&world, credentials);
}

static void many_that_need_the_first_keys_ask_once(void **state)
{
    struct asker askers[THREADS];
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:49:51Z"));
    fake_http_client_hold(world.config.client, true);
    for (size_t i = 0; i < THREADS; i++) {
        start(&askers[i], credentials);
    }
    fake_http_client_wait_for_request(world.config.client);
    fake_http_client_hold(world.config.client, false);
    for (size_t i = 0; i < THREADS; i++) {
        expect_answer(&askers[i], OK, "FIRST");
    }
    assert_int_equal(fake_http_client_count(world.config.client, NULL), 1);
    end(&world, credentials);
}

static void many_that_wait_in_vain_ask_once(void **state)
{
    struct asker askers[THREADS];
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, NULL);
    fake_http_client_hold(world.config.client, true);
    for (size_t i = 0; i < THREADS; i++) {
        start(&askers[i], credentials);
    }
    fake_http_client_wait_for_request(world.config.client);
    fake_http_client_hold(world.config.client, false);
    for (size_t i = 0; i < THREADS; i++) {
        expect_answer(&askers[i], ERROR_UNAVAILABLE, NULL);
    }
    assert_int_equal(fake_http_client_count(world.config.client, NULL), 1);
    end(&world, credentials);
}

static void while_one_renews_others_go_on_with_the_old(void **state)
{
    struct asker renewing;
    struct aws_world world;
    struct aws_credentials *credentials = begin(&world);

    (void)state;
    use_container(&world, KEYS("FIRST", "2015-05-07T16:49:51Z"));
    expect_id(credentials, "FIRST");
    use_container(&world, KEYS("SECOND", "2015-05-07T17:49:51Z"));
    fake_clock_advance(&world.clock, 51 * MINUTE_MS);
    start_and_hold(&renewing, credentials, &world);
    expect_id(credentials, "FIRST");
    expect_description(credentials, "the role of this container (its credentials service), until "
                                    "2015-05-07T16:49:51.000Z");
    fake_http_client_hold(world.config.client, false);
    expect_answer(&renewing, OK, "SECOND");
    expect_id(credentials, "SECOND");
    end(&world, credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_region_there_are_no_credentials),
        cmocka_unit_test(sources_are_asked_in_their_order),
        cmocka_unit_test(where_nothing_is_set_up_all_that_was_tried_is_said),
        cmocka_unit_test(a_failure_is_remembered_for_some_seconds),
        cmocka_unit_test(a_source_that_fails_is_not_skipped),
        cmocka_unit_test(refused_keys_are_renewed_once_in_some_seconds),
        cmocka_unit_test(keys_are_renewed_before_they_expire),
        cmocka_unit_test(keys_that_are_due_are_not_at_hand_unless_somebody_renews_them),
        cmocka_unit_test(short_lives_are_used_for_three_quarters),
        cmocka_unit_test(old_keys_do_while_new_ones_cannot_be_had),
        cmocka_unit_test(keys_that_have_expired_are_not_handed_out),
        cmocka_unit_test(keys_of_few_seconds_are_asked_for_again),
        cmocka_unit_test(a_changed_file_counts_within_seconds),
        cmocka_unit_test(the_source_that_gave_keys_is_stayed_with),
        cmocka_unit_test(many_that_need_the_first_keys_ask_once),
        cmocka_unit_test(many_that_wait_in_vain_ask_once),
        cmocka_unit_test(while_one_renews_others_go_on_with_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
