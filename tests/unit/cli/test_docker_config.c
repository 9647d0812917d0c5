#include "cli/docker_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json_edit.h"
#include "tests/unit/cli/client_world.h"
#include "tests/unit/cli/command_world.h"

static int set_up(void **state)
{
    *state = client_world_new();
    return 0;
}

static int tear_down(void **state)
{
    client_world_free(*state);
    return 0;
}

static const char host[] = "pierone.example.org";
static const struct docker_login helper = {.host = host, .means = DOCKER_HELPER};
static const struct docker_login auth = {
    .host = host, .means = DOCKER_AUTH, .user = "oauth2", .secret = STR_LITERAL("sesame")};
static const struct docker_login forget = {.host = host, .means = DOCKER_FORGET};

/* "oauth2:sesame" */
#define ENCODED "b2F1dGgyOnNlc2FtZQ=="

static void assert_same_json(const char *found, const char *expected)
{
    struct json_value *json = NULL;
    struct strbuf text;

    assert_non_null(found);
    strbuf_init(&text, 1024 * 1024);
    assert_int_equal(json_value_parse(str_from(found), &json, NULL), OK);
    json_edit_write(json, 0, &text);
    assert_string_equal(text.text, expected);
    strbuf_release(&text);
    json_value_free(json);
}

static void only_what_is_said_of_the_host_changes(void **state)
{
    static const struct {
        const struct docker_login *login;
        const char *before; /* NULL: no file */
        const char *after;
    } cases[] = {
        {&helper, NULL, "{\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}"},
        {&helper, "", "{\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}"},
        {&helper, "{}", "{\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}"},
        {&auth, NULL, "{\"auths\":{\"pierone.example.org\":{\"auth\":\"" ENCODED "\"}}}"},
        {&forget, "{}", "{}"},
        /* the order, and what is not ours */
        {&helper,
         "{\"psFormat\":\"x\",\"credHelpers\":{\"z\":\"a\",\"b\":\"c\"},"
         "\"auths\":{\"other\":{\"auth\":\"eA==\"}},\"HttpHeaders\":{\"A\":\"B\"}}",
         "{\"psFormat\":\"x\",\"credHelpers\":{\"z\":\"a\",\"b\":\"c\","
         "\"pierone.example.org\":\"pierone\"},\"auths\":{\"other\":{\"auth\":\"eA==\"}},"
         "\"HttpHeaders\":{\"A\":\"B\"}}"},
        /* docker does not look into auths when it has a store */
        {&auth, "{\"credsStore\":\"secretservice\"}",
         "{\"credsStore\":\"secretservice\",\"auths\":{\"pierone.example.org\":{\"auth\":\"" ENCODED
         "\"}},\"credHelpers\":{\"pierone.example.org\":\"\"}}"},
        {&helper, "{\"credsStore\":\"secretservice\"}",
         "{\"credsStore\":\"secretservice\",\"credHelpers\":{\"pierone.example.org\":\"pierone\"}"
         "}"},
        {&auth, "{\"credsStore\":\"\"}",
         "{\"credsStore\":\"\",\"auths\":{\"pierone.example.org\":{\"auth\":\"" ENCODED "\"}}}"},
        /* one takes the place of the other */
        {&auth, "{\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}",
         "{\"credHelpers\":{},\"auths\":{\"pierone.example.org\":{\"auth\":\"" ENCODED "\"}}}"},
        {&helper, "{\"auths\":{\"pierone.example.org\":{\"auth\":\"old\",\"email\":\"e\"}}}",
         "{\"auths\":{},\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}"},
        {&forget,
         "{\"auths\":{\"pierone.example.org\":{},\"o\":{}},"
         "\"credHelpers\":{\"pierone.example.org\":\"\",\"o\":\"p\"}}",
         "{\"auths\":{\"o\":{}},\"credHelpers\":{\"o\":\"p\"}}"},
        /* hosts that ours is only the beginning or the end of */
        {&forget,
         "{\"auths\":{\"pierone.example.org:443\":{},\"a.pierone.example.org\":{},"
         "\"pierone.example.org/team\":{}}}",
         "{\"auths\":{\"pierone.example.org:443\":{},\"a.pierone.example.org\":{},"
         "\"pierone.example.org/team\":{}}}"},
        /* what is in the wrong place is replaced only where it must be */
        {&helper, "{\"auths\":[],\"credHelpers\":7}",
         "{\"auths\":[],\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}"},
    };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)unlink(path);
        if (cases[i].before) {
            client_world_write(world, path, cases[i].before);
        }
        assert_int_equal(docker_config_set(path, cases[i].login, NULL), OK);
        assert_same_json(client_world_read(world, path), cases[i].after);
        assert_int_equal(client_world_mode(path), 0600);
    }
}

