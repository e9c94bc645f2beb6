/* Rounds of the search on rank 0: what the groups' steps become. */
#include "coordinator/search/search_stage.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "coordinator/inputs/note.h"
#include "coordinator/inputs/notes.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/command/output.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------ life and death */

static nas_status_t open_ledger(nas_search_stage_t *stage,
                                const nas_search_stage_options_t *options, nas_error_t *err)
{
    const nas_ledger_options_t ledger = {.state = nas_session_state(stage->session),
                                         .objective = options->evaluate->objective,
                                         .names = options->pool->names,
                                         .table = options->table,
                                         .reuse = options->reuse,
                                         .n_weight = stage->parameters.n_weight,
                                         .n_groups = stage->parameters.n_groups};
    return nas_ledger_create(&ledger, &stage->ledger, err);
}

nas_status_t nas_search_stage_create(const nas_search_stage_options_t *options,
                                     nas_search_stage_t **stage_p, nas_error_t *err)
{
    nas_search_stage_t *stage = calloc(1, sizeof *stage);
    if (!stage) return nas_error_nomem(err, "the search");
    *stage = (nas_search_stage_t){
        .session = options->session,
        .pool = options->pool,
        .inputs = options->inputs,
        .images = options->images,
        .objective = options->evaluate->objective,
        .has_table = options->table != NULL,
        .parameters = nas_search_parameters(options->inputs, options->pool, options->n_ranks),
        .evaluate = nas_evaluate_parameters(options->inputs->job)};
    nas_status_t status =
        nas_evaluate_parameters_of_run(&stage->evaluate, nas_session_state(stage->session), err);
    if (!status) status = open_ledger(stage, options, err);
    if (status) {
        nas_search_stage_destroy(stage);
        return status;
    }
    *stage_p = stage;
    return NAS_OK;
}

const nas_search_parameters_t *nas_search_stage_parameters(const nas_search_stage_t *stage)
{
    return &stage->parameters;
}

int64_t nas_search_stage_count(const nas_search_stage_t *stage)
{
    return stage ? nas_ledger_count(stage->ledger) : 0;
}

void nas_search_stage_destroy(nas_search_stage_t *stage)
{
    if (!stage) return;
    nas_ledger_destroy(stage->ledger);
    free(stage->replies.data);
    free(stage->row);
    free(stage);
}

/* ------------------------------------------------------------------------------------ progress */

/* under_way: candidates' worth of work that is done of those being evaluated. Where nothing is,
 * what takes time is observing. */
static nas_progress_state_t progress_of(const nas_search_stage_t *stage, double under_way)
{
    const nas_search_parameters_t *parameters = &stage->parameters;
    const int64_t n_total = parameters->n_repeat * parameters->budget;
    nas_progress_state_t now = nas_progress_units(nas_ledger_count(stage->ledger), n_total);
    now.done += under_way;
    now.share = now.done / (double)n_total;
    if (!nas_evaluate_by_work(&stage->evaluate) && stage->inputs->method->observes)
        now.share = nas_ledger_observed_share(stage->ledger);
    return now;
}

void nas_search_stage_begin(nas_search_stage_t *stage)
{
    const nas_search_parameters_t *parameters = &stage->parameters;
    nas_progress_init(&stage->progress, "evaluations", parameters->n_repeat * parameters->budget,
                      progress_of(stage, 0));
}

/* Observations are said where they are more than the evaluations; other: more to say, or "". */
static void update_progress(nas_search_stage_t *stage, double under_way, const char *other)
{
    char detail[128];
    const int64_t n_observed = nas_ledger_observed(stage->ledger);
    (void)snprintf(detail, sizeof detail, "%lld observations%s%s", (long long)n_observed,
                   *other ? ", " : "", other);
    const bool is_more = n_observed > nas_ledger_count(stage->ledger);
    nas_progress_update(&stage->progress, progress_of(stage, under_way), is_more ? detail : other);
}

/* ------------------------------------------------------------------------ before the first
 * round */

