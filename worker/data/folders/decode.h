/* Pictures: JPEG and PNG files as bytes in memory.
 *
 * The files are a user's, gathered anywhere, and are decoded in this process: libjpeg-turbo and
 * libpng are made for hostile files (browsers feed them nothing else) and fuzzed without end, which
 * HDF5 is not (untrusted_hdf5.h). What a sound decoder may still be led to do is bounded here:
 * pixels before memory is taken for them, scans of a progressive JPEG, PNG's ancillary chunks, none
 * of which is kept.
 *
 * What is stored is what counts: an orientation in EXIF, colour profiles and gamma are passed over.
 */
#ifndef NAS_WORKER_DATA_FOLDERS_DECODE_H
#define NAS_WORKER_DATA_FOLDERS_DECODE_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

/** Most pixels of one picture. A side of a PNG has at most 1,000,000, of a JPEG 65,500. */
#define NAS_PICTURE_MAX_PIXELS ((int64_t)1 << 28)

/** Zero-initialised: none. End with nas_picture_fini. */
typedef struct nas_picture {
    int height;
    int width;
    int channels;   /**< 1: gray; 3: red, green, blue */
    uint8_t *pixel; /**< [H, W, C]; owned */
} nas_picture_t;

/** A file in memory. Borrowed. */
typedef struct nas_encoded {
    const char *path; /**< for messages */
    const uint8_t *data;
    size_t size;
} nas_encoded_t;

enum { NAS_DECODER_MAGIC = 8 };

/** One format; decode.c lists them. */
typedef struct nas_decoder {
    uint8_t magic[NAS_DECODER_MAGIC]; /**< what its files begin with */
    size_t n_magic;

    /** Decode a whole file.  Not collective. picture [out]; the caller's.
     *  NAS_EINPUT, naming the file: damaged, cut short, too large, of a kind the library has not.
     *  NAS_ENOMEM. */
    nas_status_t (*decode)(const nas_encoded_t *file, nas_picture_t *picture, nas_error_t *err);
} nas_decoder_t;

extern const nas_decoder_t nas_decoder_jpeg;
extern const nas_decoder_t nas_decoder_png;

/** Read and decode a file; its first bytes tell its format, not its name.  Not collective.
 *  Memory: the file (at most 1 GiB), 4 bytes a pixel, up to 8 more for a progressive JPEG.
 *  Deterministic for one version of the libraries. Transparency is laid over black. 16 bits are
 *  rounded to 8. CMYK becomes RGB as (255 - ink)(255 - black) / 255.
 *  picture [out]; the caller's.
 *  NAS_EINPUT, naming the file: missing, neither JPEG nor PNG, damaged or cut short anywhere,
 *  larger than NAS_PICTURE_MAX_PIXELS. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_picture_read(const char *path, nas_picture_t *picture, nas_error_t *err);

/** For decoders: set height and width and make room for them, once they are known to be bounded.
 *  Not collective. pixel_bytes: of one pixel while it is decoded; channels are the decoder's
 *  to set.
 *  NAS_EINPUT, naming the file: no pixel, or too many. NAS_ENOMEM. */
nas_status_t nas_picture_allocate(nas_picture_t *picture, const nas_encoded_t *file,
                                  const uint32_t size[2], size_t pixel_bytes, nas_error_t *err);

/** Free the pixels; picture is empty afterwards. */
void nas_picture_fini(nas_picture_t *picture);

#endif
