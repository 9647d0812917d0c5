#include "server/housekeeping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 256, LOG_BYTES = 8192 };

/* A server's settings as loaded from a file, and a log that the test can read. */
struct fixture {
    char *folder;
    char file[PATH_BYTES];
    FILE *lines;
    struct settings_sources sources;
    struct settings settings;
    struct log log;
};

static void write_file(const struct fixture *fixture, const char *text)
{
    FILE *const file = fopen(fixture->file, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct fixture *const fixture = memory_new(1, sizeof(*fixture));
    struct problems problems;

    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/p.yaml", fixture->folder);
    write_file(fixture, "log:\n  level: info\n");
    fixture->sources.file = fixture->file;
    problems_init(&problems);
    assert_int_equal(settings_load(&fixture->sources, &fixture->settings, &problems), OK);
    fixture->lines = tmpfile();
    assert_non_null(fixture->lines);
    log_init(&fixture->log, fileno(fixture->lines), LOG_TEXT, LOG_INFO, &clock_system);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const fixture = *state;

    (void)fclose(fixture->lines);
    settings_release(&fixture->settings);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static void reload(struct fixture *fixture)
{
    const struct reload work = {&fixture->sources, &fixture->settings, &fixture->log, NULL};

    reload_run(&work);
}

static void assert_logged(struct fixture *fixture, const char *part)
{
    char text[LOG_BYTES] = "";

    assert_true(pread(fileno(fixture->lines), text, sizeof(text) - 1, 0) >= 0);
    assert_non_null(strstr(text, part));
}

static void the_log_level_changes_at_once(void **state)
{
    struct fixture *const fixture = *state;

    write_file(fixture, "log:\n  level: debug\n");
    reload(fixture);
    assert_true(log_is_enabled(&fixture->log, LOG_DEBUG));
    assert_int_equal(fixture->settings.log.level, LOG_DEBUG);
    assert_logged(fixture, "setting_changed key=log.level before=info after=debug effective=now");
    assert_logged(fixture, " info reloaded");
}

static void other_settings_wait_for_a_restart(void **state)
{
    struct fixture *const fixture = *state;

    write_file(fixture, "data: elsewhere\nlimits:\n  workers: 3\n");
    reload(fixture);
    assert_string_equal(fixture->settings.data, "data");
    assert_int_equal(fixture->settings.limits.workers, 16);
    assert_logged(fixture, "key=data before=data after=elsewhere effective=\"after a restart\"");
    assert_logged(fixture, "key=limits.workers before=16 after=3 effective=\"after a restart\"");
}

static void a_broken_file_changes_nothing(void **state)
{
    struct fixture *const fixture = *state;

    write_file(fixture, "log:\n  level: debug\n  lewel: x\ndatta: y\n");
    reload(fixture);
    assert_false(log_is_enabled(&fixture->log, LOG_DEBUG));
    assert_logged(fixture, " error reload_failed ");
    assert_logged(fixture, "p.yaml:3: unknown key");
    assert_logged(fixture, "p.yaml:4: unknown key");
}

static void a_missing_file_changes_nothing(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(unlink(fixture->file), 0);
    reload(fixture);
    assert_logged(fixture, " error reload_failed ");
    assert_int_equal(fixture->settings.log.level, LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_log_level_changes_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_settings_wait_for_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_file_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_changes_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
