#include "auth/users_file.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/temporary_folder.h"

#define HASH "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW"

struct fixture {
    char *folder;
    char path[PATH_MAX];
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

static void write_file(const char *path, struct str text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.bytes, text.length), (ssize_t)text.length);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static enum error_code read_file(const char *path, struct error *err)
{
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init_secret(&text, USERS_FILE_MAX_BYTES);
    code = users_file_read(path, &text, err);
    strbuf_release(&text);
    return code;
}

static void assert_user(const struct users_file *file, const char *name, const char *teams)
{
    const struct user *user = users_file_find(file, str_from(name));

    assert_non_null(user);
    assert_true(str_is(user->name, name));
    assert_true(str_is(user->hash, HASH));
    if (!str_is(user->teams, teams)) {
        fail_msg("%s has the teams %.*s", name, STR_FORMAT(user->teams));
    }
}

static void users_are_found_with_their_teams(void **state)
{
    static const char text[] = "# people\n"
                               "\n"
                               "alice:" HASH ":payments,checkout\n"
                               "  bob.b-1_@x:" HASH ":  payments , \r\n"
                               "7:" HASH ":\n"
                               "carol:" HASH ":a.b-c_d"; /* without an end of line */
    struct users_file file;

    (void)state;
    assert_int_equal(users_file_parse(str_from(text), &file, NULL), OK);
    assert_int_equal(file.count, 4);
    assert_user(&file, "alice", "payments\ncheckout\n");
    assert_user(&file, "bob.b-1_@x", "payments\n");
    assert_user(&file, "7", "");
    assert_user(&file, "carol", "a.b-c_d\n");
    assert_true(str_is(file.users[3].name, "carol"));
    assert_null(users_file_find(&file, str_from("Alice")));
    assert_null(users_file_find(&file, str_from("alic")));
    assert_null(users_file_find(&file, str_from("")));
    assert_null(users_file_find(&file, str_from("# people")));
    users_file_release(&file);
    assert_null(users_file_find(&file, str_from("alice")));
}

static void an_empty_file_has_no_users(void **state)
{
    struct users_file file;

    (void)state;
    assert_int_equal(users_file_parse(str_from(""), &file, NULL), OK);
    assert_int_equal(file.count, 0);
    users_file_release(&file);
}

