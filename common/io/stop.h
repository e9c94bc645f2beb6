/* Requests to stop: SIGTERM, SIGUSR1, SIGINT, or a file beside the output. */
#ifndef NAS_COMMON_IO_STOP_H
#define NAS_COMMON_IO_STOP_H

#include "common/base/error.h"

#include <stdbool.h>

/** Catch the signals in this process, also those that it inherited as blocked, and let it outlive
 *  the signal for a file beyond a size limit. A second SIGINT ends it at once, for a user who
 *  insists.  Every rank, before and after MPI starts: what MPI loads may take signals for itself
 *  (PoCL's LLVM takes SIGUSR1, where hwloc looks for OpenCL). */
void nas_stop_install(void);

/** Hold SIGTERM and SIGUSR1 back until nas_stop_install is called again, so that none is lost to a
 *  library that is being loaded, and let it take them meanwhile (nas_stop_keep does nothing). Threads that start meanwhile hold them back for good and leave
 *  them to this one. SIGINT stays as it is, for a user who will not wait.  Every rank. */
void nas_stop_hold(void);

/** Catch again what a library has taken since nas_stop_install; without that call, nothing.  Not
 *  collective, a few system calls. Whatever was taken is said in the log, for a signal that came
 *  meanwhile is lost. Returns how many signals were taken. */
int nas_stop_keep(void);

/** The signal that asked this process to stop, or 0.  Not collective; costs a clock reading, and
 *  nas_stop_keep ten times a second. */
int nas_stop_signal(void);

/** Watches for OUTPUT.stop; a plain value. */
typedef struct nas_stop_file {
    char *path;   /**< owned */
    char *target; /**< owned; beside the file that a link OUTPUT leads to, else as path */
    double next_look_s;
} nas_stop_file_t;

/** Watch for output.stop, of either name where output is a link.  One rank. End with
 *  nas_stop_file_fini.
 *  NAS_EINPUT: a folder has that name, which could never be removed, or see nas_file_follow.
 *  NAS_ENOMEM. */
nas_status_t nas_stop_file_init(nas_stop_file_t *file, const char *output, nas_error_t *err);

/** Whether the file is there; looks twice a second at most, so that it may be asked at every step.
 */
bool nas_stop_file_seen(nas_stop_file_t *file);

/** Remove the file once it has been obeyed, so that the next start does not stop again. Returns
 *  whether none is left. */
bool nas_stop_file_clear(const nas_stop_file_t *file);

void nas_stop_file_fini(nas_stop_file_t *file);

#endif
