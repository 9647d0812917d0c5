#pragma once

#include "base/str.h"
#include "server/settings.h"
#include "settings/problems.h"

/*
 * Sets what a settings file's text says. `name` is the file's, for messages such as
 * `pierone.yaml:3: unknown key "tls.certificat"; did you mean "tls.certificate"?`. Each problem is
 * added, and what is right is set all the same.
 */
void settings_file_apply(const char *name, struct str text, struct settings *settings,
                         struct problems *problems);
