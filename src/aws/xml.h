#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * The little of XML that the answers of AWS's services need: an element by its name, without
 * attributes. Pure. Answers are flat where we look, so nothing more is understood, and what is not
 * understood is not found.
 */

/* What stands between the tags of the one element of that name, as it is written; borrowed. False:
 * there is none, or more than one. */
MUST_USE bool aws_xml_only(struct str xml, const char *name, struct str *content_out);

/* Appends the text of the first element of that name, entities decoded. False, with nothing
 * appended: there is none, or its text has elements in it. */
MUST_USE bool aws_xml_text(struct str xml, const char *name, struct strbuf *text);

/* Whether the first element of that name has exactly this text. */
bool aws_xml_is(struct str xml, const char *name, const char *text);

/* Appends text as the content of an element. */
void aws_xml_append(struct strbuf *xml, struct str text);
