#include "auth/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "base/log.h"
#include "tests/support/temporary_folder.h"

/* Of "correct horse"; the cost is as low as the kind permits. */
#define HASH "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"

enum { THREADS = 6, ROUNDS = 20, LOG_BYTES = 16 * 1024 };

struct fixture {
    char *folder;
    char path[PATH_MAX];
    FILE *lines; /* the log */
    struct log log;
    struct identity_source *source;
};

static void write_users(const struct fixture *fixture, const char *text)
{
    const int fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const size_t length = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    assert_int_equal(close(fd), 0);
}

static enum error_code open_source(struct fixture *fixture, struct error *err)
{
    const struct users_config config = {.path = fixture->path, .log = &fixture->log};

    return users_source_new(&config, &fixture->source, err);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.folder = temporary_folder_new(), .lines = tmpfile()};
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/users", fixture.folder);
    log_init(&fixture.log, fileno(fixture.lines), LOG_TEXT, LOG_INFO, &clock_system);
    write_users(&fixture, "alice:" HASH ":payments,checkout\nbob:" HASH ":\n");
    *state = &fixture;
    return open_source(&fixture, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    identity_source_free(fixture->source);
    (void)fclose(fixture->lines);
    temporary_folder_free(fixture->folder);
    return 0;
}

static struct credentials password_of(const char *name, const char *password)
{
    return (struct credentials){
        .kind = CREDENTIALS_PASSWORD, .name = str_from(name), .secret = str_from(password)};
}

/* What the source says about somebody; the identity, if any, is dropped. */
static enum error_code try(const struct fixture *fixture, const char *name, const char *password,
                           struct error *err)
{
    const struct credentials credentials = password_of(name, password);
    struct identity *identity = NULL;
    const enum error_code code =
        fixture->source->driver->identify(fixture->source, &credentials, &identity, err);

    assert_int_equal(code == OK, identity != NULL);
    identity_release(identity);
    return code;
}

static unsigned long generation_of(const struct fixture *fixture)
{
    return fixture->source->driver->generation(fixture->source);
}

static size_t count_in_log(const struct fixture *fixture, const char *word)
{
    static char text[LOG_BYTES];
    size_t count = 0;

    rewind(fixture->lines);
    text[fread(text, 1, sizeof(text) - 1, fixture->lines)] = '\0';
    for (const char *rest = text; (rest = strstr(rest, word)) != NULL; rest++) {
        count++;
    }
    return count;
}

static void a_right_password_gives_name_and_teams(void **state)
{
    const struct fixture *fixture = *state;
    const struct credentials credentials = password_of("alice", "correct horse");
    struct identity *identity = NULL;

    assert_int_equal(
        fixture->source->driver->identify(fixture->source, &credentials, &identity, NULL), OK);
    assert_int_equal(identity->kind, IDENTITY_EMPLOYEE);
    assert_true(str_is(identity->name, "alice"));
    assert_true(str_is(identity->teams, "payments\ncheckout\n"));
    assert_int_equal(identity->scopes.length, 0);
    assert_true(identity->expires_ms == INT64_MAX);
    assert_false(identity->is_limited);
    identity_release(identity);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), OK);
}

static void all_else_is_refused_in_the_same_words(void **state)
{
    static const char *const cases[][2] = {
        {"alice", "correct hors"},
        {"alice", "correct horse "},
        {"alice", HASH},
        {"Alice", "correct horse"},
        {"carol", "correct horse"},
        {"carol", "nobody has this password"}, /* that of the stand-in */
        {"", "correct horse"},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        assert_int_equal(try(fixture, cases[i][0], cases[i][1], &err), ERROR_UNAUTHENTICATED);
        assert_string_equal(err.message, "the user name or the password is wrong");
    }
}

static void it_knows_its_names(void **state)
{
    const struct fixture *fixture = *state;

    assert_true(fixture->source->driver->knows_name(fixture->source, str_from("alice")));
    assert_false(fixture->source->driver->knows_name(fixture->source, str_from("Alice")));
    assert_false(fixture->source->driver->knows_name(fixture->source, (struct str){0}));
}

static void only_passwords_are_its_business(void **state)
{
    const struct fixture *fixture = *state;
    const struct {
        enum credentials_kind kind;
        enum source_interest interest;
    } cases[] = {
        {CREDENTIALS_NONE, SOURCE_IGNORES},
        {CREDENTIALS_TOKEN, SOURCE_IGNORES},
        {CREDENTIALS_INSTANCE, SOURCE_IGNORES},
        {CREDENTIALS_PASSWORD, SOURCE_MAY_KNOW},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct credentials credentials = {.kind = cases[i].kind};

        assert_int_equal(fixture->source->driver->interest(fixture->source, &credentials),
                         cases[i].interest);
    }
}

