#include "settings/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { PATH_BYTES = 64, TEXTS_MAX_BYTES = 65536 };

struct values {
    const char *listen;
    const char *data;
    unsigned workers;
    unsigned headers;
};

static const struct setting rows[] = {
    {.key = "listen",
     .offset = offsetof(struct values, listen),
     .type = SETTING_ADDRESS,
     .default_text = "h:0"},
    {.key = "data", .offset = offsetof(struct values, data), .type = SETTING_PATH},
    {.key = "limits.workers",
     .offset = offsetof(struct values, workers),
     .type = SETTING_NUMBER,
     .default_text = "16",
     .maximum = 99},
    {.key = "limits.headers",
     .offset = offsetof(struct values, headers),
     .type = SETTING_NUMBER,
     .default_text = "100",
     .maximum = 200},
};

static const struct settings_table table = {rows, sizeof(rows) / sizeof(rows[0]), NULL};
static const struct settings_part part = {&table, 0};
static const struct settings_schema schema = {.parts = &part, .count = 1};

/* A folder of the test's own with one settings file, and what became of reading it. */
struct fixture {
    char folder[PATH_BYTES];
    char file[PATH_BYTES + 16];
    struct settings_sources sources;
    struct values values;
    struct arena texts;
    struct problems problems;
};

static int set_up(void **state)
{
    struct fixture *const fixture = memory_new(1, sizeof(*fixture));

    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/test_load_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/p.yaml", fixture->folder);
    problems_init(&fixture->problems);
    arena_init(&fixture->texts, TEXTS_MAX_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const fixture = *state;

    problems_release(&fixture->problems);
    arena_release(&fixture->texts);
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

static void load(struct fixture *fixture)
{
    const struct settings_target target = {&schema, &fixture->values, &fixture->texts};

    settings_set_defaults(&target);
    settings_read(&fixture->sources, &target, &fixture->problems);
}

static void assert_problem(struct fixture *fixture, const char *part_of_it)
{
    load(fixture);
    assert_non_null(strstr(fixture->problems.lines.text, part_of_it));
}

static void flags_win_over_environment_over_file_over_default(void **state)
{
    struct fixture *const fixture = *state;
    static char listen[] = "PIERONE_LISTEN=127.0.0.1:2";
    static char data[] = "PIERONE_DATA=environment";
    char *const environment[] = {listen, data, NULL};
    const struct settings_override override = {"listen", "listen", "127.0.0.1:3"};

    write_file(fixture, "listen: 127.0.0.1:1\ndata: file\nlimits:\n  workers: 2\n");
    fixture->sources.environment = environment;
    fixture->sources.overrides = &override;
    fixture->sources.override_count = 1;
    load(fixture);
    assert_true(problems_is_empty(&fixture->problems));
    assert_string_equal(fixture->values.listen, "127.0.0.1:3");
    assert_string_equal(fixture->values.data, "environment");
    assert_int_equal(fixture->values.workers, 2);
    assert_int_equal(fixture->values.headers, 100);
}

static void a_missing_file_is_an_error(void **state)
{
    struct fixture *const fixture = *state;

    fixture->sources.file = fixture->file;
    assert_problem(fixture, "No such file or directory");
}

static void a_folder_is_no_file(void **state)
{
    struct fixture *const fixture = *state;

    fixture->sources.file = fixture->folder;
    assert_problem(fixture, "Is a directory");
}

static void a_huge_file_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    write_file(fixture, "# begin\n");
    assert_int_equal(truncate(fixture->file, SETTINGS_FILE_MAX_BYTES + 1), 0);
    assert_problem(fixture, "is larger than 1048576 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flags_win_over_environment_over_file_over_default, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_huge_file_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
