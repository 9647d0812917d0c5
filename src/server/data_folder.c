#include "server/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum error_code data_folder_join(const char *folder, const char *name,
                                        char path_out[PATH_MAX], struct error *err)
{
    const int length = name ? snprintf(path_out, PATH_MAX, "%s/%s", folder, name)
                            : snprintf(path_out, PATH_MAX, "%s", folder);

    if (length < 0 || length >= PATH_MAX) {
        return error_set(err, ERROR_INVALID, "the path of the data folder is too long");
    }
    return OK;
}

static enum error_code make_absolute(const char *path, char path_out[PATH_MAX], struct error *err)
{
    char working_folder[PATH_MAX];

    if (path[0] == '/') {
        return data_folder_join(path, NULL, path_out, err);
    }
    if (!getcwd(working_folder, sizeof(working_folder))) {
        return error_set_errno(err, "cannot tell the working folder");
    }
    return data_folder_join(working_folder, path, path_out, err);
}

enum error_code data_folder_find(const char *path, struct data_folder *folder_out,
                                 struct error *err)
{
    struct data_folder folder = {.fd = -1};
    enum error_code code = make_absolute(path, folder.path, err);

    code = code ? code : data_folder_join(folder.path, "blobs", folder.blobs, err);
    code = code ? code : data_folder_join(folder.path, "metadata.sqlite", folder.metadata, err);
    code = code ? code : data_folder_join(folder.path, "secret", folder.secret, err);
    *folder_out = folder;
    return code;
}

/* Whatever it is, choosing another folder or giving rights to this one is what helps. */
static enum error_code data_folder_refuse(const char *path, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "cannot keep data in %s: %s; choose another folder by "
                     "--data, or correct this one",
                     path, strerrordesc_np(errno));
}

static enum error_code data_folder_create(const char *path, struct error *err)
{
    return mkdir(path, S_IRWXU) < 0 && errno != EEXIST ? data_folder_refuse(path, err) : OK;
}

void data_folder_release(struct data_folder *folder)
{
    if (folder->is_open) {
        (void)close(folder->fd);
        folder->is_open = false;
    }
}

static enum error_code open_and_lock(struct data_folder *folder, int lock, struct error *err)
{
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0) {
        return data_folder_refuse(folder->path, err);
    }
    if (flock(folder->fd, lock | LOCK_NB) < 0) {
        const enum error_code code =
            errno == EWOULDBLOCK
                ? error_set(err, ERROR_CONFLICT, "another pieroned uses the data folder %s",
                            folder->path)
                : data_folder_refuse(folder->path, err);

        data_folder_release(folder);
        return code;
    }
    return OK;
}

static enum error_code open_locked(const char *path, int lock, struct data_folder *folder_out,
                                   struct error *err)
{
    struct data_folder folder;
    enum error_code code = data_folder_find(path, &folder, err);

    folder.is_open = true;
    code = code ? code : data_folder_create(folder.path, err);
    code = code ? code : open_and_lock(&folder, lock, err);
    if (!code) {
        *folder_out = folder;
    }
    return code;
}

enum error_code data_folder_open(const char *path, struct data_folder *folder_out,
                                 struct error *err)
{
    return open_locked(path, LOCK_EX, folder_out, err);
}

enum error_code data_folder_share(const char *path, struct data_folder *folder_out,
                                  struct error *err)
{
    return open_locked(path, LOCK_SH, folder_out, err);
}

static enum error_code check_access(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) < 0) {
        return data_folder_refuse(path, err);
    }
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return data_folder_refuse(path, err);
    }
    return faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) < 0
               ? data_folder_refuse(path, err)
               : OK;
}

enum error_code data_folder_check(const char *path, char path_out[PATH_MAX], struct error *err)
{
    char absolute[PATH_MAX];
    char parent[PATH_MAX];
    struct stat status;
    enum error_code code = make_absolute(path, absolute, err);

    if (code) {
        return code;
    }
    memcpy(parent, absolute, sizeof(parent));
    code = stat(absolute, &status) < 0 && errno == ENOENT ? check_access(dirname(parent), err)
                                                          : check_access(absolute, err);
    if (!code) {
        memcpy(path_out, absolute, sizeof(absolute));
    }
    return code;
}
