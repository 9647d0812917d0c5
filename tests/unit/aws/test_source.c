#include "aws/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/stub_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

static void an_empty_variable_is_not_set(void **state)
{
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    aws_world_set(&world, "EMPTY", "");
    aws_world_set(&world, "FULL", "x");
    assert_null(aws_source_variable(&world.config, "EMPTY"));
    assert_null(aws_source_variable(&world.config, "MISSING"));
    assert_string_equal(aws_source_variable(&world.config, "FULL"), "x");
    aws_world_release(&world);
}

static void check_file(const char *path, size_t limit_bytes, enum error_code code,
                       const char *result)
{
    struct strbuf text;
    struct error err = {0};

    strbuf_init(&text, limit_bytes);
    assert_int_equal(aws_source_read_file(path, &text, &err), code);
    assert_string_equal(code ? err.message : text.text, result);
    strbuf_release(&text);
}

static void only_regular_files_within_the_limit_are_read(void **state)
{
    char *folder = temporary_folder_new();
    char *path = aws_world_file(folder, "token", "12345");

    (void)state;
    check_file(path, 5, OK, "12345");
    check_file(path, 4, ERROR_INVALID, "has more than 4 bytes");
    check_file(folder, 5, ERROR_INVALID, "is not a regular file");
    check_file("/dev/null", 5, ERROR_INVALID, "is not a regular file");
    check_file("/nowhere/at/all", 5, ERROR_NOT_FOUND, "there is no such file");
    check_file("/dev/null/x", 5, ERROR_NOT_FOUND, "there is no such file");
    free(path);
    temporary_folder_free(folder);
}

static void the_first_line_comes_without_white_space(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"token", "token"},
        {" token \r\nmore\n", "token"},
        {"\n", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf text;

        strbuf_init(&text, 64);
        strbuf_append_text(&text, cases[i].text);
        assert_true(str_is(aws_source_first_line(&text), cases[i].line));
        strbuf_release(&text);
    }
}

static void what_breaks_out_of_a_header_is_no_value(void **state)
{
    (void)state;
    assert_true(aws_source_is_header_value(str_from("Bearer abc==")));
    assert_false(aws_source_is_header_value(str_from("")));
    assert_false(aws_source_is_header_value(str_from("a\r\nb: c")));
    assert_false(aws_source_is_header_value(str_from("\xc3\xa9")));
    assert_false(aws_source_is_header_value((struct str){"a\0b", 3}));
}

static void check_answer(const char *answer, const char *message)
{
    const char *const answers[] = {answer, NULL};
    struct stub_server *server = stub_server_new(answers);
    const struct outbound_request request = {.url = stub_server_url(server)};
    struct aws_key_copy copy = {0};
    struct aws_world world;

    aws_world_init(&world);
    assert_int_equal(aws_source_ask_keys(&world.config, &request, "the service", &copy, &world.err),
                     ERROR_UNAVAILABLE);
    assert_non_null(strstr(world.err.message, message));
    assert_null(strstr(world.err.message, "hidden"));
    aws_world_release(&world);
    stub_server_free(server);
}

static void an_answer_without_keys_is_explained(void **state)
{
    (void)state;
    check_answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nhidden",
                 "the service answered 403");
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden",
                 "the service: the answer is no JSON object");
    check_answer("", "127.0.0.1");
}

#define EXPIRATION "2015-05-07T21:49:51Z"
#define EXPIRES_MS INT64_C(1431035391000)

typedef enum error_code reader(struct str text, struct aws_key_copy *copy_out, struct error *err);

