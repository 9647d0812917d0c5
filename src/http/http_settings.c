#include "http/http_settings.h"

#include "http/request.h"
#include "http/tls.h"

static const char *const tls_version_words[] = {
    [TLS_1_2] = "1.2",
    [TLS_1_3] = "1.3",
    NULL,
};

static const struct setting tls_rows[] = {
    {
        .key = "tls.certificate",
        .type = SETTING_PATH,
        .offset = offsetof(struct tls_config, certificate),
        .example = "/etc/pierone/tls.crt",
        .help = "PEM file with the certificate and its chain; needs tls.key. Without it, the "
                "server speaks plain HTTP. Read again on SIGHUP.",
    },
    {
        .key = "tls.key",
        .type = SETTING_PATH,
        .offset = offsetof(struct tls_config, key),
        .example = "/etc/pierone/tls.key",
        .help = "PEM file with the certificate's private key. Read again on SIGHUP.",
    },
    {
        .key = "tls.minimum",
        .type = SETTING_WORD,
        .offset = offsetof(struct tls_config, minimum),
        .default_text = "1.2",
        .words = tls_version_words,
        .help = "The oldest version of TLS to speak.",
    },
    {
        .key = "tls.ciphers",
        .type = SETTING_TEXT,
        .offset = offsetof(struct tls_config, ciphers),
        .default_text = TLS_CIPHERS_DEFAULT,
        .help = "Ciphers of TLS 1.2, the best first: names or groups as `openssl ciphers -v` takes "
                "them, joined by colons. The default has forward secrecy and authenticated "
                "encryption. All of TLS 1.3 have both, and are always on.",
    },
};

static void tls_settings_check(const void *values, struct problems *problems)
{
    const struct tls_config *const tls = values;
    struct error err;

    if (tls->certificate && !tls->key) {
        problems_add(problems, "tls.key: is missing, tls.certificate is set");
    }
    if (tls->key && !tls->certificate) {
        problems_add(problems, "tls.certificate: is missing, tls.key is set");
    }
    if (tls_check_ciphers(tls->ciphers, &err)) {
        problems_add(problems, "tls.ciphers: %s", err.message);
    }
}

const struct settings_table tls_settings_table = {
    .rows = tls_rows,
    .count = ARRAY_LEN(tls_rows),
    .check = tls_settings_check,
};

static const struct setting limit_rows[] = {
    {
        .key = "limits.connections",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, connections),
        .default_text = "16384",
        .minimum = 1,
        .maximum = 1000000,
        .help = "Connections open at once; more are answered 503. Each may need two file "
                "descriptors.",
    },
    {
        .key = "limits.connections_per_address",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, connections_per_address),
        .default_text = "0",
        .minimum = 0,
        .maximum = 1000000,
        .help = "Of these, the share of one address; of IPv6, of one /64. A proxy of "
                "trusted_proxies has none; its requests that are being served count for the "
                "addresses that it tells. 0: a quarter of limits.connections, or 64 if that is "
                "more, but "
                "never more than half of them.",
    },
    {
        .key = "limits.loops",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, loops),
        .default_text = "0",
        .minimum = 0,
        .maximum = 256,
        .help = "Threads that move bytes and never wait. 0: one per core.",
    },
    {
        .key = "limits.workers",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, workers),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that may wait for disk or database.",
    },
    {
        .key = "limits.waiters",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, waiters),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that may wait for other servers: those that know tokens and teams.",
    },
    {
        .key = "limits.carriers",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct http_limits, carriers),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Threads that carry layers to and from S3.",
    },
    {
        .key = "limits.head_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct http_limits, head_bytes),
        .default_text = "64KiB",
        .minimum = 4 * SETTING_KIB,
        .maximum = SETTING_MIB,
        .help = "Largest head of a request: its first line and header fields. Tokens can be large.",
    },
    {
        .key = "limits.headers",
        .type = SETTING_COUNT,
        .offset = offsetof(struct http_limits, headers),
        .default_text = "100",
        .minimum = 16,
        .maximum = HTTP_MAX_HEADERS,
        .help = "Most header fields of a request.",
    },
    {
        .key = "limits.request_memory",
        .type = SETTING_SIZE,
        .offset = offsetof(struct http_limits, arena_bytes),
        .default_text = "16MiB",
        .minimum = SETTING_MIB,
        .maximum = SETTING_GIB,
        .help = "Memory that one request may take, where it needs any; at least twice "
                "limits.manifest_size.",
    },
    {
        .key = "limits.head_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct http_limits, head_timeout_ms),
        .default_text = "15s",
        .minimum = SETTING_SECOND,
        .maximum = 10 * SETTING_MINUTE,
        .help =
            "How long a request's head may take from its first byte to its end; a TLS handshake "
            "too.",
    },
    {
        .key = "limits.idle_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct http_limits, idle_timeout_ms),
        .default_text = "120s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long a connection may rest between requests. Keep it longer than a load "
                "balancer's in front (often 60s).",
    },
    {
        .key = "limits.stall_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct http_limits, stall_timeout_ms),
        .default_text = "30s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "A body, sent or received, that stays below limits.body_rate for so long ends its "
                "connection.",
    },
    {
        .key = "limits.body_rate",
        .type = SETTING_RATE,
        .offset = offsetof(struct http_limits, body_rate_bytes_per_second),
        .default_text = "1KiB",
        .minimum = 1,
        .maximum = 100 * SETTING_MIB,
        .help = "The slowest that a body may move, averaged over limits.stall_timeout.",
    },
    {
        .key = "limits.drain_delay",
        .type = SETTING_DURATION,
        .offset = offsetof(struct http_limits, drain_delay_ms),
        .default_text = "1s",
        .minimum = 1,
        .maximum = 10 * SETTING_MINUTE,
        .help = "After SIGTERM /ready fails for so long before connections are no longer accepted. "
                "Set it longer than a load balancer needs to notice.",
    },
    {
        .key = "limits.drain_timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct http_limits, drain_timeout_ms),
        .default_text = "20s",
        .minimum = 1,
        .maximum = SETTING_DAY,
        .help = "How long requests in flight then have to finish.",
    },
    {
        .key = "limits.discard_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct http_limits, discard_bytes),
        .default_text = "1MiB",
        .minimum = 1,
        .maximum = SETTING_GIB,
        .help = "How much of a refused request's body is read and dropped, so that the client sees "
                "the answer.",
    },
};

const struct settings_table http_settings_table = {
    .rows = limit_rows,
    .count = ARRAY_LEN(limit_rows),
};
