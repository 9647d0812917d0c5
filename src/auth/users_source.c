#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/sources.h"
#include "auth/users_file.h"
#include "base/log.h"
#include "base/memory.h"

/* By which a changed file is told from an unchanged one. */
struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec changed;
};

struct users_source {
    struct identity_source base; /* first */
    struct users_config config;
    char dummy_hash[PASSWORD_HASH_BYTES]; /* for names that are not there */

    atomic_ulong generation;

    pthread_mutex_t users_mutex; /* guards the following */
    struct users_file users;
    struct file_mark mark;   /* of the file that was read last, or is being read */
    unsigned long begun;     /* how often reading it has begun */
    unsigned long installed; /* which of these gave the users */
    bool is_complaining;     /* the log knows that it cannot be read */
};

/* What is known of somebody who says to be NAME. */
struct candidate {
    bool is_known;
    char hash[PASSWORD_HASH_BYTES];
    struct strbuf teams;
};

static enum source_interest users_interest(const struct identity_source *base,
                                           const struct credentials *credentials)
{
    (void)base;
    return credentials->kind == CREDENTIALS_PASSWORD ? SOURCE_MAY_KNOW : SOURCE_IGNORES;
}

static struct users_source *users_of(struct identity_source *base)
{
    return (struct users_source *)base; /* its first member */
}

/* A name that is not there takes as long as a wrong password. */
static void find_candidate(struct users_source *source, struct str name,
                           struct candidate *candidate)
{
    const struct user *user = NULL;

    memcpy(candidate->hash, source->dummy_hash, sizeof(candidate->hash));
    (void)pthread_mutex_lock(&source->users_mutex);
    user = users_file_find(&source->users, name);
    if (user) {
        candidate->is_known = true;
        memcpy(candidate->hash, user->hash.bytes, user->hash.length);
        candidate->hash[user->hash.length] = '\0';
        strbuf_append(&candidate->teams, user->teams);
    }
    (void)pthread_mutex_unlock(&source->users_mutex);
}

static enum error_code users_verify(const struct candidate *candidate, const char *password,
                                    struct error *err)
{
    const bool is_right = password_matches(password, candidate->hash) && candidate->is_known;

    return is_right
               ? OK
               : error_set(err, ERROR_UNAUTHENTICATED, "the user name or the password is wrong");
}

static enum error_code users_identify(struct identity_source *base,
                                      const struct credentials *credentials,
                                      struct identity **identity_out, struct error *err)
{
    struct users_source *source = users_of(base);
    struct candidate candidate = {0};
    struct identity fields = {
        .kind = IDENTITY_EMPLOYEE, .name = credentials->name, .expires_ms = INT64_MAX};
    enum error_code code = OK;

    strbuf_init(&candidate.teams, IDENTITY_LIST_BYTES);
    find_candidate(source, credentials->name, &candidate);
    code = users_verify(&candidate, credentials->secret.bytes, err);
    if (!code) {
        fields.teams = strbuf_str(&candidate.teams);
        *identity_out = identity_new(&fields);
    }
    strbuf_release(&candidate.teams);
    explicit_bzero(candidate.hash, sizeof(candidate.hash));
    return code;
}

static bool users_knows_name(struct identity_source *base, struct str name)
{
    struct users_source *source = users_of(base);
    bool is_known = false;

    (void)pthread_mutex_lock(&source->users_mutex);
    is_known = users_file_find(&source->users, name);
    (void)pthread_mutex_unlock(&source->users_mutex);
    return is_known;
}

static enum error_code users_check(struct identity_source *base, struct strbuf *report,
                                   struct error *err)
{
    struct users_source *source = users_of(base);
    size_t count = 0;

    (void)err; /* a file that is wrong made no source */
    (void)pthread_mutex_lock(&source->users_mutex);
    count = source->users.count;
    (void)pthread_mutex_unlock(&source->users_mutex);
    strbuf_append_format(report, "users: %s has %zu user%s\n", source->config.path, count,
                         count == 1 ? "" : "s");
    return OK;
}

/* Zero if there is none. ctime: it tells of a new mode or owner, too, and cannot be set back. */
static void mark_file(const char *path, struct file_mark *mark_out)
{
    struct stat status;

    if (stat(path, &status) == 0) {
        *mark_out =
            (struct file_mark){status.st_dev, status.st_ino, status.st_size, status.st_ctim};
    }
}

