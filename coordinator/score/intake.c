/* A chunk is a range of the pool, a bit for each of its architectures that is to be scored, a bit
 * for each that lacks but a part of its metrics, and, where the pool is not its whole space, their
 * numbers in the space. Rank 0 alone knows what is scored: it cuts the chunks, so that no more is
 * pending in one than the schedule has room for, and tells the others. What architectures will cost
 * is worked out by all ranks, each a share of the chunk, since in large worlds that alone would
 * take as long as scoring.
 */
#include "coordinator/score/intake.h"

#include "coordinator/score/score_stage.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 }; /* architectures, so that 16 bytes of each are no more than 1 MiB */

/* Which part of the pool. */
typedef struct range {
    int64_t first;
    int64_t n;
} range_t;

struct nas_intake {
    nas_comm_t *world;
    nas_score_stage_t *stage; /* rank 0 */
    const nas_score_parameters_t *parameters;
    nas_networks_t *networks;  /* whose costs are predicted */
    bool is_whole;             /* the pool is its whole space: places and numbers are the same */
    int64_t next;              /* rank 0: what stands before it came in or is scored */
    uint8_t *pending;          /* [CHUNK / 8] bits */
    uint8_t *partly;           /* [CHUNK / 8] bits */
    int64_t *arch;             /* [CHUNK] numbers in the space */
    double *cost;              /* [CHUNK] */
    size_t *offset;            /* [n_ranks + 1] of costs on rank 0 */
    double fixed_cost;         /* that every network has */
    nas_schedule_item_t *item; /* [CHUNK] */
};

/* ---------------------------------------------------------------------------------------- costs */

/* What every network takes besides its operations (initialisation, the metrics' own work): a fifth
 * of the costliest network's operations, by a fit to `robotnas bench score`. */
static double fixed_cost(const nas_intake_t *intake)
{
    const double fixed = 0.2;
    return fixed *
           intake->networks->most_operations(intake->networks, &intake->parameters->network);
}

/* Cost of an architecture: the operations of its live part, and the fixed one. */
static double predict_cost(const nas_intake_t *intake, int64_t arch)
{
    return intake->networks->operations(intake->networks, arch, &intake->parameters->network) +
           intake->fixed_cost;
}

