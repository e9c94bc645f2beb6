/* The job's keys about images. */
#include "common/job/job.h"
#include "worker/data/dataset.h"
#include "worker/data/format.h"

static const char *format_name(size_t place)
{
    const nas_format_t *format = nas_format_at(place);
    return format ? format->name : NULL;
}

static const nas_job_field_t fields[] = {
    {.key = "data.format",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.format),
     .name = format_name,
     .doc =
         "How the files hold images: as the binary version of CIFAR-10 or CIFAR-100, as pairs of IDX files (images, then labels; gzip or not), or as HDF5 with `images` and `labels`."},
    {.key = "data.train",
     .type = NAS_JOB_INPUT_PATHS,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.train),
     .doc = "Files of training images, in this order; at least one."},
    {.key = "data.test",
     .type = NAS_JOB_INPUT_PATHS,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.test),
     .initial = "[]",
     .doc = "Files of test images."},
    {.key = "data.classes",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.classes),
     .initial = "0",
     .most = 65536,
     .doc = "Number of classes; 0: as the format or the labels say."},
    {.key = "data.mean",
     .type = NAS_JOB_FLOATS,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.mean),
     .initial = "[]",
     .least = -1e6,
     .most = 1e6,
     .doc =
         "A number a channel, subtracted from its values, which are 0 to 1 where the files hold bytes. Empty: the mean of the training images."},
    {.key = "data.std",
     .type = NAS_JOB_FLOATS,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.std),
     .initial = "[]",
     .least = 1e-6,
     .most = 1e6,
     .doc =
         "A number a channel, by which its values are then divided. Empty: the standard deviation of the training images."},
    {.key = "data.limit",
     .type = NAS_JOB_INT,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, data.limit),
     .initial = "0",
     .most = 1e9,
     .doc = "The most images of each split, from the front; 0: all."},
};

static nas_status_t check(const nas_job_t *job, nas_error_t *err)
{
    const bool trains = job->purpose == NAS_JOB_SEARCH &&
                        nas_job_has(job, "objective.kind", NAS_OBJECTIVE_ON_IMAGES);
    if (job->metrics.source != NAS_SOURCE_COMPUTE && !trains) return NAS_OK;
    if (job->data.train.n == 0)
        return nas_job_error(job, "data.train", err, "needs at least one file, such as [a.bin]");
    if (job->data.mean.n > 0 && job->data.std.n > 0 && job->data.mean.n != job->data.std.n)
        return nas_job_error(job, "data.std", err,
                             "has %zu numbers and data.mean %zu; both hold one a channel",
                             job->data.std.n, job->data.mean.n);
    return NAS_OK;
}

const nas_job_section_t nas_data_keys = {
    .fields = fields, .n_fields = sizeof fields / sizeof *fields, .check = check};