static bool is_same_mark(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* False if the file is the one that was read last. The mark is taken before reading: what changes
 * meanwhile is seen the next time. */
static bool begin_reading(struct users_source *source, unsigned long *turn_out)
{
    struct file_mark mark = {0};
    bool is_changed = false;

    mark_file(source->config.path, &mark);
    (void)pthread_mutex_lock(&source->users_mutex);
    is_changed = !is_same_mark(&mark, &source->mark);
    if (is_changed || source->begun == 0) {
        source->mark = mark;
        *turn_out = ++source->begun;
    }
    (void)pthread_mutex_unlock(&source->users_mutex);
    return is_changed;
}

/* Who began to read earlier may be done later, with what the file held before. */
static void install(struct users_source *source, unsigned long turn, const struct users_file *fresh)
{
    struct users_file old = *fresh;

    (void)pthread_mutex_lock(&source->users_mutex);
    if (turn > source->installed) {
        old = source->users;
        source->users = *fresh;
        source->installed = turn;
    }
    source->is_complaining = false;
    (void)pthread_mutex_unlock(&source->users_mutex);
    users_file_release(&old);
}

/* The users are only replaced by a file that is right. */
static enum error_code users_load(struct users_source *source, unsigned long turn,
                                  struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct users_file fresh = {0};
    struct error reason = {0};
    enum error_code code = OK;

    strbuf_init_secret(&text, USERS_FILE_MAX_BYTES);
    code = users_file_read(source->config.path, &text, err);
    if (code) {
        return code;
    }
    if (users_file_parse(strbuf_str(&text), &fresh, &reason)) {
        users_file_release(&fresh);
        return error_set(err, ERROR_INVALID, "users file %s, %s", source->config.path,
                         reason.message);
    }
    install(source, turn, &fresh);
    return OK;
}

/* A wrong file stays wrong until it changes. Anything else may pass by itself: it is tried again,
 * or a user who was removed would stay. */
static void keep_users(struct users_source *source, enum error_code code, const struct error *err)
{
    const bool is_final = code == ERROR_INVALID || code == ERROR_NOT_FOUND;
    bool is_known = false;

    (void)pthread_mutex_lock(&source->users_mutex);
    is_known = source->is_complaining && !is_final;
    source->is_complaining = true;
    if (!is_final) {
        source->mark = (struct file_mark){0};
    }
    (void)pthread_mutex_unlock(&source->users_mutex);
    if (!is_known) {
        log_message(source->config.log, LOG_ERROR, "users_kept",
                    "%s; the users are those of before", err->message);
    }
}

/* Asking for the mark takes a microsecond. The file, a megabyte at most, is read by the one thread
 * that sees the change. */
static void users_look(struct users_source *source)
{
    unsigned long turn = 0;
    struct error err = {0};
    enum error_code code = OK;

    if (!begin_reading(source, &turn)) {
        return;
    }
    code = users_load(source, turn, &err);
    if (code) {
        keep_users(source, code, &err);
        return;
    }
    (void)atomic_fetch_add(&source->generation, 1);
    log_message(source->config.log, LOG_INFO, "users_read", "%s", source->config.path);
}

static unsigned long users_generation(struct identity_source *base)
{
    struct users_source *source = users_of(base);

    users_look(source);
    return atomic_load(&source->generation);
}

static void users_free(struct identity_source *base)
{
    struct users_source *source = users_of(base);

    users_file_release(&source->users);
    (void)pthread_mutex_destroy(&source->users_mutex);
    explicit_bzero(source->dummy_hash, sizeof(source->dummy_hash));
    free(source);
}

static const struct identity_source_driver driver = {
    .name = "users file",
    .interest = users_interest,
    .identify = users_identify,
    .knows_name = users_knows_name,
    .check = users_check,
    .generation = users_generation,
    .free = users_free,
};

enum error_code users_source_new(const struct users_config *config,
                                 struct identity_source **source_out, struct error *err)
{
    struct users_source *source = memory_new(1, sizeof(*source));
    unsigned long turn = 0;
    enum error_code code = OK;

    source->base.driver = &driver;
    source->config = *config;
    (void)pthread_mutex_init(&source->users_mutex, NULL);
    code = password_hash("nobody has this password", source->dummy_hash, err);
    if (!code) {
        (void)begin_reading(source, &turn);
        code = users_load(source, turn, err);
    }
    if (code) {
        users_free(&source->base);
        return code;
    }
    *source_out = &source->base;
    return OK;
}
