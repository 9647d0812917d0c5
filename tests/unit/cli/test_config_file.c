#include "cli/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/attributes.h"
#include "tests/support/temporary_folder.h"

static char *folder;

static const char *in_folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    folder = temporary_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temporary_folder_free(folder);
    return 0;
}

static void write_file(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *read_file(const char *name)
{
    static char content[4096];
    FILE *file = fopen(in_folder(name), "r");
    size_t length = 0;

    assert_non_null(file);
    length = fread(content, 1, sizeof(content) - 1, file);
    content[length] = '\0';
    assert_int_equal(fclose(file), 0);
    return content;
}

enum { ARENA_BYTES = 64 * 1024 };

static char config[512];
static char other_config[512];

static const struct paths *paths_here(void)
{
    static struct paths paths;

    (void)snprintf(config, sizeof(config), "%s", in_folder("pierone.yaml"));
    (void)snprintf(other_config, sizeof(other_config), "%s", in_folder("other.yaml"));
    paths = (struct paths){.config = config, .other_config = other_config};
    return &paths;
}

/* What is read of it; `none` if it has no address, or the message. */
static const char *url_of(void)
{
    static char result[1024];
    const char *url = NULL;
    struct error err = {0};
    struct arena arena;

    arena_init(&arena, ARENA_BYTES);
    if (config_file_read(paths_here(), &arena, &url, &err)) {
        url = err.message;
    }
    (void)snprintf(result, sizeof(result), "%s", url ? url : "none");
    arena_release(&arena);
    return result;
}

static void an_address_is_read(void **state)
{
    static const char *const rows[][2] = {
        {"url: https://x\n", "https://x"},
        {"---\n# comment\nother: [1, 2]\nurl: 'http://x:80'\n", "http://x:80"},
        {"url:\n", "none"},
        {"url: [x]\n", "none"},
        {"- url\n", "none"},
        {"", "none"},
    };

    (void)state;
    assert_string_equal(url_of(), "none");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_file("pierone.yaml", rows[i][0]);
        assert_string_equal(url_of(), rows[i][1]);
    }
}

static void the_other_file_counts_where_there_is_no_first(void **state)
{
    (void)state;
    write_file("other.yaml", "url: second");
    assert_string_equal(url_of(), "second");
    write_file("pierone.yaml", "url: first");
    assert_string_equal(url_of(), "first");
}

static void what_is_no_yaml_is_told(void **state)
{
    (void)state;
    write_file("pierone.yaml", "url: [");
    assert_non_null(strstr(url_of(), "pierone.yaml is not YAML"));
    assert_int_equal(remove(in_folder("pierone.yaml")), 0);
    assert_int_equal(mkdir(in_folder("pierone.yaml"), 0700), 0);
    assert_non_null(strstr(url_of(), "cannot read"));
}

static void an_address_is_added_to_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(config_file_add_url(paths_here(), "https://x", NULL), OK);
    assert_string_equal(read_file("pierone.yaml"), "url: https://x\n");
    write_file("pierone.yaml", "other: 1");
    assert_int_equal(config_file_add_url(paths_here(), "https://y", NULL), OK);
    assert_string_equal(read_file("pierone.yaml"), "other: 1\nurl: https://y\n");
    assert_string_equal(url_of(), "https://y");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest config_file[] = {
        TEST(an_address_is_read),
        TEST(the_other_file_counts_where_there_is_no_first),
        TEST(what_is_no_yaml_is_told),
        TEST(an_address_is_added_to_what_is_there),
    };

    return cmocka_run_group_tests(config_file, NULL, NULL);
}
