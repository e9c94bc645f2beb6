#include "common/base/digest.h"
#include "common/base/strings.h"
#include "common/state/h5_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IMAGE_INCREMENT = 1 << 20, /* bytes by which an image grows in memory */
    OBJECT_PATH_SIZE = 256
};

void nas_h5_release(hid_t id)
{
    if (id >= 0) (void)H5Idec_ref(id);
}

void nas_h5_release_found(const nas_h5_found_t *found)
{
    nas_h5_release(found->space);
    nas_h5_release(found->type);
    nas_h5_release(found->id);
}

/* "/group/name", for messages. */
static void describe(hid_t at, const char *name, char path[OBJECT_PATH_SIZE])
{
    path[0] = '\0';
    (void)H5Iget_name(at, path, OBJECT_PATH_SIZE);
    size_t length = strlen(path);
    if (length > 0 && path[length - 1] == '/') length--;
    (void)snprintf(path + length, OBJECT_PATH_SIZE - length, "/%s", name);
}

nas_status_t nas_h5_not_stored(hid_t at, const char *name, nas_error_t *err)
{
    char path[OBJECT_PATH_SIZE];
    describe(at, name, path);
    return nas_error_set(err, NAS_ENOMEM, "out of memory for %s of the state file", path);
}

nas_status_t nas_h5_refused(hid_t at, const char *name, const char *expected, nas_error_t *err)
{
    char path[OBJECT_PATH_SIZE];
    describe(at, name, path);
    return nas_error_set(err, NAS_EINPUT, "%s is not %s", path, expected);
}

size_t nas_h5_size(nas_h5_type_t type)
{
    NAS_ASSERT(type <= NAS_H5_F64); /* the numbers come first */
    switch (type) {
    case NAS_H5_BOOL:
    case NAS_H5_U8:
        return 1;
    case NAS_H5_F32:
        return sizeof(float);
    case NAS_H5_I32:
        return sizeof(int32_t);
    case NAS_H5_I64:
        return sizeof(int64_t);
    case NAS_H5_U64:
        return sizeof(uint64_t);
    default:
        return sizeof(double);
    }
}

static const char *type_name(nas_h5_type_t type)
{
    switch (type) {
    case NAS_H5_BOOL:
        return "a truth value (uint8, 0 or 1)";
    case NAS_H5_U8:
        return "a uint8";
    case NAS_H5_F32:
        return "a float32";
    case NAS_H5_I32:
        return "an int32";
    case NAS_H5_I64:
        return "an int64";
    case NAS_H5_U64:
        return "a uint64";
    case NAS_H5_F64:
        return "a float64";
    case NAS_H5_TEXT:
        return "a text of fixed length";
    case NAS_H5_DIGEST:
        return "a digest of 64 hexadecimal digits";
    }
    return "known";
}

