/* The folder that a trainer may fill. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_WORK_FOLDER_H
#define NAS_WORKER_OBJECTIVES_COMMAND_WORK_FOLDER_H

#include "common/base/error.h"

#include <stdbool.h>

/** Make an empty folder that only this user may enter, in place of one that is there already.
 *  Not collective.
 *  keep: leave a folder of this user's as it is, with what is in it.
 *  NAS_EIO, naming path: it cannot be made, or what is there cannot be removed. */
nas_status_t nas_work_folder_make(const char *path, bool keep, nas_error_t *err);

/** Remove a folder and all that is in it, at any depth and whatever its permissions; links are
 *  removed, never followed. Fine where nothing is at path.  Not collective; nothing else may change
 *  it meanwhile. NAS_EIO, naming path. */
nas_status_t nas_work_folder_remove(const char *path, nas_error_t *err);

#endif
