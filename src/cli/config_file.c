#include "cli/config_file.h"

#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "base/strbuf.h"
#include "cli/private_file.h"

enum { CONFIG_MAX_BYTES = 64 * 1024 };

static enum error_code read_either(const struct paths *paths, struct strbuf *text,
                                   const char **path_out, struct error *err);
static enum error_code find_url(struct str text, const char *path, struct arena *arena,
                                const char **url_out, struct error *err);
static const char *find_member(yaml_document_t *document, struct arena *arena);
static bool is_scalar(const yaml_node_t *node, const char *text);

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

static bool is_scalar(const yaml_node_t *node, const char *text)
{
    return node && node->type == YAML_SCALAR_NODE &&
           strcmp((const char *)node->data.scalar.value, text) == 0;
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
