#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/attributes.h"
#include "kinds.h"

struct kind {
    const char *name;
    void (*run)(const struct options *options);
};

static const struct kind kinds[] = {
    {"request", load_request}, {"probe", load_probe},         {"download", load_download},
    {"upload", load_upload},   {"push", load_push},           {"pull", load_pull},
    {"hold", load_hold},       {"handshake", load_handshake},
};

static void raise_descriptor_limit(void);

/* Makes load that wrk cannot make. bench/run calls it; bench/README.md tells what each kind is for.
 */
int main(int count, char **words)
{
    if (count < 2) {
        fail("usage: load KIND NAME=VALUE…");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(words[1], kinds[i].name) == 0) {
            const struct options options = options_parse(count - 2, words + 2);

            kinds[i].run(&options);
            return 0;
        }
    }
    fail("unknown kind of load: %s", words[1]);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}
