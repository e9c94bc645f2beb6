/* The state of a run: filled once by the job, then extended by the coordinator, a row at a time.
 *
 * Of a repeat there are observations, the points that its method looked at, in the order in which
 * it is told them again after a restart, and evaluations, each architecture once, of which it looks
 * at some again and again. A retry of failures turns evaluations into known results and empties the
 * repeats: whatever is then asked for is found there, or evaluated.
 *
 * Lists grow by doubling, so that adding costs the same however many there are. What is added is
 * copied, and nothing is taken away again but by a retry. An addition that fails leaves the state
 * as it was.
 */
#include "common/state/state.h"

#include "common/base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

/* array with room for one more than n entries of `size` bytes, or NULL when out of memory. */
static void *with_room(void *array, int64_t *capacity, int64_t n, size_t size)
{
    if (n < *capacity) return array;
    const int64_t wanted = *capacity > 0 ? 2 * *capacity : FIRST_CAPACITY;
    void *larger = realloc(array, (size_t)wanted * size);
    if (larger) *capacity = wanted;
    return larger;
}

static void evaluation_fini(nas_evaluation_t *evaluation)
{
    free(evaluation->name);
    free(evaluation->columns);
    free(evaluation->reason);
    free(evaluation->curve);
}

static void free_repeat(nas_repeat_t *repeat)
{
    for (int64_t i = 0; i < repeat->n_evaluation; i++) evaluation_fini(&repeat->evaluation[i]);
    for (int64_t i = 0; i < repeat->n_known; i++) evaluation_fini(&repeat->known[i]);
    free(repeat->evaluation);
    free(repeat->known);
    nas_arch_index_fini(&repeat->evaluated);
    free(repeat->observation);
    free(repeat->weights);
    free(repeat->best_weights);
}

static void free_scores(nas_scores_t *scores)
{
    free(scores->arch_text);
    free(scores->value);
    free(scores->status);
    free(scores->seconds);
    free(scores->rank);
}

void nas_state_fini(nas_state_t *state)
{
    for (int64_t i = 0; i < state->n_repeat; i++) free_repeat(&state->repeat[i]);
    for (int64_t i = 0; i < state->n_event; i++) free(state->event[i].text);
    free(state->repeat);
    free(state->event);
    free_scores(&state->scores);
    nas_strings_fini(&state->metrics);
    free(state->metric_is_constant);
    nas_strings_fini(&state->report_columns);
    nas_strings_fini(&state->class_names);
    nas_strings_fini(&state->reused_from);
    free(state->job_name);
    free(state->job_text);
    free(state->method);
    free(state->table_path);
    free(state->program_version);
    free(state->commit);
    free(state->host);
    free(state->isa);
    free(state->blas);
    free(state->device);
    *state = (nas_state_t){0};
}

const char *nas_phase_name(int32_t phase)
{
    static const char *const names[NAS_N_PHASES] = {"explore", "exploit", "start", "improvement",
                                                    "hedge"};
    return phase >= 0 && phase < NAS_N_PHASES ? names[phase] : NULL;
}

bool nas_phase_is_reason(int32_t phase)
{
    return phase == NAS_PHASE_START || phase == NAS_PHASE_IMPROVEMENT || phase == NAS_PHASE_HEDGE;
}

nas_status_t nas_state_identity(const nas_state_t *state, nas_digest_t *run, nas_error_t *err)
{
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, state->objective_hash.byte, sizeof state->objective_hash.byte);
    nas_hasher_update(hasher, &state->created_s, sizeof state->created_s);
    *run = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

nas_status_t nas_state_make_repeats(nas_state_t *state, int64_t n, uint64_t seed, nas_error_t *err)
{
    NAS_ASSERT(n >= 0 && !state->repeat);
    state->repeat = calloc((size_t)n + 1, sizeof *state->repeat);
    if (!state->repeat) return nas_error_nomem(err, "the repeats");
    state->n_repeat = n;
    for (int64_t r = 0; r < n; r++) {
        state->repeat[r].seed = seed + (uint64_t)r;
        state->repeat[r].precision_at_t = (double)NAN;
        state->repeat[r].posterior_mean = (double)NAN;
        state->repeat[r].posterior_std = (double)NAN;
    }
    return NAS_OK;
}

nas_status_t nas_state_make_scores(nas_state_t *state, const nas_name_source_t *arch,
                                   nas_error_t *err)
{
    nas_scores_t *scores = &state->scores;
    const size_t rows = (size_t)arch->n, n_values = rows * state->metrics.n;
    NAS_ASSERT(arch->n >= 0 && !scores->value);
    scores->value = malloc((n_values + 1) * sizeof *scores->value);
    scores->status = calloc(rows + 1, sizeof *scores->status);
    scores->seconds = calloc(rows + 1, sizeof *scores->seconds);
    scores->rank = malloc((rows + 1) * sizeof *scores->rank);
    if (!scores->value || !scores->status || !scores->seconds || !scores->rank)
        return nas_error_nomem(err, "the scores");
    scores->n = arch->n;
    scores->arch = *arch;
    for (size_t i = 0; i < n_values; i++) scores->value[i] = (double)NAN;
    for (size_t i = 0; i < rows; i++) scores->rank[i] = -1;
    return NAS_OK;
}

