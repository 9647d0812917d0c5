#pragma once

#include "registry/open_uploads.h"
#include "registry/registry.h"

/* For the sources of this folder only. */
struct registry {
    struct registry_config config;
    struct open_uploads open_uploads;
};
