/* What is read and what is written: the two sides of folder.c. */
#ifndef NAS_WORKER_DATA_FOLDER_INTERNAL_H
#define NAS_WORKER_DATA_FOLDER_INTERNAL_H

#include "common/file.h"
#include "common/strings.h"
#include "worker/data/images.h"

/** The classes of a folder and their files. Zero-initialise; end with nas_folder_list_fini. */
typedef struct nas_folder_list {
    nas_strings_t classes; /**< names, in order */
    nas_strings_t files;   /**< paths, class after class */
    int32_t *labels;       /**< [files.n] */
} nas_folder_list_t;

/** Find them.  Not collective. Nothing is opened but folders.
 *  list [out]; the caller's.
 *  NAS_EINPUT, naming the place: no folder, fewer than two classes, too many, one that is empty or
 *  has a name that is no line of text, a folder within itself. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_folder_list(const char *folder, nas_folder_list_t *list, nas_error_t *err);

/** The names of the classes, one a line; the caller's (free). NULL with err set. */
char *nas_folder_class_text(const nas_strings_t *classes, nas_error_t *err);

void nas_folder_list_fini(nas_folder_list_t *list);

/** A file of images in the making. Zero-initialise; ends with finish or drop. */
typedef struct nas_folder_file {
    const char *path; /**< borrowed; where the file goes in the end */
    char *tmp;        /**< where it is meanwhile */
    nas_lock_t *lock; /**< of path */
    int fd;           /**< of tmp, at the next image; where tmp is set */
} nas_folder_file_t;

/** What is known before the first image. Borrowed. */
typedef struct nas_folder_layout {
    const nas_images_t *shape; /**< n, c, h, w; uint8 */
    const int32_t *labels;     /**< [n] */
    const char *classes;       /**< names, one a line */
} nas_folder_layout_t;

/** Make the file with all but its images.  Not collective.
 *  file [out]; the caller's. path is borrowed until it ends.
 *  NAS_EINPUT: path is in use by another process, or no file. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_folder_file_begin(const char *path, const nas_folder_layout_t *layout,
                                   nas_folder_file_t *file, nas_error_t *err);

/** Append an image. NAS_EIO. */
nas_status_t nas_folder_file_add(nas_folder_file_t *file, const uint8_t *values, size_t n_values,
                                 nas_error_t *err);

/** Put the file in its place, whole and on disk. NAS_EIO. */
nas_status_t nas_folder_file_finish(nas_folder_file_t *file, nas_error_t *err);

/** Let go, and remove what was not finished. Accepts one that was not begun. */
void nas_folder_file_drop(nas_folder_file_t *file);

#endif