void nas_scores_set(nas_scores_t *scores, int64_t i, nas_score_status_t status, double seconds,
                    int rank)
{
    scores->n_done += (status != NAS_SCORE_PENDING) - (scores->status[i] != NAS_SCORE_PENDING);
    scores->status[i] = (uint8_t)status;
    scores->seconds[i] = (float)seconds;
    scores->rank[i] = rank;
}

int64_t nas_scores_count(const nas_scores_t *scores, nas_score_status_t status)
{
    int64_t n = 0;
    for (int64_t i = 0; i < scores->n; i++) n += scores->status[i] == (uint8_t)status;
    return n;
}

static bool is_searched(const nas_state_t *state)
{
    for (int64_t r = 0; r < state->n_repeat; r++)
        if (state->repeat[r].n_observation > 0) return true;
    return false;
}

int64_t nas_state_retry_unfit(nas_state_t *state)
{
    nas_scores_t *scores = &state->scores;
    int64_t n = 0;
    if (is_searched(state)) return 0;
    for (int64_t i = 0; i < scores->n; i++) {
        if (scores->status[i] != NAS_SCORE_UNFIT) continue;
        nas_scores_set(scores, i, NAS_SCORE_PENDING, 0, -1);
        n++;
    }
    return n;
}

void nas_scores_name(nas_scores_t *scores, const nas_name_source_t *arch)
{
    if (scores->n != arch->n) return;
    free(scores->arch_text);
    scores->arch_text = NULL;
    scores->arch = *arch;
}

nas_status_t nas_state_add_event(nas_state_t *state, nas_error_t *err, const char *format, ...)
{
    nas_error_t line = {0}; /* cuts a long text and keeps it to one line, as errors are */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line.text, sizeof line.text, format, args);
    va_end(args);
    (void)nas_error_set(&line, NAS_OK, "%s", line.text);
    nas_event_t *event =
        with_room(state->event, &state->event_capacity, state->n_event, sizeof *event);
    if (!event) return nas_error_nomem(err, "an event");
    state->event = event;
    char *text = nas_string_copy(line.text, err);
    if (!text) return NAS_ENOMEM;
    event[state->n_event++] = (nas_event_t){.time_s = nas_clock_unix_s(), .text = text};
    return NAS_OK;
}

/* A copy of n numbers; NULL where memory is out. */
static double *copy_numbers(const double *from, size_t n)
{
    double *to = malloc((n + 1) * sizeof *to);
    if (to && n > 0) memcpy(to, from, n * sizeof *to);
    return to;
}

static nas_status_t copy_evaluation(const nas_state_t *state, const nas_evaluation_t *evaluation,
                                    nas_evaluation_t *copy, nas_error_t *err)
{
    const size_t n_curve = (size_t)state->n_epochs * NAS_CURVE_COLUMNS;
    const bool has_curve = evaluation->curve && n_curve > 0;
    *copy = *evaluation;
    copy->name = nas_string_copy(evaluation->name, err);
    copy->columns = copy_numbers(evaluation->columns, state->report_columns.n);
    copy->reason = evaluation->reason ? nas_string_copy(evaluation->reason, err) : NULL;
    copy->curve = has_curve ? copy_numbers(evaluation->curve, n_curve) : NULL;
    if (copy->name && copy->columns && (copy->reason || !evaluation->reason) &&
        (copy->curve || !has_curve))
        return NAS_OK;
    evaluation_fini(copy);
    return nas_error_nomem(err, "an evaluation");
}

nas_status_t nas_state_add_evaluation(nas_state_t *state, int64_t repeat,
                                      const nas_evaluation_t *evaluation, nas_error_t *err)
{
    NAS_ASSERT(repeat >= 0 && repeat < state->n_repeat);
    nas_repeat_t *r = &state->repeat[repeat];
    nas_status_t status = nas_arch_index_reserve(&r->evaluated, r->n_evaluation + 1, err);
    if (status) return status;
    nas_evaluation_t *all =
        with_room(r->evaluation, &r->evaluation_capacity, r->n_evaluation, sizeof *all);
    if (!all) return nas_error_nomem(err, "an evaluation");
    r->evaluation = all;
    nas_evaluation_t copy;
    status = copy_evaluation(state, evaluation, &copy, err);
    if (status) return status;
    if (copy.arch < 0 || !nas_arch_index_add(&r->evaluated, copy.arch)) {
        evaluation_fini(&copy);
        return nas_error_set(err, NAS_EINPUT, "architecture %lld is evaluated twice in repeat %lld",
                             (long long)evaluation->arch, (long long)repeat);
    }
    all[r->n_evaluation++] = copy;
    return NAS_OK;
}

