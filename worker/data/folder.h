/* Image folders: one folder a class with JPEG and PNG files in it, read and resized once, and
 * written as the HDF5 form of docs/data.md.
 *
 * The file has dataset `images`, uint8 [N, C, H, W], contiguous; dataset `labels`, int32 [N]; and
 * dataset `classes`, one text with the folders' names in order, one a line. The images are not
 * compressed: of natural ones deflate saves 4 to 7 %, and reading becomes five times as slow or
 * more.
 */
#ifndef NAS_WORKER_DATA_FOLDER_H
#define NAS_WORKER_DATA_FOLDER_H

#include "common/error.h"
#include "common/interrupt.h"

#include <stdbool.h>
#include <stdint.h>

/** What to read and make. Borrowed for the call. */
typedef struct nas_folder_options {
    const char
        *folder; /**< its subfolders, in the order of their names (strcmp), are the classes */
    const char *output; /**< HDF5 file, replaced as a whole */
    int height;         /**< of the images written, at most NAS_IMAGES_MAX_SIDE */
    int width;
    bool gray;                /**< one channel (ITU-R 601 luma) in place of three */
    const char *classes_from; /**< HDF5 file made by this module whose classes must be the same, so
                               *   that labels mean the same; NULL: none */
} nas_folder_options_t;

/** What was read. */
typedef struct nas_folder_summary {
    int64_t n_images;
    int n_classes;
} nas_folder_summary_t;

/** Read every file of every class, resize and write.  Not collective; forks (see sandbox.h).
 *  Memory: one picture (decode.h) and the files' names. Deterministic.
 *  A class has the files below its folder, at any depth and through symbolic links, in the order of
 *  their folders and then of their names (strcmp both), as torchvision's ImageFolder reads them.
 *  An image is cut to the target's proportions about its centre, then averaged down (area) or
 *  interpolated up (bilinear), see resize.h; transparency is laid over black. What begins with '.'
 *  is passed over, files beside the classes too; any other file that is no JPEG or PNG is an error.
 *  The output's folder is made where it is missing. The images go to a temporary file beside the
 *  output, which takes its place at the end; on failure that is removed and the output as before.
 *  summary [out]. `interrupt` is asked once an image. Progress goes to the log.
 *  NAS_EINPUT, naming the file: no folder, fewer than two classes, an empty class, a folder within
 *  itself, a file that is no image, damaged, or larger than NAS_PICTURE_MAX_PIXELS; other classes
 *  than those of classes_from; more than 16 GiB of images; another process writes the output, or it
 *  is no file. NAS_EIO, NAS_ENOMEM. NAS_ESTOP: interrupted. */
nas_status_t nas_folder_convert(const nas_folder_options_t *options,
                                const nas_interrupt_t *interrupt, nas_folder_summary_t *summary,
                                nas_error_t *err);

#endif
