#include "common/state/h5_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT_PATH_SIZE = 256 };

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
    case NAS_H5_I16:
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

nas_h5_types_t nas_h5_number_types(nas_h5_type_t type)
{
    NAS_ASSERT(type <= NAS_H5_F64); /* the numbers come first */
    switch (type) {
    case NAS_H5_BOOL:
    case NAS_H5_U8:
        return (nas_h5_types_t){H5T_STD_U8LE, H5T_NATIVE_UINT8};
    case NAS_H5_F32:
        return (nas_h5_types_t){H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
    case NAS_H5_I16:
        return (nas_h5_types_t){H5T_STD_I16LE, H5T_NATIVE_INT32};
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

/* A link by name, soft or external, leads elsewhere, into any file that the process may read. */
static bool is_hard(hid_t at, const char *name)
{
    H5L_info_t info;
    return H5Lget_info(at, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

bool nas_h5_is_inside(hid_t at, const char *name)
{
    char *way = strdup(name);
    bool inside = way != NULL;
    for (char *end = way; inside && (end = strchr(end, '/')); *end++ = '/') {
        *end = '\0';
        inside = is_hard(at, way);
    }
    inside = inside && is_hard(at, way);
    free(way);
    return inside;
}

bool nas_h5_has(hid_t at, const char *name)
{
    return H5Lexists(at, name, H5P_DEFAULT) > 0;
}

size_t nas_h5_text_width(hid_t type)
{
    const bool fixed =
        type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    return fixed ? H5Tget_size(type) : 0;
}
