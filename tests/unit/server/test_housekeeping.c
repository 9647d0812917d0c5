#include "server/housekeeping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "metadata/metadata.h"
#include "metadata/uploads.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, LINE_BYTES = 1024, UPLOADS = 250 };

/* A registry with uploads that rest since 1970. */
struct fixture {
    char *folder;
    struct metadata *metadata;
    struct blob_store *blobs;
    struct registry *registry;
};

static void add_upload(struct fixture *fixture, int number)
{
    char id[16];
    struct upload_record upload = {.repository = STR_LITERAL("team/app"),
                                   .created_by = STR_LITERAL("somebody")};

    (void)snprintf(id, sizeof(id), "%d", number);
    upload.id = str_from(id);
    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct registry_config config = {.clock = &clock_system, .settings.upload_lifetime_ms = 1};
    char path[PATH_BYTES];

    fixture->folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", fixture->folder);
    assert_int_equal(metadata_open_sqlite(path, &fixture->metadata, NULL), OK);
    fixture->blobs = memory_store_new();
    config.metadata = fixture->metadata;
    config.blobs = fixture->blobs;
    fixture->registry = registry_new(&config);
    for (int i = 0; i < UPLOADS; i++) {
        add_upload(fixture, i);
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    registry_free(fixture->registry);
    blob_store_free(fixture->blobs);
    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

/* The number in the next line of the log. */
static uint64_t next_number(FILE *lines)
{
    static const char before[] = "\"message\":\"";
    char line[LINE_BYTES];
    struct str rest;
    struct str first;
    uint64_t number = 0;

    assert_non_null(fgets(line, sizeof(line), lines));
    assert_non_null(strstr(line, "uploads_expired"));
    assert_non_null(strstr(line, before));
    rest = str_from(strstr(line, before) + sizeof(before) - 1);
    assert_true(str_cut(&rest, ' ', &first));
    assert_true(str_parse_uint64(first, &number));
    return number;
}

static void uploads_expire_until_none_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct housekeeping housekeeping = {
        .registry = fixture->registry, .interval_ms = 1, .keys_interval_ms = 1};
    struct log log;
    int ends[2];
    FILE *lines = NULL;
    uint64_t expired = 0;

    assert_int_equal(pipe(ends), 0);
    lines = fdopen(ends[0], "r");
    assert_non_null(lines);
    log_init(&log, ends[1], LOG_JSON, LOG_INFO, &clock_system);
    housekeeping.log = &log;
    assert_int_equal(housekeeping_start(&housekeeping, NULL), OK);
    while (expired < UPLOADS) {
        expired += next_number(lines);
    }
    assert_int_equal(expired, UPLOADS);
    housekeeping_end(&housekeeping);
    assert_int_equal(fclose(lines), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void what_was_not_started_has_no_end(void **state)
{
    struct housekeeping housekeeping = {.registry = NULL};

    (void)state;
    housekeeping_end(&housekeeping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uploads_expire_until_none_is_left, set_up, tear_down),
        cmocka_unit_test(what_was_not_started_has_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