static void a_wrong_line_is_named_without_its_hash(void **state)
{
    static const struct {
        const char *line;
        const char *word;
    } cases[] = {
        {"alice", "NAME:HASH:TEAM,TEAM"},
        {"alice:" HASH, "NAME:HASH:TEAM,TEAM"},
        {HASH, "NAME:HASH:TEAM,TEAM"},
        {":" HASH ":team", "1 to 64"},
        {HASH ":alice:team", "made of letters"},
        {"al ice:" HASH ":team", "made of letters"},
        {"-alice:" HASH ":team", "made of letters"},
        {"oauth2:" HASH ":team", "oauth2"},
        {"bob:" HASH ":team", "there already"},
        {"alice::team", "hash of alice"},
        {"alice:team:" HASH, "hash of alice"},
        {"alice:$1$saltsalt$NuzA7WTAelpl95xgBGWN60:team", "hash of alice"},
        {"alice:abhfCpXqd4GrI:team", "hash of alice"},
        {"alice:!" HASH ":team", "hash of alice"},
        {"alice:" HASH ":Team", "teams of alice"},
        {"alice:" HASH ":team,-", "teams of alice"},
        {"alice:" HASH ":" HASH, "teams of alice"},
        {"alice:" HASH ":team:" HASH, "teams of alice"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct users_file file;
        struct error err = {0};
        char text[512];

        (void)snprintf(text, sizeof(text), "# people\nbob:" HASH ":team\n%s\n", cases[i].line);
        assert_int_equal(users_file_parse(str_from(text), &file, &err), ERROR_INVALID);
        users_file_release(&file);
        if (!strstr(err.message, "line 3: ") || !strstr(err.message, cases[i].word) ||
            strchr(err.message, '$') || strstr(err.message, "abhf")) {
            fail_msg("%s: %s", cases[i].line, err.message);
        }
    }
}

static void a_weak_hash_comes_with_what_to_do(void **state)
{
    struct users_file file;
    struct error err = {0};

    (void)state;
    assert_int_equal(users_file_parse(str_from("alice:abhfCpXqd4GrI:team\n"), &file, &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, "remove the line"));
    assert_non_null(strstr(err.message, "pieroned user add"));
    users_file_release(&file);
}

static void a_hash_has_a_bound(void **state)
{
    struct users_file file;
    char line[512] = "alice:$6$";

    (void)state;
    memset(line + strlen(line), 'x', 400);
    memcpy(line + 409, ":team", sizeof(":team"));
    assert_int_equal(users_file_parse(str_from(line), &file, NULL), ERROR_INVALID);
    users_file_release(&file);
}

static void the_number_of_users_has_a_bound(void **state)
{
    struct users_file file;
    struct error err = {0};
    struct strbuf text;

    (void)state;
    strbuf_init(&text, USERS_FILE_MAX_BYTES);
    for (int i = 0; i <= 16 * 1024; i++) {
        strbuf_append_format(&text, "u%d:$6$:\n", i);
    }
    assert_int_equal(users_file_parse(strbuf_str(&text), &file, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "line 16385: there are more than 16384 users"));
    users_file_release(&file);
    strbuf_release(&text);
}

static void names_are_judged(void **state)
{
    static const struct {
        struct str name;
        enum error_code code;
    } cases[] = {
        {STR_LITERAL("a"), OK},
        {STR_LITERAL("A.b_c-d@example.org"), OK},
        {STR_LITERAL("0123456789012345678901234567890123456789012345678901234567890123"), OK},
        {STR_LITERAL("01234567890123456789012345678901234567890123456789012345678901234"),
         ERROR_INVALID},
        {STR_LITERAL(""), ERROR_INVALID},
        {STR_LITERAL("@a"), ERROR_INVALID},
        {STR_LITERAL("a:b"), ERROR_INVALID},
        {STR_LITERAL("a/b"), ERROR_INVALID},
        {STR_LITERAL("a\nb"), ERROR_INVALID},
        {STR_LITERAL("a\0b"), ERROR_INVALID},
        {STR_LITERAL("\xc3\xa4"), ERROR_INVALID},
        {STR_LITERAL("<token>"), ERROR_INVALID},
        {STR_LITERAL("oauth2"), ERROR_INVALID},
        {STR_LITERAL("instance-identity-document"), ERROR_INVALID},
        {STR_LITERAL("anonymous"), ERROR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (user_name_check(cases[i].name, NULL) != cases[i].code) {
            fail_msg("%.*s", STR_FORMAT(cases[i].name));
        }
    }
}

static void teams_are_judged(void **state)
{
    static const struct {
        struct str team;
        enum error_code code;
    } cases[] = {
        {STR_LITERAL("a"), OK},
        {STR_LITERAL("team-1"), OK},
        {STR_LITERAL("a.b_c--d"), OK},
        {STR_LITERAL(""), ERROR_INVALID},
        {STR_LITERAL("-a"), ERROR_INVALID},
        {STR_LITERAL("a-"), ERROR_INVALID},
        {STR_LITERAL("Team"), ERROR_INVALID},
        {STR_LITERAL("a/b"), ERROR_INVALID},
        {STR_LITERAL("a,b"), ERROR_INVALID},
        {STR_LITERAL("a\nb"), ERROR_INVALID},
        {STR_LITERAL("a\0b"), ERROR_INVALID},
        {STR_LITERAL("a b"), ERROR_INVALID},
        {STR_LITERAL("01234567890123456789012345678901234567890123456789012345678901234"),
         ERROR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (user_team_check(cases[i].team, NULL) != cases[i].code) {
            fail_msg("%.*s", STR_FORMAT(cases[i].team));
        }
    }
}

static void a_missing_file_comes_with_how_to_make_it(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(read_file(fixture->path, &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "pieroned user add"));
    assert_non_null(strstr(err.message, fixture->path));
}

static void a_file_is_read_whole(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf expected;
    struct strbuf text;

    strbuf_init(&expected, USERS_FILE_MAX_BYTES);
    for (int i = 0; i < USERS_FILE_MAX_BYTES; i++) {
        strbuf_append_byte(&expected, i % 80 == 79 ? '\n' : '#');
    }
    write_file(fixture->path, strbuf_str(&expected), 0640);
    strbuf_init_secret(&text, USERS_FILE_MAX_BYTES);
    assert_int_equal(users_file_read(fixture->path, &text, NULL), OK);
    assert_true(str_equal(strbuf_str(&text), strbuf_str(&expected)));
    strbuf_release(&text);
    strbuf_release(&expected);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    write_file(fixture->path, str_from("#"), 0600);
    assert_int_equal(truncate(fixture->path, USERS_FILE_MAX_BYTES + 1), 0);
    assert_int_equal(read_file(fixture->path, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "1048576 bytes"));
}

static void a_file_that_everybody_may_read_is_refused(void **state)
{
    static const mode_t modes[] = {0604, 0602, 0601, 0644};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct error err = {0};

        write_file(fixture->path, str_from("alice:" HASH ":team\n"), modes[i]);
        assert_int_equal(read_file(fixture->path, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, "chmod o= "));
    }
}

static void what_is_not_a_regular_file_is_refused_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(read_file(fixture->folder, &err), ERROR_INVALID);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(read_file(fixture->path, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "regular file"));
}

/* Hashes of "correct horse", made by another program, as cheap as each kind permits. */
/* Hashes of "correct horse", made by another program, as cheap as each kind permits. */
static const char sha512_hash[] = "$6$rounds=1000$ab$9/m79hJI.7Z/Rzu8Ffxsl/au2xxVayqE"
                                  "c5znsbBv64blJ1mLhjkXwL17M/GGrfnwat1g0HVoUkZmTAEbjwwCj/";

static const char *const strong_hashes[] = {
    "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$rfA07bT0O97FNWV5Cb8oFDnoGBJLXwSI4w/PIpLfyy2",
    "$gy$j75$LdJMENpBABJJ3hIHjB1Bi.$JO8doDixNHt10a.o22tBbEqe1HcsXo5JT.K8mXXPwl6",
    "$7$2/..../....LdJMENpBABJJ$WRNMq6KrEUxeC4V9OaKnwSOQ54YQG3M/4OU6M.L2kU7",
    "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    sha512_hash,
    "$5$rounds=1000$saltsalt$R6e4P8ccT9iMqkYg7Z8YtpId/lfsIfnuPkp8WXposU8",
};

static void a_new_hash_is_yescrypt_and_knows_its_password(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    (void)state;
    assert_int_equal(password_hash("correct horse", hash, NULL), OK);
    assert_int_equal(strncmp(hash, "$y$", 3), 0);
    assert_true(password_hash_is_strong(str_from(hash)));
    assert_true(password_matches("correct horse", hash));
    assert_false(password_matches("correct horsf", hash));
    assert_false(password_matches("", hash));
}

static void each_hash_has_a_salt_of_its_own(void **state)
{
    char first[PASSWORD_HASH_BYTES];
    char second[PASSWORD_HASH_BYTES];

    (void)state;
    assert_int_equal(password_hash("correct horse", first, NULL), OK);
    assert_int_equal(password_hash("correct horse", second, NULL), OK);
    assert_string_not_equal(first, second);
}

static void passwords_have_bounds(void **state)
{
    static const char *const short_ones[] = {"", "x", "seven77",
                                             "\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac"};
    char hash[PASSWORD_HASH_BYTES] = "untouched";
    char password[PASSWORD_MAX_BYTES + 2];
    struct error err = {0};

    (void)state;
    memset(password, 'x', sizeof(password));
    password[PASSWORD_MAX_BYTES + 1] = '\0';
    assert_int_equal(password_hash(password, hash, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "511"));
    assert_null(strstr(err.message, "xxx"));
    for (size_t i = 0; i < ARRAY_LEN(short_ones); i++) {
        assert_int_equal(password_hash(short_ones[i], hash, &err), ERROR_INVALID);
        assert_string_equal(err.message, "a password needs at least 8 characters");
    }
    assert_string_equal(hash, "untouched");
    password[PASSWORD_MAX_BYTES] = '\0';
    assert_int_equal(password_hash(password, hash, NULL), OK);
    assert_true(password_matches(password, hash));
    password[PASSWORD_MAX_BYTES - 1] = 'y'; /* the last one counts, too */
    assert_false(password_matches(password, hash));
}

static void a_password_that_is_too_long_is_never_right(void **state)
{
    char password[PASSWORD_MAX_BYTES + 2];

    (void)state;
    memset(password, 'x', sizeof(password) - 1);
    password[sizeof(password) - 1] = '\0';
    assert_false(password_matches(password, strong_hashes[0]));
}

static void hashes_of_other_programs_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strong_hashes); i++) {
        assert_true(password_hash_is_strong(str_from(strong_hashes[i])));
        assert_true(password_matches("correct horse", strong_hashes[i]));
        assert_false(password_matches("correct hors", strong_hashes[i]));
    }
}

