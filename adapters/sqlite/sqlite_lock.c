/* realpath() */
#define _XOPEN_SOURCE 700 /* NOLINT(bugprone-reserved-identifier) */

#include "adapters/sqlite/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* strerror() is not for threads. */
static const char *errno_text(int error, char *room, size_t size)
{
    return strerror_r(error, room, size) == 0 ? room : "unknown error";
}

static enum tc_code fail_errno(int error, const char *path, const char *doing,
                               struct tc_error *err)
{
    char text[96];

    return tc_fail(err, error == ENOMEM ? TC_NO_MEMORY : TC_UNAVAILABLE, "sqlite: '%s': %s: %s",
                   path, doing, errno_text(error, text, sizeof(text)));
}

bool sqlite_fs_is_remote(unsigned long magic)
{
    static const unsigned long remote[] = {
        0x6969,     /* NFS */
        0x517B,     /* SMB */
        0xFE534D42, /* SMB 2 */
        0xFF534D42, /* CIFS */
        0x564C,     /* NCP */
        0x5346414F, /* AFS */
        0x6B414653, /* AFS in the kernel */
        0x73757245, /* Coda */
        0x00C36400, /* Ceph */
        0x0BD00BD0, /* Lustre */
        0x19830326, /* FhGFS */
    };

    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
        if ((magic & 0xFFFFFFFF) == remote[i])
            return true;
    return false;
}

/* Locks and the shared map of the log are not to be trusted there. */
static enum tc_code check_fs(const char *folder, const char *path, struct tc_error *err)
{
    struct statfs info;

    if (statfs(folder, &info) != 0)
        return fail_errno(errno, path, "look at its folder", err);
    if (sqlite_fs_is_remote((unsigned long)info.f_type))
        return tc_fail(err, TC_INVALID, "sqlite: '%s' lies on a network file system", path);
    return TC_OK;
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                 name);
    return path;
}

/* The folder of `path` with links resolved; the last part may be absent. */
static enum tc_code resolve_folder(const char *path, const char *name, char **ret_folder,
                                   struct tc_error *err)
{
    size_t len = (size_t)(name - path);
    char *folder = malloc(len + 2);

    if (!folder)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: path '%s'", path);
    memcpy(folder, path, len);
    memcpy(folder + len, len > 0 ? "" : ".", len > 0 ? 1 : 2);
    *ret_folder = realpath(folder, NULL);

    int error = errno;

    free(folder);
    return *ret_folder ? TC_OK : fail_errno(error, path, "find its folder", err);
}

enum tc_code sqlite_path_resolve(const char *path, char **ret_path, struct tc_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *folder = NULL;
    char *resolved = realpath(path, NULL); /* a link to a file leads to the file's lock */
    enum tc_code code;

    if (!name[0])
        return free(resolved),
               tc_fail(err, TC_INVALID, "sqlite: '%s' names a folder, not a file", path);
    if (resolved)
        code = resolve_folder(resolved, strrchr(resolved, '/') + 1, &folder, err);
    else
        code = resolve_folder(path, name, &folder, err);
    if (code == TC_OK)
        code = check_fs(folder, path, err);
    if (code == TC_OK && !resolved) {
        resolved = join(folder, name);
        if (!resolved)
            code = tc_fail(err, TC_NO_MEMORY, "sqlite: path '%s'", path);
    }
    free(folder);
    if (code != TC_OK)
        free(resolved);
    else
        *ret_path = resolved;
    return code;
}

static enum tc_code fail_taken(int fd, const char *path, struct tc_error *err)
{
    char owner[24] = "";
    ssize_t len = pread(fd, owner, sizeof(owner) - 1, 0);

    owner[len > 0 ? strspn(owner, "0123456789") : 0] = '\0';
    return tc_fail(err, TC_CONFLICT, "sqlite: '%s' is in use by process %s", path,
                   owner[0] ? owner : "(unknown)");
}

/* For whoever is refused later. */
static bool write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len;
}

enum tc_code sqlite_lock_take(const char *lock_path, const char *path, int *ret_fd,
                              struct tc_error *err)
{
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum tc_code code = TC_OK;

    if (fd < 0)
        return fail_errno(errno, lock_path, "open the lock file", err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        code = errno == EWOULDBLOCK ? fail_taken(fd, path, err)
                                    : fail_errno(errno, lock_path, "lock", err);
    else if (!write_pid(fd) && errno != ENOSPC) /* a full disk must not keep us from reading */
        code = fail_errno(errno, lock_path, "write the lock file", err);
    if (code != TC_OK)
        close(fd);
    else
        *ret_fd = fd;
    return code;
}

/* The file stays: removing it would let two processes lock two files of one name. */
void sqlite_lock_release(int fd)
{
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) != 0) {
        /* only the process id of a process that is gone stays in it */
    }
    close(fd);
}

/* So that the new name survives a power cut. */
static enum tc_code sync_folder(const char *path, struct tc_error *err)
{
    char *folder = strdup(path);
    enum tc_code code = TC_OK;
    int fd;

    if (!folder)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: path '%s'", path);
    strrchr(folder, '/')[1] = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: this file system has nothing to sync in a folder */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        code = fail_errno(errno, path, "sync its folder", err);
    if (fd >= 0)
        close(fd);
    free(folder);
    return code;
}

enum tc_code sqlite_file_make(const char *path, struct tc_error *err)
{
    struct stat info;
    int fd;

    if (stat(path, &info) == 0)
        return S_ISREG(info.st_mode)
                   ? TC_OK
                   : tc_fail(err, TC_INVALID, "sqlite: '%s' is no regular file", path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(errno, path, "create", err);
    close(fd);
    return sync_folder(path, err);
}
