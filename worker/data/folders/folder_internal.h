/* What is read and what is written: the two sides of folder.c. */
#ifndef NAS_WORKER_DATA_FOLDERS_FOLDER_INTERNAL_H
#define NAS_WORKER_DATA_FOLDERS_FOLDER_INTERNAL_H

#include "common/base/strings.h"
#include "common/io/file.h"
#include "worker/data/folders/folder.h"
#include "worker/data/images.h"

/** The classes of a folder and their files. Zero-initialise; end with nas_folder_list_fini. */
typedef struct nas_folder_list {
    nas_strings_t classes; /**< names, in order */
    nas_strings_t files;   /**< paths, class after class */
    int32_t *labels;       /**< [files.n] */
} nas_folder_list_t;

/** What a folder has, in no order. Zero-initialise. */
typedef struct nas_folder_contents {
    nas_strings_t folders; /**< paths, those that links lead to included */
    nas_strings_t files;   /**< all else */
} nas_folder_contents_t;

/** The error of a call that has failed for a folder, or for an entry of one, by errno.
 *  NAS_EINPUT. */
nas_status_t nas_folder_unreadable(const char *path, nas_error_t *err);

/** Look into a folder.  Not collective. What is to be passed over is left out.
 *  contents [out]; the caller's, ended by nas_folder_contents_fini. faults [in, out] entries that
 *  lead nowhere.
 *  NAS_EINPUT: it cannot be read. NAS_ENOMEM. */
nas_status_t nas_folder_look(const char *path, nas_folder_contents_t *contents,
                             nas_folder_faults_t *faults, nas_error_t *err);

void nas_folder_contents_fini(nas_folder_contents_t *contents);

/** Find them.  Not collective. Nothing is opened but folders.
 *  list [out]; the caller's. summary [in, out]: notes and faults, which are an empty class or one
 *  whose name is no line of UTF-8, a folder within itself, and what cannot be read.
 *  NAS_EINPUT, naming the place: no folder, fewer than two classes, too many, parts in place of
 *  classes. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_folder_list(const nas_folder_options_t *options, nas_folder_list_t *list,
                             nas_folder_summary_t *summary, nas_error_t *err);

void nas_folder_list_fini(nas_folder_list_t *list);

/** Whether the folders in one can be its classes.  Not collective.
 *  contents [in] of options->folder, sorted.
 *  NAS_EINPUT: fewer than two, too many; or they are named as the parts of a data set are (train,
 *  val, test, ...), with what to run instead. NAS_ENOMEM. */
nas_status_t nas_folder_check_classes(const nas_folder_options_t *options,
                                      const nas_folder_contents_t *contents, nas_error_t *err);

/** Note what may not be meant: names that differ in case alone, classes that are made of the same
 *  folders, files beside the classes.  Not collective.
 *  contents [in] of the whole folder, two folders or more. NAS_ENOMEM. */
nas_status_t nas_folder_note(const nas_folder_contents_t *contents, const nas_strings_t *classes,
                             nas_strings_t *notes, nas_error_t *err);

/** The names of the classes, one a line; the caller's (free). NULL with err set. */
char *nas_folder_class_text(const nas_strings_t *classes, nas_error_t *err);

/** Compare with the classes of options->classes_from.  Not collective; forks.
 *  classes [in] of nas_folder_class_text; faults [in, out] every class that only one of them has.
 *  NAS_EINPUT: that file has no classes, or cannot be read. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_folder_compare_classes(const nas_folder_options_t *options, const char *classes,
                                        nas_folder_faults_t *faults, nas_error_t *err);

/** Make a fault of what was found wrong, so that the rest is looked at too.  Not collective.
 *  status and reason [in] of what failed; returns NAS_OK for NAS_OK and NAS_EINPUT, whose text is
 *  kept with all that is no UTF-8 escaped, and anything else as it is with its text in err. */
nas_status_t nas_folder_absorb(nas_folder_faults_t *faults, nas_status_t status,
                               const nas_error_t *reason, nas_error_t *err);

/** A file of images in the making. Zero-initialise; ends with finish or drop. */
typedef struct nas_folder_file {
    char *path;       /**< where the file goes in the end, links followed */
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
 *  file [out]; the caller's.
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
