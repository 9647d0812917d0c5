#include "settings/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void assert_message(const char *text, const char *message)
{
    struct yaml_entries entries;
    struct error err;

    assert_int_equal(yaml_entries_read("x.yaml", str_from(text), &entries, &err), ERROR_INVALID);
    assert_string_equal(err.message, message);
}

static void assert_entry(const struct yaml_entry *entry, const char *path, unsigned line,
                         enum yaml_kind kind, const char *value)
{
    assert_string_equal(entry->path, path);
    assert_int_equal(entry->line, line);
    assert_int_equal(entry->kind, kind);
    assert_true(str_equal(entry->value, str_from(value)));
}

static void mappings_are_flattened_in_order(void **state)
{
    static const char text[] = "# comment\n"
                               "listen: 127.0.0.1:8080\n"
                               "tls:\n"
                               "  key: \"a b\"\n"
                               "  deep: {x: 1}\n"
                               "data: 'null'\n"
                               "empty:\n"
                               "none: ~\n";
    struct yaml_entries entries;

    (void)state;
    assert_int_equal(yaml_entries_read("x.yaml", str_from(text), &entries, NULL), OK);
    assert_int_equal(entries.count, 8);
    assert_entry(&entries.list[0], "listen", 2, YAML_VALUE, "127.0.0.1:8080");
    assert_entry(&entries.list[1], "tls", 3, YAML_SECTION, NULL);
    assert_entry(&entries.list[2], "tls.key", 4, YAML_VALUE, "a b");
    assert_entry(&entries.list[3], "tls.deep", 5, YAML_SECTION, NULL);
    assert_entry(&entries.list[4], "tls.deep.x", 5, YAML_VALUE, "1");
    assert_entry(&entries.list[5], "data", 6, YAML_VALUE, "null");
    assert_entry(&entries.list[6], "empty", 7, YAML_NULL, NULL);
    assert_entry(&entries.list[7], "none", 8, YAML_NULL, NULL);
    yaml_entries_release(&entries);
}

static void nothing_gives_no_entries(void **state)
{
    static const char *const texts[] = {"",      "\n\n", "# only this\n",
                                        "---\n", "{}\n", "\xef\xbb\xbf"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct yaml_entries entries;

        assert_int_equal(yaml_entries_read("x.yaml", str_from(texts[i]), &entries, NULL), OK);
        assert_int_equal(entries.count, 0);
        yaml_entries_release(&entries);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct yaml_entries entries;

    (void)state;
    assert_int_equal(
        yaml_entries_read("x.yaml", str_from("\xef\xbb\xbfkey: 1\nother: 2"), &entries, NULL), OK);
    assert_int_equal(entries.count, 2);
    assert_string_equal(entries.list[0].path, "key");
    assert_string_equal(entries.list[1].path, "other");
    yaml_entries_release(&entries);
}

static void wrong_form_names_line_and_reason(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a: 1\nb: \xff\n", "x.yaml:2: is not UTF-8 text"},
        {"\xff\xfe"
         "a\x01:",
         "x.yaml:1: is not UTF-8 text"},
        {"a: \x01\n", "x.yaml:1: is not valid YAML: control characters are not allowed"},
        {"a: 1\nb: [1,\n", "x.yaml:2: \"b\" takes one value, not a list"},
        {"a:\n  - 1\n", "x.yaml:2: \"a\" takes one value, not a list"},
        {"- a\n- b\n", "x.yaml:1: has a list where lines of KEY: VALUE belong"},
        {"? [a]\n: b\n", "x.yaml:1: has a list where lines of KEY: VALUE belong"},
        {"? {a: b}\n: c\n", "x.yaml:1: has a mapping where a key belongs"},
        {"just text\n", "x.yaml:1: must hold lines of KEY: VALUE"},
        {"a: 1\nb: 2\na: 3\n", "x.yaml:3: \"a\" stands in line 1 already"},
        {"a:\n  b: 1\nc: 2\na:\n  d: 1\n", "x.yaml:4: \"a\" stands in line 1 already"},
        {"a: &x 1\n", "x.yaml:1: anchors (&name) are not supported"},
        {"a: &x\n  b: 1\n", "x.yaml:1: anchors (&name) are not supported"},
        {"&x a: 1\n", "x.yaml:1: anchors (&name) are not supported"},
        {"a: *x\n", "x.yaml:1: aliases (*name) are not supported"},
        {"a: !!str 1\n", "x.yaml:1: tags (!name) are not supported"},
        {"a: 1\n---\nb: 2\n", "x.yaml:2: has a second document (---), but only one can be read"},
        {"a.b: 1\n",
         "x.yaml:1: \"a.b\" must be nested: a line \"a:\" and, indented below it, \"b:\""},
        {"\"\": 1\n", "x.yaml:1: has a key that is empty or too long"},
        {"a b: 1\n", "x.yaml:1: has a key that is not made of letters, digits and _"},
        {"a: 1\n  b: 2\n",
         "x.yaml:2: is not valid YAML: mapping values are not allowed in this context"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "x.yaml:1: is nested too deeply"},
        {"a: \"no end\n", "x.yaml:2: is not valid YAML: found unexpected end of stream"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_message(cases[i].text, cases[i].message);
    }
}

static void keys_are_bounded(void **state)
{
    struct strbuf text;

    (void)state;
    strbuf_init(&text, 65536);
    for (int i = 0; i < YAML_MAX_ENTRIES; i++) {
        strbuf_append_format(&text, "k%d: 1\n", i);
    }
    strbuf_append_text(&text, "last: 1\n");
    assert_message(text.text, "x.yaml:1001: has too many keys");
    strbuf_clear(&text);
    for (int i = 0; i <= YAML_MAX_KEY_BYTES; i++) {
        strbuf_append_byte(&text, 'k');
    }
    strbuf_append_text(&text, ": 1");
    assert_message(text.text, "x.yaml:1: has a key that is empty or too long");
    strbuf_release(&text);
}

static void values_are_bounded(void **state)
{
    enum { MUCH = 5 * 1024 * 1024 };
    struct strbuf text;

    (void)state;
    strbuf_init(&text, MUCH + 16);
    strbuf_append_text(&text, "a: 1\nb: ");
    for (int i = 0; i < MUCH; i++) {
        strbuf_append_byte(&text, 'x');
    }
    assert_message(text.text, "x.yaml:2: is too large");
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_are_flattened_in_order),
        cmocka_unit_test(nothing_gives_no_entries),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(wrong_form_names_line_and_reason),
        cmocka_unit_test(keys_are_bounded),
        cmocka_unit_test(values_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