static void check_keys(reader *read, const char *text)
{
    struct aws_key_copy copy;
    struct error err = {0};

    if (read(str_from(text), &copy, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_string_equal(copy.keys.access_key_id, "AKID");
    assert_string_equal(copy.keys.secret_access_key, "hidden");
    assert_string_equal(copy.keys.session_token, "token");
    assert_true(copy.expires_ms == EXPIRES_MS);
    aws_key_copy_release(&copy);
}

static void check_refused(reader *read, const char *text, const char *message)
{
    struct aws_key_copy copy = {0};
    struct error err = {0};

    assert_int_equal(read(str_from(text), &copy, &err), ERROR_INVALID);
    if (!strstr(err.message, message)) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_null(strstr(err.message, "hidden"));
    assert_null(copy.memory);
}

static void json_of_instance_and_container_is_read(void **state)
{
    (void)state;
    check_keys(aws_answer_read_json,
               "{\"Code\":\"Success\",\"LastUpdated\":\"2015-05-07T15:00:00Z\","
               "\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hidden\","
               "\"Token\":\"token\",\"Expiration\":\"" EXPIRATION "\"}");
    check_keys(aws_answer_read_json,
               "{\"RoleArn\":\"arn\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hidden\","
               "\"Token\":\"token\",\"Expiration\":\"" EXPIRATION "\"}");
}

static void json_that_has_no_keys_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{\"AccessKeyId\":\"hidden", "no JSON object"},
        {"{}", "the session token is missing"},
        {"{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", "the error AssumeRoleUnauthorizedAccess"},
        {"{\"code\":\"Err\",\"message\":\"hidden\"}", "the error Err"},
        {"{\"code\":\"a b hidden\"}", "the error of an unknown kind"},
        {"{\"code\":\"\"}", "the error of an unknown kind"},
        {"{\"SecretAccessKey\":\"hidden\",\"Token\":\"t\",\"Expiration\":\"" EXPIRATION "\"}",
         "the access key id is missing"},
        {"{\"AccessKeyId\":\"A\",\"Token\":\"t\",\"Expiration\":\"" EXPIRATION "\"}",
         "the secret access key is missing"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\\r\\n\",\"Token\":\"t\","
         "\"Expiration\":\"" EXPIRATION "\"}",
         "the secret access key has a byte"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\",\"Token\":\"t\"}",
         "the time of expiration is missing"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\",\"Token\":\"t\","
         "\"Expiration\":1431035391}",
         "the answer has a \"Expiration\" that is no string"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden\",\"Expiration\":\"" EXPIRATION "\"}",
         "the session token is missing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_refused(aws_answer_read_json, cases[i].text, cases[i].message);
    }
}

static void xml_of_the_token_service_is_read(void **state)
{
    (void)state;
    check_keys(
        aws_answer_read_xml,
        "<?xml version=\"1.0\"?>\n"
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
        "  <AssumeRoleWithWebIdentityResult>\n"
        "    <SubjectFromWebIdentityToken>me</SubjectFromWebIdentityToken>\n"
        "    <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/R/pierone</Arn>\n"
        "      <AssumedRoleId>AROA:pierone</AssumedRoleId></AssumedRoleUser>\n"
        "    <Credentials>\n"
        "      <SessionToken>token</SessionToken>\n"
        "      <SecretAccessKey>hidden</SecretAccessKey>\n"
        "      <Expiration>" EXPIRATION "</Expiration>\n"
        "      <AccessKeyId>AKID</AccessKeyId>\n"
        "    </Credentials>\n"
        "  </AssumeRoleWithWebIdentityResult>\n"
        "</AssumeRoleWithWebIdentityResponse>\n");
}

#define ID "<AccessKeyId>AKID</AccessKeyId>"
#define SECRET "<SecretAccessKey>hidden</SecretAccessKey>"
#define TOKEN "<SessionToken>token</SessionToken>"
#define END "<Expiration>" EXPIRATION "</Expiration>"

static void xml_that_has_no_keys_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "not one element Credentials"},
        {"<Credentials>" ID SECRET TOKEN END, "not one element Credentials"},
        {"</Credentials>" ID SECRET TOKEN END "<Credentials>", "not one element Credentials"},
        {"<Credentials></Credentials><Credentials></Credentials>", "not one element Credentials"},
        {"<Credentials>" ID SECRET END "</Credentials>" TOKEN, "element SessionToken"},
        {"<Credentials>" ID SECRET SECRET TOKEN END "</Credentials>", "element SecretAccessKey"},
        {"<Credentials>" ID "<SecretAccessKey>hidden&amp;</SecretAccessKey>" TOKEN END
         "</Credentials>",
         "element SecretAccessKey"},
        {"<Credentials>" ID "<SecretAccessKey><b>hidden</b></SecretAccessKey>" TOKEN END
         "</Credentials>",
         "element SecretAccessKey"},
        {"<Credentials>" ID "<SecretAccessKey> hidden </SecretAccessKey>" TOKEN END
         "</Credentials>",
         "the secret access key has a byte"},
        {"<Credentials>" ID SECRET TOKEN "</Credentials>", "the time of expiration"},
        {"<Credentials>" ID SECRET "<SessionToken></SessionToken>" END "</Credentials>",
         "the session token is missing"},
    };

    (void)state;
    check_keys(aws_answer_read_xml, "<Credentials>" ID SECRET TOKEN END "</Credentials>");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_refused(aws_answer_read_xml, cases[i].text, cases[i].message);
    }
}

static void an_error_is_shown_by_its_code_alone(void **state)
{
    static const struct {
        const char *text;
        const char *code;
    } cases[] = {
        {"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
         "<Message>hidden</Message></Error></ErrorResponse>",
         "AccessDenied"},
        {"<Code>IDPRejectedClaim.More</Code>", "IDPRejectedClaim.More"},
        {"<Code>two words</Code>", ""},
        {"<Code></Code>", ""},
        {"<Code>open", ""},
        {"it works!", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(str_is(aws_answer_error_code(str_from(cases[i].text)), cases[i].code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_variable_is_not_set),
        cmocka_unit_test(only_regular_files_within_the_limit_are_read),
        cmocka_unit_test(the_first_line_comes_without_white_space),
        cmocka_unit_test(what_breaks_out_of_a_header_is_no_value),
        cmocka_unit_test(an_answer_without_keys_is_explained),
        cmocka_unit_test(json_of_instance_and_container_is_read),
        cmocka_unit_test(json_that_has_no_keys_is_refused),
        cmocka_unit_test(xml_of_the_token_service_is_read),
        cmocka_unit_test(xml_that_has_no_keys_is_refused),
        cmocka_unit_test(an_error_is_shown_by_its_code_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
