#pragma once

#include "base/str.h"

enum { CHECKSUM_MD5_BYTES = 25 }; /* 16 bytes in base64, with the NUL */

/* The MD5 of bytes in base64, as Content-MD5 has it (RFC 1864): against accidents, not attacks. */
void checksum_md5(struct str bytes, char text_out[CHECKSUM_MD5_BYTES]);
