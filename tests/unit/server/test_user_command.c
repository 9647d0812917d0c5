#include "server/user_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "tests/support/temporary_folder.h"

enum { MAX_WORDS = 10, WORD_BYTES = PATH_MAX, OUTPUT_BYTES = 8192, MANUAL_BYTES = 65536 };

struct fixture {
    char *folder;
    char path[PATH_MAX];
    char output[OUTPUT_BYTES]; /* of both streams, of the last call */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.folder = temporary_folder_new();
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/users", fixture.folder);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    temporary_folder_free(fixture->folder);
    return 0;
}

/* Standard input is that text, then its end. */
static void feed(const char *text)
{
    const size_t length = strlen(text);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, length), (ssize_t)length);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(ends[0]), 0);
}

/* Calls the command with these words, which getopt may move around, and keeps what it prints. */
static int call(struct fixture *fixture, const char *const *words, char *const *environment)
{
    static char texts[MAX_WORDS][WORD_BYTES];
    const int before[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    FILE *const lines = tmpfile();
    char *argv[MAX_WORDS + 1] = {NULL};
    int argc = 0;
    int status = 0;

    while (words[argc]) {
        (void)snprintf(texts[argc], WORD_BYTES, "%s", words[argc]);
        argv[argc] = texts[argc];
        argc++;
    }
    (void)fflush(stdout);
    assert_true(dup2(fileno(lines), STDOUT_FILENO) >= 0 && dup2(fileno(lines), STDERR_FILENO) >= 0);
    status = user_command_run(argc, argv, environment);
    (void)fflush(stdout);
    assert_true(dup2(before[0], STDOUT_FILENO) >= 0 && dup2(before[1], STDERR_FILENO) >= 0);
    assert_true(close(before[0]) == 0 && close(before[1]) == 0);
    rewind(lines);
    fixture->output[fread(fixture->output, 1, OUTPUT_BYTES - 1, lines)] = '\0';
    (void)fclose(lines);
    return status;
}

static int call_alone(struct fixture *fixture, const char *const *words)
{
    char *const environment[] = {NULL};

    return call(fixture, words, environment);
}

/* `user VERB NAME --users-file … --team TEAM --password-stdin`; without a team if that is NULL. */
static int add(struct fixture *fixture, const char *verb, const char *name, const char *team)
{
    const char *const words[] = {"user",
                                 verb,
                                 name,
                                 "--users-file",
                                 fixture->path,
                                 "--password-stdin",
                                 team ? "--team" : NULL,
                                 team,
                                 NULL};

    return call_alone(fixture, words);
}

static void assert_user(struct fixture *fixture, const char *name, const char *password,
                        const char *teams)
{
    struct users_file file;
    const struct user *user = NULL;
    struct strbuf text;

    strbuf_init_secret(&text, USERS_FILE_MAX_BYTES);
    assert_int_equal(users_file_read(fixture->path, &text, NULL), OK);
    assert_int_equal(users_file_parse(strbuf_str(&text), &file, NULL), OK);
    user = users_file_find(&file, str_from(name));
    assert_non_null(user);
    assert_true(str_is(user->teams, teams));
    assert_true(password_matches(password, user->hash.bytes));
    users_file_release(&file);
    strbuf_release(&text);
}

static void a_user_is_added_changed_and_listed(void **state)
{
    struct fixture *fixture = *state;
    const char *const team[] = {"user",   "team", "alice",        "--team",      "a",
                                "--team", "b",    "--users-file", fixture->path, NULL};
    const char *const list[] = {"user", "list", "--users-file", fixture->path, NULL};

    feed("the first one\n");
    assert_int_equal(add(fixture, "add", "alice", "payments"), 0);
    assert_string_equal(fixture->output, "");
    assert_user(fixture, "alice", "the first one", "payments\n");
    feed("the second one\n");
    assert_int_equal(add(fixture, "passwd", "alice", NULL), 0);
    assert_user(fixture, "alice", "the second one", "payments\n");
    assert_int_equal(call_alone(fixture, team), 0);
    assert_user(fixture, "alice", "the second one", "a\nb\n");
    feed("the third one\n");
    assert_int_equal(add(fixture, "add", "carol-ann", NULL), 0);
    assert_int_equal(call_alone(fixture, list), 0);
    assert_string_equal(fixture->output, "NAME       TEAMS\n"
                                         "alice      a,b\n"
                                         "carol-ann\n");
}

static void wrong_usage_is_told_and_ends_with_2(void **state)
{
    static const struct {
        const char *words[6];
        const char *word;
    } cases[] = {
        {{"user"}, "say what to do"},
        {{"user", "remove", "alice"}, "none of add, passwd, team and list"},
        {{"user", "add"}, "add needs the NAME"},
        {{"user", "passwd", "--password-stdin"}, "passwd needs the NAME"},
        {{"user", "add", "al ice"}, "letters and digits"},
        {{"user", "add", "oauth2"}, "oauth2"},
        {{"user", "add", "alice", "--team", "Team"}, "\"Team\" is no team"},
        {{"user", "add", "alice", "--team"}, "--team needs a value"},
        {{"user", "team", "alice"}, "team needs --team"},
        {{"user", "list", "alice"}, "list takes fewer arguments"},
        {{"user", "add", "alice", "hunter2"}, "--password-stdin"},
        {{"user", "add", "alice", "--password", "hunter2"}, "--password-stdin"},
        {{"user", "add", "alice", "--password=hunter2"}, "--password takes no value"},
        {{"user", "add", "alice", "--secret=hunter2"}, "unknown option \"--secret\""},
        {{"user", "add", "alice", "-phunter2"}, "unknown option \"-p\""},
        {{"user", "list", "-xc"}, "unknown option \"-x\""},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (call_alone(fixture, cases[i].words) != 2 || !strstr(fixture->output, cases[i].word) ||
            !strstr(fixture->output, "Try 'pieroned user --help'.\n") ||
            strstr(fixture->output, "hunter2")) {
            fail_msg("case %zu: %s", i, fixture->output);
        }
    }
}

static void failures_are_told_and_end_with_1(void **state)
{
    struct fixture *fixture = *state;
    const char *const list[] = {"user", "list", "--users-file", fixture->path, NULL};
    const char *const nowhere[] = {"user", "list", NULL};

    assert_int_equal(call_alone(fixture, list), 1);
    assert_non_null(strstr(fixture->output, "pieroned user add NAME"));
    assert_int_equal(call_alone(fixture, nowhere), 1);
    assert_non_null(strstr(fixture->output, "--users-file FILE"));
    feed("the first one\n");
    assert_int_equal(add(fixture, "passwd", "alice", NULL), 1);
    feed("the first one\n");
    assert_int_equal(add(fixture, "add", "alice", "payments"), 0);
    feed("the second one\n");
    assert_int_equal(add(fixture, "add", "alice", "other"), 1);
    assert_non_null(strstr(fixture->output, "there is a user alice already"));
    feed("\n");
    assert_int_equal(add(fixture, "passwd", "alice", NULL), 1);
    assert_non_null(strstr(fixture->output, "at least 8 characters"));
    feed("1234567\n");
    assert_int_equal(add(fixture, "add", "bob", "payments"), 1);
    assert_non_null(strstr(fixture->output, "at least 8 characters"));
    assert_user(fixture, "alice", "the first one", "payments\n");
}

static void a_list_of_a_wrong_file_names_the_line_alone(void **state)
{
    struct fixture *fixture = *state;
    const char *const list[] = {"user", "list", "--users-file", fixture->path, NULL};
    const int fd = open(fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, "alice:$1$x$y:team\n", 18), 18);
    assert_int_equal(close(fd), 0);
    assert_int_equal(call_alone(fixture, list), 1);
    assert_non_null(strstr(fixture->output, "line 1"));
    assert_null(strchr(fixture->output, '$'));
    assert_null(strstr(fixture->output, "NAME "));
}

