#include "metadata/sql_postgresql_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

enum { PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 1000 };

struct postgresql_pool {
    struct sql *sql;
    const struct postgresql_config *config;
    struct postgresql_counters *counters;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t has_news;
    struct postgresql_connection *idle;
    unsigned count;      /* lent, idle, and being made */
    unsigned generation; /* of connections that are made now */
    bool prepares;
    bool is_away;     /* the last connection could not be made */
    bool has_served;  /* there was one before: at the start, nobody else needs the thread */
    bool is_asked;    /* … and somebody is trying */
    int64_t pause_ms; /* between two tries, at most */
    int64_t next_try_ms;
    int64_t away_since_ms;
    enum error_code away_code;
    struct error away_error; /* why */
};

/* What a caller is to do next. */
enum turn { TURN_WAIT, TURN_TAKE, TURN_CONNECT };

struct postgresql_pool *postgresql_pool_new(struct sql *sql, const struct postgresql_config *config,
                                            struct postgresql_counters *counters)
{
    struct postgresql_pool *pool = memory_new(1, sizeof(*pool));
    pthread_condattr_t attributes;

    pool->sql = sql;
    pool->config = config;
    pool->counters = counters;
    pool->prepares = config->prepared_statements;
    (void)pthread_mutex_init(&pool->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->has_news, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return pool;
}

static void close_all(struct postgresql_connection *connections)
{
    while (connections) {
        struct postgresql_connection *next = connections->next_idle;

        postgresql_connection_close(connections);
        connections = next;
    }
}

void postgresql_pool_free(struct postgresql_pool *pool)
{
    if (pool) {
        close_all(pool->idle);
        (void)pthread_cond_destroy(&pool->has_news);
        (void)pthread_mutex_destroy(&pool->mutex);
        free(pool);
    }
}

static enum turn find_turn(const struct postgresql_pool *pool)
{
    if (pool->idle) {
        return TURN_TAKE;
    }
    if (pool->count >= pool->config->connections || (pool->is_away && pool->is_asked) ||
        (pool->is_away && clock_monotonic_ms(&clock_system) < pool->next_try_ms)) {
        return TURN_WAIT;
    }
    return TURN_CONNECT;
}

static struct postgresql_connection *take_idle(struct postgresql_pool *pool)
{
    struct postgresql_connection *connection = pool->idle;

    pool->idle = connection->next_idle;
    connection->next_idle = NULL;
    return connection;
}

/* Half of the pause is random, so that many servers do not come back at once. */
static void note_away(struct postgresql_pool *pool, enum error_code code,
                      const struct error *reason)
{
    uint32_t number = 0;

    random_fill(&number, sizeof(number));
    if (!pool->is_away) {
        pool->away_since_ms = clock_monotonic_ms(&clock_system);
    }
    pool->pause_ms = pool->is_away ? 2 * pool->pause_ms : PAUSE_MIN_MS;
    pool->pause_ms = pool->pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : pool->pause_ms;
    pool->is_away = true;
    pool->next_try_ms =
        clock_monotonic_ms(&clock_system) + pool->pause_ms / 2 + number % (pool->pause_ms / 2 + 1);
    pool->away_code = code;
    pool->away_error = *reason;
}

static enum error_code pool_give_up(const struct postgresql_pool *pool, struct error *err)
{
    if (pool->is_away) {
        if (err) {
            *err = pool->away_error;
        }
        return pool->away_code;
    }
    (void)error_set(err, ERROR_UNAVAILABLE,
                    "all %u connections to the database were busy for too long",
                    pool->config->connections);
    if (err) {
        err->retry_after_s = 1;
    }
    return ERROR_UNAVAILABLE;
}

/* Called, and left, with the lock held; not while it connects. */
static enum error_code connect_one(struct postgresql_pool *pool,
                                   struct postgresql_connection **connection_out, struct error *err)
{
    const unsigned generation = pool->generation;
    struct postgresql_config config = *pool->config;
    struct error reason = {0};
    enum error_code code = OK;

