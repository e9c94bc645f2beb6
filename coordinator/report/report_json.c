#include "coordinator/report/json_stream.h"
#include "coordinator/report/json_text.h"
#include "coordinator/report/report.h"
#include "coordinator/report/summary.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* The repeats are written as they are gone through, all else a member at a time.
 *
 * json_object_set_new takes over its value, also when it fails; a NULL value makes it fail. So an
 * allocation that fails anywhere shows as -1 here, and `failed` collects them. */
typedef struct writer {
    const nas_state_t *state;
    const nas_under_way_t *under_way; /* NULL: nothing */
    nas_json_stream_t *stream;
    int failed;
} writer_t;

static void set(writer_t *w, json_t *object, const char *key, json_t *value)
{
    w->failed |= json_object_set_new(object, key, value);
}

static void set_named(writer_t *w, json_t *object, const char *key, json_t *value)
{
    w->failed |= nas_json_set_named(object, key, value);
}

static void append(writer_t *w, json_t *array, json_t *value)
{
    w->failed |= json_array_append_new(array, value);
}

/* The largest double of all would be rounded up, beyond what a reader of the report can hold. */
static json_t *number(double x)
{
    const double largest = 1.79769313486231e308;
    return isfinite(x) ? json_real(fmax(-largest, fmin(x, largest))) : json_null();
}

static json_t *whole(double x)
{
    return isfinite(x) ? json_integer((json_int_t)x) : json_null();
}

static json_t *columns_of(writer_t *w, const nas_evaluation_t *evaluation)
{
    json_t *object = json_object();
    for (size_t c = 0; c < w->state->report_columns.n; c++)
        set_named(w, object, w->state->report_columns.at[c], number(evaluation->columns[c]));
    return object;
}

static json_t *best_of(writer_t *w, const nas_repeat_t *repeat)
{
    const nas_evaluation_t *best = nas_repeat_best(repeat, w->state->minimise);
    if (!best) return json_null();
    json_t *object = json_object();
    set(w, object, "arch", nas_json_text(best->name));
    set(w, object, "target", number(best->value[0]));
    set(w, object, "columns", columns_of(w, best));
    set(w, object, "pool_rank", best->pool_rank ? json_integer(best->pool_rank) : json_null());
    return object;
}

static json_t *weights_of(writer_t *w, int64_t r)
{
    if (!nas_summary_weights(w->state, r)) return json_null();
    json_t *object = json_object();
    for (size_t m = 0; m < w->state->metrics.n; m++)
        set_named(w, object, w->state->metrics.at[m], number(nas_summary_weight(w->state, r, m)));
    return object;
}

/* What a method that has reasons for its evaluations says besides. */
static void write_reasons(writer_t *w, const nas_figures_t *figures)
{
    if (!nas_summary_has_reasons(w->state)) return;
    json_t *posterior = isnan(figures->posterior_mean) ? json_null() : json_object();
    json_t *reasons = json_object();
    if (json_is_object(posterior)) {
        set(w, posterior, "mean", number(figures->posterior_mean));
        set(w, posterior, "std", number(figures->posterior_std));
    }
    set(w, reasons, nas_phase_name(NAS_PHASE_START), whole(figures->start));
    set(w, reasons, nas_phase_name(NAS_PHASE_IMPROVEMENT), whole(figures->improvement));
    set(w, reasons, nas_phase_name(NAS_PHASE_HEDGE), whole(figures->hedge));
    nas_json_put(w->stream, "posterior", posterior);
    nas_json_put(w->stream, "reasons", reasons);
}

static const char *const status_name[] = {
    [NAS_EVAL_OK] = "ok", [NAS_EVAL_MISSING] = "missing", [NAS_EVAL_FAILED] = "failed"};

static void write_evaluations(nas_json_stream_t *stream, const nas_repeat_t *repeat)
{
    nas_json_begin(stream, "evaluations", '[');
    for (int64_t i = 0; i < repeat->n_evaluation; i++) {
        const nas_evaluation_t *evaluation = &repeat->evaluation[i];
        nas_json_begin(stream, NULL, '{');
        nas_json_put(stream, "arch", nas_json_text(evaluation->name));
        nas_json_put(stream, "target", number(evaluation->value[0]));
        nas_json_put(stream, "cost", number(evaluation->cost));
        nas_json_put(stream, "phase", json_string(nas_phase_name(evaluation->phase)));
        nas_json_put(stream, "status", json_string(status_name[evaluation->status]));
        nas_json_end(stream, '}');
    }
    nas_json_end(stream, ']');
}

