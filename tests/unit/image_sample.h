/* Small JPEG and PNG files, written by the libraries themselves. */
#ifndef NAS_TESTS_UNIT_IMAGE_SAMPLE_H
#define NAS_TESTS_UNIT_IMAGE_SAMPLE_H

#include "data_sample.h"

#include <png.h>
#include <stdbool.h>

/* after <stdio.h>, on which it relies */
#include <jpeglib.h>

/* What a PNG is made of. Zero: no palette, no key, not interlaced. */
typedef struct png_sample {
    int height;
    int width;
    int colour_type; /* PNG_COLOR_TYPE_... */
    int depth;
    bool interlaced;
    const uint8_t *rows; /* packed as in the file, without gaps */
    size_t stride;
    const png_color *palette;
    int n_palette;
    const uint8_t *alpha; /* of the palette's colours */
    int n_alpha;
    const png_color_16 *key; /* the colour that is transparent */
} png_sample_t;

static inline void png_append(png_structp png, png_bytep data, size_t n)
{
    bytes_add(png_get_io_ptr(png), data, n);
}

static inline void png_keep(png_structp png)
{
    (void)png;
}

static inline bytes_t png_bytes(const png_sample_t *sample)
{
    bytes_t bytes = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    cr_assert(png && info);
    png_set_write_fn(png, &bytes, png_append, png_keep);
    png_set_IHDR(png, info, (png_uint_32)sample->width, (png_uint_32)sample->height, sample->depth,
                 sample->colour_type, sample->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    if (sample->palette) png_set_PLTE(png, info, sample->palette, sample->n_palette);
    if (sample->alpha || sample->key)
        png_set_tRNS(png, info, sample->alpha, sample->n_alpha, sample->key);
    png_write_info(png, info);
    const int n_passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < n_passes; pass++)
        for (int y = 0; y < sample->height; y++)
            png_write_row(png, sample->rows + (size_t)y * sample->stride);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return bytes;
}

/* One colour all over. */
static inline bytes_t png_constant(int height, int width, const uint8_t colour[3])
{
    uint8_t rows[3 * 64 * 64];
    cr_assert_leq(height * width, 64 * 64);
    for (int i = 0; i < height * width; i++) memcpy(rows + 3 * i, colour, 3);
    return png_bytes(&(png_sample_t){.height = height,
                                     .width = width,
                                     .colour_type = PNG_COLOR_TYPE_RGB,
                                     .depth = 8,
                                     .rows = rows,
                                     .stride = 3 * (size_t)width});
}

/* What a JPEG is made of. */
typedef struct jpeg_sample {
    int height;
    int width;
    J_COLOR_SPACE space; /* of the rows: JCS_GRAYSCALE, JCS_RGB or JCS_CMYK */
    bool adobe;          /* CMYK alone: the marker that makes values what the ink leaves */
    int quality;
    bool progressive;
    const jpeg_scan_info *scan; /* in place of the usual ones, or NULL */
    int n_scans;
    const uint8_t *rows; /* [H, W, C] */
    const uint8_t *exif; /* content of a marker APP1, or NULL */
    unsigned n_exif;
} jpeg_sample_t;

static inline bytes_t jpeg_bytes(const jpeg_sample_t *sample)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long n = 0;
    const int n_channels = sample->space == JCS_GRAYSCALE ? 1 : sample->space == JCS_RGB ? 3 : 4;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &n);
    jpeg.image_height = (JDIMENSION)sample->height;
    jpeg.image_width = (JDIMENSION)sample->width;
    jpeg.input_components = n_channels;
    jpeg.in_color_space = sample->space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, sample->quality, TRUE);
    for (int c = 0; c < n_channels; c++) /* colours at full resolution */
        jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
    if (sample->space == JCS_CMYK) jpeg.write_Adobe_marker = sample->adobe ? TRUE : FALSE;
    if (sample->progressive) jpeg_simple_progression(&jpeg);
    if (sample->scan) {
        jpeg.scan_info = sample->scan;
        jpeg.num_scans = sample->n_scans;
    }
    jpeg_start_compress(&jpeg, TRUE);
    if (sample->exif) jpeg_write_marker(&jpeg, JPEG_APP0 + 1, sample->exif, sample->n_exif);
    while (jpeg.next_scanline < jpeg.image_height) {
        const size_t stride = (size_t)sample->width * (size_t)n_channels;
        JSAMPROW row = (JSAMPROW)(uintptr_t)(sample->rows + jpeg.next_scanline * stride);
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (bytes_t){.at = data, .n = (size_t)n};
}

#endif
