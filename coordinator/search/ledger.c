/* Which repeat a group works on is decided here and nowhere else: a group without one, or with one
 * that is complete, gets the lowest repeat that no group has and that is not complete, together
 * with all that is recorded of it. So a repeat that another session began is taken up by whatever
 * group comes first, and the number of groups never shows in the results: a repeat's history
 * depends on its seed alone.
 */
#include "coordinator/search/ledger.h"

#include "common/base/visited.h"
#include "coordinator/search/made.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a candidate besides. */
typedef struct pending {
    int64_t repeat;
    nas_outcome_t outcome;
    int rank;
} pending_t;

/* A repeat's candidates of the round: one after the other from `first` on, since a repeat has one
 * step a round. */
typedef struct proposed {
    int64_t first;
    nas_visited_t arch; /* number i is that of candidate first + i */
} proposed_t;

struct nas_ledger {
    nas_state_t *state;
    nas_objective_t *objective;
    const nas_names_t *names;
    const nas_shared_table_t *table;
    nas_candidate_t *candidate; /* [n_candidates] of the round */
    pending_t *pending;         /* likewise */
    int64_t n_candidates, candidate_capacity;
    proposed_t *proposed; /* [n_repeat] */
    int64_t n_groups;
    int64_t *repeat_of;  /* [n_groups], -1: none */
    int64_t next_repeat; /* all below are complete or a group's */
    int64_t n_evaluated, n_complete;
    int64_t n_observed;
    int64_t n_explored;   /* observations of other phases than EXPLOIT */
    int64_t n_found;      /* evaluations of it */
    nas_result_t *result; /* of the reply being made */
    int64_t n_result_max;
    nas_made_t known;    /* of this run, before its failures were retried */
    nas_made_t reusable; /* of another */
    int64_t n_reused;
};

/* -------------------------------------------------------------------- evaluations made before */

/* This run's own, or another's. */
static const nas_evaluation_t *find_made(const nas_ledger_t *ledger, const char *name,
                                         uint64_t seed, bool *known)
{
    const nas_evaluation_t *own = nas_made_find(&ledger->known, name, seed);
    *known = own != NULL;
    return own ? own : nas_made_find(&ledger->reusable, name, seed);
}

/* All that its making found out. The objective is the same, and so are columns and epochs. */
static void take_over(nas_ledger_t *ledger, const nas_evaluation_t *found, bool known,
                      nas_evaluation_t *evaluation)
{
    memcpy(evaluation->value, found->value, sizeof evaluation->value);
    evaluation->cost = found->cost;
    evaluation->status = found->status;
    evaluation->columns = found->columns;
    evaluation->reason = found->reason;
    evaluation->curve = found->curve;
    evaluation->rank = known ? found->rank : 0;
    evaluation->reused = known ? found->reused : true;
    ledger->n_reused += evaluation->reused;
}

/* ------------------------------------------------------------------------------------ counting */

static void count_evaluation(nas_ledger_t *ledger, nas_phase_t phase)
{
    ledger->n_evaluated++;
    ledger->n_found += phase != NAS_PHASE_EXPLOIT;
}

static void count_observation(nas_ledger_t *ledger, nas_phase_t phase)
{
    ledger->n_observed++;
    ledger->n_explored += phase != NAS_PHASE_EXPLOIT;
}

static void count_recorded(nas_ledger_t *ledger, const nas_repeat_t *repeat)
{
    ledger->n_complete += repeat->complete;
    for (int64_t i = 0; i < repeat->n_evaluation; i++)
        count_evaluation(ledger, (nas_phase_t)repeat->evaluation[i].phase);
    for (int64_t i = 0; i < repeat->n_observation; i++)
        count_observation(ledger, (nas_phase_t)repeat->observation[i].phase);
}

/* ------------------------------------------------------------------------------ life and death */

nas_status_t nas_ledger_create(const nas_ledger_options_t *options, nas_ledger_t **ledger_p,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    NAS_ASSERT(options->n_weight == (int64_t)nas_state_weights(options->state));
    nas_ledger_t *ledger = calloc(1, sizeof *ledger);
    if (!ledger) return nas_error_nomem(err, "the ledger");
    const size_t n_repeat = (size_t)options->state->n_repeat;
    *ledger =
        (nas_ledger_t){.state = options->state,
                       .objective = options->objective,
                       .names = options->names,
                       .table = options->table,
                       .proposed = calloc(n_repeat + 1, sizeof *ledger->proposed),
                       .n_groups = options->n_groups,
                       .repeat_of = calloc((size_t)options->n_groups, sizeof *ledger->repeat_of)};
    if (!ledger->repeat_of || !ledger->proposed) status = nas_error_nomem(err, "the ledger");
    if (!status) status = nas_made_init(&ledger->known, options->state, false, err);
    if (!status && options->reuse)
        status = nas_made_init(&ledger->reusable, options->reuse, true, err);
    if (status) {
        nas_ledger_destroy(ledger);
        return status;
    }
    for (int64_t g = 0; g < ledger->n_groups; g++) ledger->repeat_of[g] = -1;
    for (size_t r = 0; r < n_repeat; r++) count_recorded(ledger, &options->state->repeat[r]);
    *ledger_p = ledger;
    return NAS_OK;
}

