/* Reading a job, and what holds of one that was read. */
#ifndef NAS_TESTS_FUZZ_JOB_CHECK_H
#define NAS_TESTS_FUZZ_JOB_CHECK_H

#include "common/job/job.h"

/** Read a job, which may be refused. What was read, printed, is read elsewhere as the same job,
 *  with the same text and the same hashes. */
void fuzz_try_job(const nas_job_source_t *source);

#endif