nas_status_t nas_search_stage_look_at_metrics(nas_search_stage_t *stage, nas_error_t *err)
{
    nas_search_inputs_t *inputs = stage->inputs;
    nas_state_t *state = nas_session_state(stage->session);
    nas_strings_t notes = {0};
    nas_status_t status = NAS_OK;
    if (stage->parameters.n_metric == 0) return NAS_OK;
    if (inputs->job->metrics.source == NAS_SOURCE_COMPUTE) {
        status = nas_search_inputs_look(inputs, stage->pool, &state->scores, NULL, err);
        if (!status) status = nas_search_inputs_note(inputs, stage->pool, &notes, err);
        nas_notes_log(&notes);
        nas_strings_fini(&notes);
    }
    return status ? status : nas_search_inputs_mark_constant(inputs, state, err);
}

nas_status_t nas_search_stage_stop_early(nas_search_stage_t *stage, int stop, nas_error_t *err)
{
    const int64_t n_evaluated = nas_ledger_count(stage->ledger);
    const nas_status_t status =
        nas_session_stop(stage->session, stop, n_evaluated, &stage->progress, err);
    return nas_session_save_at_end(stage->session, status, err);
}

/* -------------------------------------------------------------------------------------- rounds */

static void tell_reused(const nas_search_stage_t *stage)
{
    const nas_strings_t *sources = &nas_session_state(stage->session)->reused_from;
    const int64_t n = nas_ledger_reused(stage->ledger);
    if (sources->n == 0) return;
    nas_log_line("%lld evaluation%s taken over from %s", (long long)n, n == 1 ? "" : "s",
                 sources->n == 1 ? sources->at[0] : "earlier runs");
}

static nas_status_t end_of_search(nas_search_stage_t *stage, int64_t stop, nas_error_t *err)
{
    nas_state_t *state = nas_session_state(stage->session);
    const int64_t n_evaluated = nas_ledger_count(stage->ledger);
    const bool is_complete = nas_ledger_complete(stage->ledger);
    tell_reused(stage);
    if (state->gave_up || is_complete) nas_session_forget_stop(stage->session);
    if (state->gave_up)
        return nas_state_add_event(state, err, "gave up after %lld failed evaluations",
                                   (long long)n_evaluated);
    if (!is_complete)
        return nas_session_stop(stage->session, stop, n_evaluated, &stage->progress, err);
    state->complete = true;
    return nas_state_add_event(state, err, "complete, %lld evaluations taken over",
                               (long long)nas_ledger_reused(stage->ledger));
}

static nas_step_t step_of(const nas_search_stage_t *stage, int64_t group)
{
    nas_step_t step;
    const size_t begin = stage->offset[group], size = stage->offset[group + 1] - begin;
    const char *packed = size ? stage->steps + begin : NULL; /* there may be no steps at all */
    nas_step_unpack(packed, size, nas_search_message_sizes(&stage->parameters), &step);
    return step;
}

/* A group's failure or a request to stop ends the round before anything is evaluated. */
static void look_for_end(nas_search_stage_t *stage)
{
    static const nas_error_t none = {0};
    if (nas_session_sees_stop(stage->session))
        nas_search_stage_end_evaluations(stage, NAS_ESTOP, &none, SIGTERM);
    for (int64_t g = 0; g < stage->parameters.n_groups; g++) {
        const nas_step_t step = step_of(stage, g);
        if (step.stop) nas_search_stage_end_evaluations(stage, NAS_ESTOP, &none, (int)step.stop);
        nas_search_stage_end_evaluations(stage, (nas_status_t)step.status, &step.err, 0);
    }
}

void nas_search_stage_take_steps(nas_search_stage_t *stage, const char *steps, const size_t *offset)
{
    stage->steps = steps;
    stage->offset = offset;
    stage->taken_s = nas_clock_monotonic_s();
    stage->evaluated = NAS_OK;
    stage->stop = 0;
    stage->n_row = 0;
    nas_ledger_begin_round(stage->ledger);
    if (nas_evaluate_by_work(&stage->evaluate)) look_for_end(stage);
}

static void want_rows(nas_search_stage_t *stage, const int64_t *arch, int64_t n)
{
    const int64_t n_max = stage->n_row + n;
    if (n_max > stage->row_capacity) {
        int64_t *row = realloc(stage->row, 2 * (size_t)n_max * sizeof *row);
        if (!row) nas_comm_abort("out of memory for rows of a table");
        stage->row = row;
        stage->row_capacity = 2 * n_max;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t row =
            stage->objective ? nas_objective_row(stage->objective, arch[i]) : arch[i];
        if (row >= 0) stage->row[stage->n_row++] = row;
    }
}

