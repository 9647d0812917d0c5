#pragma once

#include "base/json_value.h"

/*
 * Changing JSON that was parsed, and writing it again: all that is not touched stays as it was, in
 * its order. Values that are no objects where one is needed are replaced.
 */

/* A new object without members. Free with json_value_free. */
struct json_value *json_edit_new_object(void);

/* The object of that name; it is made if there is none. Belongs to `object`. */
struct json_value *json_edit_object(struct json_value *object, const char *name);

/* Sets a member. Text that is not UTF-8 becomes empty. */
void json_edit_set_text(struct json_value *object, const char *name, struct str text);
void json_edit_set_int64(struct json_value *object, const char *name, int64_t number);

/* True if there was such a member. */
bool json_edit_remove(struct json_value *object, const char *name);

/* Appends it, indented by that many spaces; 0: on one line. */
void json_edit_write(const struct json_value *json, unsigned indent, struct strbuf *buf);

/* Calls visit for each member, in order, until it returns false. */
struct json_visitor {
    void *context;
    bool (*visit)(void *context, const char *name, const struct json_value *value);
};
void json_edit_each(const struct json_value *object, const struct json_visitor *visitor);
