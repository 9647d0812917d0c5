#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 1321 A.5, in base64. */
static void known_texts_have_their_md5(void **state)
{
    static const struct {
        struct str text;
        const char *md5;
    } rows[] = {
        {{NULL, 0}, "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {STR_LITERAL(""), "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {STR_LITERAL("abc"), "kAFQmDzST7DWlj99KOF/cg=="},
        {STR_LITERAL("message digest"), "+WtpfXy3k41SWi8xqvFh0A=="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char md5[CHECKSUM_MD5_BYTES];

        checksum_md5(rows[i].text, md5);
        assert_string_equal(md5, rows[i].md5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_md5),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
