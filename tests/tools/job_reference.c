/* Prints the reference page of the job file: `job_reference > docs/job-file.md` after a change of
 * its fields. */
#include "common/job/job.h"
#include "coordinator/registries/registries.h"

int main(void)
{
    nas_job_write_reference(nas_registries_job(), stdout);
    return fflush(stdout) ? 1 : 0;
}
