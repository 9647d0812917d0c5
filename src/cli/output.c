#include "cli/output.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/utf8.h"

enum {
    FIRST_CAPACITY = 16,
    JSON_MAX_BYTES = 256 * 1024 * 1024,
    GAP = 2,                                   /* spaces between columns */
    SHOWN_DIGEST = sizeof("sha256:") - 1 + 12, /* as docker cuts them */
};

static const char bold[] = "\033[1m";
static const char plain[] = "\033[0m";

struct cell cell_text(struct str text)
{
    return (struct cell){.is_absent = text.bytes == NULL, .text = text};
}

struct cell cell_number(int64_t number)
{
    return (struct cell){.number = number};
}

struct cell cell_absent(void)
{
    return (struct cell){.is_absent = true};
}

void table_init(struct table *table, const struct column *columns, size_t column_count)
{
    *table = (struct table){.columns = columns, .column_count = column_count};
}

void table_release(struct table *table)
{
    free(table->cells);
    table->cells = NULL;
}

void table_add(struct table *table, const struct cell *row)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity > 0 ? 2 * table->row_capacity : FIRST_CAPACITY;
        table->cells = memory_resize(table->cells, table->row_capacity * table->column_count,
                                     sizeof(*table->cells));
    }
    for (size_t i = 0; i < table->column_count; i++) {
        table->cells[table->row_count * table->column_count + i] = row[i];
    }
    table->row_count++;
}

static size_t step_of(struct str text)
{
    const size_t length = utf8_character_length(text);

    return length > 0 ? length : 1;
}

/* Both sets of control characters (ECMA-48 5.2 and 5.3), and what is not UTF-8: terminals that
 * expect no UTF-8 take bytes of it for the second set. */
static bool is_control(struct str character)
{
    const unsigned char first = (unsigned char)character.bytes[0];

    if (character.length == 1) {
        return first < 0x20 || first >= 0x7f;
    }
    return character.length == 2 && first == 0xc2 && (unsigned char)character.bytes[1] < 0xa0;
}

/* The character itself, or what stands for it in the buffer. */
static struct str visible(struct str character, char buffer[SHOWN_BYTES])
{
    if (is_control(character)) {
        (void)snprintf(buffer, SHOWN_BYTES, "?");
        return str_from(buffer);
    }
    if (character.length > 1 && utf8_is_hidden(character)) {
        const uint32_t point = utf8_code_point(character);

        (void)snprintf(buffer, SHOWN_BYTES, point > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32,
                       point);
        return str_from(buffer);
    }
    return character;
}

/* In columns, as show_text shows it: one for a character, more for an escaped one. */
static size_t width_of(struct str text)
{
    size_t width = 0;

    while (text.length > 0) {
        const struct str character = str_slice(text, 0, step_of(text));
        char buffer[SHOWN_BYTES];
        const struct str shown = visible(character, buffer);

        width += shown.bytes == buffer ? shown.length : 1;
        text = str_from_index(text, character.length);
    }
    return width;
}

void show_time(int64_t time_ms, int64_t now_ms, char text_out[SHOWN_BYTES])
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{24 * 3600, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    const bool is_ahead = time_ms > now_ms;
    const int64_t age_s = (is_ahead ? time_ms - now_ms : now_ms - time_ms) / MS_PER_SECOND;

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (age_s >= units[i].seconds) {
            (void)snprintf(text_out, SHOWN_BYTES, "%s%" PRId64 "%s%s", is_ahead ? "in " : "",
                           age_s / units[i].seconds, units[i].unit, is_ahead ? "" : " ago");
            return;
        }
    }
    (void)snprintf(text_out, SHOWN_BYTES, "now");
}

void show_size(uint64_t size_bytes, char text_out[SHOWN_BYTES])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double)size_bytes;
    size_t unit = 0;

    if (size_bytes < 1024) {
        (void)snprintf(text_out, SHOWN_BYTES, "%" PRIu64 " B", size_bytes);
        return;
    }
    for (size /= 1024; size >= 1024 && unit + 1 < ARRAY_LEN(units); unit++) {
        size /= 1024;
    }
    (void)snprintf(text_out, SHOWN_BYTES, "%.1f %s", size, units[unit]);
}

static struct str cell_shown(const struct cell *cell, enum column_type type, int64_t now_ms,
                             char buffer[SHOWN_BYTES])
{
    if (cell->is_absent) {
        return str_from("");
    }
    switch (type) {
    case COLUMN_TEXT:
        return cell->text;
    case COLUMN_DIGEST:
        return str_slice(cell->text, 0, SHOWN_DIGEST);
    case COLUMN_TIME:
        show_time(cell->number, now_ms, buffer);
        break;
    case COLUMN_SIZE:
        show_size((uint64_t)cell->number, buffer);
        break;
    case COLUMN_NUMBER:
        (void)snprintf(buffer, SHOWN_BYTES, "%" PRId64, cell->number);
        break;
    }
    return str_from(buffer);
}

/* Row 0 is that of the titles. */
static struct str text_at(const struct table *table, size_t row, size_t column, int64_t now_ms,
                          char buffer[SHOWN_BYTES])
{
    if (row == 0) {
        return str_from(table->columns[column].title);
    }
    return cell_shown(&table->cells[(row - 1) * table->column_count + column],
                      table->columns[column].type, now_ms, buffer);
}

static bool is_right(enum column_type type)
{
    return type == COLUMN_NUMBER || type == COLUMN_SIZE;
}

void show_text(FILE *file, struct str text)
{
    while (text.length > 0) {
        const struct str character = str_slice(text, 0, step_of(text));
        char buffer[SHOWN_BYTES];
        const struct str shown = visible(character, buffer);

        (void)fwrite(shown.bytes, 1, shown.length, file);
        text = str_from_index(text, character.length);
    }
}

