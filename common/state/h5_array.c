#include "common/state/h5_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(bool) == 1, "truth values are stored as they lie in memory");

enum { COMPACT_SIZE = 4096 }; /* datasets up to this size lie in their header */

/* An array of any type, as HDF5 sees it. */
typedef struct content {
    nas_h5_types_t types;
    size_t n_bytes; /* stored */
    int rank;
    hsize_t size[2];
    const void *data;
} content_t;

/* Small ones lie in their header: many repeats mean many small datasets. */
static hid_t creation_of(const content_t *content)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_obj_track_times(creation, false);
    (void)H5Pset_layout(creation, content->n_bytes <= COMPACT_SIZE ? H5D_COMPACT : H5D_CONTIGUOUS);
    return creation;
}

/* Negative where memory is out. */
static hid_t create_dataset(hid_t at, const char *name, const content_t *content)
{
    const hid_t creation = creation_of(content);
    const hid_t space = H5Screate_simple(content->rank, content->size, NULL);
    const hid_t id =
        H5Dcreate2(at, name, content->types.stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    nas_h5_release(space);
    nas_h5_release(creation);
    return id;
}

static nas_status_t write_dataset(hid_t at, const char *name, const content_t *content,
                                  nas_error_t *err)
{
    const hid_t id = create_dataset(at, name, content);
    const bool written =
        id >= 0 && (content->n_bytes == 0 || H5Dwrite(id, content->types.memory, H5S_ALL, H5S_ALL,
                                                      H5P_DEFAULT, content->data) >= 0);
    nas_h5_release(id);
    return written ? NAS_OK : nas_h5_not_stored(at, name, err);
}

nas_status_t nas_h5_write_array(hid_t at, const char *name, const nas_h5_array_t *array,
                                nas_error_t *err)
{
    content_t content = {.types = nas_h5_number_types(array->type),
                         .n_bytes = nas_h5_size(array->type),
                         .rank = array->rank,
                         .data = array->data};
    for (int i = 0; i < array->rank; i++) {
        content.size[i] = (hsize_t)array->size[i];
        content.n_bytes *= (size_t)array->size[i];
    }
    return write_dataset(at, name, &content, err);
}

enum { BLOCK = 4096 }; /* names that are written at once */

/* Write names [first, first + n) into a dataset; block has room for them. */
static bool write_block(hid_t id, hid_t type, const nas_name_source_t *source, int64_t first,
                        int64_t n, char *block)
{
    const size_t width = H5Tget_size(type);
    const hsize_t start = (hsize_t)first, count = (hsize_t)n;
    memset(block, 0, (size_t)n * width);
    for (int64_t i = 0; i < n; i++) {
        const char *name = nas_name_source_at(source, first + i);
        memcpy(block + (size_t)i * width, name, strlen(name));
    }
    const hid_t file = H5Dget_space(id), memory = H5Screate_simple(1, &count, NULL);
    const bool written =
        H5Sselect_hyperslab(file, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
        H5Dwrite(id, type, memory, file, H5P_DEFAULT, block) >= 0;
    nas_h5_release(memory);
    nas_h5_release(file);
    return written;
}

nas_status_t nas_h5_write_names(hid_t at, const char *name, const nas_name_source_t *source,
                                nas_error_t *err)
{
    const size_t width = source->size > 2 ? source->size - 1 : 1; /* HDF5 has no length 0 */
    const size_t n_rows = source->n < BLOCK ? (size_t)source->n + 1 : BLOCK;
    char *block = malloc(n_rows * width);
    if (!block) return nas_error_nomem(err, name);
    const hid_t type = nas_h5_text_type(width, H5T_STR_NULLPAD);
    const content_t content = {.types = {type, type},
                               .n_bytes = (size_t)source->n * width,
                               .rank = 1,
                               .size = {(hsize_t)source->n}};
    const hid_t id = create_dataset(at, name, &content);
    bool written = id >= 0;
    for (int64_t i = 0; written && i < source->n; i += BLOCK)
        written =
            write_block(id, type, source, i, source->n - i < BLOCK ? source->n - i : BLOCK, block);
    nas_h5_release(id);
    nas_h5_release(type);
    free(block);
    return written ? NAS_OK : nas_h5_not_stored(at, name, err);
}

static const char *text_at(const nas_name_source_t *source, int64_t i)
{
    return ((const char *const *)source->context)[i];
}

nas_status_t nas_h5_write_texts(hid_t at, const char *name, const char *const *text, int64_t n,
                                nas_error_t *err)
{
    nas_name_source_t source = {.n = n, .size = 1, .context = text, .at = text_at};
    for (int64_t i = 0; i < n; i++) {
        const size_t size = strlen(text[i]) + 1;
        if (size > source.size) source.size = size;
    }
    return nas_h5_write_names(at, name, &source, err);
}

/* Whether a dataset's values lie in its own file: not in a raw file that it names, nor in datasets
 * that a virtual one is put together from. */
static bool has_own_values(hid_t id)
{
    const hid_t creation = H5Dget_create_plist(id);
    const H5D_layout_t layout = H5Pget_layout(creation);
    const bool own = layout >= 0 && layout != H5D_VIRTUAL && H5Pget_external_count(creation) == 0;
    nas_h5_release(creation);
    return own;
}

/* Negative ids where there is none, or where it would lead out of the file: the file's digest says
 * nothing of what lies elsewhere. */
static nas_h5_found_t open_dataset(hid_t at, const char *name)
{
    nas_h5_found_t found = {.id = H5I_INVALID_HID, .type = -1, .space = -1};
    if (!nas_h5_is_inside(at, name)) return found;
    found.id = H5Dopen2(at, name, H5P_DEFAULT);
    if (found.id >= 0 && !has_own_values(found.id)) {
        nas_h5_release(found.id);
        found.id = H5I_INVALID_HID;
    }
    if (found.id < 0) return found;
    found.type = H5Dget_type(found.id);
    found.space = H5Dget_space(found.id);
    return found;
}

bool nas_h5_is(hid_t at, const char *name, nas_h5_type_t type)
{
    const nas_h5_found_t found = open_dataset(at, name);
    const bool is = found.id >= 0 && H5Tequal(found.type, nas_h5_number_types(type).stored) > 0;
    nas_h5_release_found(&found);
    return is;
}

/* Whether the extent is as expected (-1 for any size), and as much is stored as it says: a dataset
 * without storage may claim any size. size [out] what was found. */
static bool has_extent(const nas_h5_found_t *found, int rank, const int64_t *expected,
                       int64_t *size)
{
    hsize_t extent[2] = {0};
    if (H5Sget_simple_extent_ndims(found->space) != rank) return false;
    (void)H5Sget_simple_extent_dims(found->space, extent, NULL);
    hsize_t n_bytes = H5Tget_size(found->type);
    for (int i = 0; i < rank; i++) {
        if (expected[i] >= 0 && extent[i] != (hsize_t)expected[i]) return false;
        if (extent[i] > 0 && n_bytes > (hsize_t)INT64_MAX / extent[i]) return false;
        n_bytes *= extent[i];
        size[i] = (int64_t)extent[i];
    }
    return H5Dget_storage_size(found->id) == n_bytes;
}

/* Read all n_bytes of a dataset into a new buffer. */
static nas_status_t read_dataset(const nas_h5_found_t *found, hid_t memory, size_t n_bytes,
                                 void **data_p, nas_error_t *err)
{
    void *data = calloc(n_bytes + 1, 1);
    if (!data) return nas_error_nomem(err, "the content of a state file");
    if (n_bytes > 0 && H5Dread(found->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        free(data);
        return nas_error_set(err, NAS_EINPUT, "HDF5 cannot read its content");
    }
    *data_p = data;
    return NAS_OK;
}

/* Every byte of an array of truth values must be one. */
static bool are_valid(nas_h5_type_t type, const unsigned char *data, size_t n_bytes)
{
    for (size_t i = 0; type == NAS_H5_BOOL && i < n_bytes; i++)
        if (data[i] > 1) return false;
    return true;
}

nas_status_t nas_h5_read_array(hid_t at, const char *name, nas_h5_array_t *array, nas_error_t *err)
{
    const nas_h5_types_t types = nas_h5_number_types(array->type);
    nas_status_t status = NAS_OK;
    int64_t size[2] = {0, 1};
    void *data = NULL;
    size_t n_bytes = 0;
    const nas_h5_found_t found = open_dataset(at, name);
    if (found.id < 0 || H5Tequal(found.type, types.stored) <= 0) {
        status = nas_h5_refused(at, name, "an array of the expected type in this file", err);
        goto out;
    }
    if (!has_extent(&found, array->rank, array->size, size)) {
        status = nas_h5_refused(at, name, "an array of the expected shape", err);
        goto out;
    }
    n_bytes = (size_t)size[0] * (size_t)size[1] * nas_h5_size(array->type);
    status = read_dataset(&found, types.memory, n_bytes, &data, err);
    if (status) goto out;
    if (!are_valid(array->type, data, n_bytes)) {
        status = nas_h5_refused(at, name, "an array of truth values", err);
        goto out;
    }
    memcpy(array->size, size, sizeof size);
    array->data = data;
    data = NULL;
out:
    free(data);
    nas_h5_release_found(&found);
    return status;
}

nas_status_t nas_h5_read_texts(hid_t at, const char *name, int64_t n, nas_h5_texts_t *texts,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    int64_t n_found = 0;
    hid_t memory = H5I_INVALID_HID;
    void *data = NULL;
    const nas_h5_found_t found = open_dataset(at, name);
    const size_t width = nas_h5_text_width(found.type) + 1;
    if (width == 1 || !has_extent(&found, 1, &n, &n_found)) {
        status =
            nas_h5_refused(at, name, "a list of the expected number of texts in this file", err);
        goto out;
    }
    memory = nas_h5_text_type(width, H5T_STR_NULLTERM);
    status = read_dataset(&found, memory, (size_t)n_found * width, &data, err);
    if (status) goto out;
    *texts = (nas_h5_texts_t){.data = data, .width = width, .n = n_found};
out:
    nas_h5_release(memory);
    nas_h5_release_found(&found);
    return status;
}