/* Results of before a retry that the search has not asked for again, where there are any. */
static void write_earlier(nas_json_stream_t *stream, const nas_repeat_t *repeat)
{
    bool has_any = false;
    for (int64_t i = 0; i < repeat->n_known; i++) {
        const nas_evaluation_t *known = &repeat->known[i];
        if (nas_repeat_find(repeat, known->arch)) continue;
        if (!has_any) nas_json_begin(stream, "earlier", '[');
        has_any = true;
        nas_json_begin(stream, NULL, '{');
        nas_json_put(stream, "arch", nas_json_text(known->name));
        nas_json_put(stream, "target", number(known->value[0]));
        nas_json_put(stream, "cost", number(known->cost));
        nas_json_end(stream, '}');
    }
    if (has_any) nas_json_end(stream, ']');
}

static void write_repeat(writer_t *w, int64_t r)
{
    nas_json_stream_t *stream = w->stream;
    const nas_repeat_t *repeat = &w->state->repeat[r];
    const nas_figures_t figures = nas_summary_figures(w->state, r);
    nas_json_begin(stream, NULL, '{');
    nas_json_put(stream, "seed", json_integer((json_int_t)repeat->seed));
    nas_json_put(stream, "t0", whole(figures.t0));
    nas_json_put(stream, "cost", number(figures.cost));
    nas_json_put(stream, "best", best_of(w, repeat));
    nas_json_put(stream, "precision_at_t", number(figures.precision_at_t));
    nas_json_put(stream, "expected_rank", number(figures.expected_rank));
    nas_json_put(stream, "weights", weights_of(w, r));
    write_reasons(w, &figures);
    write_evaluations(stream, repeat);
    write_earlier(stream, repeat);
    nas_json_end(stream, '}');
}

static void write_repeats(writer_t *w)
{
    nas_json_begin(w->stream, "repeats", '[');
    for (int64_t r = 0; r < w->state->n_repeat; r++) write_repeat(w, r);
    nas_json_end(w->stream, ']');
}

static json_t *statistics(writer_t *w, const nas_statistics_t *s)
{
    json_t *object = json_object();
    set(w, object, "mean", number(s->mean));
    set(w, object, "std", number(s->std));
    set(w, object, "min", number(s->min));
    set(w, object, "max", number(s->max));
    return object;
}

static void set_figure(writer_t *w, json_t *object, const char *key, size_t field)
{
    nas_statistics_t s;
    if (nas_summary_over(w->state, field, &s, NULL))
        w->failed = -1;
    else
        set(w, object, key, statistics(w, &s));
}

static json_t *summary(writer_t *w)
{
    json_t *object = json_object(), *columns = json_object();
    set_figure(w, object, "t0", offsetof(nas_figures_t, t0));
    set_figure(w, object, "cost", offsetof(nas_figures_t, cost));
    set_figure(w, object, "target", offsetof(nas_figures_t, target));
    set_figure(w, object, "pool_rank", offsetof(nas_figures_t, pool_rank));
    for (size_t c = 0; c < w->state->report_columns.n; c++) {
        nas_statistics_t s;
        if (nas_summary_column(w->state, c, &s, NULL))
            w->failed = -1;
        else
            set_named(w, columns, w->state->report_columns.at[c], statistics(w, &s));
    }
    set(w, object, "columns", columns);
    set_figure(w, object, "precision_at_t", offsetof(nas_figures_t, precision_at_t));
    set_figure(w, object, "expected_rank", offsetof(nas_figures_t, expected_rank));
    return object;
}

static json_t *scored_metric(writer_t *w, size_t m)
{
    int64_t n_missing = 0;
    const nas_statistics_t s = nas_summary_metric(w->state, m, &n_missing);
    json_t *object = json_object();
    set(w, object, "mean", number(s.mean));
    set(w, object, "min", number(s.min));
    set(w, object, "max", number(s.max));
    set(w, object, "missing", json_integer(n_missing));
    return object;
}

/* What this run scored itself. */
static json_t *scores(writer_t *w)
{
    json_t *object = json_object(), *metrics = json_object();
    set(w, object, "done", json_integer(nas_scores_count(&w->state->scores, NAS_SCORE_OK)));
    set(w, object, "failed", json_integer(nas_scores_count(&w->state->scores, NAS_SCORE_FAILED)));
    const int64_t n_unfit = nas_scores_count(&w->state->scores, NAS_SCORE_UNFIT);
    if (n_unfit > 0) set(w, object, "unfit", json_integer(n_unfit));
    for (size_t m = 0; m < w->state->metrics.n; m++)
        set_named(w, metrics, w->state->metrics.at[m], scored_metric(w, m));
    set(w, object, "metrics", metrics);
    return object;
}

