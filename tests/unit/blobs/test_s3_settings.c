#include "blobs/s3_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/owner_settings.h"

static void settings_of_s3_fit_together(void **state)
{
    struct s3_settings settings = {0};
    struct arena texts;

    (void)state;
    owner_settings_init(&s3_settings_table, &settings, &texts);
    settings.bucket = "layers";
    owner_settings_assert(&s3_settings_table, &settings, "");
    settings.bucket = "Company_Layers";
    owner_settings_assert(&s3_settings_table, &settings,
                          "storage.s3.bucket: \"Company_Layers\" is not a bucket's name: 3 to 63 "
                          "small letters, digits, dots and hyphens");
    settings.bucket = "layers";
    settings.region = "eu-x\"y";
    owner_settings_assert(&s3_settings_table, &settings,
                          "storage.s3.region: letters, digits and -_ are allowed");
    settings.region = "eu-central-1";
    settings.largest_blob_bytes = UINT64_C(5) << 40;
    owner_settings_assert(&s3_settings_table, &settings,
                          "storage.s3.upload_memory: must be at least 2189557760 bytes, two of "
                          "the largest parts that storage.s3.largest_blob needs");
    settings.upload_memory_bytes = UINT64_C(3) << 30;
    owner_settings_assert(&s3_settings_table, &settings, "");
    settings.style.encryption = "aes";
    owner_settings_assert(
        &s3_settings_table, &settings,
        "storage.s3.encryption: \"aes\" is none of AES256, aws:kms, aws:kms:dsse");
    settings.style.encryption = "AES256";
    owner_settings_assert(&s3_settings_table, &settings, "");
    settings.style.kms_key = "key";
    owner_settings_assert(&s3_settings_table, &settings,
                          "storage.s3.kms_key: needs storage.s3.encryption: aws:kms");
    settings.style.encryption = "aws:kms:dsse";
    owner_settings_assert(&s3_settings_table, &settings, "");
    settings.bucket = NULL; /* then nothing of it matters */
    settings.style.encryption = NULL;
    owner_settings_assert(&s3_settings_table, &settings, "");
    arena_release(&texts);
}

static void prefix_of_s3_is_the_same_to_everybody(void **state)
{
    static const struct {
        const char *prefix;
        bool is_right;
    } rows[] = {
        {"", true},       {"a", true},      {"a/b-c_d.e/", true},  {"..a/.b/c..", true},
        {"a b", false},   {"/a", false},    {"a//b", false},       {"a//", false},
        {"../a/", false}, {"a/../", false}, {"a/./b", false},      {".", false},
        {"a/..", false},  {"a?b", false},   {"a\xc3\xa4/", false},
    };
    struct s3_settings settings = {0};
    struct arena texts;

    (void)state;
    owner_settings_init(&s3_settings_table, &settings, &texts);
    settings.bucket = "layers";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        settings.prefix = rows[i].prefix;
        owner_settings_assert(&s3_settings_table, &settings,
                              rows[i].is_right
                                  ? ""
                                  : "storage.s3.prefix: up to 255 letters, digits and -_./ are "
                                    "allowed, and no part of it may be empty, . or ..");
    }
    arena_release(&texts);
}

static void dots_in_a_bucket_need_its_name_in_the_path(void **state)
{
    static const char problem[] = "storage.s3.path_style: must be true: no certificate fits a "
                                  "bucket's name with dots in front of a host name";
    struct s3_settings settings = {0};
    struct arena texts;

    (void)state;
    owner_settings_init(&s3_settings_table, &settings, &texts);
    settings.bucket = "layers.example";
    owner_settings_assert(&s3_settings_table, &settings, problem);
    settings.endpoint = "https://s3.example.org";
    owner_settings_assert(&s3_settings_table, &settings, problem);
    settings.endpoint = "http://s3.example.org";
    owner_settings_assert(&s3_settings_table, &settings, "");
    settings.endpoint = NULL;
    settings.path_style = true;
    owner_settings_assert(&s3_settings_table, &settings, "");
    arena_release(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_s3_fit_together),
        cmocka_unit_test(prefix_of_s3_is_the_same_to_everybody),
        cmocka_unit_test(dots_in_a_bucket_need_its_name_in_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
