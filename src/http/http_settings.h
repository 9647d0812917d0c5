#pragma once

#include "settings/schema.h"

/* tls.*, over struct tls_config. */
extern const struct settings_table tls_settings_table;

/* limits.*, over struct http_limits; loops may be 0 there: one per core. */
extern const struct settings_table http_settings_table;
