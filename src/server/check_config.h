#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/strbuf.h"
#include "server/settings.h"
#include "settings/schema.h"

enum { CHECK_REPORT_MAX_BYTES = 16 * 1024 };

/*
 * Tries what a start would need, and changes nothing: the settings, the data folder, certificate
 * and key, whoever would be asked. True: `report` says that all is right and what would be used.
 * False: `problems` says what is not, and `report` what was found all the same, if the
 * settings themselves are right.
 */
MUST_USE bool check_config(const struct settings_sources *sources, struct strbuf *report,
                           struct problems *problems);
