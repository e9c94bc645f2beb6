/* What the files of file.h share. */
#ifndef NAS_COMMON_IO_FILE_INTERNAL_H
#define NAS_COMMON_IO_FILE_INTERNAL_H

#include "common/io/file.h"

#include <sys/stat.h>

/** open(2) with O_CLOEXEC, again where a signal interrupts it; mode counts with O_CREAT. */
int nas_file_open_retrying(const char *path, int flags, mode_t mode);

/** The folder that holds path, as text to which a name can be added: "" or with a `/` at its end;
 *  the caller's. NULL with err set when out of memory. */
char *nas_file_folder(const char *path, nas_error_t *err);

/** Whether it is a regular file.  NAS_EINPUT, naming path and what it is. */
nas_status_t nas_file_check_regular(const char *path, const struct stat *info, nas_error_t *err);

/** Whether the link at path, of which `link` is the lstat, is one that nas_file_follow follows. */
bool nas_file_is_own_link(const char *path, const struct stat *link);

#endif