/* Of what is proposed all is looked up; of a frontier, what it is worth by a table. */
const int64_t *nas_search_stage_rows(nas_search_stage_t *stage, int64_t *n)
{
    const bool looks = stage->has_table && !stage->evaluated;
    for (int64_t g = 0; looks && g < stage->parameters.n_groups; g++) {
        const nas_step_t step = step_of(stage, g);
        if (step.repeat < 0 || step.status) continue;
        want_rows(stage, step.proposed.arch, step.proposed.n);
        if (stage->objective) want_rows(stage, step.proposed.frontier, step.proposed.n_frontier);
    }
    *n = stage->n_row;
    return stage->row;
}

void nas_search_stage_collect(nas_search_stage_t *stage)
{
    if (!nas_evaluate_by_work(&stage->evaluate)) return;
    for (int64_t g = 0; g < stage->parameters.n_groups && !stage->evaluated; g++) {
        const nas_step_t step = step_of(stage, g);
        stage->evaluated = nas_ledger_collect(stage->ledger, &step, &stage->evaluated_text);
    }
}

nas_evaluator_options_t nas_search_stage_evaluator(const nas_search_stage_t *stage)
{
    return (nas_evaluator_options_t){
        .parameters = stage->evaluate,
        .output = nas_session_output(stage->session),
        .job = stage->inputs->job,
        .columns = &nas_session_state(stage->session)->report_columns,
        .images = &stage->images->dataset,
    };
}

/* With the path of what its evaluation printed, where it has one. */
static void log_failure(const nas_search_stage_t *stage, const nas_candidate_t *candidate,
                        const char *reason)
{
    const char *output = nas_objective_of(stage->inputs->job)->output;
    char *stem = nas_candidate_stem(nas_session_output(stage->session), candidate, NULL);
    if (output && stem)
        nas_log_line("%s failed: %s; its standard error: %s%s", candidate->name, reason, stem,
                     output);
    else
        nas_log_line("%s failed: %s", candidate->name, reason);
    free(stem);
}

static void hear_outcome(void *context, int64_t index, const nas_outcome_t *outcome, int rank)
{
    nas_search_stage_t *stage = context;
    nas_ledger_evaluated(stage->ledger, index, outcome, rank);
    if (outcome->status != NAS_EVAL_FAILED) return;
    int64_t n = 0;
    const nas_candidate_t *candidate = nas_ledger_candidates(stage->ledger, &n);
    log_failure(stage, &candidate[index], outcome->reason);
}

nas_evaluator_round_t nas_search_stage_candidates(nas_search_stage_t *stage)
{
    nas_evaluator_round_t round = {.hear = hear_outcome, .context = stage};
    round.candidate = nas_ledger_candidates(stage->ledger, &round.n);
    return round;
}

void nas_search_stage_end_evaluations(nas_search_stage_t *stage, nas_status_t status,
                                      const nas_error_t *err, int stop)
{
    if (status <= stage->evaluated) return;
    stage->evaluated = status;
    stage->evaluated_text = *err;
    stage->stop = stop;
}

/* Record every group's step and pack its reply. Returns the first error; stop [out]: a signal, or
 * 0. */
static nas_status_t record_steps(nas_search_stage_t *stage, size_t *reply_offset, int64_t *stop,
                                 nas_error_t *err)
{
    const nas_search_parameters_t *parameters = &stage->parameters;
    nas_status_t status = NAS_OK;
    for (int64_t g = 0; !status && g < parameters->n_groups; g++) {
        nas_reply_t reply;
        const nas_step_t step = step_of(stage, g);
        if (step.stop > *stop) *stop = step.stop;
        if (step.status) {
            *err = step.err;
            return (nas_status_t)step.status;
        }
        status = nas_ledger_record(stage->ledger, g, &step, &reply, err);
        if (!status) status = nas_reply_pack(&reply, parameters->n_weight, &stage->replies, err);
        reply_offset[g + 1] = stage->replies.size;
    }
    return status;
}

