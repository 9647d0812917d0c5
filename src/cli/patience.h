#pragma once

#include <stdio.h>

/*
 * Tells a person that something takes long: a second after `begin` the text is written to standard
 * error, and a dot each second from then on; `end` ends the line. One at a time. Signals (SIGALRM)
 * do it, so that what takes long need not care.
 */
void patience_begin(const char *text);
void patience_end(void);

/* The text for those whose address somebody else has told. */
extern const char patience_login_server[];
