/* HDF5 lays the file out, with room for the images; they are then written in their place without
 * it.
 *
 * A file that HDF5 cannot close, since the disk is full, makes it crash when the program ends
 * (1.10.8). So it works in a child process, which ends before that, and all that is large is
 * written by write(2), whose errors are plain. */
#include "common/base/log.h"
#include "worker/data/folders/folder_internal.h"
#include "worker/data/untrusted/sandbox.h"

#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A dataset to make. */
typedef struct content {
    const char *name;
    hid_t stored;
    hid_t memory;
    int rank;
    hsize_t size[4];
    const void *data; /* NULL: room for it */
} content_t;

static nas_status_t cannot_write(const char *path, nas_error_t *err)
{
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return nas_error_set(err, NAS_EIO, "cannot write %s: %s%s", path, strerror(errno),
                         full ? "; free space there and run again" : "");
}

/* Make a dataset whose values lie together. Returns where in the file, or HADDR_UNDEF. */
static haddr_t make_dataset(hid_t file, const content_t *content)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_obj_track_times(creation, false);
    (void)H5Pset_layout(creation, H5D_CONTIGUOUS);
    (void)H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
    (void)H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
    const hid_t space = content->rank > 0 ? H5Screate_simple(content->rank, content->size, NULL)
                                          : H5Screate(H5S_SCALAR);
    const hid_t id =
        H5Dcreate2(file, content->name, content->stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    haddr_t at = id >= 0 ? H5Dget_offset(id) : HADDR_UNDEF;
    if (content->data &&
        H5Dwrite(id, content->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, content->data) < 0)
        at = HADDR_UNDEF;
    (void)H5Dclose(id);
    (void)H5Sclose(space);
    (void)H5Pclose(creation);
    return at;
}

/* A text of a fixed length. */
static haddr_t make_text(hid_t file, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, strlen(text) + 1);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    const haddr_t at = make_dataset(
        file, &(content_t){.name = name, .stored = type, .memory = type, .data = text});
    (void)H5Tclose(type);
    return at;
}

/* All but the images, into an empty file, open here, that is not looked for by its name again.
 * Returns where they go, or HADDR_UNDEF. */
static haddr_t lay_out(int fd, const nas_folder_layout_t *layout)
{
    const nas_images_t *shape = layout->shape;
    const hsize_t n = (hsize_t)shape->n;
    const content_t labels = {.name = "labels",
                              .stored = H5T_STD_I32LE,
                              .memory = H5T_NATIVE_INT32,
                              .rank = 1,
                              .size = {n},
                              .data = layout->labels};
    const content_t images = {.name = "images",
                              .stored = H5T_STD_U8LE,
                              .rank = 4,
                              .size = {n, (hsize_t)shape->c, (hsize_t)shape->h, (hsize_t)shape->w}};
    char path[32];
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* Some cluster file systems have no locks, and HDF5 before 1.10.7 insists on one. */
    (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) return HADDR_UNDEF;
    const bool good = make_text(file, "classes", layout->classes) != HADDR_UNDEF &&
                      make_dataset(file, &labels) != HADDR_UNDEF;
    const haddr_t at = good ? make_dataset(file, &images) : HADDR_UNDEF;
    return H5Fclose(file) >= 0 ? at : HADDR_UNDEF;
}

enum { LIBRARY_BYTES = 256 << 20, CPU_S = 60, WALL_S = 600 };

/* What the child is told. */
typedef struct order {
    int fd;
    const nas_folder_layout_t *layout;
} order_t;

static bool answer(int fd, const void *context)
{
    const order_t *order = context;
    const haddr_t at = lay_out(order->fd, order->layout);
    return nas_sandbox_send(fd, &at, sizeof at);
}

/* The same in a child process. */
static haddr_t lay_out_apart(int to, const char *path, const nas_folder_layout_t *layout)
{
    const order_t order = {.fd = to, .layout = layout};
    const nas_sandbox_task_t task = {
        .path = path,
        .limits = {.memory_bytes = LIBRARY_BYTES, .cpu_s = CPU_S, .wall_s = WALL_S},
        .work = answer,
        .context = &order,
    };
    nas_sandbox_t sandbox;
    haddr_t at = HADDR_UNDEF;
    size_t n_read = 0;
    if (nas_sandbox_start(&task, &sandbox, NULL)) return HADDR_UNDEF;
    const nas_status_t status = nas_file_read_next(sandbox.fd, path, &at, sizeof at, &n_read, NULL);
    const nas_status_t ended = nas_sandbox_finish(&task, &sandbox, NULL);
    return status || ended || n_read != sizeof at ? HADDR_UNDEF : at;
}

static nas_status_t open_tmp(const nas_folder_layout_t *layout, nas_folder_file_t *file,
                             nas_error_t *err)
{
    const nas_status_t status = nas_file_begin(file->path, &file->tmp, &file->fd, err);
    if (status) return status;
    const haddr_t at = lay_out_apart(file->fd, file->tmp, layout);
    if (at == HADDR_UNDEF)
        return nas_error_set(err, NAS_EIO, "cannot write %s: HDF5 cannot begin it; is there space?",
                             file->path);
    return lseek(file->fd, (off_t)at, SEEK_SET) < 0 ? cannot_write(file->path, err) : NAS_OK;
}

nas_status_t nas_folder_file_begin(const char *path, const nas_folder_layout_t *layout,
                                   nas_folder_file_t *file, nas_error_t *err)
{
    nas_folder_file_t made = {0};
    nas_status_t status = nas_file_follow(path, &made.path, err);
    if (!status) status = nas_file_make_parents(made.path, err);
    if (!status) status = nas_lock_acquire(made.path, &made.lock, err);
    if (!status && nas_lock_missing(made.lock)) nas_log_line("%s", nas_lock_missing(made.lock));
    if (!status) status = open_tmp(layout, &made, err);
    if (status)
        nas_folder_file_drop(&made);
    else
        *file = made;
    return status;
}

nas_status_t nas_folder_file_add(nas_folder_file_t *file, const uint8_t *values, size_t n_values,
                                 nas_error_t *err)
{
    return nas_file_write_all(file->fd, values, n_values) ? NAS_OK : cannot_write(file->path, err);
}

static void let_go(nas_folder_file_t *file)
{
    if (file->tmp) (void)close(file->fd);
    free(file->tmp);
    free(file->path);
    nas_lock_release(file->lock);
    *file = (nas_folder_file_t){0};
}

nas_status_t nas_folder_file_finish(nas_folder_file_t *file, nas_error_t *err)
{
    const nas_status_t status = nas_file_publish(file->fd, file->tmp, file->path, err);
    if (status) return status;
    let_go(file);
    return NAS_OK;
}

void nas_folder_file_drop(nas_folder_file_t *file)
{
    if (file->tmp) (void)unlink(file->tmp);
    let_go(file);
}