static void logins_in_the_forms_of_old_clients_are_removed(void **state)
{
    static const char *const forms[] = {
        "%s",           "https://%s",    "http://%s",     "https://%s/v1/",
        "%s/",          "%s/v1/",        "%s/v2/",        "https://%s/",
        "http://%s/",   "http://%s/v1/", "https://%s/v1", "https://%s/v2/",
        "http://%s/v2",
    };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct strbuf text;
        const struct str form = str_from(forms[i]);
        const size_t place = str_index_of(form, '%');

        strbuf_init(&text, 1000);
        strbuf_append_text(&text, "{\"auths\":{\"");
        strbuf_append(&text, str_slice(form, 0, place));
        strbuf_append_text(&text, host);
        strbuf_append(&text, str_from_index(form, place + 2));
        strbuf_append_text(&text, "\":{\"auth\":\"old\"}}}");
        client_world_write(world, path, text.text);
        strbuf_release(&text);
        assert_int_equal(docker_config_set(path, &forget, NULL), OK);
        assert_same_json(client_world_read(world, path), "{\"auths\":{}}");
    }
}

static void a_port_belongs_to_the_host(void **state)
{
    static const struct docker_login login = {.host = "localhost:5000", .means = DOCKER_HELPER};
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");

    client_world_write(world, path,
                       "{\"credHelpers\":{\"localhost\":\"x\",\"localhost:50\":\"y\"}}");
    assert_int_equal(docker_config_set(path, &login, NULL), OK);
    assert_same_json(client_world_read(world, path),
                     "{\"credHelpers\":{\"localhost\":\"x\",\"localhost:50\":\"y\","
                     "\"localhost:5000\":\"pierone\"}}");
}

static void setting_it_twice_is_setting_it_once(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");
    const char *first = NULL;

    assert_int_equal(docker_config_set(path, &auth, NULL), OK);
    first = client_world_read(world, path);
    assert_int_equal(docker_config_set(path, &auth, NULL), OK);
    assert_string_equal(client_world_read(world, path), first);
}

static void what_is_broken_is_refused_and_not_touched(void **state)
{
    static const char *const broken[] = {
        "{",
        "[]",
        "\xef\xbb\xbf{}", /* docker does not read it either */
        "{}// x",
        "\"text\"",
        "{} {}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":}",
        "auths",
        "{\"auth\":\"sesame",
        "{\"auth\":\"sesame\" \"sesame\"}",
    };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");

    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct error err = {0};

        client_world_write(world, path, broken[i]);
        assert_int_equal(docker_config_set(path, &auth, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, path));
        assert_null(strstr(err.message, "sesame"));
        assert_string_equal(client_world_read(world, path), broken[i]);
        assert_int_equal(dockercfg_set(path, &forget, NULL), ERROR_INVALID);
        assert_string_equal(client_world_read(world, path), broken[i]);
        assert_int_equal(client_world_count(world->folder), 1);
    }
}

/* As docker has it: it reads them, and finds nothing. */
static void a_blank_file_and_null_are_no_configuration(void **state)
{
    static const char *const blank[] = {"", " ", "\n", " \t\r\n ", "null", "\nnull\n"};
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");

    for (size_t i = 0; i < ARRAY_LEN(blank); i++) {
        client_world_write(world, path, blank[i]);
        assert_int_equal(docker_config_set(path, &auth, NULL), OK);
        assert_non_null(strstr(client_world_read(world, path), "\"auths\""));
        client_world_write(world, path, blank[i]);
        assert_int_equal(docker_config_set(path, &forget, NULL), OK);
    }
}

static void forgetting_makes_no_file(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "docker/config.json");

    assert_false(docker_config_is_there(path));
    assert_int_equal(docker_config_set(path, &forget, NULL), OK);
    assert_int_equal(dockercfg_set(path, &forget, NULL), OK);
    assert_false(docker_config_is_there(path));
    assert_int_equal(docker_config_set(path, &helper, NULL), OK);
    assert_true(docker_config_is_there(path));
}

