#pragma once

#include "settings/schema.h"

extern const struct settings_table settings_table;
