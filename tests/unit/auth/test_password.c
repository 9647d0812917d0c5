#include "auth/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
