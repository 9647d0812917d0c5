#include "aws/source.h"

#include "aws/answer.h"
#include "base/file.h"

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
