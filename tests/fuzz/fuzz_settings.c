/* The settings' file: whatever it holds, it is read or refused with problems, and nothing leaks. */
#include <stddef.h>
#include <stdint.h>

#include "server/settings.h"
#include "settings/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str text = {(const char *)bytes, length};
    struct problems problems;
    struct settings settings;
    struct settings_target target;

    problems_init(&problems);
    settings_init(&settings);
    target = settings_target(&settings);
    settings_file_apply("fuzz.yaml", text, &target, &problems);
    settings_check(&settings, &problems);
    settings_release(&settings);
    problems_release(&problems);
    return 0;
}
