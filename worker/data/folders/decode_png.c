/* PNG by libpng.
 *
 * libpng leaves an error by longjmp; as in decode_jpeg.c, all that a reader holds lies in a struct
 * of the caller of setjmp's function. Of its warnings none is of a pixel: a checksum that is wrong,
 * in whatever part, is made an error. */
#include "worker/data/folders/decode.h"

#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    png_structp png;
    png_infop info;
    const nas_encoded_t *file;
    size_t n_read; /* bytes of the file */
    nas_picture_t picture;
    nas_error_t *err;
    nas_status_t status;
    bool no_memory;
} reader_t;

_Noreturn static void on_error(png_structp png, png_const_charp text)
{
    reader_t *reader = png_get_error_ptr(png);
    const char *path = reader->file->path;
    reader->status = reader->no_memory ? nas_error_nomem(reader->err, path)
                                       : nas_error_set(reader->err, NAS_EINPUT,
                                                       "%s: damaged PNG: %s", path, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp take_memory(png_structp png, png_alloc_size_t size)
{
    reader_t *reader = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (!memory) reader->no_memory = true;
    return memory;
}

static void give_memory(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void take_bytes(png_structp png, png_bytep data, size_t size)
{
    reader_t *reader = png_get_io_ptr(png);
    if (size > reader->file->size - reader->n_read) png_error(png, "it is cut short");
    memcpy(data, reader->file->data + reader->n_read, size);
    reader->n_read += size;
}

static bool create(reader_t *reader)
{
    reader->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning,
                                           reader, take_memory, give_memory);
    if (reader->png) reader->info = png_create_info_struct(reader->png);
    return reader->info;
}

/* The header, and nothing else but what pixels are made of. */
static void read_header(const reader_t *reader)
{
    png_set_read_fn(reader->png, (png_voidp)reader, take_bytes);
    png_set_crc_action(reader->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(reader->png, reader->info);
}

static nas_status_t allocate(reader_t *reader)
{
    png_structp png = reader->png;
    const uint32_t size[2] = {png_get_image_height(png, reader->info),
                              png_get_image_width(png, reader->info)};
    const size_t most_channels = 4;
    return nas_picture_allocate(&reader->picture, reader->file, size, most_channels, reader->err);
}

/* Rows of 8 bits a channel, palettes and keys of transparency resolved. */
static void read_rows(reader_t *reader)
{
    png_structp png = reader->png;
    nas_picture_t *picture = &reader->picture;
    png_set_expand(png);
    png_set_scale_16(png);
    const int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    const size_t stride = png_get_rowbytes(png, reader->info);
    picture->channels = png_get_channels(png, reader->info);
    NAS_ASSERT(stride == (size_t)picture->width * (size_t)picture->channels);
    for (int pass = 0; pass < n_passes; pass++)
        for (int y = 0; y < picture->height; y++)
            png_read_row(png, picture->pixel + (size_t)y * stride, NULL);
    png_read_end(png, NULL);
}

/* Sets reader->status, on the way or where a jump starts. */
static void read_guarded(reader_t *reader)
{
    if (setjmp(png_jmpbuf(reader->png))) return;
    read_header(reader);
    reader->status = allocate(reader);
    if (!reader->status) read_rows(reader);
}

/* The last of 2 or 4 channels is how much of the others is seen. */
static void lay_over_black(nas_picture_t *picture)
{
    const size_t n_pixels = (size_t)picture->height * (size_t)picture->width;
    const int n_stored = picture->channels;
    if (n_stored % 2 != 0) return;
    const uint8_t *from = picture->pixel;
    uint8_t *to = picture->pixel;
    for (size_t i = 0; i < n_pixels; i++, from += n_stored) {
        const unsigned alpha = from[n_stored - 1];
        for (int c = 0; c < n_stored - 1; c++) *to++ = (uint8_t)((from[c] * alpha + 127) / 255);
    }
    picture->channels = n_stored - 1;
}

static nas_status_t decode(const nas_encoded_t *file, nas_picture_t *picture, nas_error_t *err)
{
    reader_t reader = {.file = file, .err = err};
    if (create(&reader))
        read_guarded(&reader);
    else
        reader.status = nas_error_nomem(err, file->path);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    if (reader.status) {
        nas_picture_fini(&reader.picture);
        return reader.status;
    }
    lay_over_black(&reader.picture);
    *picture = reader.picture;
    return NAS_OK;
}

const nas_decoder_t nas_decoder_png = {
    .magic = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, .n_magic = 8, .decode = decode};
