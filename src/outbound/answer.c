#include "outbound/answer.h"

#include <stdio.h>

#include "base/attributes.h"
#include "base/strbuf.h"

enum {
    WANTED_MAX = 32,
    HOST_BYTES = 128,
    CERTIFICATE_MAX_BYTES = 320, /* of its description */
    CERTIFICATE_TIMEOUT_MS = 5000,
    VALUE_MAX_BYTES = 120,
    DATE_MAX_BYTES = 64,
};

/* RFC 9111 5.2.2.1; `no-cache` and `no-store` (5.2.2.4, 5.2.2.5) are an age of nothing. */
static void read_max_age(struct str value, struct outbound_answer *answer)
{
    struct str directive;
    uint64_t age_s = 0;

    while (str_cut(&value, ',', &directive)) {
        const size_t end = str_index_of(directive, '\r');
        struct str text = str_trim(str_slice(directive, 0, end));
        struct str name = str_slice(text, 0, str_index_of(text, '='));

        if (str_is_ignoring_case(name, "no-store") || str_is_ignoring_case(name, "no-cache")) {
            answer->max_age_s = 0;
            return;
        }
        if (str_is_ignoring_case(name, "max-age") &&
            str_parse_uint64(str_from_index(text, name.length + 1), &age_s) && age_s <= INT32_MAX) {
            answer->max_age_s = (int64_t)age_s;
        }
    }
}

/* RFC 9110 6.6.1 */
static void read_date(struct str value, struct outbound_answer *answer)
{
    char text[DATE_MAX_BYTES];
    const struct str date = str_trim(str_slice(value, 0, str_index_of(value, '\r')));

    (void)snprintf(text, sizeof(text), "%.*s", STR_FORMAT(date));
    answer->date_s = curl_getdate(text, NULL);
}

static bool is_wanted(const char *const *wanted, struct str name)
{
    for (size_t i = 0; i < WANTED_MAX && wanted && wanted[i]; i++) {
        if (str_is_ignoring_case(name, wanted[i])) {
            return true;
        }
    }
    return false;
}

void answer_take_field(struct outbound_answer *answer, const char *const *wanted, struct str line)
{
    struct str value = line;
    struct str name;

    if (!str_cut(&value, ':', &name) || !value.bytes) {
        return;
    }
    if (str_is_ignoring_case(name, "Cache-Control")) {
        read_max_age(value, answer);
    }
    if (str_is_ignoring_case(name, "Date")) {
        read_date(value, answer);
    }
    if (is_wanted(wanted, name)) {
        strbuf_append(&answer->fields, line);
    }
}

static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Of the first: the server's own. */
static void append_fields(const struct curl_certinfo *certificates, struct strbuf *text)
{
    static const char *const names[][2] = {
        {"Subject:", " of "}, {"Issuer:", ", issued by "}, {"Expire date:", ", good until "}};

    strbuf_append_text(text, "the certificate");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (const struct curl_slist *line = certificates->certinfo[0]; line; line = line->next) {
            const struct str entry = str_from(line->data);

            if (str_starts_with(entry, names[i][0])) {
                const struct str value = str_from_index(entry, str_from(names[i][0]).length);

                strbuf_append_text(text, names[i][1]);
                strbuf_append(text, str_slice(value, 0, VALUE_MAX_BYTES));
            }
        }
    }
}

static void describe_certificate(const char *url, struct strbuf *text)
{
    CURL *const handle = curl_easy_init();
    struct curl_certinfo *certificates = NULL;

    if (!handle) {
        return;
    }
    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)CERTIFICATE_TIMEOUT_MS);
    (void)curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(handle, CURLOPT_CERTINFO, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    if (curl_easy_perform(handle) == CURLE_OK &&
        curl_easy_getinfo(handle, CURLINFO_CERTINFO, &certificates) == CURLE_OK && certificates &&
        certificates->num_of_certs > 0) {
        append_fields(certificates, text);
    }
    curl_easy_cleanup(handle);
}

/* RFC 9110 9.3.6, 15.5.8 */
static const char *proxy_reason(int status)
{
    switch (status) {
    case 403:
        return "the proxy in between does not allow it (status 403)";
    case 407:
        return "the proxy in between wants a login (status 407): put it into the proxy's "
               "variable, http://USER:PASSWORD@HOST:PORT";
    case 502:
    case 503:
    case 504:
        return "the proxy in between does not reach it (status 502 to 504)";
    default:
        return "the proxy in between refuses to connect";
    }
}

/* curl's own texts may hold the whole URL, so that only those of connections and certificates are
 * passed on. */
static const char *reason_of(const struct http_failure *failure)
{
    if (failure->is_truncated) {
        return "the answer is too long";
    }
    if (failure->proxy_status != 0) {
        return proxy_reason(failure->proxy_status);
    }
    switch ((int)failure->result) {
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
        return failure->problem[0] != '\0' ? failure->problem : curl_easy_strerror(failure->result);
    default:
        return curl_easy_strerror(failure->result);
    }
}

enum error_code http_failure_set(const struct http_failure *failure, struct error *err)
{
    struct str host = str_from(failure->url);
    struct strbuf certificate;
    const size_t scheme = str_index_of(host, ':');

    host = str_from_index(host, scheme + sizeof("://") - 1);
    host = str_slice(host, 0, str_index_of(host, '/'));
    host = str_slice(host, 0, str_index_of(host, '?'));
    strbuf_init(&certificate, CERTIFICATE_MAX_BYTES);
    if (failure->result == CURLE_PEER_FAILED_VERIFICATION) {
        describe_certificate(failure->url, &certificate);
    }
    (void)error_set(err, ERROR_UNAVAILABLE, "%.*s cannot be asked: %s%s%s",
                    STR_FORMAT(str_slice(host, 0, HOST_BYTES)), reason_of(failure),
                    certificate.length > 0 ? ": " : "", certificate.text);
    strbuf_release(&certificate);
    return ERROR_UNAVAILABLE;
}

void outbound_answer_release(struct outbound_answer *answer)
{
    strbuf_release(&answer->body);
    strbuf_release(&answer->fields);
}

struct str outbound_answer_field(const struct outbound_answer *answer, const char *name)
{
    struct str rest = strbuf_str(&answer->fields);
    struct str line;
    struct str found;

    while (str_cut(&rest, '\n', &line)) {
        if (str_cut(&line, ':', &found) && str_is_ignoring_case(found, name)) {
            return str_trim(str_slice(line, 0, str_index_of(line, '\r')));
        }
    }
    return (struct str){0};
}
