/* Rounds of evaluations.
 *
 * The workers (all ranks, or all but rank 0) are cut into teams of as many ranks as the objective
 * says can share an evaluation; ranks left over sleep. A round: rank 0
 * broadcasts the candidates; every rank works out by itself which team takes which, the costliest
 * first to the team with the least to do; the teams work, on one candidate after the other, or on as
 * many at once as the objective likes; outcomes meet at rank 0 in one gather.
 *
 * Each outcome is in its candidate's file the moment it is known, so that whatever ends the job
 * loses no outcome, and of a training at most what came after its last checkpoint. A request to
 * stop reaches every team by the heartbeat; the round then ends without the outcomes that are
 * missing, and after a restart goes on with them alone, since those that were there are found in
 * the files.
 */
#include "coordinator/evaluate/evaluator.h"

#include "common/io/stop.h"
#include "coordinator/evaluate/evaluator_internal.h"
#include "worker/candidates/candidate_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A round under way on this rank. */
typedef struct round {
    nas_evaluator_t *evaluator;
    const nas_evaluator_round_t *given; /* on rank 0 */
    nas_candidate_t *candidate;         /* [n] the same on all ranks */
    int64_t n;
    int *team;             /* [n] that evaluates it */
    nas_buffer_t outcomes; /* of my team's candidates, on its leader */
    int64_t n_mine;
    int64_t n_mine_done;
    int64_t n_in_hand;
    nas_buffer_t message; /* of the candidates; their names point into it */
} round_t;

static void round_fini(round_t *round)
{
    free(round->candidate);
    free(round->team);
    free(round->outcomes.data);
    free(round->message.data);
}

static bool leads(const nas_evaluator_t *evaluator)
{
    return evaluator->team && nas_comm_rank(evaluator->team) == 0;
}

/* --------------------------------------------------------------------------------- candidates */

/* The round's candidates from rank 0 to all. */
static nas_status_t spread_candidates(round_t *round, nas_error_t *err)
{
    nas_evaluator_t *evaluator = round->evaluator;
    nas_status_t status = NAS_OK;
    if (round->given)
        status =
            nas_candidates_pack(round->given->candidate, round->given->n, &round->message, err);
    status = nas_comm_agree(evaluator->world, status, err);
    if (!status) status = nas_buffer_share(evaluator->world, &round->message, err);
    if (status) return status;
    return nas_candidates_unpack(round->message.data, &round->candidate, &round->n, err);
}

static nas_status_t predict_cost(const nas_evaluator_t *evaluator, const nas_candidate_t *candidate,
                                 double *predicted, nas_error_t *err)
{
    const nas_objective_kind_t *kind = evaluator->kind;
    *predicted = 1;
    return kind->cost ? kind->cost(evaluator->objective, candidate, predicted, err) : NAS_OK;
}

static int least_loaded(const double *load, int n)
{
    int least = 0;
    for (int i = 1; i < n; i++)
        if (load[i] < load[least]) least = i;
    return least;
}

/* The costliest that has no team yet; the first of equals. */
static int64_t next_costliest(const double *cost, const int *team, int64_t n)
{
    int64_t next = -1;
    for (int64_t i = 0; i < n; i++)
        if (team[i] < 0 && (next < 0 || cost[i] > cost[next])) next = i;
    return next;
}

static nas_status_t assign_teams(round_t *round, nas_error_t *err)
{
    const nas_evaluator_t *evaluator = round->evaluator;
    const size_t n = (size_t)round->n;
    double *cost = malloc((n + 1) * sizeof *cost);
    double *load = calloc((size_t)evaluator->n_teams, sizeof *load);
    round->team = calloc(n + 1, sizeof *round->team);
    nas_status_t status = NAS_OK;
    if (!cost || !load || !round->team) {
        status = nas_error_nomem(err, "a round's candidates");
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        status = predict_cost(evaluator, &round->candidate[i], &cost[i], err);
        if (status) goto out;
        round->team[i] = -1;
    }
    for (size_t k = 0; k < n; k++) {
        const int64_t i = next_costliest(cost, round->team, round->n);
        round->team[i] = least_loaded(load, evaluator->n_teams);
        load[round->team[i]] += cost[i];
    }
    for (size_t i = 0; i < n; i++) round->n_mine += round->team[i] == evaluator->my_team;
out:
    free(cost);
    free(load);
    return status;
}

/* ---------------------------------------------------------------------------------------- work */

/* Between steps of any work: give and take news. */
static bool asked_to_stop(void *context, double share)
{
    const round_t *round = context;
    const nas_evaluator_t *evaluator = round->evaluator;
    const double done =
        ((double)round->n_mine_done + share * (double)round->n_in_hand) / (double)round->n_mine;
    return nas_heartbeat_poll(evaluator->heartbeat, nas_stop_signal(), done) != 0;
}

/* What one rank of a team fails at, all fail at. */
static nas_status_t agree_in_team(const nas_evaluator_t *evaluator, nas_status_t status,
                                  nas_error_t *err)
{
    return evaluator->team_size > 1 ? nas_comm_agree(evaluator->team, status, err) : status;
}

/* Candidates that my team has in hand. */
typedef struct hand {
    int64_t *index; /* [n] in the round */
    const nas_candidate_t **candidate;
    char **stem;
    nas_outcome_t *outcome;
    int n, room;
} hand_t;

static int width(const nas_evaluator_t *evaluator)
{
    const nas_objective_kind_t *kind = evaluator->kind;
    return kind->width ? kind->width(evaluator->objective) : 1;
}

