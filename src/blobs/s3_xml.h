#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * The little of XML that S3's answers need: the text of an element by its name. Pure. Answers are
 * flat where we look, so nothing more is understood, and what is not understood is not found.
 */

/* Appends the text of the first element of that name, entities decoded. False, with nothing
 * appended: there is none, or its text has elements in it. */
MUST_USE bool s3_xml_text(struct str xml, const char *name, struct strbuf *text);

/* Whether the first element of that name has exactly this text. */
bool s3_xml_is(struct str xml, const char *name, const char *text);

/* Appends text as the content of an element. */
void s3_xml_append(struct strbuf *xml, struct str text);
