/* Image folders: one folder a class with JPEG and PNG files in it, read and resized once, and
 * written as the HDF5 form of docs/data.md.
 *
 * The file has dataset `images`, uint8 [N, C, H, W], contiguous; dataset `labels`, int32 [N]; and
 * dataset `classes`, one text with the folders' names in order, one a line. The images are not
 * compressed: of natural ones deflate saves 4 to 7 %, and reading becomes five times as slow or
 * more.
 */
#ifndef NAS_WORKER_DATA_FOLDERS_FOLDER_H
#define NAS_WORKER_DATA_FOLDERS_FOLDER_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/strings.h"

#include <stdbool.h>
#include <stdint.h>

/** What to read and make. Borrowed for the call. */
typedef struct nas_folder_options {
    const char
        *folder; /**< its subfolders, in the order of their names (strcmp), are the classes */
    const char *output; /**< HDF5 file, replaced as a whole */
    int height;         /**< of the images written, at most NAS_IMAGES_MAX_SIDE */
    int width;
    int64_t per_class;        /**< at most so many images of a class, the first ones; 0: all */
    bool gray;                /**< one channel (ITU-R 601 luma) in place of three */
    const char *classes_from; /**< HDF5 file made by this module whose classes must be the same, so
                               *   that labels mean the same; NULL: none */
} nas_folder_options_t;

enum { NAS_FOLDER_MOST_FAULTS = 100 };

/** What is wrong with a folder and its files. Zero-initialise; end with nas_folder_summary_fini. */
typedef struct nas_folder_faults {
    nas_strings_t line; /**< the first NAS_FOLDER_MOST_FAULTS, each naming its place */
    int64_t n;          /**< all of them */
} nas_folder_faults_t;

/** What was found. Zero-initialise; end with nas_folder_summary_fini. */
typedef struct nas_folder_summary {
    int64_t n_images;
    nas_strings_t classes; /**< names, in order */
    int64_t *n_of_class;   /**< [classes.n] images */
    nas_strings_t notes;   /**< what may not be as it was meant, a line each */
    nas_folder_faults_t faults;
} nas_folder_summary_t;

/** Read every file of every class, resize and write.  Not collective; forks (see sandbox.h).
 *  Memory: one picture (decode.h) and the files' names. Deterministic.
 *  A class has the files below its folder, at any depth and through symbolic links, in the order of
 *  their folders and then of their names (strcmp both), as torchvision's ImageFolder reads them.
 *  An image is cut to the target's proportions about its centre, then averaged down (area) or
 *  interpolated up (bilinear), see resize.h; transparency is laid over black. What begins with '.'
 *  is passed over, and so is what file managers and archives leave behind (folder_list.c); files
 *  beside the classes too, with a note; any other file that is no JPEG or PNG is a fault.
 *  The output's folder is made where it is missing. The images go to a temporary file beside the
 *  output, which takes its place at the end; on failure that is removed and the output as before.
 *  summary [out] also where this fails: its faults and notes. `interrupt` is asked once an image.
 *  Progress goes to the log.
 *  NAS_EINPUT, naming the place: no folder, fewer than two classes, parts of a data set where
 *  classes were expected; or faults, the text being that of the only one, or how many there are: an
 *  empty class, one whose name is not UTF-8 or no line, a folder within itself, a file that is no
 *  image, damaged, or larger than NAS_PICTURE_MAX_PIXELS, a class that is not in classes_from, or
 *  missing; more than 16 GiB of images; another process writes the output, or it is no file.
 *  NAS_EIO, NAS_ENOMEM. NAS_ESTOP: interrupted. */
nas_status_t nas_folder_convert(const nas_folder_options_t *options,
                                const nas_interrupt_t *interrupt, nas_folder_summary_t *summary,
                                nas_error_t *err);

/** Free everything; the summary is empty afterwards. */
void nas_folder_summary_fini(nas_folder_summary_t *summary);

#endif
