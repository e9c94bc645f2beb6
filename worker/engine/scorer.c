/* Packs. There are two: one that the engine is busy with or that comes next, and one that is
 * gathered or waits behind it. A pack begins when it is started and nothing is under way, or when
 * the one before is finished: first what the engine found is copied, then the next pack begins, and
 * only then are metrics worked out, so that the device does not wait for the host.
 *
 * A part of a pack is what the engine has been given at once: all of it, unless it had no memory.
 * Then the part is halved, down to one architecture, which fails alone. Parts behind the first are
 * carried out while the pack is finished.
 */
#include "worker/engine/scorer.h"

#include "worker/engine/scorer_member.h"

#include <stdlib.h>

typedef struct pack {
    nas_scorer_member_t *member; /* [width] */
    int n;
    int n_part;  /* members that are started together */
    int first;   /* of the part that has begun; those before are through */
    int end;     /* behind it; first: none has */
    int n_tasks; /* of it; 0: all of it has failed already, or needs nothing */
    bool is_started;
    bool is_begun;
    nas_status_t status; /* of the engine as a whole */
    nas_error_t err;
} pack_t;

struct nas_scorer {
    nas_scorer_plan_t plan;
    pack_t pack[2];
    int gathered;                  /* the pack that is added to */
    nas_engine_task_t *task;       /* [NAS_SCORER_TASKS * width] of the part under way */
    const nas_program_t **program; /* of these */
    size_t most_bytes;
};

/* -------------------------------------------------------------------------------- life and death */

static int width_of(const nas_scorer_t *scorer)
{
    return scorer->plan.options.engine->width;
}

nas_status_t nas_scorer_create(const nas_scorer_options_t *options, nas_scorer_t **scorer_p,
                               nas_error_t *err)
{
    const size_t width = (size_t)options->engine->width;
    nas_scorer_t *scorer = calloc(1, sizeof *scorer);
    if (!scorer) return nas_error_nomem(err, "a scorer");
    const nas_status_t status = nas_scorer_plan_init(&scorer->plan, options, err);
    scorer->task = calloc(NAS_SCORER_TASKS * width, sizeof *scorer->task);
    scorer->program = calloc(NAS_SCORER_TASKS * width, sizeof *scorer->program);
    for (int i = 0; i < 2; i++)
        scorer->pack[i].member = calloc(width, sizeof *scorer->pack[i].member);
    const bool has_memory =
        scorer->task && scorer->program && scorer->pack[0].member && scorer->pack[1].member;
    if (status || !has_memory) {
        nas_scorer_destroy(scorer);
        return status ? status : nas_error_nomem(err, "a scorer");
    }
    *scorer_p = scorer;
    return NAS_OK;
}

static void clear(pack_t *pack)
{
    for (int i = 0; i < pack->n; i++) nas_scorer_member_clear(&pack->member[i]);
    *pack = (pack_t){.member = pack->member};
}

void nas_scorer_destroy(nas_scorer_t *scorer)
{
    const nas_engine_result_t *ignored = NULL;
    nas_error_t err = {0};
    if (!scorer) return;
    const int width = width_of(scorer);
    for (int i = 0; i < 2; i++) {
        pack_t *pack = &scorer->pack[i];
        if (pack->n_tasks > 0) /* the engine reads what is freed here */
            (void)scorer->plan.options.engine->finish(scorer->plan.options.engine, &ignored, &err);
        for (int k = 0; pack->member && k < width; k++) nas_scorer_member_fini(&pack->member[k]);
        free(pack->member);
    }
    nas_scorer_plan_fini(&scorer->plan);
    free(scorer->task);
    free(scorer->program);
    free(scorer);
}

/* -------------------------------------------------------------------------------------- beginning */

/* The tasks of a part; returns their number. */
static int collect_tasks(nas_scorer_t *scorer, const pack_t *pack, int end)
{
    nas_engine_t *engine = scorer->plan.options.engine;
    int n = 0;
    for (int i = pack->first; i < end; i++)
        n += nas_scorer_member_tasks(&pack->member[i], &scorer->plan, scorer->task + n);
    if (n == 0) return 0;
    for (int i = 0; i < n; i++) scorer->program[i] = scorer->task[i].program;
    const size_t bytes = engine->bytes(engine, scorer->program, n);
    if (bytes > scorer->most_bytes) scorer->most_bytes = bytes;
    return n;
}

/* The engine has not begun what it was given. */
static void take_refusal(pack_t *pack, nas_status_t status, const nas_error_t *err)
{
    if (status == NAS_EIO) {
        pack->status = status;
        pack->err = *err;
    } else if (pack->n_part > 1)
        pack->n_part = (pack->n_part + 1) / 2;
    else
        pack->member[pack->first++].result = (nas_scorer_result_t){.status = status, .err = *err};
}

