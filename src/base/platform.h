#pragma once

#include <stdbool.h>

/* What differs between systems and is known when compiling. Values, so that tests can try both. */
#ifdef __APPLE__
static const bool platform_is_macos = true;
#else
static const bool platform_is_macos = false;
#endif
