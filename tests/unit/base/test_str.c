#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void equality_and_order_are_by_byte(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"", "", 0},     {"a", "a", 0},  {"a", "b", -1}, {"b", "a", 1},
        {"a", "ab", -1}, {"ab", "a", 1}, {"", "a", -1},  {"\xff", "a", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int order = str_compare(str_from(cases[i].a), str_from(cases[i].b));

        assert_int_equal((order > 0) - (order < 0), cases[i].order);
        assert_int_equal(str_is(str_from(cases[i].a), cases[i].b), cases[i].order == 0);
    }
}

static void letters_compare_without_case(void **state)
{
    (void)state;
    assert_true(str_is_ignoring_case(str_from("Content-Length"), "content-LENGTH"));
    assert_false(str_is_ignoring_case(str_from("[\\]^_"), "{|}~_"));
    assert_false(str_is_ignoring_case(str_from("host"), "hosts"));
}

static void prefix_and_suffix_are_found(void **state)
{
    (void)state;
    assert_true(str_starts_with(str_from("sha256:00"), "sha256:"));
    assert_false(str_starts_with(str_from("sha"), "sha256:"));
    assert_true(str_starts_with_ignoring_case(str_from("SHA256:00"), "sha256:"));
    assert_false(str_starts_with_ignoring_case(str_from("SHA"), "sha256:"));
    assert_false(str_starts_with_ignoring_case(str_from("sha512:00"), "sha256:"));
    assert_true(str_ends_with(str_from("1.0-SNAPSHOT"), "-SNAPSHOT"));
    assert_false(str_ends_with(str_from("SHOT"), "-SNAPSHOT"));
    assert_true(str_ends_with(str_from("x"), ""));
}

static void slices_are_cut_to_the_string(void **state)
{
    const struct str s = STR_LITERAL("abcdef");

    (void)state;
    assert_true(str_is(str_slice(s, 1, 3), "bc"));
    assert_true(str_is(str_slice(s, 4, 100), "ef"));
    assert_int_equal(str_slice(s, 5, 2).length, 0);
    assert_int_equal(str_from_index(s, 100).length, 0);
    assert_int_equal(str_slice((struct str){0}, 0, 5).length, 0);
}

static void trim_takes_spaces_and_tabs_only(void **state)
{
    (void)state;
    assert_true(str_is(str_trim(str_from(" \t a b \t")), "a b"));
    assert_true(str_is(str_trim(str_from("\na\n")), "\na\n"));
    assert_int_equal(str_trim(str_from("  ")).length, 0);
}

static void bytes_are_found_from_both_ends(void **state)
{
    (void)state;
    assert_int_equal(str_index_of(str_from("a:b:c"), ':'), 1);
    assert_int_equal(str_last_index_of(str_from("a:b:c"), ':'), 3);
    assert_int_equal(str_index_of(str_from("abc"), ':'), 3);
    assert_int_equal(str_last_index_of((struct str){0}, ':'), 0);
}

static void cut_gives_every_part_once(void **state)
{
    struct str rest = STR_LITERAL("a,,b,");
    struct str part = {0};
    static const char *const parts[] = {"a", "", "b", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        assert_true(str_cut(&rest, ',', &part));
        assert_true(str_is(part, parts[i]));
    }
    assert_false(str_cut(&rest, ',', &part));
}

static void numbers_are_strict(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1a", "0x1", "18446744073709551616", "99999999999999999999999"};
    uint64_t number = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(str_parse_uint64(str_from(bad[i]), &number));
        assert_int_equal(number, 7);
    }
    assert_true(str_parse_uint64(str_from("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_true(str_parse_uint64(str_from("007"), &number));
    assert_int_equal(number, 7);
}

static void hexadecimal_digits_have_values(void **state)
{
    (void)state;
    assert_int_equal(str_hex_value('0'), 0);
    assert_int_equal(str_hex_value('f'), 15);
    assert_int_equal(str_hex_value('A'), 10);
    assert_int_equal(str_hex_value('g'), -1);
    assert_int_equal(str_hex_value('\0'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_and_order_are_by_byte),
        cmocka_unit_test(letters_compare_without_case),
        cmocka_unit_test(prefix_and_suffix_are_found),
        cmocka_unit_test(slices_are_cut_to_the_string),
        cmocka_unit_test(trim_takes_spaces_and_tabs_only),
        cmocka_unit_test(bytes_are_found_from_both_ends),
        cmocka_unit_test(cut_gives_every_part_once),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(hexadecimal_digits_have_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
