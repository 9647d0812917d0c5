#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * What a fuzz target defines, by libFuzzer's name for it: runs one input and aborts, by assert, if
 * a promise is broken. Always returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
