/* The job's key `device`. What a choice is, and finding it, needs no job. */
#include "common/job/job.h"
#include "worker/engine/device/choice.h"
#include "worker/engine/host/backends.h"

nas_device_choice_t nas_device_choice_of(const nas_job_t *job)
{
    nas_device_choice_t choice = {.platform = -1, .index = -1};
    NAS_ASSERT(!job->device || nas_device_choice_parse(job->device, &choice, NULL) == NAS_OK);
    return choice;
}

/* One that leaves it open goes by the backend. */
static nas_status_t check(const nas_job_t *job, nas_error_t *err)
{
    nas_device_choice_t choice;
    nas_error_t reason = {0};
    const nas_backend_entry_t *backend = nas_backend_at((size_t)job->backend);
    if (!job->device) return NAS_OK;
    if (nas_device_choice_parse(job->device, &choice, &reason))
        return nas_job_error(job, "device", err, "%s", reason.text);
    if (choice.kind != NAS_DEVICE_GPU || backend->yields) return NAS_OK;
    return nas_job_error(
        job, "device", err,
        "backend: %s counts on the CPU, in double precision; set backend: cpu for a GPU, or device: cpu",
        backend->name);
}

static const nas_job_field_t fields[] = {
    {.key = "device",
     .type = NAS_JOB_STRING,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, device),
     .initial = "auto",
     .doc =
         "Where that is: `cpu`; `gpu`, the best kind of GPU that is there; `cuda[:N]`, `hip[:N]` or `opencl[:PLATFORM[:N]]`, one by its driver, in single precision, as `robotnas devices` numbers them; without numbers the one bound to the rank. `auto`: GPUs where any rank has one, else the CPU; resumed, as before."},
};

const nas_job_section_t nas_device_keys = {
    .fields = fields, .n_fields = sizeof fields / sizeof *fields, .check = check};
