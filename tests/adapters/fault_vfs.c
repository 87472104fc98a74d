#include "tests/adapters/fault_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The real file follows in the same piece of memory. */
struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static bool armed;
static bool lasts;
static enum fault kind;
static int calls_left;
static int struck;

static bool strikes(enum fault fault)
{
    if (!armed || fault != kind)
        return false;
    if (calls_left-- > 0)
        return false;
    if (!lasts)
        armed = false;
    struck++;
    return true;
}

void fault_vfs_arm(enum fault fault, int nth, bool lasting)
{
    armed = true;
    kind = fault;
    calls_left = nth;
    lasts = lasting;
    struck = 0;
}

int fault_vfs_disarm(void)
{
    armed = false;
    return struck;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    if (strikes(FAULT_READ))
        return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), bytes, len, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    sqlite3_file *real = real_of(file);

    if (strikes(FAULT_FULL))
        return SQLITE_FULL;
    if (strikes(FAULT_WRITE)) {
        int rc = real->pMethods->xWrite(real, bytes, len / 2, at);

        return rc == SQLITE_OK ? SQLITE_IOERR_WRITE : rc;
    }
    return real->pMethods->xWrite(real, bytes, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int rc = real_of(file)->pMethods->xSync(real_of(file), flags);

    return strikes(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *ret_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_locked);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend,
                        void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct fault_file *self = (struct fault_file *)(void *)file;
    int rc;

    (void)vfs;
    self->real = (sqlite3_file *)(void *)(self + 1);
    rc = real_vfs->xOpen(real_vfs, name, self->real, flags, ret_flags);
    self->base.pMethods = self->real->pMethods ? &methods : NULL;
    return rc;
}

void fault_vfs_install(void)
{
    static sqlite3_vfs vfs;

    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.pNext = NULL;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}