void nas_ledger_destroy(nas_ledger_t *ledger)
{
    if (!ledger) return;
    nas_ledger_begin_round(ledger);
    for (int64_t r = 0; ledger->proposed && r < ledger->state->n_repeat; r++)
        nas_visited_fini(&ledger->proposed[r].arch);
    free(ledger->proposed);
    free(ledger->candidate);
    free(ledger->pending);
    free(ledger->repeat_of);
    free(ledger->result);
    nas_made_fini(&ledger->known);
    nas_made_fini(&ledger->reusable);
    free(ledger);
}

/* ---------------------------------------------------------------------------------- candidates */

void nas_ledger_begin_round(nas_ledger_t *ledger)
{
    for (int64_t i = 0; i < ledger->n_candidates; i++) {
        nas_outcome_fini(&ledger->pending[i].outcome);
        nas_visited_clear(&ledger->proposed[ledger->pending[i].repeat].arch);
    }
    ledger->n_candidates = 0;
}

static pending_t *find_pending(const nas_ledger_t *ledger, int64_t repeat, int64_t arch)
{
    const proposed_t *proposed = &ledger->proposed[repeat];
    const int64_t i = nas_visited_find(&proposed->arch, arch);
    return i < 0 ? NULL : &ledger->pending[proposed->first + i];
}

static nas_status_t reserve_candidate(nas_ledger_t *ledger, int64_t repeat, nas_error_t *err)
{
    nas_visited_t *proposed = &ledger->proposed[repeat].arch;
    const nas_status_t status = nas_visited_reserve(proposed, proposed->n + 1, err);
    if (status) return status;
    if (ledger->n_candidates < ledger->candidate_capacity) return NAS_OK;
    const size_t capacity = 2 * (size_t)ledger->candidate_capacity + 8;
    nas_candidate_t *candidate = realloc(ledger->candidate, capacity * sizeof *candidate);
    if (candidate) ledger->candidate = candidate;
    pending_t *pending = realloc(ledger->pending, capacity * sizeof *pending);
    if (pending) ledger->pending = pending;
    if (!candidate || !pending) return nas_error_nomem(err, "candidates");
    ledger->candidate_capacity = (int64_t)capacity;
    return NAS_OK;
}

static const char *name_of(const nas_ledger_t *ledger, int64_t arch)
{
    return ledger->names ? nas_names_at(ledger->names, arch)
                         : nas_shared_table_row(ledger->table, arch)->name;
}

nas_status_t nas_ledger_collect(nas_ledger_t *ledger, const nas_step_t *step, nas_error_t *err)
{
    if (step->repeat < 0) return NAS_OK;
    const nas_repeat_t *repeat = &ledger->state->repeat[step->repeat];
    for (int64_t i = 0; i < step->proposed.n; i++) {
        const int64_t arch = step->proposed.arch[i];
        const char *name = name_of(ledger, arch);
        bool known = false;
        if (nas_repeat_find(repeat, arch) || find_pending(ledger, step->repeat, arch) ||
            find_made(ledger, name, repeat->seed, &known))
            continue;
        const nas_status_t status = reserve_candidate(ledger, step->repeat, err);
        if (status) return status;
        proposed_t *proposed = &ledger->proposed[step->repeat];
        if (proposed->arch.n == 0) proposed->first = ledger->n_candidates;
        (void)nas_visited_add(&proposed->arch, arch);
        ledger->candidate[ledger->n_candidates] =
            (nas_candidate_t){.arch = arch, .seed = repeat->seed, .name = name};
        ledger->pending[ledger->n_candidates++] = (pending_t){.repeat = step->repeat};
    }
    return NAS_OK;
}

const nas_candidate_t *nas_ledger_candidates(const nas_ledger_t *ledger, int64_t *n)
{
    *n = ledger->n_candidates;
    return ledger->candidate;
}

