#include "aws/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

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
         "the time of expiration is missing"},
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
        cmocka_unit_test(json_of_instance_and_container_is_read),
        cmocka_unit_test(json_that_has_no_keys_is_refused),
        cmocka_unit_test(xml_of_the_token_service_is_read),
        cmocka_unit_test(xml_that_has_no_keys_is_refused),
        cmocka_unit_test(an_error_is_shown_by_its_code_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
