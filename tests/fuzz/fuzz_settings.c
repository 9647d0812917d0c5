/* The settings' file: whatever it holds, it is read or refused with problems, and nothing leaks. */
#include <stddef.h>
#include <stdint.h>

#include "server/settings.h"
#include "server/settings_check.h"
#include "server/settings_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str text = {(const char *)bytes, length};
    struct problems problems;
    struct settings settings;

    problems_init(&problems);
    settings_init(&settings);
    settings_file_apply("fuzz.yaml", text, &settings, &problems);
    settings_check(&settings, &problems);
    settings_release(&settings);
    problems_release(&problems);
    return 0;
}