static void the_file_may_be_that_of_the_settings(void **state)
{
    struct fixture *fixture = *state;
    const char *const list[] = {"user", "list", NULL};
    char variable[PATH_MAX + 32];
    char *const environment[] = {variable, NULL};
    char settings[PATH_MAX];
    const char *const list_by_file[] = {"user", "list", "-c", settings, NULL};
    FILE *file = NULL;

    feed("the first one\n");
    assert_int_equal(add(fixture, "add", "alice", "payments"), 0);
    (void)snprintf(variable, sizeof(variable), "PIERONE_AUTH_USERS_FILE=%s", fixture->path);
    assert_int_equal(call(fixture, list, environment), 0);
    assert_non_null(strstr(fixture->output, "alice  payments\n"));

    (void)snprintf(settings, sizeof(settings), "%s/p.yaml", fixture->folder);
    file = fopen(settings, "w");
    assert_non_null(file);
    (void)fprintf(file, "auth:\n  users_file: %s\n", fixture->path);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(call_alone(fixture, list_by_file), 0);
    assert_non_null(strstr(fixture->output, "alice  payments\n"));
    assert_int_equal(unlink(settings), 0);
    assert_int_equal(call_alone(fixture, list_by_file), 1);
    assert_non_null(strstr(fixture->output, settings));
}

static void help_names_all_verbs_and_options(void **state)
{
    static const char *const words[] = {"user add", "user passwd",      "user team",    "user list",
                                        "--team",   "--password-stdin", "--users-file", "--config",
                                        "--help",   "2 wrong usage"};
    static const char *const asked[][4] = {
        {"user", "--help"}, {"user", "-h"}, {"user", "add", "-h"}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        assert_int_equal(call_alone(fixture, asked[i]), 0);
        for (size_t j = 0; j < ARRAY_LEN(words); j++) {
            assert_non_null(strstr(fixture->output, words[j]));
        }
    }
}

/* In mdoc: `.It Cm add Ar NAME`, `.It Fl -team Ar TEAM`. */
static void the_manual_page_has_all_verbs_and_options(void **state)
{
    static const char *const items[] = {
        ".It Cm add Ar NAME\n",         ".It Cm passwd Ar NAME\n",
        ".It Cm team Ar NAME\n",        ".It Cm list\n",
        ".It Fl -team Ar TEAM\n",       ".It Fl -password-stdin\n",
        ".It Fl -users-file Ar FILE\n", ".It Fl c , Fl -config Ar FILE\n",
    };
    static char manual[MANUAL_BYTES];
    FILE *const file = fopen(SOURCE_FOLDER "/man/pieroned.8", "r");
    const char *section = NULL;

    (void)state;
    assert_non_null(file);
    manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
    (void)fclose(file);
    section = strstr(manual, ".Sh LOCAL USERS\n");
    assert_non_null(section);
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        assert_non_null(strstr(section, items[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_user_is_added_changed_and_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_usage_is_told_and_ends_with_2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_are_told_and_end_with_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_a_wrong_file_names_the_line_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_file_may_be_that_of_the_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(help_names_all_verbs_and_options, set_up, tear_down),
        cmocka_unit_test(the_manual_page_has_all_verbs_and_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