static const char *standing(const nas_under_way_item_t *item)
{
    if (item->done) return status_name[item->outcome.status];
    return item->n_steps > 0 || !item->begun ? "training" : "begun";
}

/* Candidates that no evaluation speaks of yet. */
static json_t *candidates(writer_t *w)
{
    json_t *array = json_array();
    for (int64_t i = 0; w->under_way && i < w->under_way->n; i++) {
        const nas_under_way_item_t *item = &w->under_way->at[i];
        json_t *object = json_object();
        set(w, object, "arch", item->name ? nas_json_text(item->name) : json_null());
        set(w, object, "index", json_integer(item->arch));
        set(w, object, "seed", json_integer((json_int_t)item->seed));
        set(w, object, "status", json_string(standing(item)));
        set(w, object, "target", item->done ? number(item->outcome.value[0]) : json_null());
        set(w, object, "epochs", json_integer(item->n_epochs));
        set(w, object, "steps", json_integer(item->n_steps));
        append(w, array, object);
    }
    return array;
}

/* What networks were computed on, where any were. */
static void set_device(writer_t *w, json_t *object)
{
    char golden[24];
    const nas_state_t *state = w->state;
    if (!state->device || !*state->device) return;
    set(w, object, "device", nas_json_text(state->device));
    if (state->golden == 0) return;
    (void)snprintf(golden, sizeof golden, "%016llx", (unsigned long long)state->golden);
    set(w, object, "golden", json_string(golden));
}

/* All that may differ between equal runs. */
static json_t *timing(writer_t *w)
{
    const nas_state_t *state = w->state;
    json_t *object = json_object(), *events = json_array();
    int64_t n_reused = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            n_reused += state->repeat[r].evaluation[i].reused;
    set(w, object, "created", number(state->created_s));
    set(w, object, "updated", number(state->updated_s));
    set(w, object, "elapsed_s", number(state->elapsed_s));
    set(w, object, "commit", nas_json_text(state->commit));
    set(w, object, "host", nas_json_text(state->host));
    set(w, object, "ranks", json_integer(state->n_ranks));
    set(w, object, "isa", nas_json_text(state->isa));
    set_device(w, object);
    set(w, object, "reused", json_integer(n_reused));
    set(w, object, "candidates", candidates(w));
    for (int64_t i = 0; i < state->n_event; i++) {
        json_t *event = json_object();
        set(w, event, "time", number(state->event[i].time_s));
        set(w, event, "text", nas_json_text(state->event[i].text));
        append(w, events, event);
    }
    set(w, object, "events", events);
    return object;
}

static void write_report(writer_t *w)
{
    const nas_state_t *state = w->state;
    nas_json_stream_t *stream = w->stream;
    json_t *metrics = json_array();
    for (size_t m = 0; m < state->metrics.n; m++)
        append(w, metrics, nas_json_text(state->metrics.at[m]));
    nas_json_begin(stream, NULL, '{');
    nas_json_put(stream, "program", json_string("robotnas"));
    nas_json_put(stream, "version", nas_json_text(state->program_version));
    nas_json_put(stream, "job", nas_json_text(state->job_name));
    nas_json_put(stream, "method", nas_json_text(state->method));
    nas_json_put(stream, "budget", json_integer(state->budget));
    nas_json_put(stream, "n_arch", json_integer(state->n_arch));
    nas_json_put(stream, "metrics", metrics);
    nas_json_put(stream, "complete", json_boolean(state->complete));
    if (state->gave_up) nas_json_put(stream, "gave_up", json_true());
    write_repeats(w);
    nas_json_put(stream, "summary", summary(w));
    if (state->scores.n > 0) nas_json_put(stream, "scores", scores(w));
    nas_json_put(stream, "timing", timing(w));
    nas_json_end(stream, '}');
}

nas_status_t nas_report_json(const nas_state_t *state, const nas_under_way_t *under_way, FILE *out,
                             nas_error_t *err)
{
    nas_json_stream_t stream = {.out = out};
    writer_t w = {.state = state, .under_way = under_way, .stream = &stream};
    write_report(&w);
    const nas_status_t status = nas_json_finish(&stream, err);
    return w.failed && !status ? nas_error_nomem(err, "the report") : status;
}
