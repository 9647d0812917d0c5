#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/random.h"
#include "crew.h"
#include "kinds.h"

enum {
    CHUNK_BYTES = 1024 * 1024,
    SALT_BYTES = 32,
    CONFIG_BYTES = 256,
    MANIFEST_BYTES = 1024,
};

/* A blob of any size: a chunk that repeats, behind one that is nobody else's. */
struct big_blob {
    char salt[RANDOM_ID_BYTES];
    uint64_t bytes;
    char digest[DIGEST_TEXT_BYTES];
};

/* What an upload thread has ready before the clock starts. */
struct big_blobs {
    char chunk[CHUNK_BYTES];
    struct big_blob blobs[];
};

/* An image that nobody has pushed. */
struct small_image {
    unsigned number; /* of this thread's images */
    struct str layer;
    char config[CONFIG_BYTES];
    char layer_digest[DIGEST_TEXT_BYTES];
    char config_digest[DIGEST_TEXT_BYTES];
};

static void prepare_uploads(struct crew_member *member);
static void upload_all(struct crew_member *member);
static unsigned count_distinct(const struct options *options);
static void hash_blob(const char *chunk, struct big_blob *blob);
static bool upload(struct crew_member *member, const struct big_blob *blob);
static bool begin_upload(struct crew_member *member, struct client_answer *answer);
static bool send_body(struct crew_member *member, const struct big_blob *blob);
static bool end_upload(struct crew_member *member, const char *location, const char *digest,
                       struct client_answer *answer);
static void push_all(struct crew_member *member);
static bool push_image(struct crew_member *member, unsigned number);
static char *new_layer(size_t bytes);
static void make_config(struct small_image *image);
static bool push_blob(struct crew_member *member, struct str blob, const char *digest);
static bool push_manifest(struct crew_member *member, const struct small_image *image);
static void format_digest(struct str blob, char text_out[DIGEST_TEXT_BYTES]);

void load_upload(const struct options *options)
{
    crew_run(options, options->connections,
             &(struct crew_work){.prepare = prepare_uploads, .work = upload_all});
}

/* Hashing is the client's affair: it is done before the clock starts. */
static void prepare_uploads(struct crew_member *member)
{
    const struct options *options = member->options;
    struct big_blobs *big = memory_new(1, sizeof(*big) + options->count * sizeof(struct big_blob));

    random_fill(big->chunk, sizeof(big->chunk));
    for (unsigned i = 0; i < count_distinct(options); i++) {
        random_id(big->blobs[i].salt);
        big->blobs[i].bytes = options->bytes;
        hash_blob(big->chunk, &big->blobs[i]);
    }
    member->own = big;
}

static unsigned count_distinct(const struct options *options)
{
    const bool is_all = options->distinct == 0 || options->distinct > options->count;

    return is_all ? options->count : options->distinct;
}

static void hash_blob(const char *chunk, struct big_blob *blob)
{
    struct hasher hasher;
    struct digest digest;
    uint64_t left = blob->bytes - (sizeof(blob->salt) - 1);

    hasher_init(&hasher, DIGEST_SHA256);
    hasher_update(&hasher, str_from(blob->salt));
    while (left > 0) {
        const size_t length = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

        hasher_update(&hasher, (struct str){chunk, length});
        left -= length;
    }
    digest = hasher_digest(&hasher);
    digest_format(&digest, blob->digest);
}

static void upload_all(struct crew_member *member)
{
    struct big_blobs *big = member->own;

    for (unsigned i = 0; i < member->options->count; i++) {
        const struct big_blob *blob = &big->blobs[i % count_distinct(member->options)];
        const int64_t begin_us = clock_elapsed_us();

        if (upload(member, blob)) {
            recorder_add(&member->recorder, clock_elapsed_us() - begin_us);
            member->recorder.bytes += blob->bytes;
        } else {
            member->recorder.failed++;
        }
    }
    free(big);
}

static bool upload(struct crew_member *member, const struct big_blob *blob)
{
    struct client_answer answer;
    struct client_request patch = {
        .method = "PATCH",
        .content_type = "application/octet-stream",
        .more_bytes = blob->bytes,
    };
    char path[CLIENT_LOCATION_BYTES];

    if (!begin_upload(member, &answer)) {
        return false;
    }
    memcpy(path, answer.location, sizeof(path));
    patch.path = path;
    if (!client_send_request(&member->client, &patch) || !send_body(member, blob) ||
        !client_receive(&member->client, false, &answer) || answer.status != 202) {
        client_close(&member->client);
        return false;
    }
    memcpy(path, answer.location, sizeof(path));
    return end_upload(member, path, blob->digest, &answer);
}

