#include "server/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { PATH_BYTES = 64 };

/* A folder of the test's own with one settings file, and what became of loading it. */
struct fixture {
    char folder[PATH_BYTES];
    char file[PATH_BYTES + 16];
    struct settings_sources sources;
    struct settings settings;
    struct problems problems;
};

static int set_up(void **state)
{
    struct fixture *const fixture = memory_new(1, sizeof(*fixture));

    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/test_settings_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/p.yaml", fixture->folder);
    problems_init(&fixture->problems);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const fixture = *state;

    problems_release(&fixture->problems);
    (void)unlink(fixture->file);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static void write_file(struct fixture *fixture, const char *text)
{
    FILE *const file = fopen(fixture->file, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    fixture->sources.file = fixture->file;
}

static enum error_code load(struct fixture *fixture)
{
    return settings_load(&fixture->sources, &fixture->settings, &fixture->problems);
}

static void assert_problem(struct fixture *fixture, const char *part)
{
    assert_int_equal(load(fixture), ERROR_INVALID);
    assert_non_null(strstr(fixture->problems.lines.text, part));
}

static void without_sources_all_is_default(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(load(fixture), OK);
    assert_string_equal(fixture->settings.listen, "127.0.0.1:8080");
    assert_string_equal(fixture->settings.data, "data");
    assert_null(fixture->settings.public_url);
    assert_null(fixture->settings.tls.certificate);
    assert_null(fixture->settings.tls.key);
    assert_false(fixture->settings.allow_open);
    assert_int_equal(fixture->settings.log.format, LOG_FORMAT_AUTO);
    assert_int_equal(fixture->settings.log.level, LOG_INFO);
    assert_false(fixture->settings.registry.snapshots_move);
    assert_int_equal(fixture->settings.registry.signatures, SIGNATURES_IMMUTABLE);
    settings_release(&fixture->settings);
}

static void read_only_is_a_reason_or_a_word_for_none(void **state)
{
    static const struct {
        const char *file;
        const char *reason; /* NULL: pushes are taken */
    } rows[] = {
        {"log:\n  level: info\n", NULL},
        {"read_only: false\n", NULL},
        {"read_only: true\n", "the registry is read-only"},
        {"read_only: \"moving until 18:00\"\n", "moving until 18:00"},
    };
    struct fixture *const fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_file(fixture, rows[i].file);
        assert_int_equal(load(fixture), OK);
        if (rows[i].reason) {
            assert_string_equal(settings_read_only(&fixture->settings), rows[i].reason);
        } else {
            assert_null(settings_read_only(&fixture->settings));
        }
        settings_release(&fixture->settings);
    }
}

static void what_is_meant_as_no_is_no_reason(void **state)
{
    static const char *const words[] = {"no", "Off", "False", "0", "yes"};
    struct fixture *const fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char file[50];
        char problem[50];

        (void)snprintf(file, sizeof(file), "read_only: %s\n", words[i]);
        (void)snprintf(problem, sizeof(problem), "read_only: \"%s\" is no reason", words[i]);
        write_file(fixture, file);
        assert_problem(fixture, problem);
        problems_release(&fixture->problems);
        problems_init(&fixture->problems);
    }
}

static void a_wrong_flag_is_named(void **state)
{
    struct fixture *const fixture = *state;
    const struct settings_override override = {"listen", "listen", "8080"};

    fixture->sources.overrides = &override;
    fixture->sources.override_count = 1;
    assert_problem(fixture, "--listen: \"8080\" must be HOST:PORT, such as 127.0.0.1:8080");
}

static void problems_of_all_sources_are_told_together(void **state)
{
    struct fixture *const fixture = *state;
    static char data[] = "PIERONE_DATTA=x";
    char *const environment[] = {data, NULL};

    write_file(fixture, "lisen: 1\n");
    fixture->sources.environment = environment;
    assert_problem(fixture, "/p.yaml:1: unknown key \"lisen\"");
    assert_non_null(strstr(fixture->problems.lines.text, "\"PIERONE_DATTA\"; did you mean "
                                                         "\"PIERONE_DATA\"?"));
    assert_int_equal(fixture->problems.count, 2);
}

static void settings_that_do_not_fit_together_are_refused(void **state)
{
    struct fixture *const fixture = *state;

    write_file(fixture, "listen: 0.0.0.0:80\ntls:\n  key: /k\n");
    assert_problem(fixture, "set allow_open to true");
    assert_int_equal(fixture->problems.count, 2);
}

static void database_of_the_original_is_understood(void **state)
{
    static char subname[] = "DB_SUBNAME=//db:5432/pierone?ssl=true";
    static char user[] = "DB_USER=somebody";
    static char password[] = "DB_PASSWORD=hunter2";
    static char *const environment[] = {subname, user, password, NULL};
    struct fixture *const fixture = *state;

    fixture->sources.environment = environment;
    assert_int_equal(load(fixture), OK);
    assert_string_equal(fixture->settings.database.url, "postgresql://db:5432/pierone?ssl=true");
    assert_string_equal(fixture->settings.database.user, "somebody");
    assert_string_equal(fixture->settings.database.password, "hunter2");
    settings_release(&fixture->settings);
}

/* Such a start would seem to work, on an empty registry. */
static void login_without_a_database_is_refused(void **state)
{
    static char user[] = "DB_USER=pierone";
    static char password[] = "DB_PASSWORD=hunter2";
    static char ssl[] = "PGSSLMODE=require";
    static char *const cases[][3] = {{user}, {password, ssl}};
    static char empty[] = "DB_SUBNAME=";
    static char service[] = "DB_SERVICE_HOST=x";
    static char *const others[] = {ssl, empty, service, NULL};
    struct fixture *const fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture->sources.environment = cases[i];
        assert_problem(fixture, "say which database it is");
        assert_null(strstr(fixture->problems.lines.text, "hunter2"));
        problems_release(&fixture->problems);
        problems_init(&fixture->problems);
    }
    fixture->sources.environment = others;
    assert_int_equal(load(fixture), OK);
    settings_release(&fixture->settings);
}

static void database_that_is_none_is_refused(void **state)
{
    static const char *const urls[] = {"mysql://db/pierone", "sqlite:", "postgresql://", "db"};
    struct fixture *const fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "database:\n  url: \"%s\"\n", urls[i]);
        write_file(fixture, text);
        assert_problem(fixture, "it must be sqlite:PATH or postgresql://");
        problems_release(&fixture->problems);
        problems_init(&fixture->problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_sources_all_is_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(read_only_is_a_reason_or_a_word_for_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_meant_as_no_is_no_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_flag_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(problems_of_all_sources_are_told_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(settings_that_do_not_fit_together_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(database_of_the_original_is_understood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(login_without_a_database_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_that_is_none_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
