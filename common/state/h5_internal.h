/* What attributes (h5_attribute.c), datasets (h5_array.c) and files (h5_file.c) share: h5.c. */
#ifndef NAS_COMMON_STATE_H5_INTERNAL_H
#define NAS_COMMON_STATE_H5_INTERNAL_H

#include "common/state/h5.h"

/** A type in the file and in memory. */
typedef struct nas_h5_types {
    hid_t stored;
    hid_t memory;
} nas_h5_types_t;

/** An attribute or dataset, opened, with its type and extent; negative ids where it is absent. */
typedef struct nas_h5_found {
    hid_t id;
    hid_t type;
    hid_t space;
} nas_h5_found_t;

/** Let go of an id of any kind. Accepts a negative one. */
void nas_h5_release(hid_t id);
void nas_h5_release_found(const nas_h5_found_t *found);

/** Whether every link on the way to an object is one to an object of the same file. (False, too,
 *  where memory is out.) */
bool nas_h5_is_inside(hid_t at, const char *name);

/** The types of a number; ids of HDF5's own, not to be released. */
nas_h5_types_t nas_h5_number_types(nas_h5_type_t type);

/** The type of texts of `width` bytes; to be released. */
hid_t nas_h5_text_type(size_t width, H5T_str_t padding);

/** Width of a fixed-length text type, or 0 for any other type. */
size_t nas_h5_text_width(hid_t type);

/** Returns NAS_ENOMEM, the only reason for which building an image in memory fails. */
nas_status_t nas_h5_not_stored(hid_t at, const char *name, nas_error_t *err);

/** Returns NAS_EINPUT: `at`/name is not what was expected. */
nas_status_t nas_h5_refused(hid_t at, const char *name, const char *expected, nas_error_t *err);

#endif