void nas_ledger_evaluated(nas_ledger_t *ledger, int64_t index, const nas_outcome_t *outcome,
                          int rank)
{
    NAS_ASSERT(index >= 0 && index < ledger->n_candidates);
    nas_outcome_fini(&ledger->pending[index].outcome);
    ledger->pending[index].outcome = *outcome;
    ledger->pending[index].rank = rank;
}

/* ----------------------------------------------------------------------------------- recording */

static nas_status_t reserve_results(nas_ledger_t *ledger, int64_t n, nas_error_t *err)
{
    if (n <= ledger->n_result_max) return NAS_OK;
    nas_result_t *result = realloc(ledger->result, (size_t)n * sizeof *result);
    if (!result) return nas_error_nomem(err, "results");
    ledger->result = result;
    ledger->n_result_max = n;
    return NAS_OK;
}

static nas_result_t result_of(const nas_ledger_t *ledger, const nas_evaluation_t *evaluation,
                              nas_phase_t phase)
{
    return (nas_result_t){.arch = evaluation->arch,
                          .target = ledger->state->minimise ? -evaluation->value[0]
                                                            : evaluation->value[0],
                          .failed = evaluation->status != NAS_EVAL_OK,
                          .phase = phase};
}

/* Arrays stay the outcome's; the state copies what it keeps. */
static void take_outcome(const nas_outcome_t *outcome, nas_evaluation_t *evaluation)
{
    memcpy(evaluation->value, outcome->value, sizeof evaluation->value);
    evaluation->cost = outcome->cost;
    evaluation->status = (int32_t)outcome->status;
    evaluation->columns = outcome->columns;
    evaluation->curve = outcome->curve;
    evaluation->reason = *outcome->reason ? (char *)(uintptr_t)outcome->reason : NULL;
}

/* Of an architecture that was evaluated in this round. */
static void take_pending(const nas_ledger_t *ledger, int64_t r, nas_evaluation_t *evaluation)
{
    const pending_t *pending = find_pending(ledger, r, evaluation->arch);
    NAS_ASSERT(pending);
    take_outcome(&pending->outcome, evaluation);
    evaluation->rank = pending->rank;
}

/* The evaluation of an architecture in this repeat: recorded, taken over, looked up, or made. */
static nas_status_t evaluate(nas_ledger_t *ledger, int64_t r, int64_t arch, nas_phase_t phase,
                             nas_error_t *err)
{
    const nas_repeat_t *repeat = &ledger->state->repeat[r];
    if (nas_repeat_find(repeat, arch)) return NAS_OK;
    NAS_ASSERT(repeat->n_evaluation < ledger->state->budget);
    const char *name = name_of(ledger, arch);
    bool known = false;
    const nas_evaluation_t *found = find_made(ledger, name, repeat->seed, &known);
    nas_evaluation_t evaluation = {.arch = arch, .name = (char *)(uintptr_t)name};
    nas_outcome_t looked_up;
    if (ledger->objective) {
        nas_objective_look_up(ledger->objective, arch, &looked_up, &evaluation.pool_rank);
        take_outcome(&looked_up, &evaluation);
    }
    if (found)
        take_over(ledger, found, known, &evaluation);
    else if (!ledger->objective)
        take_pending(ledger, r, &evaluation);
    evaluation.seed = repeat->seed;
    evaluation.phase = (int32_t)phase;
    const nas_status_t status = nas_state_add_evaluation(ledger->state, r, &evaluation, err);
    if (!status) count_evaluation(ledger, phase);
    return status;
}

static nas_status_t record_proposals(nas_ledger_t *ledger, const nas_step_t *step,
                                     nas_reply_t *reply, nas_error_t *err)
{
    const nas_proposals_t *p = &step->proposed;
    const int64_t r = step->repeat, n_weight = (int64_t)nas_state_weights(ledger->state);
    nas_status_t status = reserve_results(ledger, p->n, err);
    for (int64_t i = 0; !status && i < p->n; i++) {
        const nas_observation_t observation = {.arch = p->arch[i], .phase = (int32_t)p->phase[i]};
        const double *weights = n_weight > 0 ? p->weights + i * n_weight : NULL;
        status = evaluate(ledger, r, p->arch[i], (nas_phase_t)p->phase[i], err);
        if (!status)
            status = nas_state_add_observation(ledger->state, r, observation, weights, err);
        if (status) break;
        count_observation(ledger, (nas_phase_t)p->phase[i]);
        ledger->result[i] =
            result_of(ledger, nas_repeat_find(&ledger->state->repeat[r], p->arch[i]),
                      (nas_phase_t)p->phase[i]);
    }
    reply->kind = NAS_REPLY_RESULTS;
    reply->n = p->n;
    reply->result = ledger->result;
    return status;
}

