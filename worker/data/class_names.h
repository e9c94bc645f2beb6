/* Names of classes, where data has them: HDF5 files with a dataset `classes`, one text with a name
 * a line, as robotnas convert writes them. */
#ifndef NAS_WORKER_DATA_CLASS_NAMES_H
#define NAS_WORKER_DATA_CLASS_NAMES_H

#include "common/base/error.h"
#include "common/base/strings.h"

#include <stdbool.h>

/** Read the text of a file's classes as it stands there.  Not collective; forks (see sandbox.h).
 *  optional: to have none is no error.
 *  text_p [out] the caller's (free); NULL: the file has none.
 *  NAS_EINPUT: no file, none in it, or something else of that name. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_class_text_read(const char *path, bool optional, char **text_p, nas_error_t *err);

/** Read the names of the classes of HDF5 files; those without, or with something else of that name,
 *  say nothing.  Not collective; forks (see sandbox.h).
 *  names [in, out] those that are known already, or empty: of the first file that has any. UTF-8
 *  without control characters.
 *  NAS_EINPUT: a file has other classes than the names before it, so that equal labels would mean
 *  different things. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_class_names_read(const nas_strings_t *files, nas_strings_t *names,
                                  nas_error_t *err);

#endif
