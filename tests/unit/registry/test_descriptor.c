#include "registry/descriptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum error_code check(const char *text, enum named_object kind, struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    assert_int_equal(json_value_parse(str_from(text), &json, NULL), OK);
    code = member_names_check(json, kind, err);
    json_value_free(json);
    return code;
}

static void each_object_has_names_of_its_own(void **state)
{
    static const struct {
        enum named_object kind;
        const char *text;
        enum error_code code;
    } rows[] = {
        {OBJECT_MANIFEST, "{\"layers\":[],\"Other\":1,\"OS\":1}", OK},
        {OBJECT_MANIFEST, "{\"Layers\":[]}", ERROR_CONFLICT},
        {OBJECT_DESCRIPTOR, "{\"size\":1,\"Layers\":1}", OK},
        {OBJECT_DESCRIPTOR, "{\"MEDIATYPE\":1}", ERROR_CONFLICT},
        {OBJECT_PLATFORM, "{\"os\":1,\"Size\":1}", OK},
        {OBJECT_PLATFORM, "{\"OS.features\":1}", ERROR_CONFLICT},
        {OBJECT_CONFIG, "{\"os\":1,\"Size\":1,\"config\":{\"User\":\"\"}}", OK},
        {OBJECT_CONFIG, "{\"RootFS\":1}", ERROR_CONFLICT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(check(rows[i].text, rows[i].kind, NULL), rows[i].code);
    }
}

static void both_names_are_told(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(check("{\"mediatype\":1}", OBJECT_MANIFEST, &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "\"mediatype\""));
    assert_non_null(strstr(err.message, "\"mediaType\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_object_has_names_of_its_own),
        cmocka_unit_test(both_names_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
