/* Data sets in HDF5: edits (h5_edit.h) of a good one. The first byte says whether its values are
 * bytes or floats. HDF5 reads it in a child process, so that a try takes milliseconds. */
#include "common/state/h5.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_edit.h"
#include "tests/fuzz/images_check.h"

#include <stdbool.h>
#include <stdlib.h>

enum { N_IMAGES = 3, N_VALUES = N_IMAGES * 2 * 4 };

static void put(hid_t file, const char *name, hid_t type, int rank, const hsize_t *size)
{
    const double zeros[N_VALUES] = {0};
    const hid_t space = H5Screate_simple(rank, size, NULL);
    const hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    NAS_ASSERT(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
    (void)H5Dclose(id);
    (void)H5Sclose(space);
}

/* The good file of a kind, made once. */
static fuzz_bytes_t good_file(bool floats)
{
    static fuzz_bytes_t good[2];
    const hsize_t extent[] = {N_IMAGES, 1, 2, 4};
    hid_t file = H5I_INVALID_HID;
    char *image = NULL;
    size_t size = 0;
    if (good[floats].n > 0) return good[floats];
    NAS_ASSERT(nas_h5_create(&file, NULL) == NAS_OK);
    put(file, "images", floats ? H5T_IEEE_F32LE : H5T_STD_U8LE, 4, extent);
    put(file, "labels", H5T_STD_I64LE, 1, extent);
    NAS_ASSERT(nas_h5_image(file, &image, &size, NULL) == NAS_OK);
    nas_h5_close(file);
    good[floats] = (fuzz_bytes_t){.at = (const uint8_t *)image, .n = size};
    return good[floats];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    const fuzz_bytes_t good = good_file(fuzz_byte(&input) % 2);
    const fuzz_bytes_t file = fuzz_h5_edit(good, input);
    char *path = fuzz_path("images.h5");
    fuzz_write(path, file);
    const nas_strings_t files = {.at = &path, .n = 1};
    const nas_dataset_options_t options = {
        .format = &nas_format_hdf5, .train = &files, .test = &files};
    fuzz_try_dataset(&options);
    free(path);
    free((void *)(uintptr_t)file.at);
    return 0;
}
