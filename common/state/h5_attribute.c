/* Attributes: numbers, texts and digests, one each. */
#include "common/base/digest.h"
#include "common/state/h5_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *type_name(nas_h5_type_t type)
{
    switch (type) {
    case NAS_H5_BOOL:
        return "a truth value (uint8, 0 or 1)";
    case NAS_H5_U8:
        return "a uint8";
    case NAS_H5_F32:
        return "a float32";
    case NAS_H5_I16:
        return "an int16";
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
