#pragma once

#include "api/call.h"

/*
 * The one WWW-Authenticate field of a 401: where to get a token (distribution "Token
 * Authentication Specification") for what this request needs, or, of the place that gives tokens,
 * that it takes Basic.
 */
void challenge_add(struct call *call);
