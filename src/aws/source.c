#include "aws/source.h"

#include "aws/xml.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_reader.h"

enum {
    ANSWER_MAX_BYTES = 256 * 1024,
    ERROR_CODE_MAX_BYTES = 64,
};

const char *aws_source_variable(const struct aws_credentials_config *config, const char *name)
{
    const char *value = config->variable(config->context, name);

    return value && value[0] != '\0' ? value : NULL;
}

enum error_code aws_source_read_file(const char *path, struct strbuf *text, struct error *err)
{
    const enum error_code code = file_read(path, FILE_REGULAR, text, NULL);

    if (code == ERROR_NOT_FOUND) {
        return error_set(err, code, "there is no such file");
    }
    if (code == ERROR_DENIED) {
        return error_set(err, code, "may not be read");
    }
    if (code == ERROR_INVALID) {
        return error_set(err, code, "is not a regular file");
    }
    if (code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_INVALID, "has more than %zu bytes", text->limit_bytes);
    }
    return code ? error_set_errno(err, "cannot be read") : OK;
}

/* Without white space at its ends. */
struct str aws_source_first_line(const struct strbuf *text)
{
    struct str line = strbuf_str(text);

    line = str_slice(line, 0, str_index_of(line, '\n'));
    return str_trim(str_slice(line, 0, str_index_of(line, '\r')));
}

bool aws_source_is_header_value(struct str value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.bytes[i] < ' ' || value.bytes[i] > '~') {
            return false;
        }
    }
    return value.length > 0 && value.length <= AWS_TOKEN_MAX_BYTES;
}

/* `who` begins a message. */
enum error_code aws_source_ask_keys(const struct aws_credentials_config *config,
                                    const struct outbound_request *request, const char *who,
                                    struct aws_key_copy *copy_out, struct error *err)
{
    struct outbound_answer answer = {0};
    struct error reason = {0};
    enum error_code code = http_client_send(config->client, request, &answer, err);

    if (!code && answer.status != AWS_STATUS_OK) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s answered %d", who, answer.status);
    }
    if (!code && aws_answer_read_json(strbuf_str(&answer.body), copy_out, &reason)) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s: %s", who, reason.message);
    }
    outbound_answer_release(&answer);
    return code;
}

static bool answer_is_code(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!ascii_is_letter_or_digit(text.bytes[i]) && text.bytes[i] != '.') {
            return false;
        }
    }
    return text.length > 0 && text.length <= ERROR_CODE_MAX_BYTES;
}

/* The instance's service always tells whether it went well, the container's need not. */
static void answer_check_code(struct json_reader *reader)
{
    struct str result = json_reader_text(reader, "Code");

    if (!result.bytes) {
        result = json_reader_text(reader, "code");
    }
    if (result.bytes && !str_is(result, "Success")) {
        json_reader_fail(
            reader, "is the error %.*s",
            STR_FORMAT(answer_is_code(result) ? result : str_from("of an unknown kind")));
    }
}

/* Of these services all keys are temporary. */
static enum error_code answer_make_keys(struct str fields[3], struct str expiration,
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

enum error_code aws_answer_read_json(struct str text, struct aws_key_copy *copy_out,
                                     struct error *err)
{
    static const struct json_subject subject = {
        .name = "the answer", .code = ERROR_INVALID, .max_bytes = ANSWER_MAX_BYTES};
    struct json_reader reader;
    struct str fields[3];
    struct str expiration;
    enum error_code code = OK;

    json_reader_open(&reader, text, &subject, NULL, err);
    answer_check_code(&reader);
    fields[0] = json_reader_text(&reader, "AccessKeyId");
    fields[1] = json_reader_text(&reader, "SecretAccessKey");
    fields[2] = json_reader_text(&reader, "Token");
    expiration = json_reader_text(&reader, "Expiration");
    if (!reader.code) {
        code = answer_make_keys(fields, expiration, copy_out, err);
    }
    return json_reader_close(&reader) ? reader.code : code;
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
    return answer_make_keys(fields, expiration, copy_out, err);
}

struct str aws_answer_error_code(struct str text)
{
    struct str code;

    if (text.length > ANSWER_MAX_BYTES || !aws_xml_only(text, "Code", &code) ||
        !answer_is_code(code)) {
        return (struct str){0};
    }
    return code;
}
