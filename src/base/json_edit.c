#include "base/json_edit.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"

/* jansson counts references in what it is given, so that it takes nothing const. */
static json_t *json_edit_node(const struct json_value *json)
{
    union {
        const struct json_value *given;
        json_t *node;
    } both = {.given = json};

    return both.node;
}

static json_t *must(json_t *value)
{
    if (!value) {
        abort(); /* out of memory */
    }
    return value;
}

struct json_value *json_edit_new_object(void)
{
    return (struct json_value *)must(json_object());
}

static void set(struct json_value *object, const char *name, json_t *value)
{
    if (json_object_set_new(json_edit_node(object), name, value) < 0) {
        abort(); /* not an object, or out of memory */
    }
}

struct json_value *json_edit_object(struct json_value *object, const char *name)
{
    json_t *member = json_object_get(json_edit_node(object), name);

    if (!json_is_object(member)) {
        member = must(json_object());
        set(object, name, member);
    }
    return (struct json_value *)member;
}

void json_edit_set_text(struct json_value *object, const char *name, struct str text)
{
    json_t *const value = json_stringn(text.bytes ? text.bytes : "", text.length);

    set(object, name, value ? value : must(json_string("")));
}

void json_edit_set_int64(struct json_value *object, const char *name, int64_t number)
{
    set(object, name, must(json_integer(number)));
}

bool json_edit_remove(struct json_value *object, const char *name)
{
    return json_object_del(json_edit_node(object), name) == 0;
}

static int json_append(const char *bytes, size_t length, void *context)
{
    strbuf_append(context, (struct str){bytes, length});
    return 0;
}

void json_edit_write(const struct json_value *json, unsigned indent, struct strbuf *buf)
{
    const size_t layout = indent > 0 ? JSON_INDENT(indent) : JSON_COMPACT;

    (void)json_dump_callback(json_edit_node(json), json_append, buf,
                             layout | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
}

void json_edit_each(const struct json_value *object, const struct json_visitor *visitor)
{
    json_t *const members = json_edit_node(object);

    for (void *member = json_object_iter(members); member;
         member = json_object_iter_next(members, member)) {
        const json_t *const value = json_object_iter_value(member);

        if (!visitor->visit(visitor->context, json_object_iter_key(member),
                            (const struct json_value *)value)) {
            return;
        }
    }
}