/* Give the engine the next part, or what of it there is memory for; the end of the pack: nothing. */
static void begin(nas_scorer_t *scorer, pack_t *pack)
{
    nas_engine_t *engine = scorer->plan.options.engine;
    pack->is_begun = true;
    while (!pack->status && pack->first < pack->n) {
        nas_error_t err = {0};
        if (pack->n_part > pack->n - pack->first) pack->n_part = pack->n - pack->first;
        pack->end = pack->first + pack->n_part;
        pack->n_tasks = collect_tasks(scorer, pack, pack->end);
        if (pack->n_tasks == 0) return;
        const nas_status_t status = engine->start(engine, scorer->task, pack->n_tasks, &err);
        if (!status) return;
        take_refusal(pack, status, &err);
    }
    pack->end = pack->first;
    pack->n_tasks = 0;
}

void nas_scorer_add(nas_scorer_t *scorer, int64_t number)
{
    pack_t *pack = &scorer->pack[scorer->gathered];
    NAS_ASSERT(!pack->is_started && pack->n < width_of(scorer));
    nas_scorer_member_build(&pack->member[pack->n++], &scorer->plan, number);
}

void nas_scorer_start(nas_scorer_t *scorer)
{
    pack_t *pack = &scorer->pack[scorer->gathered];
    const pack_t *other = &scorer->pack[1 - scorer->gathered];
    NAS_ASSERT(!pack->is_started && (!other->is_started || width_of(scorer) > 1));
    pack->is_started = true;
    pack->n_part = pack->n;
    if (!other->is_started) begin(scorer, pack);
    scorer->gathered = 1 - scorer->gathered;
}

/* -------------------------------------------------------------------------------------- finishing */

/* Take what the engine found for the part that has begun. */
static void settle(nas_scorer_t *scorer, pack_t *pack)
{
    nas_engine_t *engine = scorer->plan.options.engine;
    const nas_engine_result_t *result = NULL;
    if (pack->n_tasks == 0) return;
    pack->n_tasks = 0;
    pack->status = engine->finish(engine, &result, &pack->err);
    for (int i = pack->first; !pack->status && i < pack->end; i++) {
        nas_scorer_member_t *member = &pack->member[i];
        if (member->result.status) continue; /* it had none */
        nas_scorer_member_settle(member, result);
        result += member->n_tasks;
    }
}

/* Copy what was found, so that the engine may begin something else. */
static bool keep(const nas_scorer_t *scorer, pack_t *pack)
{
    for (int i = pack->first; i < pack->end; i++)
        if (nas_scorer_member_keep(&pack->member[i], &scorer->plan)) return false;
    return true;
}

/* The part that has begun, to its end; behind the last one `next` begins. */
static void finish_part(nas_scorer_t *scorer, pack_t *pack, pack_t *next, double *const *value)
{
    settle(scorer, pack);
    if (!pack->status && pack->end == pack->n && next->is_started && keep(scorer, pack))
        begin(scorer, next);
    for (int i = pack->first; !pack->status && i < pack->end; i++)
        nas_scorer_member_evaluate(&pack->member[i], &scorer->plan, value[i]);
    pack->first = pack->end;
    begin(scorer, pack);
}

nas_status_t nas_scorer_finish(nas_scorer_t *scorer, double *const *value,
                               nas_scorer_result_t *result, nas_error_t *err)
{
    pack_t *both = scorer->pack;
    const int g = scorer->gathered, oldest = both[g].is_started ? g : 1 - g;
    pack_t *pack = &both[oldest], *next = &both[1 - oldest];
    NAS_ASSERT(pack->is_started);
    while (pack->end > pack->first) finish_part(scorer, pack, next, value);
    const nas_status_t status = pack->status;
    if (!status && next->is_started && !next->is_begun) begin(scorer, next);
    if (status) (void)nas_error_set(err, status, "%s", pack->err.text);
    for (int i = 0; !status && i < pack->n; i++) result[i] = pack->member[i].result;
    clear(pack);
    return status;
}

/* -------------------------------------------------------------------------------------- one alone */

static nas_status_t finish_one(nas_scorer_t *scorer, double *value, nas_error_t *err)
{
    nas_scorer_result_t result = {0};
    nas_scorer_start(scorer);
    const nas_status_t status = nas_scorer_finish(scorer, &value, &result, err);
    if (status || !result.status) return status;
    return nas_error_set(err, result.status, "%s", result.err.text);
}

nas_status_t nas_scorer_score(nas_scorer_t *scorer, int64_t number, double *value, nas_error_t *err)
{
    nas_scorer_add(scorer, number);
    return finish_one(scorer, value, err);
}

nas_status_t nas_scorer_measure(nas_scorer_t *scorer, const nas_graph_t *graph,
                                const double *parameters, double *value, nas_error_t *err)
{
    pack_t *pack = &scorer->pack[scorer->gathered];
    nas_scorer_member_take(&pack->member[pack->n++], &scorer->plan, graph, parameters);
    return finish_one(scorer, value, err);
}

size_t nas_scorer_bytes(const nas_scorer_t *scorer)
{
    return scorer->most_bytes;
}
