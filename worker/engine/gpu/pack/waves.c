#include "worker/engine/gpu/pack/waves.h"

#include "worker/engine/gpu/plan/descriptors.h"

#include <stdlib.h>
#include <string.h>

/* Rows of groups that a launch may have on any device. */
enum { MOST_GROUPS_Y = 65535, WEIGHTS_A_GROUP = 256, NONE = -1 };

/* Steps of one variant that wait for nothing any more, in the order they came to that. */
typedef struct ready {
    int first, last;
    int way; /* the longest that lies behind any of them */
} ready_t;

typedef struct scheduler {
    nas_gpu_waves_t *waves;
    const nas_gpu_steps_t *steps;
    const nas_gpu_scratch_t *scratch;
    int n_steps, n_variants;
    int *behind; /* [n_steps + 1] where the steps begin in `follower` that wait for a step */
    int *follower;
    int *n_waits; /* [n_steps] that are not launched yet */
    int *way;     /* [n_steps] the longest that lies behind it, in steps */
    int *next;    /* [n_steps] in the list of its variant */
    ready_t *ready;
} scheduler_t;

/* ---------------------------------------------------------------------------------------- memory */

void nas_gpu_waves_clear(nas_gpu_waves_t *waves)
{
    nas_gpu_pool_clear(&waves->wave);
    nas_gpu_pool_clear(&waves->table);
    waves->most_floats = 0;
}

void nas_gpu_waves_fini(nas_gpu_waves_t *waves)
{
    free(waves->wave.data);
    free(waves->table.data);
    free(waves->room.data);
    *waves = (nas_gpu_waves_t){0};
}

void nas_gpu_table_put(const nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps, char *to)
{
    if (steps->table.n > 0) memcpy(to, steps->table.data, steps->table.n);
    if (waves->table.n > 0) memcpy(to + steps->table.n, waves->table.data, waves->table.n);
}

/* One array, cut into all that scheduling needs. */
static nas_status_t allocate(scheduler_t *s, int n_edges)
{
    const size_t n = (size_t)s->n_steps, n_variants = (size_t)s->n_variants;
    nas_gpu_pool_clear(&s->waves->room);
    int *room = nas_gpu_pool_add(&s->waves->room, (5 * n + 1 + (size_t)n_edges) * sizeof(int) +
                                                      n_variants * sizeof(ready_t));
    if (!room || s->waves->room.failed) return NAS_ENOMEM;
    s->ready = (ready_t *)(void *)room;
    s->behind = (int *)(void *)(s->ready + n_variants);
    s->n_waits = s->behind + n + 1;
    s->way = s->n_waits + n;
    s->next = s->way + n;
    s->follower = s->next + n;
    return NAS_OK;
}

/* ----------------------------------------------------------------------------------------- edges */

static void list_followers(scheduler_t *s)
{
    const nas_gpu_edge_t *edge = (const nas_gpu_edge_t *)(const void *)s->steps->edge.data;
    const int n_edges = (int)(s->steps->edge.n / sizeof *edge);
    memset(s->behind, 0, ((size_t)s->n_steps + 1) * sizeof *s->behind);
    for (int i = 0; i < n_edges; i++) s->behind[edge[i].from + 1]++;
    for (int i = 0; i < s->n_steps; i++) s->behind[i + 1] += s->behind[i];
    for (int i = 0; i < n_edges; i++) s->follower[s->behind[edge[i].from]++] = edge[i].to;
    for (int i = s->n_steps; i > 0; i--) s->behind[i] = s->behind[i - 1];
    s->behind[0] = 0;
}

/* Steps from the deepest on, in `next`, with how many of each depth there are in `n_waits`. */
static void sort_by_depth(scheduler_t *s)
{
    int *first = s->n_waits;
    memset(first, 0, (size_t)s->n_steps * sizeof *first);
    for (int i = 0; i < s->n_steps; i++) first[nas_gpu_step_at(s->steps, i)->depth]++;
    for (int depth = s->n_steps - 1, n = 0; depth >= 0; depth--) {
        n += first[depth];
        first[depth] = n - first[depth];
    }
    for (int i = 0; i < s->n_steps; i++) s->next[first[nas_gpu_step_at(s->steps, i)->depth]++] = i;
}