static bool has_bit(const uint8_t *bits, int64_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static void set_bit(uint8_t *bits, int64_t i)
{
    bits[i / 8] |= (uint8_t)(1 << (i % 8));
}

/* Each rank's share, put together by rank 0 and sent to all. */
static void predict_costs(nas_intake_t *intake, int64_t n, const nas_interrupt_t *interrupt)
{
    const size_t size = sizeof *intake->cost;
    const char *all = NULL;
    int64_t first = 0, n_own = 0;
    nas_comm_shard(n, nas_comm_rank(intake->world), nas_comm_size(intake->world), &first, &n_own);
    memset(intake->cost + first, 0, (size_t)n_own * size);
    for (int64_t i = first; i < first + n_own && !nas_interrupted(interrupt, 0.0); i++)
        if (has_bit(intake->pending, i)) intake->cost[i] = predict_cost(intake, intake->arch[i]);
    nas_comm_gather(intake->world, intake->cost + first, (size_t)n_own * size, &all,
                    intake->offset);
    if (intake->stage && n > 0) memcpy(intake->cost, all, (size_t)n * size);
    nas_comm_bcast(intake->world, 0, intake->cost, (size_t)n * size);
}

/* --------------------------------------------------------------------------------------- chunks */

/* Rank 0: the next chunk, in which at most n_most are pending. */
static range_t cut_chunk(nas_intake_t *intake, int64_t n_most)
{
    const nas_scores_t *scores = &nas_session_state(intake->stage->session)->scores;
    const nas_pool_t *pool = intake->stage->pool;
    while (intake->next < scores->n && scores->status[intake->next] != NAS_SCORE_PENDING)
        intake->next++;
    range_t range = {.first = intake->next};
    memset(intake->pending, 0, CHUNK / 8);
    memset(intake->partly, 0, CHUNK / 8);
    for (int64_t i = intake->next; i < scores->n && range.n < CHUNK; i++, range.n++) {
        intake->arch[range.n] = nas_pool_index(pool, i);
        if (scores->status[i] != NAS_SCORE_PENDING) continue;
        if (n_most-- == 0) break;
        set_bit(intake->pending, range.n);
        if (nas_score_stage_is_partly_known(intake->stage, i)) set_bit(intake->partly, range.n);
    }
    NAS_ASSERT(range.n > 0);
    intake->next = range.first + range.n;
    return range;
}

static void spread_chunk(nas_intake_t *intake, range_t *range)
{
    nas_comm_bcast(intake->world, 0, range, sizeof *range);
    const size_t n = (size_t)range->n, n_bytes = (n + 7) / 8;
    nas_comm_bcast(intake->world, 0, intake->pending, n_bytes);
    if (intake->parameters->known) nas_comm_bcast(intake->world, 0, intake->partly, n_bytes);
    if (!intake->is_whole) nas_comm_bcast(intake->world, 0, intake->arch, n * sizeof *intake->arch);
    for (size_t i = 0; intake->is_whole && i < n; i++) intake->arch[i] = range->first + (int64_t)i;
}

/* The items that stand for the chunk's pending ones. Returns their number. */
static int64_t make_items(nas_intake_t *intake, range_t range)
{
    int64_t n = 0;
    for (int64_t i = 0; i < range.n; i++) {
        if (!has_bit(intake->pending, i)) continue;
        const bool is_partly = intake->parameters->known && has_bit(intake->partly, i);
        intake->item[n++] = (nas_schedule_item_t){.index = range.first + i,
                                                  .payload = 2 * intake->arch[i] + is_partly,
                                                  .cost = intake->cost[i]};
    }
    return n;
}

int64_t nas_intake_arch(const nas_schedule_item_t *item, bool *is_partly)
{
    *is_partly = item->payload % 2;
    return item->payload / 2;
}

void nas_intake_fill(nas_intake_t *intake, nas_schedule_t *schedule,
                     const nas_interrupt_t *interrupt)
{
    for (int64_t room = nas_schedule_room(schedule); room > 0; room = nas_schedule_room(schedule)) {
        range_t range = {0};
        if (intake->stage) range = cut_chunk(intake, room);
        spread_chunk(intake, &range);
        predict_costs(intake, range.n, interrupt);
        nas_schedule_add(schedule, intake->item, make_items(intake, range));
    }
}

/* ----------------------------------------------------------------------------------- life cycle */

static nas_status_t allocate(nas_intake_t *intake, nas_error_t *err)
{
    intake->pending = malloc(CHUNK / 8);
    intake->partly = malloc(CHUNK / 8);
    intake->arch = malloc(CHUNK * sizeof *intake->arch);
    intake->cost = malloc(CHUNK * sizeof *intake->cost);
    intake->item = malloc(CHUNK * sizeof *intake->item);
    intake->offset = calloc((size_t)nas_comm_size(intake->world) + 1, sizeof *intake->offset);
    if (!intake->pending || !intake->partly || !intake->arch || !intake->cost || !intake->item ||
        !intake->offset)
        return nas_error_nomem(err, "chunks of the pool");
    return NAS_OK;
}

/* What rank 0 alone knows of the pool. */
static void learn_pool(nas_intake_t *intake, int64_t *n_pending)
{
    int64_t known[2] = {0};
    if (intake->stage) {
        const nas_scores_t *scores = &nas_session_state(intake->stage->session)->scores;
        known[0] = scores->n - scores->n_done;
        known[1] = nas_pool_is_whole(intake->stage->pool);
    }
    nas_comm_bcast(intake->world, 0, known, sizeof known);
    *n_pending = known[0];
    intake->is_whole = known[1] != 0;
}

nas_status_t nas_intake_create(const nas_intake_options_t *options, nas_intake_t **intake_p,
                               int64_t *n_pending, nas_error_t *err)
{
    nas_intake_t *intake = calloc(1, sizeof *intake);
    if (!intake) nas_comm_abort("out of memory for chunks of the pool");
    *intake = (nas_intake_t){.world = options->world,
                             .stage = options->stage,
                             .networks = options->networks,
                             .parameters = options->parameters};
    const nas_status_t status = nas_comm_agree(intake->world, allocate(intake, err), err);
    if (status) {
        nas_intake_destroy(intake);
        return status;
    }
    intake->fixed_cost = fixed_cost(intake);
    learn_pool(intake, n_pending);
    *intake_p = intake;
    return NAS_OK;
}

void nas_intake_destroy(nas_intake_t *intake)
{
    if (!intake) return;
    free(intake->pending);
    free(intake->partly);
    free(intake->arch);
    free(intake->cost);
    free(intake->item);
    free(intake->offset);
    free(intake);
}