    config.prepared_statements = pool->prepares;
    pool->is_asked = true;
    pool->count++;
    (void)pthread_mutex_unlock(&pool->mutex);
    code = postgresql_connection_open(pool->sql, &config, connection_out, &reason);
    (void)pthread_mutex_lock(&pool->mutex);
    pool->is_asked = false;
    if (code) {
        pool->count--;
        note_away(pool, code, &reason);
        (void)pool_give_up(pool, err);
    } else {
        (*connection_out)->generation = generation;
        (*connection_out)->counters = pool->counters;
        pool->is_away = false;
        pool->has_served = true;
        pool->pause_ms = PAUSE_MIN_MS;
    }
    (void)pthread_cond_broadcast(&pool->has_news);
    return code;
}

/*
 * Threads are few, and others need them: of a database that has been away for longer than a
 * request waits, only whoever tries to reach it expects something.
 */
static int64_t last_moment(const struct postgresql_pool *pool, int64_t deadline_ms)
{
    const int64_t away_ms = pool->away_since_ms + pool->config->retry_ms;

    return pool->is_away && pool->has_served && away_ms < deadline_ms ? away_ms : deadline_ms;
}

/* Or for the time of the next try. */
static void wait_for_news(struct postgresql_pool *pool, int64_t deadline_ms)
{
    const bool is_pause = pool->is_away && !pool->is_asked && pool->next_try_ms < deadline_ms;
    const struct timespec until = clock_timespec(is_pause ? pool->next_try_ms : deadline_ms);

    (void)pthread_cond_timedwait(&pool->has_news, &pool->mutex, &until);
}

enum error_code postgresql_pool_lend(struct postgresql_pool *pool, int64_t deadline_ms,
                                     struct postgresql_connection **connection_out,
                                     struct error *err)
{
    enum error_code code = ERROR_UNAVAILABLE;
    enum turn turn = TURN_WAIT;

    (void)pthread_mutex_lock(&pool->mutex);
    while (code == ERROR_UNAVAILABLE && turn != TURN_TAKE) {
        turn = find_turn(pool);
        if (turn == TURN_TAKE) {
            *connection_out = take_idle(pool);
            code = OK;
        } else if (turn == TURN_CONNECT) {
            code = connect_one(pool, connection_out, err);
        }
        if (code == ERROR_UNAVAILABLE &&
            clock_monotonic_ms(&clock_system) >= last_moment(pool, deadline_ms)) {
            code = pool_give_up(pool, err);
            break;
        }
        if (turn == TURN_WAIT) {
            wait_for_news(pool, last_moment(pool, deadline_ms));
        }
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return code;
}

/* Others lead to the same server, and are lost, too, or worse: it is none to write to any more. */
static struct postgresql_connection *retire(struct postgresql_pool *pool)
{
    struct postgresql_connection *retired = pool->idle;

    pool->generation++;
    pool->idle = NULL;
    for (const struct postgresql_connection *one = retired; one; one = one->next_idle) {
        pool->count--;
    }
    return retired;
}

void postgresql_pool_give_back(struct postgresql_pool *pool,
                               struct postgresql_connection *connection)
{
    struct postgresql_connection *closed = NULL;

    (void)pthread_mutex_lock(&pool->mutex);
    if (connection->failure == POSTGRESQL_IS_LOST && connection->generation == pool->generation) {
        closed = retire(pool);
    }
    if (connection->failure == POSTGRESQL_IS_LOST || connection->generation != pool->generation ||
        connection->prepares != pool->prepares) {
        connection->next_idle = closed;
        closed = connection;
        pool->count--;
    } else {
        connection->next_idle = pool->idle;
        pool->idle = connection;
    }
    (void)pthread_cond_signal(&pool->has_news);
    (void)pthread_mutex_unlock(&pool->mutex);
    close_all(closed);
}

void postgresql_pool_stop_preparing(struct postgresql_pool *pool)
{
    struct postgresql_connection *closed = NULL;

    (void)pthread_mutex_lock(&pool->mutex);
    if (pool->prepares) {
        pool->prepares = false;
        closed = retire(pool);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    close_all(closed);
}
