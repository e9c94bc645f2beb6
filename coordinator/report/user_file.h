/* A file that the user names for what a command prints: replaced as a whole, or a pipe or device
 * that is written to. */
#ifndef NAS_COORDINATOR_REPORT_USER_FILE_H
#define NAS_COORDINATOR_REPORT_USER_FILE_H

#include "common/base/error.h"

#include <stdio.h>

/** A file in the making. Ends with nas_user_file_close. */
typedef struct nas_user_file {
    FILE *stream; /**< to write to */
    char *path;   /**< where a file goes, links followed; NULL: a stream alone. Owned, as tmp */
    char *tmp;    /**< where it is meanwhile */
} nas_user_file_t;

/** Begin it.  Not collective. Where a file stands at path it stays until close, and the new one
 *  gets its mode; a link is followed (nas_file_follow).
 *  path: "-" is standard output; a pipe must have a reader, so that nothing waits;
 *  file [out].
 *  NAS_EINPUT, naming path: a folder, a pipe without a reader, another non-file, a link of another
 *  user, or the state file of a run. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_user_file_open(const char *path, nas_user_file_t *file, nas_error_t *err);

/** Put it in its place where status, that of writing it, is NAS_OK; else drop it.  Not collective.
 *  Returns status, or NAS_EIO where it cannot be written. */
nas_status_t nas_user_file_close(nas_user_file_t *file, nas_status_t status, nas_error_t *err);

#endif
