#include "cli/config.h"

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/ascii.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/private_file.h"

const char *environment_get(const struct environment *environment, const char *name)
{
    const size_t length = strlen(name);

    for (char *const *entry = environment->entries; entry && *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return (*entry)[length + 1] != '\0' ? *entry + length + 1 : NULL;
        }
    }
    return NULL;
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
static const char *config_join(struct arena *arena, const char *folder, const char *name)
{
    return arena_format(arena, "%s/%s", folder, name);
}

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
        own =
            config_join(arena, home, is_macos ? "Library/Application Support/pierone" : ".config");
    }
    *paths_out = (struct paths){
        .config = config_join(arena, own, "pierone.yaml"),
        .other_config = config_join(arena, own, "pierone/pierone.yaml"),
        .logins =
            config_join(arena, own, is_macos && !has_xdg ? "logins.json" : "pierone/logins.json"),
        .docker_config = docker ? config_join(arena, docker, "config.json")
                                : config_join(arena, home, ".docker/config.json"),
        .dockercfg = config_join(arena, home, ".dockercfg"),
    };
    return OK;
}

/* In any case (RFC 3986 3.1). */
static bool take_scheme(struct str *text, const char *scheme)
{
    const size_t length = strlen(scheme);
    const bool is_there = str_is_ignoring_case(str_slice(*text, 0, length), scheme);

    *text = str_from_index(*text, is_there ? length : 0);
    return is_there;
}

static bool is_host(struct str host)
{
    bool is_plain = host.length > 0 && host.length <= REGISTRY_URL_MAX_BYTES;

    for (size_t i = 0; i < host.length && is_plain; i++) {
        const char byte = host.bytes[i];

        is_plain = ascii_is_letter_or_digit(byte) || (byte != '\0' && strchr("-._:[]", byte));
    }
    return is_plain && host.bytes[0] != ':' && host.bytes[host.length - 1] != ':';
}

static const char *lower_case(struct arena *arena, struct str text)
{
    char *const copy = arena_text(arena, text);

    for (size_t i = 0; copy && i < text.length; i++) {
        copy[i] = ascii_lower(copy[i]);
    }
    return copy;
}

enum error_code registry_url_parse(struct str text, struct arena *arena,
                                   struct registry_url *url_out, struct error *err)
{
    struct str host = str_trim(text);
    const bool is_plain = take_scheme(&host, "http://");
    const char *lower = NULL;
    struct str path;

    if (!is_plain) {
        (void)take_scheme(&host, "https://");
    }
    path = str_from_index(host, str_index_of(host, '/'));
    host = str_slice(host, 0, str_index_of(host, '/'));
    if (!is_host(host) || str_ends_with(host, ":")) {
        return error_set(err, ERROR_INVALID,
                         "\"%.*s\" is not the address of a registry: give its host, like "
                         "pierone.example.org, host:port, or http://host:port without TLS",
                         STR_FORMAT(str_slice(text, 0, REGISTRY_URL_MAX_BYTES)));
    }
    lower = lower_case(arena, host);
    *url_out = (struct registry_url){
        .url = arena_format(arena, "%s://%s", is_plain ? "http" : "https", lower),
        .host = lower,
        .has_path = path.length > 1,
    };
    return OK;
}

enum { CONFIG_MAX_BYTES = 64 * 1024 };

/* No file is an empty one. */
static enum error_code read_either(const struct paths *paths, struct strbuf *text,
                                   const char **path_out, struct error *err)
{
    enum error_code code = private_file_read(paths->config, text, err);

    *path_out = paths->config;
    if (code == ERROR_NOT_FOUND) {
        code = private_file_read(paths->other_config, text, err);
        *path_out = paths->other_config;
    }
    return code == ERROR_NOT_FOUND ? OK : code;
}

static bool is_scalar(const yaml_node_t *node, const char *text)
{
    return node && node->type == YAML_SCALAR_NODE &&
           strcmp((const char *)node->data.scalar.value, text) == 0;
}

static const char *find_member(yaml_document_t *document, struct arena *arena)
{
    const yaml_node_t *const root = yaml_document_get_root_node(document);

    if (!root || root->type != YAML_MAPPING_NODE) {
        return NULL;
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *const value = yaml_document_get_node(document, pair->value);

        if (is_scalar(yaml_document_get_node(document, pair->key), "url") && value &&
            value->type == YAML_SCALAR_NODE && value->data.scalar.length > 0) {
            return arena_format(arena, "%s", (const char *)value->data.scalar.value);
        }
    }
    return NULL;
}

static enum error_code find_url(struct str text, const char *path, struct arena *arena,
                                const char **url_out, struct error *err)
{
    union {
        const char *text;
        const unsigned char *bytes;
    } both = {.text = text.bytes};
    yaml_parser_t parser;
    yaml_document_t document;

    if (!yaml_parser_initialize(&parser)) {
        return error_set(err, ERROR_UNAVAILABLE, "there is no memory to read %s", path);
    }
    yaml_parser_set_input_string(&parser, both.bytes, text.length);
    if (!yaml_parser_load(&parser, &document)) {
        yaml_parser_delete(&parser);
        return error_set(err, ERROR_INVALID, "%s is not YAML: correct it, like `url: https://…`",
                         path);
    }
    *url_out = find_member(&document, arena);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return OK;
}

enum error_code config_file_read(const struct paths *paths, struct arena *arena,
                                 const char **url_out, struct error *err)
{
    struct strbuf text;
    const char *path = NULL;
    enum error_code code = OK;

    *url_out = NULL;
    strbuf_init(&text, CONFIG_MAX_BYTES);
    code = read_either(paths, &text, &path, err);
    if (!code && text.length > 0) {
        code = find_url(strbuf_str(&text), path, arena, url_out, err);
    }
    strbuf_release(&text);
    return code;
}

enum error_code config_file_add_url(const struct paths *paths, const char *url, struct error *err)
{
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init(&text, CONFIG_MAX_BYTES);
    code = private_file_read(paths->config, &text, err);
    if (code == ERROR_NOT_FOUND) {
        code = OK;
    }
    if (!code) {
        if (text.length > 0 && text.text[text.length - 1] != '\n') {
            strbuf_append_byte(&text, '\n');
        }
        strbuf_append_format(&text, "url: %s\n", url);
        code = private_file_write(paths->config, strbuf_str(&text), err);
    }
    strbuf_release(&text);
    return code;
}