/* Who follows is deeper. */
static void measure_ways(scheduler_t *s)
{
    sort_by_depth(s);
    for (int i = 0; i < s->n_steps; i++) {
        const int step = s->next[i];
        int way = 0;
        for (int k = s->behind[step]; k < s->behind[step + 1]; k++)
            if (s->way[s->follower[k]] >= way) way = s->way[s->follower[k]] + 1;
        s->way[step] = way;
    }
}

/* ----------------------------------------------------------------------------------------- ready */

static void make_ready(scheduler_t *s, int step)
{
    ready_t *ready = &s->ready[nas_gpu_step_at(s->steps, step)->variant];
    s->next[step] = NONE;
    if (ready->first == NONE)
        ready->first = step;
    else
        s->next[ready->last] = step;
    ready->last = step;
    if (s->way[step] > ready->way) ready->way = s->way[step];
}

static void begin(scheduler_t *s)
{
    for (int i = 0; i < s->n_variants; i++) s->ready[i] = (ready_t){NONE, NONE, NONE};
    for (int i = 0; i < s->n_steps; i++) s->n_waits[i] = nas_gpu_step_at(s->steps, i)->n_waits;
    for (int i = 0; i < s->n_steps; i++)
        if (s->n_waits[i] == 0) make_ready(s, i);
}

/* The variant behind which the longest way lies; NONE: nothing is left. */
static int choose(const scheduler_t *s)
{
    int best = NONE, way = NONE;
    for (int i = 0; i < s->n_variants; i++)
        if (s->ready[i].first != NONE && s->ready[i].way > way) {
            way = s->ready[i].way;
            best = i;
        }
    return best;
}

/* ----------------------------------------------------------------------------------------- waves */

static nas_gpu_wave_t *add_wave(nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps, int variant)
{
    nas_gpu_wave_t *wave = nas_gpu_pool_add(&waves->wave, sizeof *wave);
    *wave = (nas_gpu_wave_t){.variant = variant, .at = (int64_t)nas_gpu_table_bytes(waves, steps)};
    return wave;
}

/* So many more descriptors of the last wave. */
static void *grow_wave(nas_gpu_waves_t *waves, const nas_gpu_step_t *step)
{
    nas_gpu_wave_t *wave = (nas_gpu_wave_t *)(void *)(waves->wave.data + waves->wave.n) - 1;
    wave->groups_y += step->n;
    if (step->groups_x > wave->groups_x) wave->groups_x = step->groups_x;
    return nas_gpu_pool_add(&waves->table, (size_t)step->n * (size_t)step->n_bytes);
}

void *nas_gpu_waves_add(nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps,
                        const nas_gpu_step_t *step)
{
    (void)add_wave(waves, steps, step->variant);
    if (waves->wave.failed) return NULL;
    void *room = grow_wave(waves, step);
    return waves->table.failed ? NULL : room;
}

static void put_step(scheduler_t *s, const nas_gpu_step_t *step)
{
    void *to = grow_wave(s->waves, step);
    if (!s->waves->table.failed)
        memcpy(to, s->steps->descriptors.data + step->at, (size_t)step->n * (size_t)step->n_bytes);
}

/* Its parts, of which every descriptor's first field says where they are, lie `floats` behind the
 * beginning of the scratch. */
static void put_weights(scheduler_t *s, const nas_gpu_step_t *step, int64_t floats)
{
    const int64_t parts = s->scratch->at + floats;
    const size_t n_bytes = (size_t)step->n_bytes;
    char *work = grow_wave(s->waves, step);
    if (s->waves->table.failed) return;
    memcpy(work, s->steps->descriptors.data + step->at, (size_t)step->n * n_bytes);
    for (int i = 0; i < step->n; i++) memcpy(work + (size_t)i * n_bytes, &parts, sizeof parts);
}

