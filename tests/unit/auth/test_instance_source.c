#include "auth/instance_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote_world.h"

static int set_up(void **state)
{
    static struct remote_world world;

    remote_world_init(&world);
    world.source = instance_source_new(
        &(struct instance_config){"http://iidinfo/verify", world.client, &world.clock.clock});
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    remote_world_release(*state);
    return 0;
}

static void a_document_is_shown_to_those_who_know(void **state)
{
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);
    char name[64];

    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "PK\"CS7", 200, "{}"), OK);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "http://iidinfo/verify");
    assert_string_equal(request->body, "{\"iid_signature\":\"PK\\\"CS7\"}");
    assert_int_equal(world->identity->kind, IDENTITY_INSTANCE);
    assert_true(str_starts_with(world->identity->name, "instance-"));
    assert_true(world->identity->expires_ms < INT64_MAX);
    (void)snprintf(name, sizeof(name), "%.*s", STR_FORMAT(world->identity->name));
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "other", 200, "{}"), OK);
    assert_false(str_is(world->identity->name, name));
}

static void failures_are_told_apart(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 400, ""),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 404, ""),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 500, ""),
                     ERROR_UNAVAILABLE);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 302, ""),
                     ERROR_UNAVAILABLE);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 0, "down"),
                     ERROR_UNAVAILABLE);
}

static void only_documents_are_of_interest(void **state)
{
    struct remote_world *world = *state;
    struct credentials credentials = {.kind = CREDENTIALS_TOKEN};

    assert_int_equal(world->source->driver->interest(world->source, &credentials), SOURCE_IGNORES);
    credentials.kind = CREDENTIALS_INSTANCE;
    assert_int_equal(world->source->driver->interest(world->source, &credentials), SOURCE_MAY_KNOW);
}

static void checking_makes_up_a_document(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_check(world, 400, ""), OK);
    assert_int_equal(remote_world_check(world, 200, ""), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 0, "down"), ERROR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_is_shown_to_those_who_know, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_documents_are_of_interest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checking_makes_up_a_document, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