static void weak_and_broken_hashes_are_told(void **state)
{
    static const char *const weak[] = {
        "abhfCpXqd4GrI",                         /* descrypt */
        "_J9..rasmDiLRGIlI80c",                  /* bsdicrypt */
        "$1$saltsalt$NuzA7WTAelpl95xgBGWN60",    /* md5crypt */
        "$apr1$saltsalt$NuzA7WTAelpl95xgBGWN60", /* Apache's */
        "$md5$saltsalt$$nSdFLZqyU9njpMG3FhJsD0", /* SunMD5 */
        "$3$$cfc43211ba8dc470832267827cac1407",  /* NT */
        "$sha1$1000$saltsalt$ouns5uP5ckp8yJ3a80IEZtEDXjoB",
        "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e", /* bcrypt with a fault */
        "",
        "correct horse",
        "!",
        "*",
        "!$6$saltsalt$x", /* locked by usermod */
        "$6$salt salt$x",
        "$6$saltsalt\t$x",
        "$6$saltsalt;$x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(weak); i++) {
        if (password_hash_is_strong(str_from(weak[i]))) {
            fail_msg("%s is taken for strong", weak[i]);
        }
    }
    assert_false(password_hash_is_strong((struct str){"$6$salt\0salt$x", 14}));
}

static void what_is_no_hash_has_no_password(void **state)
{
    static const char *const broken[] = {"", "*0", "*1", "$y$", "$y$j75$$", "$2b$04$abc", "$9$x$y"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_false(password_matches("", broken[i]));
        assert_false(password_matches("correct horse", broken[i]));
        assert_false(password_matches(broken[i], broken[i]));
    }
    assert_false(password_matches("correct horse", "$6$rounds=1000$saltsalt")); /* a salt alone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_found_with_their_teams),
        cmocka_unit_test(an_empty_file_has_no_users),
        cmocka_unit_test(a_wrong_line_is_named_without_its_hash),
        cmocka_unit_test(a_weak_hash_comes_with_what_to_do),
        cmocka_unit_test(a_hash_has_a_bound),
        cmocka_unit_test(the_number_of_users_has_a_bound),
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(teams_are_judged),
        cmocka_unit_test_setup_teardown(a_missing_file_comes_with_how_to_make_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_read_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_everybody_may_read_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_a_regular_file_is_refused_at_once, set_up,
                                        tear_down),
        cmocka_unit_test(a_new_hash_is_yescrypt_and_knows_its_password),
        cmocka_unit_test(each_hash_has_a_salt_of_its_own),
        cmocka_unit_test(passwords_have_bounds),
        cmocka_unit_test(a_password_that_is_too_long_is_never_right),
        cmocka_unit_test(hashes_of_other_programs_count),
        cmocka_unit_test(weak_and_broken_hashes_are_told),
        cmocka_unit_test(what_is_no_hash_has_no_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
