#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void an_empty_buffer_is_text(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 10);
    assert_string_equal(buf.text, "");
    strbuf_release(&buf);
    strbuf_release(&buf);
}

static void appending_joins(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 1000);
    strbuf_append_text(&buf, "a");
    strbuf_append_byte(&buf, '=');
    strbuf_append_uint64(&buf, UINT64_MAX);
    strbuf_append_uint64(&buf, 0);
    strbuf_append_format(&buf, " %s %d", "text", -5);
    strbuf_append(&buf, (struct str){0});
    assert_string_equal(buf.text, "a=184467440737095516150 text -5");
    assert_int_equal(strbuf_str(&buf).length, strlen(buf.text));
    strbuf_release(&buf);
}

static void the_ceiling_holds_and_is_remembered(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 4);
    strbuf_append_text(&buf, "abcd");
    assert_false(buf.is_truncated);
    strbuf_append_text(&buf, "e");
    assert_true(buf.is_truncated);
    strbuf_append_format(&buf, "%s", "f");
    assert_string_equal(buf.text, "abcd");
    strbuf_clear(&buf);
    assert_false(buf.is_truncated);
    strbuf_append_text(&buf, "fg");
    assert_string_equal(buf.text, "fg");
    strbuf_release(&buf);
}

static void growing_keeps_what_was_there(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 100000);
    for (int i = 0; i < 10000; i++) {
        strbuf_append_byte(&buf, (char)('a' + i % 26));
    }
    assert_int_equal(buf.length, 10000);
    assert_int_equal(buf.text[9999], 'a' + 9999 % 26);
    strbuf_remove_front(&buf, 9990);
    assert_int_equal(strlen(buf.text), 10);
    assert_int_equal(buf.text[0], 'a' + 9990 % 26);
    strbuf_release(&buf);
}

static void its_memory_can_be_taken(void **state)
{
    struct strbuf buf;
    char *text = NULL;

    (void)state;
    strbuf_init(&buf, 100);
    assert_null(strbuf_take(&buf));
    strbuf_append_text(&buf, "abc");
    text = strbuf_take(&buf);
    assert_memory_equal(text, "abc", 4);
    assert_string_equal(buf.text, "");
    strbuf_append_text(&buf, "d");
    assert_string_equal(buf.text, "d");
    strbuf_release(&buf);
    free(text);
}

static void a_secret_is_wiped(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init_secret(&buf, 1000);
    for (int i = 0; i < 500; i++) {
        strbuf_append_text(&buf, "s");
    }
    assert_int_equal(buf.length, 500);
    strbuf_clear(&buf);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(buf.text[i], '\0');
    }
    strbuf_append_text(&buf, "again");
    assert_string_equal(buf.text, "again");
    strbuf_release(&buf);
    assert_true(buf.is_secret);
    assert_string_equal(buf.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_text),
        cmocka_unit_test(appending_joins),
        cmocka_unit_test(the_ceiling_holds_and_is_remembered),
        cmocka_unit_test(growing_keeps_what_was_there),
        cmocka_unit_test(its_memory_can_be_taken),
        cmocka_unit_test(a_secret_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