static void a_symbolic_link_stays_one(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");
    const char *const target = client_world_path(world, "dotfiles/docker.json");
    struct stat status;

    client_world_write(world, target, "{\"a\":1}");
    assert_int_equal(chmod(target, 0644), 0);
    assert_int_equal(symlink("dotfiles/docker.json", path), 0);
    assert_int_equal(docker_config_set(path, &helper, NULL), OK);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_same_json(client_world_read(world, target),
                     "{\"a\":1,\"credHelpers\":{\"pierone.example.org\":\"pierone\"}}");
    assert_int_equal(client_world_mode(target), 0600);
}

/* root may write everywhere: so it is a file that stands where a folder must be. */
static void what_cannot_be_written_is_named(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "file/config.json");
    struct error err = {0};

    client_world_write(world, client_world_path(world, "file"), "x");
    assert_int_equal(docker_config_set(path, &auth, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_null(strstr(err.message, "sesame"));
}

static void the_oldest_form_has_entries_by_host(void **state)
{
    static const struct {
        const struct docker_login *login;
        const char *before;
        const char *after;
    } cases[] = {
        {&auth, NULL, "{\"pierone.example.org\":{\"auth\":\"" ENCODED "\"}}"},
        {&auth, "{\"o\":{\"auth\":\"x\"},\"pierone.example.org\":{\"auth\":\"y\",\"email\":\"e\"}}",
         "{\"o\":{\"auth\":\"x\"},\"pierone.example.org\":{\"auth\":\"" ENCODED "\"}}"},
        {&forget, "{\"o\":{\"auth\":\"x\"},\"pierone.example.org\":{\"auth\":\"y\"}}",
         "{\"o\":{\"auth\":\"x\"}}"},
    };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, ".dockercfg");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)unlink(path);
        if (cases[i].before) {
            client_world_write(world, path, cases[i].before);
        }
        assert_int_equal(dockercfg_set(path, cases[i].login, NULL), OK);
        assert_same_json(client_world_read(world, path), cases[i].after);
        assert_int_equal(client_world_mode(path), 0600);
    }
}