static bool begin_upload(struct crew_member *member, struct client_answer *answer)
{
    char path[CLIENT_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/", member->options->repository);
    return client_ask(&member->client, &(struct client_request){.method = "POST", .path = path},
                      answer) &&
           answer->status == 202;
}

static bool send_body(struct crew_member *member, const struct big_blob *blob)
{
    const struct big_blobs *big = member->own;
    uint64_t left = blob->bytes - (sizeof(blob->salt) - 1);
    bool is_sent = client_send(&member->client, str_from(blob->salt));

    while (is_sent && left > 0) {
        const size_t length = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

        is_sent = client_send(&member->client, (struct str){big->chunk, length});
        left -= length;
    }
    return is_sent;
}

static bool end_upload(struct crew_member *member, const char *location, const char *digest,
                       struct client_answer *answer)
{
    char path[CLIENT_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s%cdigest=%s", location, strchr(location, '?') ? '&' : '?',
                   digest);
    return client_ask(&member->client, &(struct client_request){.method = "PUT", .path = path},
                      answer) &&
           answer->status == 201;
}

void load_push(const struct options *options)
{
    crew_run(options, options->connections, &(struct crew_work){.work = push_all});
}

static void push_all(struct crew_member *member)
{
    const int64_t end_us = member->begin_us + (int64_t)member->options->seconds * 1000000;
    int64_t now_us = member->begin_us;

    for (unsigned number = 0; now_us < end_us; number++) {
        const int64_t begin_us = now_us;
        const bool is_pushed = push_image(member, number);

        now_us = clock_elapsed_us();
        if (is_pushed) {
            recorder_add(&member->recorder, now_us - begin_us);
        } else {
            member->recorder.failed++;
        }
    }
}

/* As docker does it: ask for each blob, push it, then the manifest. */
static bool push_image(struct crew_member *member, unsigned number)
{
    struct small_image image = {.number = number};
    char *layer = new_layer(member->options->bytes);
    bool is_pushed;

    image.layer = (struct str){layer, member->options->bytes};
    make_config(&image);
    format_digest(image.layer, image.layer_digest);
    format_digest(str_from(image.config), image.config_digest);
    is_pushed = push_blob(member, image.layer, image.layer_digest) &&
                push_blob(member, str_from(image.config), image.config_digest) &&
                push_manifest(member, &image);
    free(layer);
    return is_pushed;
}

/* Zeros, but for what makes it new. */
static char *new_layer(size_t bytes)
{
    char *layer = memory_new(1, bytes);

    random_fill(layer, bytes < SALT_BYTES ? bytes : SALT_BYTES);
    return layer;
}

static void make_config(struct small_image *image)
{
    char salt[RANDOM_ID_BYTES];

    random_id(salt);
    (void)snprintf(image->config, sizeof(image->config),
                   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"salt\":\"%s\","
                   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
                   salt);
}

static bool push_blob(struct crew_member *member, struct str blob, const char *digest)
{
    struct client_answer answer;
    char path[CLIENT_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "/v2/%s/blobs/%s", member->options->repository, digest);
    if (!client_ask(&member->client, &(struct client_request){.method = "HEAD", .path = path},
                    &answer) ||
        answer.status != 404 || !begin_upload(member, &answer)) {
        return false;
    }
    memcpy(path, answer.location, sizeof(answer.location));
    if (!client_ask(&member->client,
                    &(struct client_request){.method = "PATCH",
                                             .path = path,
                                             .content_type = "application/octet-stream",
                                             .body = blob},
                    &answer) ||
        answer.status != 202) {
        return false;
    }
    memcpy(path, answer.location, sizeof(answer.location));
    return end_upload(member, path, digest, &answer);
}

static bool push_manifest(struct crew_member *member, const struct small_image *image)
{
    const char type[] = "application/vnd.oci.image.manifest.v1+json";
    struct client_answer answer;
    char path[CLIENT_PATH_BYTES];
    char manifest[MANIFEST_BYTES];

    (void)snprintf(path, sizeof(path), "/v2/%s/manifests/%u-%u", member->options->repository,
                   member->number, image->number);
    (void)snprintf(manifest, sizeof(manifest),
                   "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
                   "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},"
                   "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
                   "\"digest\":\"%s\",\"size\":%zu}]}",
                   type, image->config_digest, strlen(image->config), image->layer_digest,
                   image->layer.length);
    return client_ask(
               &member->client,
               &(struct client_request){
                   .method = "PUT", .path = path, .content_type = type, .body = str_from(manifest)},
               &answer) &&
           answer.status == 201;
}

static void format_digest(struct str blob, char text_out[DIGEST_TEXT_BYTES])
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, blob);

    digest_format(&digest, text_out);
}