static nas_status_t hand_init(hand_t *hand, int room, nas_error_t *err)
{
    const size_t n = (size_t)room;
    *hand = (hand_t){.index = calloc(n, sizeof *hand->index),
                     .candidate = calloc(n, sizeof(void *)),
                     .stem = calloc(n, sizeof(void *)),
                     .outcome = calloc(n, sizeof *hand->outcome),
                     .room = room};
    if (hand->index && hand->candidate && hand->stem && hand->outcome) return NAS_OK;
    return nas_error_nomem(err, "a round's candidates");
}

static void hand_clear(hand_t *hand)
{
    for (int i = 0; i < hand->n; i++) {
        nas_outcome_fini(&hand->outcome[i]);
        hand->outcome[i] = (nas_outcome_t){0};
        free(hand->stem[i]);
    }
    hand->n = 0;
}

static void hand_fini(hand_t *hand)
{
    hand_clear(hand);
    free(hand->index);
    free((void *)hand->candidate);
    free((void *)hand->stem);
    free(hand->outcome);
}

/* My team's next ones, from `first` on; *end: the first that was not looked at. */
static nas_status_t take_next(const round_t *round, int64_t first, hand_t *hand, int64_t *end,
                              nas_error_t *err)
{
    const nas_evaluator_t *evaluator = round->evaluator;
    int64_t i = first;
    for (; i < round->n && hand->n < hand->room; i++) {
        if (round->team[i] != evaluator->my_team) continue;
        hand->index[hand->n] = i;
        hand->candidate[hand->n] = &round->candidate[i];
        hand->stem[hand->n] = nas_candidate_stem(evaluator->output, &round->candidate[i], err);
        if (!hand->stem[hand->n++]) return NAS_ENOMEM;
    }
    *end = i;
    return NAS_OK;
}

static nas_status_t evaluate(round_t *round, hand_t *hand, nas_error_t *err)
{
    nas_evaluator_t *evaluator = round->evaluator;
    const nas_interrupt_t interrupt = {.asked = asked_to_stop, .context = round};
    const nas_objective_work_t work = {.candidate = hand->candidate,
                                       .stem = (const char *const *)hand->stem,
                                       .n = hand->n,
                                       .interrupt = &interrupt};
    round->n_in_hand = hand->n;
    nas_status_t status =
        evaluator->kind->evaluate(evaluator->objective, &work, hand->outcome, err);
    for (int i = 0; !status && leads(evaluator) && i < hand->n; i++)
        status = nas_outcome_pack(&hand->outcome[i], hand->index[i], evaluator->parameters.size,
                                  &round->outcomes, err);
    return agree_in_team(evaluator, status, err);
}

/* All of my team's candidates, as many at once as the objective likes. */
static nas_status_t work(round_t *round, nas_error_t *err)
{
    const nas_evaluator_t *evaluator = round->evaluator;
    hand_t hand = {0};
    nas_status_t status = agree_in_team(evaluator, hand_init(&hand, width(evaluator), err), err);
    for (int64_t next = 0; !status && next < round->n;) {
        status = agree_in_team(evaluator, take_next(round, next, &hand, &next, err), err);
        if (!status && hand.n > 0) status = evaluate(round, &hand, err);
        round->n_mine_done += hand.n;
        hand_clear(&hand);
    }
    hand_fini(&hand);
    return status;
}

/* ------------------------------------------------------------------------------------ outcomes */

/* Outcomes of one rank's message, in rank 0's hands. */
static nas_status_t hand_over(const round_t *round, int rank, const char *at, const char *end,
                              nas_error_t *err)
{
    const nas_outcome_size_t size = round->evaluator->parameters.size;
    nas_status_t status = NAS_OK;
    while (at < end && !status) {
        int64_t index = 0;
        nas_outcome_t outcome = {0};
        status = nas_outcome_unpack(&at, size, &index, &outcome, err);
        if (!status) round->given->hear(round->given->context, index, &outcome, rank);
    }
    return status;
}

static nas_status_t gather_outcomes(round_t *round, nas_error_t *err)
{
    nas_comm_t *world = round->evaluator->world;
    const int size = nas_comm_size(world);
    const char *all = NULL;
    nas_status_t status = NAS_OK;
    size_t *offset = round->given ? calloc((size_t)size + 1, sizeof *offset) : NULL;
    if (round->given && !offset) nas_comm_abort("out of memory for message sizes");
    nas_comm_gather(world, round->outcomes.data, round->outcomes.size, &all, offset);
    for (int r = 0; round->given && r < size && !status; r++)
        status = hand_over(round, r, all + offset[r], all + offset[r + 1], err);
    free(offset);
    return status;
}

nas_status_t nas_evaluator_evaluate(nas_evaluator_t *evaluator, const nas_evaluator_round_t *given,
                                    nas_error_t *err)
{
    round_t round = {.evaluator = evaluator, .given = given};
    nas_status_t status = spread_candidates(&round, err);
    if (!status) status = assign_teams(&round, err);
    status = nas_comm_agree(evaluator->world, status, err);
    if (!status && round.n > 0) {
        nas_error_t late = {0};
        if (evaluator->team) status = work(&round, err);
        (void)nas_heartbeat_poll(evaluator->heartbeat, nas_stop_signal(), 1.0);
        const nas_status_t gathered = gather_outcomes(&round, &late);
        if (gathered > status) {
            status = gathered;
            *err = late;
        }
        status = nas_comm_agree(evaluator->world, status, err);
    }
    round_fini(&round);
    return status;
}
