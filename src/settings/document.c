#include "settings/document.h"

#include "settings/load.h"
#include "settings/value.h"

enum { YAML_LINE_LENGTH = 90, YAML_INDENT = 2 };

static struct str section_of(const struct setting *setting)
{
    const struct str key = str_from(setting->key);
    const size_t dot = str_last_index_of(key, '.');

    return str_slice(key, 0, dot < key.length ? dot : 0);
}

static struct str section_before(const struct settings_schema *schema, size_t index)
{
    struct setting before;

    if (index == 0) {
        return (struct str){0};
    }
    before = settings_schema_at(schema, index - 1);
    return section_of(&before);
}

static void append_markdown_section(struct strbuf *buf, struct str section)
{
    if (section.length == 0) {
        strbuf_append_text(buf, "\n## General\n\n");
    } else {
        strbuf_append_format(buf, "\n## %.*s\n\n", STR_FORMAT(section));
    }
    strbuf_append_text(buf, "| Key and variable | Default | Allowed | Meaning |\n"
                            "| --- | --- | --- | --- |\n");
}

/* `size, 4KiB to 1MiB`, `auto, text or json`, `path` */
static void append_allowed(struct strbuf *buf, const struct setting *setting)
{
    if (setting->type != SETTING_WORD) {
        strbuf_append_text(buf, setting_type_name(setting->type));
    }
    if (setting->maximum > 0) {
        strbuf_append_text(buf, ", ");
    }
    setting_range_append(setting, buf);
}

static void append_markdown_row(struct strbuf *buf, const struct setting *setting)
{
    char variable[SETTING_ENVIRONMENT_BYTES];

    setting_environment_name(setting, variable);
    strbuf_append_format(buf, "| `%s`<br>`%s` | ", setting->key, variable);
    if (setting->default_text) {
        strbuf_append_format(buf, "`%s` | ", setting->default_text);
    } else {
        strbuf_append_text(buf, "not set | ");
    }
    append_allowed(buf, setting);
    strbuf_append_format(buf, " | %s |\n", setting->help);
}

void settings_document_markdown(const struct settings_schema *schema, struct strbuf *buf)
{
    strbuf_append_text(buf, schema->markdown_head);
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct setting setting = settings_schema_at(schema, i);
        const struct str section = section_of(&setting);

        if (i == 0 || !str_equal(section, section_before(schema, i))) {
            append_markdown_section(buf, section);
        }
        append_markdown_row(buf, &setting);
    }
}

static bool section_is_within(struct str section, struct str outer)
{
    const struct str rest = str_from_index(section, outer.length);

    return str_equal(str_slice(section, 0, outer.length), outer) &&
           (rest.length == 0 || str_starts_with(rest, "."));
}

static void append_spaces(struct strbuf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_append_byte(buf, ' ');
    }
}

/* How many sections a path names. */
static size_t depth_of(struct str path)
{
    size_t depth = path.length > 0 ? 1 : 0;

    for (size_t i = 0; i < path.length; i++) {
        depth += path.bytes[i] == '.' ? 1 : 0;
    }
    return depth;
}

/* The lines `name:` of those sections around a setting that are not open yet. */
static void append_yaml_sections(struct strbuf *buf, struct str section, struct str before)
{
    struct str rest = section;
    struct str name;

    while (rest.length > 0 && str_cut(&rest, '.', &name)) {
        const size_t end = (size_t)(name.bytes - section.bytes) + name.length;
        const struct str path = str_slice(section, 0, end);

        if (!section_is_within(before, path)) {
            strbuf_append_byte(buf, '#');
            append_spaces(buf, depth_of(path) * YAML_INDENT - YAML_INDENT);
            strbuf_append_format(buf, "%.*s:\n", STR_FORMAT(name));
        }
    }
}

/* Wrapped between words, each line behind `##`. */
static void append_yaml_prose(struct strbuf *buf, struct str text, size_t indent)
{
    size_t column = YAML_LINE_LENGTH + 1;
    struct str word;

    while (text.length > 0 && str_cut(&text, ' ', &word)) {
        if (column + 1 + word.length > YAML_LINE_LENGTH) {
            strbuf_append_text(buf, column > YAML_LINE_LENGTH ? "##" : "\n##");
            append_spaces(buf, indent);
            column = 2 + indent;
        }
        strbuf_append_byte(buf, ' ');
        strbuf_append(buf, word);
        column += 1 + word.length;
    }
    strbuf_append_byte(buf, '\n');
}

static void append_yaml_setting(struct strbuf *buf, const struct setting *setting)
{
    const struct str section = section_of(setting);
    const size_t indent = depth_of(section) * YAML_INDENT;
    const char *const name = setting->key + (section.length > 0 ? section.length + 1 : 0);
    CLEANUP(strbuf_release) struct strbuf prose;

    strbuf_init(&prose, SETTINGS_DOCUMENT_MAX_BYTES);
    strbuf_append_format(&prose, "%s (", setting->help);
    append_allowed(&prose, setting);
    strbuf_append_text(&prose, setting->default_text ? ")" : "; not set by default)");
    append_yaml_prose(buf, strbuf_str(&prose), indent);
    strbuf_append_byte(buf, '#');
    append_spaces(buf, indent);
    strbuf_append_format(buf, "%s: %s\n", name,
                         setting->default_text ? setting->default_text : setting->example);
}

void settings_document_yaml(const struct settings_schema *schema, struct strbuf *buf)
{
    strbuf_append_text(buf, schema->yaml_head);
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct setting setting = settings_schema_at(schema, i);

        strbuf_append_byte(buf, '\n');
        append_yaml_sections(buf, section_of(&setting), section_before(schema, i));
        append_yaml_setting(buf, &setting);
    }
}

/* What scdoc(5) would take for markup. */
static void append_man_text(struct strbuf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '*' || *text == '_' || *text == '\\') {
            strbuf_append_byte(buf, '\\');
        }
        strbuf_append_byte(buf, *text);
    }
}

static void append_man_setting(struct strbuf *buf, const struct setting *setting)
{
    char variable[SETTING_ENVIRONMENT_BYTES];

    setting_environment_name(setting, variable);
    strbuf_append_text(buf, "\n*");
    append_man_text(buf, setting->key);
    strbuf_append_text(buf, "* (");
    append_allowed(buf, setting);
    strbuf_append_text(buf, setting->default_text ? "; default: " : "; not set by default");
    append_man_text(buf, setting->default_text ? setting->default_text : "");
    strbuf_append_text(buf, ")\n\t");
    append_man_text(buf, setting->help);
    strbuf_append_text(buf, " Variable: *");
    append_man_text(buf, variable);
    strbuf_append_text(buf, "*.\n");
}

void settings_document_man(const struct settings_schema *schema, struct strbuf *buf)
{
    strbuf_append_text(buf, schema->man_head);
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct setting setting = settings_schema_at(schema, i);
        const struct str section = section_of(&setting);

        if (section.length > 0 && !str_equal(section, section_before(schema, i))) {
            strbuf_append_format(buf, "\n## %.*s\n", STR_FORMAT(section));
        }
        append_man_setting(buf, &setting);
    }
    strbuf_append_text(buf, schema->man_foot);
}
