#include "aws/answer.h"

#include "aws/xml.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/json_value.h"

enum {
    ANSWER_MAX_BYTES = 256 * 1024,
    ERROR_CODE_MAX_BYTES = 64,
};

static enum error_code check_code(const struct json_value *json, struct error *err);
static bool is_code(struct str text);
static enum error_code make(struct str fields[3], struct str expiration,
                            struct aws_key_copy *copy_out, struct error *err);

enum error_code aws_answer_read_json(struct str text, struct aws_key_copy *copy_out,
                                     struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    if (text.length > ANSWER_MAX_BYTES || json_value_parse(text, &json, NULL) ||
        !json_value_is_object(json)) {
        code = error_set(err, ERROR_INVALID, "the answer is no JSON object");
    }
    code = code ? code : check_code(json, err);
    if (!code) {
        struct str fields[] = {
            json_value_member_string(json, "AccessKeyId"),
            json_value_member_string(json, "SecretAccessKey"),
            json_value_member_string(json, "Token"),
        };

        code = make(fields, json_value_member_string(json, "Expiration"), copy_out, err);
    }
    json_value_free(json);
    return code;
}

/* The instance's service always tells whether it went well, the container's need not. */
static enum error_code check_code(const struct json_value *json, struct error *err)
{
    struct str result = json_value_member_string(json, "Code");

    if (!result.bytes) {
        result = json_value_member_string(json, "code");
    }
    if (!result.bytes || str_is(result, "Success")) {
        return OK;
    }
    return error_set(err, ERROR_INVALID, "the answer is the error %.*s",
                     STR_FORMAT(is_code(result) ? result : str_from("of an unknown kind")));
}

static bool is_code(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!ascii_is_letter_or_digit(text.bytes[i]) && text.bytes[i] != '.') {
            return false;
        }
    }
    return text.length > 0 && text.length <= ERROR_CODE_MAX_BYTES;
}

/* Of these services all keys are temporary. */
static enum error_code make(struct str fields[3], struct str expiration,
                            struct aws_key_copy *copy_out, struct error *err)
{
    struct aws_key_copy copy;
    int64_t expires_ms = 0;
    enum error_code code = OK;

    if (fields[2].length == 0) {
        return error_set(err, ERROR_INVALID, "the session token is missing");
    }
    if (!clock_parse_iso(expiration, &expires_ms)) {
        return error_set(err, ERROR_INVALID, "the time of expiration is missing or malformed");
    }
    code = aws_key_copy_make(fields[0], fields[1], fields[2], &copy, err);
    if (!code) {
        copy.expires_ms = expires_ms;
        *copy_out = copy;
    }
    return code;
}

/* STS API reference, AssumeRoleWithWebIdentity: what is read of it are letters, digits and
 * punctuation that XML does not escape. */
enum error_code aws_answer_read_xml(struct str text, struct aws_key_copy *copy_out,
                                    struct error *err)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
    struct str fields[3] = {{0}};
    struct str credentials;
    struct str expiration;

    if (text.length > ANSWER_MAX_BYTES || !aws_xml_only(text, "Credentials", &credentials)) {
        return error_set(err, ERROR_INVALID, "the answer has not one element Credentials");
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!aws_xml_only(credentials, names[i], &fields[i]) ||
            str_index_of(fields[i], '<') < fields[i].length ||
            str_index_of(fields[i], '&') < fields[i].length) {
            return error_set(err, ERROR_INVALID, "the answer has no usable element %s", names[i]);
        }
    }
    if (!aws_xml_only(credentials, "Expiration", &expiration)) {
        expiration = (struct str){0};
    }
    return make(fields, expiration, copy_out, err);
}

struct str aws_answer_error_code(struct str text)
{
    struct str code;

    if (text.length > ANSWER_MAX_BYTES || !aws_xml_only(text, "Code", &code) || !is_code(code)) {
        return (struct str){0};
    }
    return code;
}
