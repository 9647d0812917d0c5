#include "registry/runnable.h"

#include "metadata/manifests.h"
#include "registry/registry_private.h"

static const char *const config_types[] = {"application/vnd.oci.image.config.v1+json",
                                           "application/vnd.docker.container.image.v1+json"};

/* Compressed, encrypted or kept elsewhere: what follows says how. */
static const char *const layer_types[] = {"application/vnd.oci.image.layer.",
                                          "application/vnd.docker.image.rootfs."};

static bool is_image(const struct manifest *manifest);
static bool is_image_layer(struct str media_type);
static enum error_code has_runnable_entry(struct registry *registry,
                                          const struct repository *repository,
                                          const struct manifest *index, bool *has_one_out,
                                          struct error *err);

bool runnable_has_image_config(const struct manifest *manifest)
{
    const struct str type =
        manifest->facts.has_config ? manifest->descriptors[0].media_type : (struct str){0};

    return str_is_ignoring_case(type, config_types[0]) ||
           str_is_ignoring_case(type, config_types[1]);
}

enum error_code runnable_find(struct registry *registry, const struct repository *repository,
                              const struct manifest *manifest, bool *is_runnable_out,
                              struct error *err)
{
    *is_runnable_out = is_image(manifest);
    if (!manifest->is_index || manifest->facts.artifact_type.length > 0) {
        return OK;
    }
    return has_runnable_entry(registry, repository, manifest, is_runnable_out, err);
}

/* An artifact type that is not stated is the config's. */
static bool is_image(const struct manifest *manifest)
{
    bool has_image_layer = manifest->descriptor_count == manifest->first_layer;

    if (!runnable_has_image_config(manifest) ||
        !str_equal(manifest->facts.artifact_type, manifest->descriptors[0].media_type)) {
        return false;
    }
    for (size_t i = manifest->first_layer; i < manifest->descriptor_count && !has_image_layer;
         i++) {
        has_image_layer = is_image_layer(manifest->descriptors[i].media_type);
    }
    return has_image_layer;
}

static bool is_image_layer(struct str media_type)
{
    return str_starts_with_ignoring_case(media_type, layer_types[0]) ||
           str_starts_with_ignoring_case(media_type, layer_types[1]);
}

static enum error_code has_runnable_entry(struct registry *registry,
                                          const struct repository *repository,
                                          const struct manifest *index, bool *has_one_out,
                                          struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < index->descriptor_count && !code && !*has_one_out; i++) {
        code = metadata_has_runnable(registry->config.metadata, repository->name,
                                     &index->descriptors[i].digest, has_one_out, err);
    }
    return code;
}
