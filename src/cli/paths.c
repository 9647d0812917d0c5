#include "cli/paths.h"

#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

#include "base/str.h"

static const char *find_home(const struct environment *environment);
static const char *join(struct arena *arena, const char *folder, const char *name);

enum error_code paths_find(const struct environment *environment, bool is_macos,
                           struct arena *arena, struct paths *paths_out, struct error *err)
{
    const char *const home = find_home(environment);
    const char *const xdg = environment_get(environment, "XDG_CONFIG_HOME");
    const char *const docker = environment_get(environment, "DOCKER_CONFIG");
    const bool has_xdg = xdg && xdg[0] == '/'; /* the specification: others are to be ignored */
    const char *own = NULL;

    if (!home) {
        return error_set(err, ERROR_INVALID, "HOME is not set: there is nowhere to keep a login");
    }
    if (has_xdg) {
        own = xdg;
    } else {
        own = join(arena, home, is_macos ? "Library/Application Support/pierone" : ".config");
    }
    *paths_out = (struct paths){
        .config = join(arena, own, "pierone.yaml"),
        .other_config = join(arena, own, "pierone/pierone.yaml"),
        .logins = join(arena, own, is_macos && !has_xdg ? "logins.json" : "pierone/logins.json"),
        .docker_config =
            docker ? join(arena, docker, "config.json") : join(arena, home, ".docker/config.json"),
        .dockercfg = join(arena, home, ".dockercfg"),
    };
    return OK;
}

static const char *find_home(const struct environment *environment)
{
    const char *const home = environment_get(environment, "HOME");
    const struct passwd *user = home ? NULL : getpwuid(getuid());

    if (home) {
        return home;
    }
    return user && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

/* Paths are short: the arena has room for them. */
static const char *join(struct arena *arena, const char *folder, const char *name)
{
    return arena_format(arena, "%s/%s", folder, name);
}