static void put_weight_sums(scheduler_t *s, const nas_gpu_step_t *step, int64_t floats)
{
    const nas_gpu_step_t sum = {
        .variant = NAS_GPU_PLAIN_WEIGHT_PARTS, .n = 1, .n_bytes = sizeof(nas_gpu_weight_parts_t)};
    nas_gpu_weight_parts_t *work = grow_wave(s->waves, &sum);
    if (s->waves->table.failed) return;
    memcpy(work, s->steps->descriptors.data + step->at + (size_t)step->n * (size_t)step->n_bytes,
           sizeof *work);
    work->parts = s->scratch->at + floats;
    nas_gpu_wave_t *wave = (nas_gpu_wave_t *)(void *)(s->waves->wave.data + s->waves->wave.n) - 1;
    const int groups_x = (int)((work->n + WEIGHTS_A_GROUP - 1) / WEIGHTS_A_GROUP);
    if (groups_x > wave->groups_x) wave->groups_x = groups_x;
}

/* Steps from `first` on that are one launch: as many rows, and as much scratch, as there may be.
 * Returns the first that is not one of them. */
static int cut_wave(const scheduler_t *s, int first)
{
    int64_t floats = 0;
    int n = 0, step = first;
    for (; step != NONE; step = s->next[step]) {
        const nas_gpu_step_t *at = nas_gpu_step_at(s->steps, step);
        if (step != first &&
            (n + at->n > MOST_GROUPS_Y || floats + at->floats > s->scratch->floats))
            break;
        n += at->n;
        floats += at->floats;
    }
    return step;
}

static void put_wave(scheduler_t *s, int first, int end, int variant)
{
    int64_t floats = 0;
    (void)add_wave(s->waves, s->steps, variant);
    for (int step = first; step != end && !s->waves->wave.failed; step = s->next[step]) {
        const nas_gpu_step_t *at = nas_gpu_step_at(s->steps, step);
        if (at->floats)
            put_weights(s, at, floats);
        else
            put_step(s, at);
        floats += at->floats;
    }
    if (floats > s->waves->most_floats) s->waves->most_floats = floats;
    if (floats == 0) return;
    floats = 0;
    (void)add_wave(s->waves, s->steps, NAS_GPU_PLAIN_WEIGHT_PARTS);
    for (int step = first; step != end && !s->waves->wave.failed; step = s->next[step]) {
        const nas_gpu_step_t *at = nas_gpu_step_at(s->steps, step);
        put_weight_sums(s, at, floats);
        floats += at->floats;
    }
}

/* All that follow have one less to wait for. */
static void release(scheduler_t *s, int step)
{
    for (int k = s->behind[step]; k < s->behind[step + 1]; k++)
        if (--s->n_waits[s->follower[k]] == 0) make_ready(s, s->follower[k]);
}

/* Launch all steps of a variant that are ready. */
static int launch(scheduler_t *s, int variant)
{
    int step = s->ready[variant].first, n = 0;
    s->ready[variant] = (ready_t){NONE, NONE, NONE};
    for (int first = step; first != NONE;) {
        const int end = cut_wave(s, first);
        put_wave(s, first, end, variant);
        first = end;
    }
    for (int next; step != NONE; step = next, n++) {
        next = s->next[step];
        release(s, step);
    }
    return n;
}

static int count_variants(const nas_gpu_steps_t *steps, int n_steps)
{
    int most = 0;
    for (int i = 0; i < n_steps; i++)
        if (nas_gpu_step_at(steps, i)->variant > most) most = nas_gpu_step_at(steps, i)->variant;
    return most + 1;
}

nas_status_t nas_gpu_waves_make(nas_gpu_waves_t *waves, const nas_gpu_steps_t *steps,
                                const nas_gpu_scratch_t *scratch, nas_error_t *err)
{
    const int n_steps = nas_gpu_steps_count(steps);
    scheduler_t s = {.waves = waves,
                     .steps = steps,
                     .scratch = scratch,
                     .n_steps = n_steps,
                     .n_variants = count_variants(steps, n_steps)};
    if (allocate(&s, (int)(steps->edge.n / sizeof(nas_gpu_edge_t))))
        return nas_error_nomem(err, "the launches of a pack");
    list_followers(&s);
    measure_ways(&s);
    begin(&s);
    int n = 0;
    for (int variant = choose(&s); variant != NONE; variant = choose(&s)) n += launch(&s, variant);
    NAS_ASSERT(n == n_steps);
    if (waves->wave.failed || waves->table.failed)
        return nas_error_nomem(err, "the launches of a pack");
    return NAS_OK;
}