static void a_check_says_how_many_there_are(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf report;

    strbuf_init(&report, LOG_BYTES);
    assert_int_equal(fixture->source->driver->check(fixture->source, &report, NULL), OK);
    write_users(fixture, "alice:" HASH ":payments\n");
    (void)generation_of(fixture);
    assert_int_equal(fixture->source->driver->check(fixture->source, &report, NULL), OK);
    assert_true(str_starts_with(strbuf_str(&report), "users: "));
    assert_non_null(strstr(report.text, "/users has 2 users\n"));
    assert_non_null(strstr(report.text, "/users has 1 user\n"));
    strbuf_release(&report);
}

static void a_wrong_or_missing_file_makes_no_source(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    identity_source_free(fixture->source);
    fixture->source = NULL;
    write_users(fixture, "alice:" HASH ":\nbob:abhfCpXqd4GrI:\n");
    assert_int_equal(open_source(fixture, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture->path));
    assert_non_null(strstr(err.message, "line 2"));
    assert_null(strstr(err.message, "abhf"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(open_source(fixture, &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "pieroned user add"));
    assert_null(fixture->source);
}

static void a_change_counts_at_once(void **state)
{
    struct fixture *fixture = *state;
    const unsigned long before = generation_of(fixture);
    const struct user carol = {str_from("carol"), str_from(HASH), str_from("payments\n")};

    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(users_file_update(fixture->path, &carol, USERS_ADD, NULL), OK);
    assert_int_equal(try(fixture, "carol", "correct horse", NULL), ERROR_UNAUTHENTICATED);
    assert_true(generation_of(fixture) > before);
    assert_int_equal(try(fixture, "carol", "correct horse", NULL), OK);
    write_users(fixture, "carol:" HASH ":\n");
    assert_true(generation_of(fixture) > before + 1);
    assert_int_equal(try(fixture, "alice", "correct horse", NULL), ERROR_UNAUTHENTICATED);
    assert_int_equal(generation_of(fixture), before + 2);
    assert_int_equal(count_in_log(fixture, "users_read"), 2);
}

static void a_wrong_change_leaves_the_users_and_is_logged_once(void **state)
{
    struct fixture *fixture = *state;
    const unsigned long before = generation_of(fixture);

    write_users(fixture, "alice:" HASH ":payments\nbob:abhfCpXqd4GrI:\n");
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), OK);
    assert_int_equal(count_in_log(fixture, "users_kept"), 1);
    assert_int_equal(count_in_log(fixture, "line 2"), 1);
    assert_int_equal(count_in_log(fixture, "abhf"), 0);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), OK);
    assert_int_equal(count_in_log(fixture, "users_kept"), 2);
    write_users(fixture, "alice:" HASH ":payments\n");
    assert_true(generation_of(fixture) > before);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), ERROR_UNAUTHENTICATED);
}

static void a_corrected_mode_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    const unsigned long before = generation_of(fixture);

    assert_int_equal(chmod(fixture->path, 0644), 0);
    write_users(fixture, "alice:" HASH ":payments\n");
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(count_in_log(fixture, "chmod o="), 1);
    assert_int_equal(chmod(fixture->path, 0640), 0);
    assert_true(generation_of(fixture) > before);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), ERROR_UNAUTHENTICATED);
}

/* Or somebody who was removed would stay until the next change. */
static void what_could_not_be_read_for_a_moment_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    const unsigned long before = generation_of(fixture);
    struct rlimit usual;
    struct rlimit none;

    write_users(fixture, "alice:" HASH ":payments\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(generation_of(fixture), before);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(count_in_log(fixture, "users_kept"), 1);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), OK);
    assert_int_equal(generation_of(fixture), before + 1);
    assert_int_equal(try(fixture, "bob", "correct horse", NULL), ERROR_UNAUTHENTICATED);
    assert_int_equal(generation_of(fixture), before + 1);
}

struct crowd {
    const struct fixture *fixture;
    atomic_int wrong;
};

static void *try_often(void *context)
{
    struct crowd *crowd = context;

    for (int i = 0; i < ROUNDS; i++) {
        (void)generation_of(crowd->fixture);
        if (try(crowd->fixture, "alice", "correct horse", NULL) != OK ||
            try(crowd->fixture, "alice", "wrong", NULL) != ERROR_UNAUTHENTICATED) {
            (void)atomic_fetch_add(&crowd->wrong, 1);
        }
    }
    return NULL;
}

/* With a file that changes all the time. */
static void many_at_a_time_get_the_right_answer(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd = {.fixture = fixture};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, try_often, &crowd), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        const char *const teams = i % 2 == 0 ? "a\n" : "b\nc\n";
        const struct user alice = {.name = str_from("alice"), .teams = str_from(teams)};

        assert_int_equal(users_file_update(fixture->path, &alice, USERS_CHANGE, NULL), OK);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&crowd.wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_right_password_gives_name_and_teams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_else_is_refused_in_the_same_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_knows_its_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_passwords_are_its_business, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_says_how_many_there_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_or_missing_file_makes_no_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_counts_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_change_leaves_the_users_and_is_logged_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_corrected_mode_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_could_not_be_read_for_a_moment_is_tried_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_at_a_time_get_the_right_answer, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
