#include "worker/engine/backends/backends.h"

#include "common/job/job.h"

static const nas_backend_t *of_ref(nas_isa_t isa)
{
    (void)isa;
    return nas_backend_ref();
}

static const struct {
    const char *name;
    const nas_backend_t *(*of)(nas_isa_t isa);
} list[] = {
    {"ref", of_ref},
    {"cpu", nas_backend_cpu},
};

enum { N_BACKENDS = sizeof list / sizeof list[0] };

const char *nas_backend_name(size_t place)
{
    return place < N_BACKENDS ? list[place].name : NULL;
}

const nas_backend_t *nas_backend_of(nas_backend_kind_t place, nas_isa_t isa)
{
    NAS_ASSERT((size_t)place < N_BACKENDS);
    return list[place].of(isa);
}

static const nas_job_field_t fields[] = {
    {.key = "backend",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, backend),
     .initial = "cpu",
     .name = nas_backend_name,
     .doc = "What computes: `cpu` in single precision, fast, or `ref` in double precision, slow."},
};

const nas_job_section_t nas_backend_keys = {.fields = fields,
                                            .n_fields = sizeof fields / sizeof *fields};
