#include "worker/candidates/candidate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void nas_outcome_fail(nas_outcome_t *outcome, const char *format, ...)
{
    va_list args;
    outcome->status = NAS_EVAL_FAILED;
    for (int g = 0; g < NAS_MAX_GOALS; g++) outcome->value[g] = NAN;
    outcome->cost = NAN;
    va_start(args, format);
    (void)vsnprintf(outcome->reason, sizeof outcome->reason, format, args);
    va_end(args);
    for (char *c = outcome->reason; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) *c = '?';
}

void nas_outcome_fini(nas_outcome_t *outcome)
{
    free(outcome->columns);
    free(outcome->curve);
    *outcome = (nas_outcome_t){0};
}
