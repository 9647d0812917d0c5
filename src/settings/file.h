#pragma once

#include "base/str.h"
#include "settings/problems.h"
#include "settings/schema.h"

/*
 * Sets what a settings file's text says. `name` is the file's, for messages such as
 * `pierone.yaml:3: unknown key "tls.certificat"; did you mean "tls.certificate"?`. Each problem is
 * added, and what is right is set all the same.
 */
void settings_file_apply(const char *name, struct str text, const struct settings_target *target,
                         struct problems *problems);
