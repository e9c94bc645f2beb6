#include "worker/objectives/objectives.h"

#include <string.h>

#define ADDRESS(name) &nas_objective_kind_##name,

static const nas_objective_kind_t *const list[] = {NAS_OBJECTIVES(ADDRESS)};

enum { N_KINDS = sizeof list / sizeof list[0] };

const nas_objective_kind_t *nas_objective_kind_at(size_t place)
{
    return place < N_KINDS ? list[place] : NULL;
}

const nas_objective_kind_t *nas_objective_of(const nas_job_t *job)
{
    return list[job->objective.kind];
}

bool nas_objective_has(const nas_job_t *job, unsigned trait)
{
    return nas_objective_of(job)->traits & trait;
}

nas_status_t nas_objective_check(const nas_objective_inputs_t *inputs, nas_error_t *err)
{
    const nas_objective_kind_t *kind = nas_objective_of(inputs->job);
    return kind->check ? kind->check(inputs, err) : NAS_OK;
}

nas_status_t nas_objective_note(const nas_objective_inputs_t *inputs, nas_strings_t *notes,
                                nas_error_t *err)
{
    const nas_objective_kind_t *kind = nas_objective_of(inputs->job);
    return kind->note ? kind->note(inputs, notes, err) : NAS_OK;
}

nas_status_t nas_objective_columns(const nas_objective_inputs_t *inputs, nas_strings_t *names,
                                   nas_error_t *err)
{
    const nas_objective_kind_t *kind = nas_objective_of(inputs->job);
    const nas_strings_t *report = &inputs->job->objective.report;
    nas_status_t status = NAS_OK;
    if (kind->columns) return kind->columns(inputs, names, err);
    for (size_t i = 0; !status && i < report->n; i++)
        status = nas_strings_add(names, report->at[i], strlen(report->at[i]), err);
    return status;
}

int64_t nas_objective_epochs(const nas_job_t *job)
{
    const nas_objective_kind_t *kind = nas_objective_of(job);
    return kind->n_epochs ? kind->n_epochs(job) : 0;
}

int64_t nas_objective_team_size(const nas_job_t *job)
{
    const nas_objective_kind_t *kind = nas_objective_of(job);
    return kind->team_size ? kind->team_size(job) : 1;
}

nas_status_t nas_objective_needs(const nas_objective_inputs_t *inputs, const nas_pool_t *pool,
                                 nas_objective_needs_t *needs, nas_error_t *err)
{
    const nas_objective_kind_t *kind = nas_objective_of(inputs->job);
    *needs = (nas_objective_needs_t){0};
    return kind->needs ? kind->needs(inputs, pool, needs, err) : NAS_OK;
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
         "How an architecture is evaluated: by a column of a table, by a short training of its network on the job's images (`docs/training.md`), or by a program of the user's (`docs/command.md`)."},
};

const nas_job_section_t nas_objective_keys = {.fields = fields,
                                              .n_fields = sizeof fields / sizeof *fields};
