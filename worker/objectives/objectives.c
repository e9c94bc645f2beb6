#include "worker/objectives/objectives.h"

#include "common/job/job.h"

#define ADDRESS(name) &nas_objective_kind_##name,

static const nas_objective_kind_t *const list[] = {NAS_OBJECTIVES(ADDRESS)};

enum { N_KINDS = sizeof list / sizeof list[0] };

const nas_objective_kind_t *nas_objective_kind_at(size_t place)
{
    return place < N_KINDS ? list[place] : NULL;
}

static const char *kind_name(size_t place)
{
    return place < N_KINDS ? list[place]->name : NULL;
}

static unsigned kind_traits(size_t place)
{
    return list[place]->traits;
}

static const nas_job_field_t fields[] = {
    {.key = "objective.kind",
     .type = NAS_JOB_ENUM,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.kind),
     .name = kind_name,
     .traits = kind_traits,
     .doc =
         "How an architecture is judged: by a column of a table, by a short training of its network on the job's images (`docs/training.md`), or by a program of the user's (`docs/command.md`)."},
};

const nas_job_section_t nas_objective_keys = {.fields = fields,
                                              .n_fields = sizeof fields / sizeof *fields};
