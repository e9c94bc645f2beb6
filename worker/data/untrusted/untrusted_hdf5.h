/* HDF5 files that others wrote: data sets of the user, reference values.
 *
 * The library is not made for damaged files: some make it crash, some send it round in circles. So
 * it reads in a child process (sandbox.h), which sends plain arrays; what arrives is checked again.
 */
#ifndef NAS_WORKER_DATA_UNTRUSTED_UNTRUSTED_HDF5_H
#define NAS_WORKER_DATA_UNTRUSTED_UNTRUSTED_HDF5_H

#include "common/base/error.h"
#include "worker/data/untrusted/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAS_UNTRUSTED_MAX_RANK = 8 };

/** What an array is in memory, and which stored types become it. As bits, they make a set. */
typedef enum nas_untrusted_type {
    NAS_UNTRUSTED_U8 = 1,   /**< uint8_t; from unsigned integers of one byte */
    NAS_UNTRUSTED_I64 = 2,  /**< int64_t; from any integer */
    NAS_UNTRUSTED_F32 = 4,  /**< float; from any floating-point number, rounded */
    NAS_UNTRUSTED_F64 = 8,  /**< double; from any floating-point number */
    NAS_UNTRUSTED_TEXT = 16 /**< char; from one text of any length */
} nas_untrusted_type_t;

/** What is wanted of a file. */
typedef struct nas_untrusted_item {
    const char *name; /**< of a dataset, with its groups; or of an attribute of the whole file */
    unsigned types;   /**< accepted nas_untrusted_type_t; the first that fits is taken */
    bool attribute;
    bool optional; /**< may be absent */
} nas_untrusted_item_t;

/** What was found, row-major. */
typedef struct nas_untrusted_array {
    nas_untrusted_type_t type;
    int rank;                             /**< 0: a single number or text */
    int64_t size[NAS_UNTRUSTED_MAX_RANK]; /**< of each dimension */
    size_t n;                             /**< values; of a text, its bytes */
    void *data; /**< owned; n values and a NUL behind a text. NULL: absent, and all else is 0 */
} nas_untrusted_array_t;

/** A file and what is wanted of it. Borrowed for the call. */
typedef struct nas_untrusted_request {
    const char *path;
    const nas_untrusted_item_t *item;
    size_t n;
    int64_t max_bytes; /**< of one array */
    int cpu_s;         /**< limits of time, see nas_sandbox_limits_t */
    int wall_s;
} nas_untrusted_request_t;

/** Read the items of a file.  Not collective; forks (see sandbox.h). Memory: the arrays, and in the
 *  child twice the largest of them.
 *  array [out] n; the caller's, ended by nas_untrusted_arrays_fini.
 *  NAS_EINPUT, naming the file: no such file, no HDF5, damaged so that the library refuses it,
 *  crashes or does not end; an item is absent, of a type not accepted, of more than max_bytes or
 *  than NAS_UNTRUSTED_MAX_RANK dimensions. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_untrusted_hdf5_read(const nas_untrusted_request_t *request,
                                     nas_untrusted_array_t *array, nas_error_t *err);

/** Free the data of n arrays, which are empty afterwards. */
void nas_untrusted_arrays_fini(nas_untrusted_array_t *array, size_t n);

#endif
