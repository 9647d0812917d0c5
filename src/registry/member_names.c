#include "registry/member_names.h"

/* image-spec "manifest.md" and "image-index.md", and what tells Docker's schema 1. */
static const char *const manifest_names[] = {
    "schemaVersion", "mediaType",   "artifactType", "config",  "layers",     "manifests",
    "subject",       "annotations", "fsLayers",     "history", "signatures",
};

/* image-spec "descriptor.md". */
static const char *const descriptor_names[] = {
    "mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform",
};

/* image-spec "image-index.md"; `features` is Docker's. */
static const char *const platform_names[] = {
    "architecture", "os", "os.version", "os.features", "variant", "features",
};

/* image-spec "config.md". */
static const char *const config_names[] = {
    "created",     "author",  "architecture", "os",     "os.version",
    "os.features", "variant", "config",       "rootfs", "history",
};

static const char *const source_names[] = {"url", "revision", "author", "status"};

static const struct {
    const char *const *names;
    size_t count;
} objects[] = {
    [OBJECT_MANIFEST] = {manifest_names, ARRAY_LEN(manifest_names)},
    [OBJECT_DESCRIPTOR] = {descriptor_names, ARRAY_LEN(descriptor_names)},
    [OBJECT_PLATFORM] = {platform_names, ARRAY_LEN(platform_names)},
    [OBJECT_CONFIG] = {config_names, ARRAY_LEN(config_names)},
    [OBJECT_SOURCE] = {source_names, ARRAY_LEN(source_names)},
};

enum error_code member_names_check(const struct json_value *object, enum named_object kind,
                                   struct error *err)
{
    return json_value_check_names(object, objects[kind].names, objects[kind].count, err);
}
