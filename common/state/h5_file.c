/* Files in memory, and groups in them. */
#include "common/state/h5_internal.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGE_INCREMENT = 1 << 20 }; /* bytes by which an image grows in memory */

static hid_t memory_driver(void)
{
    /* HDF5 prints its own errors unless told not to; the setting belongs to the thread. */
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(access, IMAGE_INCREMENT, false);
    /* The format of HDF5 1.8: small groups, attributes beyond 64 KiB, and every reader has it. */
    (void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    return access;
}

/* What is made at different times has the same bytes. */
static hid_t timeless(hid_t kind)
{
    const hid_t creation = H5Pcreate(kind);
    (void)H5Pset_obj_track_times(creation, false);
    return creation;
}

nas_status_t nas_h5_create(hid_t *file_p, nas_error_t *err)
{
    const hid_t access = memory_driver();
    const hid_t creation = timeless(H5P_FILE_CREATE);
    (void)H5Pset_userblock(creation, NAS_H5_USER_BLOCK_SIZE);
    const hid_t file = H5Fcreate("state", H5F_ACC_TRUNC, creation, access);
    nas_h5_release(creation);
    nas_h5_release(access);
    if (file < 0) return nas_error_nomem(err, "a state file");
    *file_p = file;
    return NAS_OK;
}

nas_status_t nas_h5_view(hid_t file, char **image_p, size_t *size, nas_error_t *err)
{
    /* H5Fget_file_image would leave out the user block and (1.10.8) clear a flag without renewing
     * the checksum over it. */
    void *handle = NULL;
    const bool flushed = H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0;
    const ssize_t n_used = H5Fget_file_image(file, NULL, 0);
    if (!flushed || n_used < 0 || H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0)
        return nas_error_nomem(err, "a state file");
    *image_p = *(char **)handle;
    *size = (size_t)n_used + NAS_H5_USER_BLOCK_SIZE;
    return NAS_OK;
}

nas_status_t nas_h5_image(hid_t file, char **image_p, size_t *size, nas_error_t *err)
{
    char *view = NULL;
    const nas_status_t status = nas_h5_view(file, &view, size, err);
    if (status) return status;
    char *image = malloc(*size);
    if (!image) return nas_error_nomem(err, "a state file");
    memcpy(image, view, *size);
    *image_p = image;
    return NAS_OK;
}

/* HDF5 copies an image three times on its way into a file, which for a large one takes longer than
 * all reading; these let it have the caller's bytes each time. */
static void *give_image(size_t size, H5FD_file_image_op_t operation, void *image)
{
    (void)size;
    (void)operation;
    return image;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t operation,
                          void *image)
{
    (void)operation;
    (void)image;
    return to == from ? to : memcpy(to, from, size);
}

static void *no_other_size(void *at, size_t size, H5FD_file_image_op_t operation, void *image)
{
    (void)at;
    (void)size;
    (void)operation;
    (void)image;
    return NULL;
}

static herr_t free_nothing(void *at, H5FD_file_image_op_t operation, void *image)
{
    (void)at;
    (void)operation;
    (void)image;
    return 0;
}

static void *same_context(void *image)
{
    return image;
}

static herr_t keep_context(void *image)
{
    (void)image;
    return 0;
}

nas_status_t nas_h5_open(const char *image, size_t size, hid_t *file_p, nas_error_t *err)
{
    const hid_t access = memory_driver();
    hid_t file = H5I_INVALID_HID;
    /* HDF5 takes the image as writable, but nothing is written to what is open for reading. */
    void *const at = (void *)(uintptr_t)image;
    H5FD_file_image_callbacks_t borrow = {.image_malloc = give_image,
                                          .image_memcpy = copy_nothing,
                                          .image_realloc = no_other_size,
                                          .image_free = free_nothing,
                                          .udata_copy = same_context,
                                          .udata_free = keep_context,
                                          .udata = at};
    if (H5Pset_file_image_callbacks(access, &borrow) >= 0 &&
        H5Pset_file_image(access, at, size) >= 0)
        file = H5Fopen("state", H5F_ACC_RDONLY, access);
    nas_h5_release(access);
    if (file < 0) return nas_error_set(err, NAS_EINPUT, "HDF5 cannot open its content");
    *file_p = file;
    return NAS_OK;
}

void nas_h5_close(hid_t file)
{
    if (file < 0) return;
    NAS_ASSERT(H5Fget_obj_count(file, H5F_OBJ_ALL) == 1); /* the file itself: all else was closed */
    (void)H5Fclose(file);
}

nas_status_t nas_h5_group_create(hid_t at, const char *name, hid_t *group_p, nas_error_t *err)
{
    const hid_t creation = timeless(H5P_GROUP_CREATE);
    const hid_t group = H5Gcreate2(at, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    nas_h5_release(creation);
    if (group < 0) return nas_h5_not_stored(at, name, err);
    *group_p = group;
    return NAS_OK;
}

nas_status_t nas_h5_group_open(hid_t at, const char *name, hid_t *group_p, nas_error_t *err)
{
    const hid_t group =
        nas_h5_is_inside(at, name) ? H5Gopen2(at, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0) return nas_h5_refused(at, name, "a group of this file", err);
    *group_p = group;
    return NAS_OK;
}

void nas_h5_group_close(hid_t group)
{
    nas_h5_release(group);
}

int64_t nas_h5_count(hid_t group)
{
    H5G_info_t info = {0};
    return H5Gget_info(group, &info) >= 0 ? (int64_t)info.nlinks : 0;
}