static void print_padded(FILE *file, struct str text, size_t width, bool is_right)
{
    const size_t own = width_of(text);
    const int padding = width > own ? (int)(width - own) : 0;

    (void)fprintf(file, "%*s", is_right ? padding : 0, "");
    show_text(file, text);
    (void)fprintf(file, "%*s", is_right ? 0 : padding, "");
}

static void output_print_row(const struct table *table, size_t row, const size_t *widths,
                             const struct output *output)
{
    for (size_t i = 0; i < table->column_count; i++) {
        char buffer[SHOWN_BYTES];
        const bool is_last = i + 1 == table->column_count;
        const bool is_number = is_right(table->columns[i].type);

        print_padded(output->file, text_at(table, row, i, output->now_ms, buffer),
                     is_last && !is_number ? 0 : widths[i], is_number);
        (void)fprintf(output->file, "%*s", is_last ? 0 : GAP, "");
    }
}

/* Nothing is printed of an empty table: there is no line to read. */
static void print_text(const struct table *table, const struct output *output)
{
    size_t widths[TABLE_MAX_COLUMNS] = {0};

    for (size_t row = 0; row <= table->row_count; row++) {
        for (size_t i = 0; i < table->column_count; i++) {
            char buffer[SHOWN_BYTES];
            const size_t width = width_of(text_at(table, row, i, output->now_ms, buffer));

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = 0; row <= table->row_count && table->row_count > 0; row++) {
        const bool is_bold = row == 0 && output->has_colour;

        (void)fputs(is_bold ? bold : "", output->file);
        output_print_row(table, row, widths, output);
        (void)fputs(is_bold ? plain : "", output->file);
        (void)fputc('\n', output->file);
    }
}

static bool is_text(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_DIGEST;
}

static void write_cell(struct json_writer *writer, const struct cell *cell, enum column_type type)
{
    if (cell->is_absent) {
        json_writer_null(writer);
    } else if (is_text(type)) {
        json_writer_string(writer, cell->text);
    } else {
        json_writer_int64(writer,
                          type == COLUMN_TIME ? cell->number / MS_PER_SECOND : cell->number);
    }
}

static void print_json(const struct table *table, const struct output *output)
{
    struct json_writer writer;
    struct strbuf buf;

    strbuf_init(&buf, JSON_MAX_BYTES);
    json_writer_init(&writer, &buf);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < table->column_count * table->row_count; i++) {
        const size_t column = i % table->column_count;

        if (column == 0) {
            json_writer_begin_object(&writer);
        }
        json_writer_name(&writer, table->columns[column].name);
        write_cell(&writer, &table->cells[i], table->columns[column].type);
        if (column + 1 == table->column_count) {
            json_writer_end_object(&writer);
        }
    }
    json_writer_end_array(&writer);
    (void)fprintf(output->file, "%s\n", buf.text);
    strbuf_release(&buf);
}

/* Tabs and line ends within a value would break the table: show_text replaces them. */
static void print_tsv_cell(FILE *file, const struct cell *cell, enum column_type type)
{
    if (cell->is_absent) {
        return;
    }
    if (is_text(type)) {
        show_text(file, cell->text);
    } else {
        (void)fprintf(file, "%" PRId64,
                      type == COLUMN_TIME ? cell->number / MS_PER_SECOND : cell->number);
    }
}

static void print_tsv(const struct table *table, const struct output *output)
{
    for (size_t i = 0; i < table->column_count; i++) {
        (void)fprintf(output->file, "%s%s", i > 0 ? "\t" : "", table->columns[i].name);
    }
    (void)fputc('\n', output->file);
    for (size_t i = 0; i < table->column_count * table->row_count; i++) {
        const size_t column = i % table->column_count;

        (void)fputs(column > 0 ? "\t" : "", output->file);
        print_tsv_cell(output->file, &table->cells[i], table->columns[column].type);
        (void)fputs(column + 1 == table->column_count ? "\n" : "", output->file);
    }
}

void table_print(const struct table *table, const struct output *output)
{
    switch (output->format) {
    case OUTPUT_TEXT:
        print_text(table, output);
        break;
    case OUTPUT_JSON:
        print_json(table, output);
        break;
    case OUTPUT_TSV:
        print_tsv(table, output);
        break;
    }
}

static void print_detail(const struct table *table, size_t index, const char *const *headings,
                         const struct output *output, size_t width)
{
    const struct column *const column = &table->columns[index % table->column_count];
    const char *const heading = headings[index % table->column_count];
    const struct cell *const cell = &table->cells[index];
    char buffer[SHOWN_BYTES];

    if (cell->is_absent) {
        return;
    }
    if (heading) {
        (void)fprintf(output->file, "%s%s%s%s\n", index > 0 ? "\n" : "",
                      output->has_colour ? bold : "", heading, output->has_colour ? plain : "");
    }
    (void)fputs("  ", output->file);
    print_padded(output->file, str_from(column->title), width + GAP, false);
    show_text(output->file, cell_shown(cell, column->type, output->now_ms, buffer));
    (void)fputc('\n', output->file);
}

void table_print_details(const struct table *table, const char *const *headings,
                         const struct output *output)
{
    size_t width = 0;

    if (output->format != OUTPUT_TEXT) {
        table_print(table, output);
        return;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const size_t own = width_of(str_from(table->columns[i].title));

        width = own > width ? own : width;
    }
    for (size_t i = 0; i < table->column_count * table->row_count; i++) {
        print_detail(table, i, headings, output, width);
    }
}