/* What a repeat has learned. The T best under the best weights tell how good these are. */
static nas_status_t record_learned(nas_ledger_t *ledger, const nas_step_t *step, nas_error_t *err)
{
    const nas_proposals_t *p = &step->proposed;
    if (!p->has_learned) return NAS_OK;
    nas_repeat_t *repeat = &ledger->state->repeat[step->repeat];
    const size_t n_bytes = ledger->state->metrics.n * sizeof *repeat->best_weights;
    if (!repeat->best_weights)
        repeat->best_weights = malloc(n_bytes + 1); /* there may be no metrics */
    if (!repeat->best_weights) return nas_error_nomem(err, "weights");
    memcpy(repeat->best_weights, p->best_weights, n_bytes);
    repeat->posterior_mean = p->posterior_mean;
    repeat->posterior_std = p->posterior_std;
    if (ledger->objective && p->n_frontier > 0) /* else nobody knows the best */
        repeat->precision_at_t =
            nas_objective_precision(ledger->objective, p->frontier, p->n_frontier);
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------ schedule */

/* The lowest repeat that no group has and that is not complete, or n_repeat. A group keeps its
 * repeat until it is complete, so that nothing below is ever free again. */
static int64_t take_repeat(nas_ledger_t *ledger)
{
    const nas_state_t *state = ledger->state;
    while (ledger->next_repeat < state->n_repeat && state->repeat[ledger->next_repeat].complete)
        ledger->next_repeat++;
    return ledger->next_repeat < state->n_repeat ? ledger->next_repeat++ : state->n_repeat;
}

/* Give the group the next repeat, with what is recorded of it. */
static nas_status_t assign_repeat(nas_ledger_t *ledger, int64_t group, nas_reply_t *reply,
                                  nas_error_t *err)
{
    const int64_t r = take_repeat(ledger);
    const int64_t n_weight = (int64_t)nas_state_weights(ledger->state);
    ledger->repeat_of[group] = -1;
    reply->kind = NAS_REPLY_IDLE;
    if (r == ledger->state->n_repeat) return NAS_OK;
    const nas_repeat_t *repeat = &ledger->state->repeat[r];
    const nas_status_t status = reserve_results(ledger, repeat->n_observation, err);
    if (status) return status;
    for (int64_t i = 0; i < repeat->n_observation; i++) {
        const nas_observation_t *observation = &repeat->observation[i];
        ledger->result[i] = result_of(ledger, nas_repeat_find(repeat, observation->arch),
                                      (nas_phase_t)observation->phase);
        ledger->result[i].weights = repeat->weights + i * n_weight;
    }
    ledger->repeat_of[group] = r;
    *reply = (nas_reply_t){.kind = NAS_REPLY_START,
                           .repeat = r,
                           .seed = repeat->seed,
                           .n = repeat->n_observation,
                           .result = ledger->result};
    return NAS_OK;
}

nas_status_t nas_ledger_record(nas_ledger_t *ledger, int64_t group, const nas_step_t *step,
                               nas_reply_t *reply, nas_error_t *err)
{
    *reply = (nas_reply_t){0};
    NAS_ASSERT(step->repeat == ledger->repeat_of[group]);
    if (step->repeat < 0) return assign_repeat(ledger, group, reply, err);
    const nas_status_t status = record_learned(ledger, step, err);
    if (status) return status;
    if (!step->done) return record_proposals(ledger, step, reply, err);
    ledger->state->repeat[step->repeat].complete = true;
    ledger->n_complete++;
    return assign_repeat(ledger, group, reply, err);
}

int64_t nas_ledger_observed(const nas_ledger_t *ledger)
{
    return ledger->n_observed;
}

double nas_ledger_observed_share(const nas_ledger_t *ledger)
{
    const double total = (double)ledger->state->budget * (double)ledger->state->n_repeat;
    const double explored = (double)ledger->n_explored, found = (double)ledger->n_found;
    const double rate = explored > 0 ? found / explored : 1.0;
    const double exploiting = total - found - rate * (total - explored);
    const double expected = total + (exploiting > 0 ? exploiting : 0);
    return expected > (double)ledger->n_observed ? (double)ledger->n_observed / expected : 1.0;
}

bool nas_ledger_complete(const nas_ledger_t *ledger)
{
    return ledger->n_complete == ledger->state->n_repeat;
}

int64_t nas_ledger_repeats_complete(const nas_ledger_t *ledger)
{
    return ledger->n_complete;
}

int64_t nas_ledger_count(const nas_ledger_t *ledger)
{
    return ledger->n_evaluated;
}

int64_t nas_ledger_reused(const nas_ledger_t *ledger)
{
    return ledger->n_reused;
}
