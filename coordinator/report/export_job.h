/* A resolved job without the paths of the machine that it ran on. */
#ifndef NAS_COORDINATOR_REPORT_EXPORT_JOB_H
#define NAS_COORDINATOR_REPORT_EXPORT_JOB_H

#include "common/base/error.h"

/** Copy of the text of nas_job_print in which every absolute path is cut to its last part, also one
 *  within an argument ("--data=/home/me/images" becomes "--data=images").  Not collective.
 *  The caller's (free), or NULL with err set. */
char *nas_export_job(const char *text, nas_error_t *err);

#endif