static void what_would_become_too_large_is_not_written(void **state)
{
    enum { LIST_BYTES = 2 * 1024 * 1024 };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");
    const char *before = NULL;
    struct error err = {0};
    struct strbuf text;

    strbuf_init(&text, 2L * LIST_BYTES);
    strbuf_append_text(&text, "{\"a\":[0");
    while (text.length < LIST_BYTES) {
        strbuf_append_text(&text, ",0"); /* indented, each takes four times as much */
    }
    strbuf_append_text(&text, "]}");
    client_world_write(world, path, text.text);
    strbuf_release(&text);
    before = client_world_read(world, path);
    assert_int_equal(docker_config_set(path, &helper, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_string_equal(client_world_read(world, path), before);
}

/* As somebody who is not root, whom nothing is forbidden. */
static void a_folder_that_is_read_only_is_named(void **state)
{
    enum { NOBODY = 65534 };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "config.json");
    const uid_t before = geteuid();
    struct error err = {0};
    enum error_code code = OK;

    client_world_write(world, path, "{\"a\":1}");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(world->folder, 0555), 0);
    if (before == 0) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    code = docker_config_set(path, &auth, &err);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(chmod(world->folder, 0700), 0);
    assert_int_equal(code, ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_string_equal(client_world_read(world, path), "{\"a\":1}");
    assert_int_equal(client_world_count(world->folder), 1);
}

static int set_up_commands(void **state)
{
    *state = command_world_new();
    return 0;
}

static int tear_down_commands(void **state)
{
    command_world_free(*state);
    return 0;
}

static const struct login token = {.kind = LOGIN_OAUTH, .secret = STR_LITERAL("sesame")};

static void set_helper(struct client_world *world, mode_t mode)
{
    const char *const path = client_world_path(world, "bin/docker-credential-pierone");

    client_world_write(world, path, "");
    assert_int_equal(chmod(path, mode), 0);
    client_world_set(world, "PATH=/nonexistent::%s/bin");
}

/* How docker gets the token: by the helper, or itself. */
static void docker_is_set_up_as_it_can_be(void **state)
{
    static const struct {
        mode_t mode; /* of the helper; 0: none */
        const char *line;
        bool is_helper;
        bool is_missed;
        bool has_dockercfg;
    } cases[] = {
        {0700, "login", true, false, false},
        {0, "login", false, true, false},
        {0700, "login --no-helper", false, false, false},
        {0, "login --no-helper", false, false, false},
        {0700, "login --dockercfg", true, false, true},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client_world *const client = world->world;
        const char *config = NULL;

        command_world_reset(world);
        (void)unlink(client->paths.docker_config);
        (void)unlink(client->paths.dockercfg);
        if (cases[i].mode != 0) {
            set_helper(client, cases[i].mode);
        }
        command_world_open(world, cases[i].line);
        assert_int_equal(cli_find_url(&world->cli, NULL), OK);
        assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
        command_world_close(world);
        config = client_world_read(client, client->paths.docker_config);
        assert_non_null(strstr(config, world->host));
        assert_int_equal(strstr(config, "\"pierone\"") != NULL, cases[i].is_helper);
        assert_int_equal(strstr(config, "b2F1dGgyOnNlc2FtZQ==") != NULL, !cases[i].is_helper);
        assert_int_equal(strstr(command_world_chatter(world), "is not in PATH") != NULL,
                         cases[i].is_missed);
        assert_int_equal(client_world_read(client, client->paths.dockercfg) != NULL,
                         cases[i].has_dockercfg);
        assert_null(strstr(command_world_chatter(world), "sesame"));
        assert_non_null(strstr(command_world_chatter(world), client->paths.docker_config));
    }
}

/* Which depends on who runs this. */
static void it_says_whose_docker_finds_the_login(void **state)
{
    struct command_world *const world = *state;

    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
    command_world_close(world);
    assert_non_null(strstr(command_world_chatter(world),
                           geteuid() == 0 ? "`sudo docker` finds it" : "where this login is not"));
    assert_int_equal(strstr(command_world_chatter(world), "this login is not") != NULL,
                     geteuid() != 0);
}

static void an_old_file_is_kept_up_to_date(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    client_world_write(client, client->paths.dockercfg, "{}");
    set_helper(client, 0700);
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
    assert_non_null(
        strstr(client_world_read(client, client->paths.dockercfg), "b2F1dGgyOnNlc2FtZQ=="));
    assert_int_equal(docker_setup_logout(&world->cli, NULL), OK);
    assert_string_equal(client_world_read(client, client->paths.dockercfg), "{}\n");
}

enum { CHILDREN = 4, HOSTS = 8 };

static void be_child(struct command_world *world, int number)
{
    bool is_ok = true;

    for (int i = 0; i < HOSTS && is_ok; i++) {
        world->cli.url.host =
            arena_format(&world->world->arena, "host-%d.example.org:%d", number, i + 1);
        is_ok = docker_setup_login(&world->cli, &token, NULL) == OK;
    }
    _exit(is_ok ? 0 : 1);
}

/* As a pipeline does it that needs several registries. */
static void logins_at_the_same_time_lose_nothing(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;
    pid_t children[CHILDREN];
    const char *config = NULL;
    int count = 0;

    set_helper(client, 0700);
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            be_child(world, i);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    config = client_world_read(client, client->paths.docker_config);
    while ((config = strstr(config, "\"host-")) != NULL) {
        config++;
        count++;
    }
    assert_int_equal(count, CHILDREN * HOSTS);
}

static void a_broken_configuration_is_told(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;
    struct error err = {0};

    client_world_write(client, client->paths.docker_config, "{");
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, client->paths.docker_config));
    assert_null(strstr(err.message, "sesame"));
    assert_int_equal(docker_setup_logout(&world->cli, NULL), ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_said_of_the_host_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logins_in_the_forms_of_old_clients_are_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_port_belongs_to_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(setting_it_twice_is_setting_it_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_broken_is_refused_and_not_touched, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blank_file_and_null_are_no_configuration, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(forgetting_makes_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_symbolic_link_stays_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_form_has_entries_by_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_would_become_too_large_is_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_read_only_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(docker_is_set_up_as_it_can_be, set_up_commands,
                                        tear_down_commands),
        cmocka_unit_test_setup_teardown(it_says_whose_docker_finds_the_login, set_up_commands,
                                        tear_down_commands),
        cmocka_unit_test_setup_teardown(an_old_file_is_kept_up_to_date, set_up_commands,
                                        tear_down_commands),
        cmocka_unit_test_setup_teardown(logins_at_the_same_time_lose_nothing, set_up_commands,
                                        tear_down_commands),
        cmocka_unit_test_setup_teardown(a_broken_configuration_is_told, set_up_commands,
                                        tear_down_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
