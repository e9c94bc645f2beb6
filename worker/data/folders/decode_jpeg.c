/* JPEG by libjpeg-turbo.
 *
 * libjpeg leaves an error by longjmp. All that a reader holds lies in a struct of the caller of
 * setjmp's function, where its values are certain after the jump and freed on one way out.
 * A damaged file is no error to libjpeg: it warns, and paints what is missing gray. So what it
 * warns of is an error here, but for the few warnings that say nothing of the pixels. */
#include "worker/data/folders/decode.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* after <stdio.h>, on which it relies */
#include <jerror.h>
#include <jpeglib.h>

enum {
    MOST_SCANS =
        500, /* a sound encoder writes some ten; a bomb thousands, each of the whole image */
    MARKER_END = 0xd9,
    CMYK_CHANNELS = 4
};

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const nas_encoded_t *file;
    nas_picture_t picture;
    uint8_t *row; /* of CMYK */
    nas_error_t *err;
    nas_status_t status; /* of what was not jumped from */
} reader_t;

static reader_t *reader_of(j_common_ptr jpeg)
{
    return jpeg->client_data;
}

/* Give up with libjpeg's own text. */
_Noreturn static void leave(j_common_ptr jpeg, const char *what)
{
    reader_t *reader = reader_of(jpeg);
    const char *path = reader->file->path;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    reader->status = jpeg->err->msg_code == JERR_OUT_OF_MEMORY
                         ? nas_error_nomem(reader->err, path)
                         : nas_error_set(reader->err, NAS_EINPUT, "%s: %s: %s", path, what, text);
    longjmp(reader->jump, 1);
}

static void on_error(j_common_ptr jpeg)
{
    leave(jpeg, "cannot be decoded as JPEG");
}

/* Whether a warning leaves every pixel what it was meant to be: bytes between the last of them and
 * the end of the image are padding that some cameras write. */
static bool is_harmless(const struct jpeg_error_mgr *errors)
{
    switch (errors->msg_code) {
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
        return true;
    case JWRN_EXTRANEOUS_DATA:
        return errors->msg_parm.i[1] == MARKER_END;
    default:
        return false;
    }
}

/* level: below 0 for a warning, else a trace. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && !is_harmless(jpeg->err)) leave(jpeg, "damaged JPEG");
}

static void on_progress(j_common_ptr jpeg)
{
    reader_t *reader = reader_of(jpeg);
    if (reader->jpeg.input_scan_number <= MOST_SCANS) return;
    reader->status = nas_error_set(reader->err, NAS_EINPUT, "%s: a JPEG of more than %d scans",
                                   reader->file->path, MOST_SCANS);
    longjmp(reader->jump, 1);
}

static void begin(reader_t *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    jpeg->err = jpeg_std_error(&reader->errors);
    jpeg->client_data = reader;
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    jpeg_create_decompress(jpeg);
    reader->progress.progress_monitor = on_progress;
    jpeg->progress = &reader->progress;
    jpeg_mem_src(jpeg, reader->file->data, (unsigned long)reader->file->size);
    (void)jpeg_read_header(jpeg, TRUE);
}

/* Colours as they come: gray stays gray, CMYK stays CMYK. What remains libjpeg converts, or not. */
static void choose_colours(struct jpeg_decompress_struct *jpeg)
{
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
        jpeg->out_color_space = JCS_GRAYSCALE;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        jpeg->out_color_space = JCS_CMYK;
        break;
    default:
        jpeg->out_color_space = JCS_RGB;
    }
}

/* Adobe's programs store what the ink leaves, others the ink. */
static void ink_to_colours(const uint8_t *row, int width, bool inverted, uint8_t *out)
{
    const unsigned flip = inverted ? 0 : 255;
    for (int x = 0; x < width; x++) {
        const uint8_t *ink = row + (size_t)x * CMYK_CHANNELS;
        for (int c = 0; c < 3; c++)
            *out++ = (uint8_t)(((ink[c] ^ flip) * (ink[3] ^ flip) + 127) / 255);
    }
}

static void read_rows(reader_t *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    nas_picture_t *picture = &reader->picture;
    const size_t stride = (size_t)picture->width * (size_t)picture->channels;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *out = picture->pixel + jpeg->output_scanline * stride;
        JSAMPROW row = reader->row ? reader->row : out;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
        if (reader->row) ink_to_colours(row, picture->width, jpeg->saw_Adobe_marker == TRUE, out);
    }
    (void)jpeg_finish_decompress(jpeg); /* reads to the end, which may be missing */
}

static nas_status_t allocate(reader_t *reader)
{
    const struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    const uint32_t size[2] = {jpeg->image_height, jpeg->image_width};
    nas_picture_t *picture = &reader->picture;
    picture->channels = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    const nas_status_t status =
        nas_picture_allocate(picture, reader->file, size, (size_t)picture->channels, reader->err);
    if (status || jpeg->out_color_space != JCS_CMYK) return status;
    reader->row = malloc((size_t)picture->width * CMYK_CHANNELS);
    return reader->row ? NAS_OK : nas_error_nomem(reader->err, reader->file->path);
}

/* Sets reader->status, on the way or where a jump starts. */
static void read_guarded(reader_t *reader)
{
    if (setjmp(reader->jump)) return;
    begin(reader);
    choose_colours(&reader->jpeg);
    reader->status = allocate(reader);
    if (reader->status) return;
    (void)jpeg_start_decompress(&reader->jpeg);
    read_rows(reader);
}

static nas_status_t decode(const nas_encoded_t *file, nas_picture_t *picture, nas_error_t *err)
{
    reader_t reader = {.file = file, .err = err};
    read_guarded(&reader);
    jpeg_destroy_decompress(&reader.jpeg);
    free(reader.row);
    if (reader.status)
        nas_picture_fini(&reader.picture);
    else
        *picture = reader.picture;
    return reader.status;
}

const nas_decoder_t nas_decoder_jpeg = {
    .magic = {0xff, 0xd8, 0xff}, .n_magic = 3, .decode = decode};
