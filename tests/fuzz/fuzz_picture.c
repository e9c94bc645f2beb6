/* JPEG and PNG files, and what is made of their pixels. Those whose header speaks of a picture of
 * more than a few thousand pixels are passed over: the bounds of decode.h are far above what can be
 * tried a thousand times a second. */
#include "tests/fuzz/fuzz.h"
#include "worker/data/folders/decode.h"
#include "worker/data/folders/resize.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 14, SIDE = 16, PNG_SIZE_AT = 16 };

static size_t number(const uint8_t *at, int n_bytes)
{
    size_t value = 0;
    for (int i = 0; i < n_bytes; i++) value = value << 8 | at[i];
    return value;
}

static bool is_small(size_t height, size_t width)
{
    return height == 0 || width <= MOST_PIXELS / height;
}

/* Whether every frame that may begin somewhere is small: marker, length, precision, sizes. */
static bool is_small_jpeg(fuzz_bytes_t file)
{
    for (size_t i = 0; i + 9 <= file.n; i++) {
        const uint8_t *at = file.at + i;
        if (at[0] == 0xff && at[1] >= 0xc0 && at[1] <= 0xcf &&
            !is_small(number(at + 5, 2), number(at + 7, 2)))
            return false;
    }
    return true;
}

static bool is_small_png(fuzz_bytes_t file)
{
    const uint8_t *at = file.at + PNG_SIZE_AT;
    return file.n < PNG_SIZE_AT + 8 || is_small(number(at, 4), number(at + 4, 4));
}

static void check_picture(const nas_picture_t *picture)
{
    uint8_t values[3 * SIDE * SIDE];
    NAS_ASSERT(picture->height > 0 && picture->width > 0 && picture->pixel);
    NAS_ASSERT(picture->channels == 1 || picture->channels == 3);
    NAS_ASSERT(nas_resize(picture, SIDE, SIDE, values, NULL) == NAS_OK);
}

static void try_decoder(const nas_decoder_t *decoder, fuzz_bytes_t bytes)
{
    const nas_encoded_t file = {.path = "picture", .data = bytes.at, .size = bytes.n};
    nas_picture_t picture = {0};
    nas_error_t err = {0};
    if (bytes.n < decoder->n_magic || memcmp(bytes.at, decoder->magic, decoder->n_magic) != 0)
        return;
    const nas_status_t status = decoder->decode(&file, &picture, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_picture(&picture);
    nas_picture_fini(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_bytes_t file = {data, size};
    if (is_small_jpeg(file)) try_decoder(&nas_decoder_jpeg, file);
    if (is_small_png(file)) try_decoder(&nas_decoder_png, file);
    return 0;
}
