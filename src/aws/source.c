#include "aws/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/answer.h"

static enum error_code check_regular(int fd, struct error *err);
static enum error_code read_all(int fd, struct strbuf *text, struct error *err);

const char *aws_source_variable(const struct aws_credentials_config *config, const char *name)
{
    const char *value = config->variable(config->context, name);

    return value && value[0] != '\0' ? value : NULL;
}

/* Does not wait for the writer of a pipe: what is no file is refused. */
enum error_code aws_source_read_file(const char *path, struct strbuf *text, struct error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum error_code code = OK;

    if (fd < 0) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
            return error_set(err, ERROR_NOT_FOUND, "there is no such file");
        case EACCES:
        case EPERM:
            return error_set(err, ERROR_DENIED, "may not be read");
        default:
            return error_set_errno(err, "cannot be read");
        }
    }
    code = check_regular(fd, err);
    code = code ? code : read_all(fd, text, err);
    (void)close(fd);
    return code;
}

static enum error_code check_regular(int fd, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return error_set_errno(err, "cannot be read");
    }
    return S_ISREG(status.st_mode) ? OK : error_set(err, ERROR_INVALID, "is not a regular file");
}

static enum error_code read_all(int fd, struct strbuf *text, struct error *err)
{
    char bytes[4 * 1024];
    ssize_t got = 0;

    do {
        got = read(fd, bytes, sizeof(bytes));
        strbuf_append(text, (struct str){bytes, got > 0 ? (size_t)got : 0});
    } while (got > 0 && !text->is_truncated);
    explicit_bzero(bytes, sizeof(bytes));
    if (got < 0) {
        return error_set_errno(err, "cannot be read");
    }
    return text->is_truncated
               ? error_set(err, ERROR_INVALID, "has more than %zu bytes", text->limit_bytes)
               : OK;
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
