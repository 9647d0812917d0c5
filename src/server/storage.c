#include "server/storage.h"

#include <stdlib.h>

#include "base/host.h"
#include "base/side_hash.h"
#include "blobs/filesystem_store.h"
#include "blobs/s3_check.h"
#include "blobs/s3_store.h"
#include "metadata/swept_blobs.h"
#include "server/process.h"

enum {
    ANSWER_MAX_BYTES = 1024 * 1024, /* unless a request says otherwise */
    MEMORY_WAIT_MS = 30 * 1000,     /* then there are too many uploads at once */
    SIDE_HASHERS_MAX = 8,           /* more uploads at once have threads enough of their own */
};

static enum error_code revive(void *context, const struct digest *digest, struct error *err)
{
    return metadata_revive_blob(context, digest, err);
}

static enum error_code storage_open_folder(const char *folder, struct metadata *metadata,
                                           struct storage *storage, struct error *err)
{
    const struct blob_watch watch = {metadata, revive};
    const enum error_code code = filesystem_store_new(folder, &storage->blobs, err);

    if (!code) {
        filesystem_store_watch(storage->blobs, &watch);
    }
    return code;
}

/* Nobody changes the environment, so that threads may read it. */
static const char *storage_variable(const void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static enum error_code storage_open_client(const struct settings *settings, struct storage *storage,
                                           struct s3_client **client_out, struct error *err)
{
    const struct http_client_config http = {
        .ca_file = settings->ca_file,
        .user_agent = "pieroned/" PIERONE_VERSION,
        .timeout_ms = settings->storage.s3.timeout_ms,
        .answer_max_bytes = ANSWER_MAX_BYTES,
    };
    struct aws_credentials_config credentials = {.variable = storage_variable,
                                                 .region = settings->storage.s3.region,
                                                 .clock = &clock_system};
    struct s3_client_config client = {
        .bucket = settings->storage.s3.bucket,
        .region = settings->storage.s3.region,
        .endpoint = settings->storage.s3.endpoint,
        .public_endpoint = settings->storage.s3.public_endpoint,
        .uses_path = settings->storage.s3.path_style,
        .timeout_ms = settings->storage.s3.timeout_ms,
        .retry_ms = settings->storage.s3.retry_time_ms,
        .clock = &clock_system,
        .metrics = storage->metrics,
    };
    enum error_code code = http_client_new(&http, &storage->http, err);

    credentials.client = storage->http;
    if (!code) {
        code = aws_credentials_new(&credentials, &storage->credentials, err);
    }
    if (!code) {
        client.credentials = storage->credentials;
        client.http = storage->http;
        *client_out = s3_client_new(&client);
    }
    return code;
}

static enum error_code open_s3(const struct settings *settings, struct storage *storage,
                               struct error *err)
{
    struct s3_store_config config = {
        .clock = &clock_system,
        .settings = settings->storage.s3,
        .memory_wait_ms = MEMORY_WAIT_MS,
        .metrics = storage->metrics,
    };
    enum error_code code = storage_open_client(settings, storage, &config.client, err);

    if (code) {
        return code;
    }
    code = s3_store_new(&config, &storage->blobs, err);
    if (code) {
        s3_client_free(config.client);
    }
    return code;
}

/* The thread that writes an upload has a processor, and can use the others'. */
static enum error_code start_hashers(struct storage *storage, struct error *err)
{
    const unsigned others = process_core_count() - 1;
    enum error_code code = OK;

    if (others > 0) {
        code = side_hashers_new(others < SIDE_HASHERS_MAX ? others : SIDE_HASHERS_MAX,
                                &storage->side_hashers, err);
    }
    if (!code) {
        blob_store_hash_beside(storage->blobs, storage->side_hashers);
    }
    return code;
}

enum error_code storage_open(const struct settings *settings, const char *folder,
                             struct metadata *metadata, struct metrics *metrics,
                             struct storage *storage_out, struct error *err)
{
    enum error_code code = OK;

    *storage_out = (struct storage){.metrics = metrics};
    code = settings->storage.s3.bucket ? open_s3(settings, storage_out, err)
                                       : storage_open_folder(folder, metadata, storage_out, err);
    if (!code) {
        code = start_hashers(storage_out, err);
    }
    if (code) {
        storage_release(storage_out);
    }
    return code;
}

/* S3 is used by many anyway. */
enum error_code storage_join(const struct settings *settings, const char *folder,
                             struct storage *storage_out, struct error *err)
{
    *storage_out = (struct storage){0};
    return settings->storage.s3.bucket
               ? storage_open(settings, folder, NULL, NULL, storage_out, err)
               : filesystem_store_join(folder, &storage_out->blobs, err);
}

enum error_code storage_open_bucket(const struct settings *settings, struct storage *storage_out,
                                    struct s3_objects *objects_out, struct error *err)
{
    enum error_code code = OK;

    *storage_out = (struct storage){0};
    code = storage_open_client(settings, storage_out, &storage_out->bucket, err);
    if (code) {
        storage_release(storage_out);
        return code;
    }
    *objects_out =
        (struct s3_objects){storage_out->bucket, settings->storage.s3.style, &clock_system};
    return OK;
}

void storage_release(struct storage *storage)
{
    blob_store_free(storage->blobs);
    side_hashers_free(storage->side_hashers);
    s3_client_free(storage->bucket);
    aws_credentials_free(storage->credentials);
    http_client_free(storage->http);
    *storage = (struct storage){0};
}

/* Clients that are written in Go send a token along to the same name, and to those below it. */
static void report_links(const struct settings *settings, const struct s3_client *client,
                         struct strbuf *report)
{
    const struct str links = host_without_port(str_from(s3_client_link_host(client)));
    struct str registry = str_from(settings->public_url ? settings->public_url : "");
    struct str end;

    registry =
        host_without_port(str_from_index(registry, str_index_of(registry, '/') + sizeof("//") - 1));
    if (!settings->storage.s3.redirect || registry.length == 0 || links.length < registry.length) {
        return;
    }
    end = str_from_index(links, links.length - registry.length);
    if (str_equal_ignoring_case(end, registry) &&
        (links.length == registry.length || end.bytes[-1] == '.')) {
        strbuf_append_format(report,
                             "storage: links lead to %.*s, where podman, skopeo and containerd "
                             "send the token for %.*s along, and S3 refuses them: give S3 a name "
                             "of its own (storage.s3.public_endpoint), or set storage.s3.redirect "
                             "to false\n",
                             STR_FORMAT(links), STR_FORMAT(registry));
    }
}

void storage_check(const struct settings *settings, struct strbuf *report,
                   struct problems *problems)
{
    struct storage storage = {0};
    struct s3_objects objects;
    struct error err = {0};
    enum error_code code = OK;

    if (!settings->storage.s3.bucket) {
        return;
    }
    code = storage_open_bucket(settings, &storage, &objects, &err);
    if (!code) {
        code = s3_check(&objects, settings->storage.s3.prefix, report, &err);
        strbuf_append_format(report, "storage: %s, credentials: ", s3_client_name(storage.bucket));
        aws_credentials_describe(storage.credentials, report);
        strbuf_append_text(report, "\n");
        report_links(settings, storage.bucket, report);
    }
    if (code) {
        problems_add(problems, "storage.s3: %s", err.message);
    }
    storage_release(&storage);
}
