#include "worker/engine/host/backends.h"

#include "common/job/job.h"

#include <string.h>

static const nas_backend_t *of_ref(nas_isa_t isa)
{
    (void)isa;
    return nas_backend_ref();
}

/* The better ones last. */
static const nas_backend_entry_t list[] = {
    {"ref", NULL, false, of_ref},
    {"cpu", "oneDNN", true, nas_backend_cpu},
};

enum { N_BACKENDS = sizeof list / sizeof list[0] };

const nas_backend_entry_t *nas_backend_at(size_t place)
{
    return place < N_BACKENDS ? &list[place] : NULL;
}

const nas_backend_entry_t *nas_backend_named(const char *name)
{
    for (size_t i = 0; i < N_BACKENDS; i++)
        if (strcmp(list[i].name, name) == 0) return &list[i];
    return NULL;
}

const nas_backend_t *nas_backend_of(int64_t place, nas_isa_t isa)
{
    NAS_ASSERT(place >= 0 && place < N_BACKENDS);
    return list[place].of(isa);
}

nas_status_t nas_backend_require(int64_t place, nas_isa_t isa, const nas_backend_t **backend_p,
                                 nas_error_t *err)
{
    *backend_p = nas_backend_of(place, isa);
    if (*backend_p) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "this program was built without %s, which backend: %s needs; set backend: ref",
        list[place].needs, list[place].name);
}

static const char *name_of(size_t place)
{
    return place < N_BACKENDS ? list[place].name : NULL;
}

static const nas_job_field_t fields[] = {
    {.key = "backend",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_IMAGES,
     .condition = &nas_job_with_networks,
     .offset = offsetof(nas_job_t, backend),
     .initial = "cpu",
     .name = name_of,
     .doc = "What computes: `cpu` in single precision, fast, or `ref` in double precision, slow."},
};

const nas_job_section_t nas_backend_keys = {.fields = fields,
                                            .n_fields = sizeof fields / sizeof *fields};