/* One and the same reply to all: the search is over. */
static void reply_end(nas_search_stage_t *stage, nas_status_t status, const nas_error_t *err,
                      size_t *reply_offset)
{
    nas_error_t ignored = {0};
    const nas_reply_t end = {.kind = NAS_REPLY_END, .status = status, .err = *err};
    stage->replies.size = 0;
    for (int64_t g = 0; g < stage->parameters.n_groups; g++) {
        if (nas_reply_pack(&end, stage->parameters.n_weight, &stage->replies, &ignored))
            nas_comm_abort("out of memory for the last message");
        reply_offset[g + 1] = stage->replies.size;
    }
}

static void show_progress(nas_search_stage_t *stage)
{
    char detail[64] = "";
    if (nas_session_state(stage->session)->n_repeat > 1)
        (void)snprintf(detail, sizeof detail, "%lld of %lld repeats complete",
                       (long long)nas_ledger_repeats_complete(stage->ledger),
                       (long long)nas_session_state(stage->session)->n_repeat);
    update_progress(stage, 0, detail);
}

/* Of a round in which n candidates are evaluated. What is done of the very first of a session, so
 * soon after it began, may be what an earlier session did. */
static void show_round(nas_search_stage_t *stage, int64_t n, double share)
{
    char detail[64] = "";
    const double under_way = share * (double)n;
    (void)snprintf(detail, sizeof detail, "%.0f %% of the %lld under way", 100.0 * share,
                   (long long)n);
    const bool is_first = !stage->has_watched &&
                          stage->progress.done_at_start >= (double)nas_ledger_count(stage->ledger);
    if (is_first) nas_progress_restart(&stage->progress, progress_of(stage, under_way));
    stage->has_watched = true;
    update_progress(stage, under_way, detail);
}

int nas_search_stage_watch(nas_search_stage_t *stage, double share)
{
    int64_t n = 0;
    (void)nas_ledger_candidates(stage->ledger, &n);
    if (n > 0) show_round(stage, n, share);
    return nas_session_sees_stop(stage->session) ? SIGTERM : 0;
}

/* The steps count only once all that they ask for is known: what is missing would be looked for in
 * another order after a restart. */
static nas_status_t take_round(nas_search_stage_t *stage, size_t *reply_offset, int64_t *stop,
                               nas_error_t *err)
{
    if (!stage->evaluated) return record_steps(stage, reply_offset, stop, err);
    *err = stage->evaluated_text;
    *stop = stage->stop;
    return stage->evaluated == NAS_ESTOP ? NAS_OK : stage->evaluated;
}

/* Whether the run is to give up after a round that went well so far. */
static bool gives_up(const nas_search_stage_t *stage, nas_status_t status)
{
    return !status && !stage->evaluated && !nas_ledger_complete(stage->ledger) &&
           nas_session_gives_up(stage->session);
}

/* Since the round began, in evaluations: looking up in a table is no work that would be lost. */
static double spent_s(const nas_search_stage_t *stage)
{
    const bool evaluates = nas_evaluate_by_work(&stage->evaluate);
    return evaluates ? nas_clock_monotonic_s() - stage->taken_s : 0;
}

void nas_search_stage_end_round(nas_search_stage_t *stage, const char **replies,
                                size_t *reply_offset)
{
    nas_error_t err = {0};
    int64_t stop = 0;
    nas_state_t *state = nas_session_state(stage->session);
    stage->replies.size = 0;
    reply_offset[0] = 0;
    nas_status_t status = take_round(stage, reply_offset, &stop, &err);
    const bool saw_stop = nas_session_sees_stop(stage->session);
    state->gave_up = gives_up(stage, status);
    const bool over = status || stop || stage->evaluated || saw_stop || state->gave_up ||
                      nas_ledger_complete(stage->ledger);
    if (over && !status) status = end_of_search(stage, stop, &err);
    if (over || nas_session_save_is_due(stage->session, spent_s(stage)))
        status = nas_session_save_at_end(stage->session, status, &err);
    nas_ledger_begin_round(stage->ledger); /* nobody is under way until the next steps come */
    show_progress(stage);
    if (over || status) reply_end(stage, status, &err, reply_offset);
    *replies = stage->replies.data;
}