nas_status_t nas_state_add_known(nas_state_t *state, int64_t repeat,
                                 const nas_evaluation_t *evaluation, nas_error_t *err)
{
    NAS_ASSERT(repeat >= 0 && repeat < state->n_repeat && evaluation->status == NAS_EVAL_OK);
    nas_repeat_t *r = &state->repeat[repeat];
    nas_evaluation_t *all = with_room(r->known, &r->known_capacity, r->n_known, sizeof *all);
    if (!all) return nas_error_nomem(err, "a known result");
    r->known = all;
    const nas_status_t status = copy_evaluation(state, evaluation, &all[r->n_known], err);
    if (!status) r->n_known++;
    return status;
}

size_t nas_state_weights(const nas_state_t *state)
{
    return state->has_weights ? state->metrics.n : 0;
}

nas_status_t nas_state_add_observation(nas_state_t *state, int64_t repeat,
                                       nas_observation_t observation, const double *weights,
                                       nas_error_t *err)
{
    NAS_ASSERT(repeat >= 0 && repeat < state->n_repeat);
    nas_repeat_t *r = &state->repeat[repeat];
    const size_t n_weight = nas_state_weights(state);
    const size_t row_size = (n_weight > 0 ? n_weight : 1) * sizeof(double);
    int64_t weights_capacity = r->observation_capacity;
    double *all_weights = with_room(r->weights, &weights_capacity, r->n_observation, row_size);
    if (!all_weights) return nas_error_nomem(err, "an observation");
    r->weights = all_weights;
    nas_observation_t *all =
        with_room(r->observation, &r->observation_capacity, r->n_observation, sizeof *all);
    if (!all) return nas_error_nomem(err, "an observation");
    r->observation = all;
    double *row = all_weights + (size_t)r->n_observation * n_weight;
    for (size_t m = 0; m < n_weight; m++) row[m] = weights ? weights[m] : 0.0;
    all[r->n_observation++] = observation;
    return NAS_OK;
}

const nas_evaluation_t *nas_repeat_find(const nas_repeat_t *repeat, int64_t arch)
{
    const int64_t i = nas_arch_index_find(&repeat->evaluated, arch);
    return i < 0 ? NULL : &repeat->evaluation[i];
}

int64_t nas_state_count_failed(const nas_state_t *state)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            n += state->repeat[r].evaluation[i].status == NAS_EVAL_FAILED;
    return n;
}

/* The known results of a repeat after a retry: those that were not evaluated again, and the
 * evaluations that succeeded. */
static nas_status_t gather_known(nas_state_t *state, int64_t repeat, nas_error_t *err)
{
    nas_repeat_t *r = &state->repeat[repeat];
    nas_status_t status = NAS_OK;
    int64_t n = 0;
    for (int64_t i = 0; i < r->n_known; i++) {
        if (nas_repeat_find(r, r->known[i].arch))
            evaluation_fini(&r->known[i]);
        else
            r->known[n++] = r->known[i];
    }
    r->n_known = n;
    for (int64_t i = 0; i < r->n_evaluation && !status; i++) {
        const nas_evaluation_t *evaluation = &r->evaluation[i];
        if (evaluation->status == NAS_EVAL_OK)
            status = nas_state_add_known(state, repeat, evaluation, err);
        else
            status = nas_state_add_event(state, err, "before retry %lld, %s (seed %llu) failed: %s",
                                         (long long)state->generation, evaluation->name,
                                         (unsigned long long)evaluation->seed,
                                         evaluation->reason ? evaluation->reason : "no reason");
    }
    return status;
}

nas_status_t nas_state_retry(nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    state->generation++;
    if (nas_state_count_failed(state) == 0) return NAS_OK;
    for (int64_t r = 0; r < state->n_repeat && !status; r++) {
        nas_repeat_t *repeat = &state->repeat[r];
        status = gather_known(state, r, err);
        const nas_repeat_t empty = {.seed = repeat->seed,
                                    .known = repeat->known,
                                    .n_known = repeat->n_known,
                                    .known_capacity = repeat->known_capacity,
                                    .precision_at_t = (double)NAN,
                                    .posterior_mean = (double)NAN,
                                    .posterior_std = (double)NAN};
        repeat->known = NULL;
        repeat->n_known = 0;
        free_repeat(repeat);
        *repeat = empty;
    }
    state->complete = state->gave_up = false;
    return status;
}

const nas_evaluation_t *nas_repeat_best(const nas_repeat_t *repeat, bool minimise)
{
    const nas_evaluation_t *best = NULL;
    for (int64_t i = 0; i < repeat->n_evaluation; i++) {
        const nas_evaluation_t *candidate = &repeat->evaluation[i];
        if (candidate->status != NAS_EVAL_OK) continue;
        if (!best ||
            (minimise ? *candidate->value < *best->value : *candidate->value > *best->value))
            best = candidate;
    }
    return best;
}