nas_h5_types_t nas_h5_number_types(nas_h5_type_t type)
{
    NAS_ASSERT(type <= NAS_H5_F64); /* the numbers come first */
    switch (type) {
    case NAS_H5_BOOL:
    case NAS_H5_U8:
        return (nas_h5_types_t){H5T_STD_U8LE, H5T_NATIVE_UINT8};
    case NAS_H5_F32:
        return (nas_h5_types_t){H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    case NAS_H5_I32:
        return (nas_h5_types_t){H5T_STD_I32LE, H5T_NATIVE_INT32};
    case NAS_H5_I64:
        return (nas_h5_types_t){H5T_STD_I64LE, H5T_NATIVE_INT64};
    case NAS_H5_U64:
        return (nas_h5_types_t){H5T_STD_U64LE, H5T_NATIVE_UINT64};
    default:
        return (nas_h5_types_t){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
    }
}

hid_t nas_h5_text_type(size_t width, H5T_str_t padding)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, width);
    (void)H5Tset_strpad(type, padding);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

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
    const hid_t group = H5Gopen2(at, name, H5P_DEFAULT);
    if (group < 0) return nas_h5_refused(at, name, "a group", err);
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

bool nas_h5_has(hid_t at, const char *name)
{
    return H5Lexists(at, name, H5P_DEFAULT) > 0;
}

bool nas_h5_has_attribute(hid_t at, const char *name)
{
    return H5Aexists(at, name) > 0;
}

static nas_status_t write_attribute(hid_t at, const char *name, nas_h5_types_t types,
                                    const void *value, nas_error_t *err)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t id = H5Acreate2(at, name, types.stored, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool written = id >= 0 && H5Awrite(id, types.memory, value) >= 0;
    nas_h5_release(id);
    nas_h5_release(space);
    return written ? NAS_OK : nas_h5_not_stored(at, name, err);
}

static nas_status_t write_text_attribute(hid_t at, const char *name, const char *text,
                                         nas_error_t *err)
{
    const size_t length = strlen(text);
    const hid_t type =
        nas_h5_text_type(length > 0 ? length : 1, H5T_STR_NULLPAD); /* HDF5 has no length 0 */
    const nas_status_t status = write_attribute(at, name, (nas_h5_types_t){type, type}, text, err);
    nas_h5_release(type);
    return status;
}

nas_status_t nas_h5_write_attribute(hid_t at, const char *name, nas_h5_type_t type,
                                    const void *value, nas_error_t *err)
{
    if (type == NAS_H5_TEXT) {
        const char *text = *(char *const *)value;
        return write_text_attribute(at, name, text ? text : "", err);
    }
    if (type == NAS_H5_DIGEST) {
        char hex[NAS_DIGEST_HEX_SIZE];
        nas_digest_hex(value, hex);
        return write_text_attribute(at, name, hex, err);
    }
    return write_attribute(at, name, nas_h5_number_types(type), value, err);
}

/* A scalar attribute, or nothing. */
static nas_h5_found_t open_attribute(hid_t at, const char *name)
{
    nas_h5_found_t found = {.id = H5Aopen(at, name, H5P_DEFAULT), .type = -1, .space = -1};
    if (found.id < 0) return found;
    found.space = H5Aget_space(found.id);
    if (H5Sget_simple_extent_type(found.space) == H5S_SCALAR) found.type = H5Aget_type(found.id);
    return found;
}

static nas_status_t read_number(hid_t at, const char *name, nas_h5_type_t type, void *value,
                                nas_error_t *err)
{
    const nas_h5_types_t types = nas_h5_number_types(type);
    uint64_t buffer = 0; /* as large as the largest number */
    const nas_h5_found_t found = open_attribute(at, name);
    bool good = found.type >= 0 && H5Tequal(found.type, types.stored) > 0 &&
                H5Aread(found.id, types.memory, &buffer) >= 0;
    nas_h5_release_found(&found);
    if (type == NAS_H5_BOOL) good = good && *(unsigned char *)&buffer <= 1;
    if (!good) return nas_h5_refused(at, name, type_name(type), err);
    memcpy(value, &buffer, nas_h5_size(type));
    return NAS_OK;
}

size_t nas_h5_text_width(hid_t type)
{
    const bool fixed =
        type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    return fixed ? H5Tget_size(type) : 0;
}

static nas_status_t read_text(hid_t at, const char *name, char **text_p, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *text = NULL;
    hid_t memory = H5I_INVALID_HID;
    const nas_h5_found_t found = open_attribute(at, name);
    const size_t width = nas_h5_text_width(found.type);
    if (width == 0) {
        status = nas_h5_refused(at, name, type_name(NAS_H5_TEXT), err);
        goto out;
    }
    text = malloc(width + 1);
    if (!text) {
        status = nas_error_nomem(err, name);
        goto out;
    }
    memory = nas_h5_text_type(width + 1, H5T_STR_NULLTERM);
    if (H5Aread(found.id, memory, text) < 0) {
        status = nas_h5_refused(at, name, "readable", err);
        goto out;
    }
    *text_p = text;
    text = NULL;
out:
    free(text);
    nas_h5_release(memory);
    nas_h5_release_found(&found);
    return status;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

static nas_status_t read_digest(hid_t at, const char *name, nas_digest_t *digest, nas_error_t *err)
{
    nas_digest_t parsed = {0};
    char *hex = NULL;
    const nas_status_t status = read_text(at, name, &hex, err);
    if (status) return status;
    bool good = strlen(hex) == NAS_DIGEST_HEX_SIZE - 1;
    for (size_t i = 0; good && i < NAS_DIGEST_SIZE; i++) {
        const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        parsed.byte[i] = (uint8_t)(16 * high + low);
    }
    free(hex);
    if (!good) return nas_h5_refused(at, name, type_name(NAS_H5_DIGEST), err);
    *digest = parsed;
    return NAS_OK;
}

nas_status_t nas_h5_read_attribute(hid_t at, const char *name, nas_h5_type_t type, void *value,
                                   nas_error_t *err)
{
    if (type == NAS_H5_TEXT) return read_text(at, name, value, err);
    if (type == NAS_H5_DIGEST) return read_digest(at, name, value, err);
    return read_number(at, name, type, value, err);
}
