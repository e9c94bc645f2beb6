#include "common/job/job.h"
#include "coordinator/search/methods/method.h"

#include <string.h>

/* The list: method NAME is the nas_method_NAME that its file NAME.c defines. */
#define METHODS(METHOD)                                                                            \
    METHOD(pool_gp)                                                                                \
    METHOD(robot)                                                                                  \
    METHOD(random)                                                                                 \
    METHOD(rea)                                                                                    \
    METHOD(reinforce)                                                                              \
    METHOD(single)

#define DECLARE(name) extern const nas_method_t nas_method_##name;
#define ADDRESS(name) &nas_method_##name,

METHODS(DECLARE)

static const nas_method_t *const METHOD_LIST[] = {METHODS(ADDRESS)};

enum { N_METHOD = sizeof METHOD_LIST / sizeof METHOD_LIST[0] };

const nas_method_t *nas_method_find(const char *name)
{
    for (int i = 0; i < N_METHOD; i++)
        if (strcmp(METHOD_LIST[i]->name, name) == 0) return METHOD_LIST[i];
    return NULL;
}

const nas_method_t *nas_method_of(const nas_job_t *job)
{
    return METHOD_LIST[job->search.method];
}

const nas_method_t *const *nas_method_list(int *n)
{
    *n = N_METHOD;
    return METHOD_LIST;
}
