#include "blobs/aws_answer.h"

#include <ctype.h>
#include <string.h>

#include "base/json_value.h"
#include "base/strbuf.h"

enum {
    ANSWER_MAX_BYTES = 256 * 1024,
    TAG_MAX_BYTES = 64,
    ERROR_CODE_MAX_BYTES = 64,
    SECONDS_CHARACTERS = sizeof("2015-05-07T15:49:51") - 1,
    MS_PER_SECOND = 1000,
    SECONDS_PER_DAY = 24 * 60 * 60,
};

static enum error_code check_code(const struct json_value *json, struct error *err);
static bool is_code(struct str text);
static enum error_code make(struct str fields[3], struct str expiration,
                            struct aws_key_copy *copy_out, struct error *err);
static bool find_element(struct str text, const char *name, struct str *content_out);
static size_t find(struct str text, const struct strbuf *wanted);
static bool read_number(struct str text, size_t begin, size_t end, int64_t *number_out);
static bool is_punctuated(struct str text);
static bool is_fraction(struct str text);
static bool is_calendar(int64_t year, int64_t month, int64_t day);
static int64_t days_before(int64_t year, int64_t month, int64_t day);

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
        if (!isalnum((unsigned char)text.bytes[i]) && text.bytes[i] != '.') {
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
    if (!aws_answer_time(expiration, &expires_ms)) {
        return error_set(err, ERROR_INVALID, "the time of expiration is missing or malformed");
    }
    code = aws_key_copy_make(fields[0], fields[1], fields[2], &copy, err);
    if (!code) {
        copy.expires_ms = expires_ms;
        *copy_out = copy;
    }
    return code;
}

/*
 * Elements of one answer that is known (STS API reference, AssumeRoleWithWebIdentity), without
 * attributes; what is read of them are letters, digits and punctuation that XML does not escape.
 */
enum error_code aws_answer_read_xml(struct str text, struct aws_key_copy *copy_out,
                                    struct error *err)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
    struct str fields[3] = {{0}};
    struct str credentials;
    struct str expiration;

    if (text.length > ANSWER_MAX_BYTES || !find_element(text, "Credentials", &credentials)) {
        return error_set(err, ERROR_INVALID, "the answer has not one element Credentials");
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!find_element(credentials, names[i], &fields[i]) ||
            str_index_of(fields[i], '<') < fields[i].length ||
            str_index_of(fields[i], '&') < fields[i].length) {
            return error_set(err, ERROR_INVALID, "the answer has no usable element %s", names[i]);
        }
    }
    if (!find_element(credentials, "Expiration", &expiration)) {
        expiration = (struct str){0};
    }
    return make(fields, expiration, copy_out, err);
}

/* Between its tags, without the white space at the ends. False unless there is exactly one. */
static bool find_element(struct str text, const char *name, struct str *content_out)
{
    struct strbuf tag;
    size_t begin = 0;
    size_t length = 0;
    bool is_found = false;

    strbuf_init(&tag, TAG_MAX_BYTES);
    strbuf_append_format(&tag, "<%s>", name);
    begin = find(text, &tag);
    if (begin < text.length) {
        text = str_from_index(text, begin + tag.length);
        is_found = find(text, &tag) == text.length;
        strbuf_clear(&tag);
        strbuf_append_format(&tag, "</%s>", name);
        length = find(text, &tag);
        is_found = is_found && length < text.length;
    }
    strbuf_release(&tag);
    if (is_found) {
        *content_out = str_slice(text, 0, length);
    }
    return is_found;
}

/* Where it stands, or text.length. */
static size_t find(struct str text, const struct strbuf *wanted)
{
    const char *found =
        text.length == 0 ? NULL : memmem(text.bytes, text.length, wanted->text, wanted->length);

    return found ? (size_t)(found - text.bytes) : text.length;
}

struct str aws_answer_error_code(struct str text)
{
    struct str code;

    if (text.length > ANSWER_MAX_BYTES || !find_element(text, "Code", &code) || !is_code(code)) {
        return (struct str){0};
    }
    return code;
}

/* RFC 3339 in UTC. */
bool aws_answer_time(struct str text, int64_t *wall_ms_out)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;

    if (!is_punctuated(text) || !is_fraction(str_from_index(text, SECONDS_CHARACTERS)) ||
        !read_number(text, 0, 4, &year) || !read_number(text, 5, 7, &month) ||
        !read_number(text, 8, 10, &day) || !read_number(text, 11, 13, &hour) ||
        !read_number(text, 14, 16, &minute) || !read_number(text, 17, 19, &second) ||
        !is_calendar(year, month, day) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *wall_ms_out =
        (days_before(year, month, day) * SECONDS_PER_DAY + (hour * 60 + minute) * 60 + second) *
        MS_PER_SECOND;
    return true;
}

static bool is_punctuated(struct str text)
{
    return text.length > SECONDS_CHARACTERS && text.bytes[4] == '-' && text.bytes[7] == '-' &&
           text.bytes[10] == 'T' && text.bytes[13] == ':' && text.bytes[16] == ':';
}

/* `Z` or `.123Z`; what is less than a second does not matter here. */
static bool is_fraction(struct str text)
{
    size_t i = 0;

    if (text.bytes[0] == '.') {
        for (i = 1; i < text.length && isdigit((unsigned char)text.bytes[i]); i++) {
        }
        if (i == 1) {
            return false;
        }
    }
    return str_is(str_from_index(text, i), "Z");
}

static bool read_number(struct str text, size_t begin, size_t end, int64_t *number_out)
{
    uint64_t number = 0;

    if (!str_parse_uint64(str_slice(text, begin, end), &number)) {
        return false;
    }
    *number_out = (int64_t)number;
    return true;
}

static bool is_calendar(int64_t year, int64_t month, int64_t day)
{
    static const int8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1];
}

/* Since 1970, in the Gregorian calendar: years begin in March here, so that leap days come last. */
static int64_t days_before(int64_t year, int64_t month, int64_t day)
{
    const int64_t march_year = month > 2 ? year : year - 1;
    const int64_t march_month = month > 2 ? month - 3 : month + 9;
    const int64_t days_to_1970 = 719468;

    return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
           (march_month * 153 + 2) / 5 + day - 1 - days_to_1970;
}
