/* HDF5 with our errors and types, for state files only.
 *
 * HDF5 never touches the disk here: an image is built in memory and taken as bytes, or opened from
 * bytes that were verified before. All texts are of fixed length. Names are relative to an open
 * file or group `at`.
 *
 * Nothing here is collective. Writing fails with NAS_ENOMEM alone, reading with that or NAS_EINPUT
 * (absent, of another type or shape; the object is named). Outputs are written on success only.
 */
#ifndef NAS_COMMON_STATE_H5_H
#define NAS_COMMON_STATE_H5_H

#include "common/base/error.h"
#include "common/base/name_source.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room in front of an image for what is ours. */
enum { NAS_H5_USER_BLOCK_SIZE = 512 };

/** What a value is in memory; stored little-endian. */
typedef enum nas_h5_type {
    NAS_H5_BOOL,  /**< bool; an unsigned byte, 0 or 1 */
    NAS_H5_U8,    /**< uint8_t */
    NAS_H5_I16,   /**< int32_t; stored as int16, which it must fit */
    NAS_H5_I32,   /**< int32_t */
    NAS_H5_I64,   /**< int64_t */
    NAS_H5_U64,   /**< uint64_t */
    NAS_H5_F32,   /**< float */
    NAS_H5_F64,   /**< double */
    NAS_H5_TEXT,  /**< char *, owned; UTF-8 of fixed length. Attributes only */
    NAS_H5_DIGEST /**< nas_digest_t; hexadecimal text. Attributes only */
} nas_h5_type_t;

/** An array of numbers of rank 1 or 2, row-major. */
typedef struct nas_h5_array {
    nas_h5_type_t type;
    int rank;
    int64_t size[2]; /**< of each dimension; when reading, what it must be, or -1 for any */
    void *data;      /**< borrowed when writing; made by reading (free), never NULL then */
} nas_h5_array_t;

/** Texts of equal room, one after the other. */
typedef struct nas_h5_texts {
    char *data; /**< n x width bytes, owned (free); text i, with its NUL, is at data + i * width */
    size_t width;
    int64_t n;
} nas_h5_texts_t;

/** Bytes of one value in an array. */
size_t nas_h5_size(nas_h5_type_t type);

/** An empty file in memory behind an empty user block.
 *  The caller owns *file_p and ends it with nas_h5_close. */
nas_status_t nas_h5_create(hid_t *file_p, nas_error_t *err);

/** The bytes of a file made by nas_h5_create, user block (zeros) included, in *image_p (free). */
nas_status_t nas_h5_image(hid_t file, char **image_p, size_t *size, nas_error_t *err);

/** The same bytes where they lie, in *image_p, to be read and written in place until the file is
 *  closed; nothing else is done with the file any more. */
nas_status_t nas_h5_view(hid_t file, char **image_p, size_t *size, nas_error_t *err);

/** Open a file from its bytes, user block included, for reading. image is borrowed until the file
 *  is closed.
 *  The caller owns *file_p and ends it with nas_h5_close. */
nas_status_t nas_h5_open(const char *image, size_t size, hid_t *file_p, nas_error_t *err);

/** Close a file; its groups are closed before. Accepts a negative one. */
void nas_h5_close(hid_t file);

/** Make, or open, a group. The caller ends it with nas_h5_group_close. */
nas_status_t nas_h5_group_create(hid_t at, const char *name, hid_t *group_p, nas_error_t *err);
nas_status_t nas_h5_group_open(hid_t at, const char *name, hid_t *group_p, nas_error_t *err);

/** Accepts a negative one. */
void nas_h5_group_close(hid_t group);

/** Number of objects in a group. */
int64_t nas_h5_count(hid_t group);

/** Whether `at` has an object of this name. */
bool nas_h5_has(hid_t at, const char *name);

/** Whether an object has an attribute of this name. */
bool nas_h5_has_attribute(hid_t at, const char *name);

/** Write, or read, one value of a type as an attribute. A text that is NULL is stored as "". */
nas_status_t nas_h5_write_attribute(hid_t at, const char *name, nas_h5_type_t type,
                                    const void *value, nas_error_t *err);
nas_status_t nas_h5_read_attribute(hid_t at, const char *name, nas_h5_type_t type, void *value,
                                   nas_error_t *err);

/** Write, or read, an array as a dataset. */
nas_status_t nas_h5_write_array(hid_t at, const char *name, const nas_h5_array_t *array,
                                nas_error_t *err);
nas_status_t nas_h5_read_array(hid_t at, const char *name, nas_h5_array_t *array, nas_error_t *err);

/** Write, or read, a list of n texts as a dataset of rank 1.
 *  n, when reading: what it must be, or -1 for any. */
nas_status_t nas_h5_write_texts(hid_t at, const char *name, const char *const *text, int64_t n,
                                nas_error_t *err);
nas_status_t nas_h5_read_texts(hid_t at, const char *name, int64_t n, nas_h5_texts_t *texts,
                               nas_error_t *err);

/** Write names likewise, some thousand at a time: what they are made from may be far smaller. */
nas_status_t nas_h5_write_names(hid_t at, const char *name, const nas_name_source_t *source,
                                nas_error_t *err);

/** Whether the dataset `name` of `at` holds numbers of a type. */
bool nas_h5_is(hid_t at, const char *name, nas_h5_type_t type);

#endif
