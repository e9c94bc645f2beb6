/* Where coordinator and worker meet.
 *
 * The world is cut into groups of consecutive ranks; each works on one repeat at a time, all in
 * lockstep. A round is one step of every group (group.c), one gather of the leaders' steps to rank
 * 0, the judging of what they propose by all ranks (judging.c) unless it stands in a table, and one
 * scatter of rank 0's replies. Rank 0 leads group 0 and keeps the session besides.
 */
#include "coordinator/search/search.h"

#include "common/base/fault.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "coordinator/evaluate/evaluator.h"
#include "coordinator/search/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A rank's part in the search. */
typedef struct part {
    nas_comm_t *world;
    nas_comm_t *group;      /* all ranks of my group */
    nas_comm_t *leaders;    /* leaders of all groups; NULL on the others */
    nas_session_t *session; /* rank 0; borrowed */
    nas_plan_t plan;
    nas_score_table_t *scores;
    nas_encoding_t *encoding; /* leaders, where the method needs one */
    nas_group_t *method;
    nas_heartbeat_t *heartbeat;
    nas_interrupt_t interrupt; /* of setting up: asks the heartbeat */
    nas_evaluator_t *judging;  /* NULL: values stand in a table */
} part_t;

/* -------------------------------------------------------------------------------------- set up */

static void split_world(part_t *part)
{
    const int rank = nas_comm_rank(part->world), size = nas_comm_size(part->world);
    nas_comm_split(part->world, nas_plan_group_of(&part->plan, rank, size), &part->group);
    nas_comm_split(part->world, nas_comm_rank(part->group) == 0 ? 0 : -1, &part->leaders);
}

/* What all ranks must know of one metric. */
typedef struct metric_plan {
    char name[256];
    int transform; /* nas_transform_t */
} metric_plan_t;

/* Room for one metric. */
typedef struct load {
    double *column; /* rank 0: of the whole pool */
    double *shard;  /* of this rank in its group */
} load_t;

/* One raw metric column from rank 0 into the shards of all groups. */
static nas_status_t load_metric(part_t *part, int64_t metric, const load_t *load, nas_error_t *err)
{
    metric_plan_t plan = {0};
    nas_comm_rows_t held = {0}, wanted = {0};
    if (part->session) {
        const nas_inputs_t *inputs = nas_session_inputs(part->session);
        const char *name = inputs->job->metrics.names.at[metric];
        (void)snprintf(plan.name, sizeof plan.name, "%s", name);
        plan.transform = (int)nas_job_transform(inputs->job, name);
        nas_inputs_metric(inputs, &nas_session_state(part->session)->scores, metric, load->column);
        held.n = part->plan.n_arch;
    }
    nas_comm_bcast(part->world, 0, &plan, sizeof plan);
    NAS_FAULT_POINT("load-metric");
    nas_score_table_shard(part->scores, &wanted.first, &wanted.n);
    nas_comm_move_rows(part->world, held, load->column, wanted, load->shard);
    const nas_status_t status = nas_score_table_load(
        part->scores, metric, load->shard, (nas_transform_t)plan.transform, plan.name, err);
    return status ? status : nas_interrupt_check(&part->interrupt, 0, err);
}

static nas_status_t load_metrics(part_t *part, nas_error_t *err)
{
    load_t load = {0};
    int64_t first = 0, n_rows = 0;
    nas_status_t status = NAS_OK;
    nas_score_table_shard(part->scores, &first, &n_rows);
    load.shard = malloc((size_t)n_rows * sizeof *load.shard + 1); /* it may be empty */
    if (part->session) load.column = malloc((size_t)part->plan.n_arch * sizeof *load.column);
    if (!load.shard || (part->session && !load.column))
        status = nas_error_nomem(err, "a metric column");
    status = nas_comm_agree(part->world, status, err);
    for (int64_t metric = 0; !status && metric < part->plan.n_metric; metric++)
        status = nas_comm_agree(part->world, load_metric(part, metric, &load, err), err);
    free(load.shard);
    free(load.column);
    return status;
}

static nas_status_t load_scores(part_t *part, nas_error_t *err)
{
    const nas_plan_t *plan = &part->plan;
    if (plan->n_metric == 0) return NAS_OK;
    /* q best ones, or once the T best of one weight vector */
    const int64_t max_places = plan->parallel > plan->budget ? plan->parallel : plan->budget;
    const nas_score_table_options_t options = {.n_arch = plan->n_arch,
                                               .n_metric = plan->n_metric,
                                               .max_places = max_places,
                                               .interrupt = &part->interrupt};
    nas_status_t status = NAS_OK;
    if (part->session) status = nas_session_look_at_metrics(part->session, err);
    status = nas_comm_agree(part->world, status, err);
    if (!status) status = nas_score_table_create(part->group, &options, &part->scores, err);
    status = nas_comm_agree(part->world, status, err);
    return status ? status : load_metrics(part, err);
}

/* The pool's codes from rank 0 to the leaders, one byte a position. */
static nas_status_t spread_encoding(part_t *part, nas_error_t *err)
{
    const int64_t n_arch = part->plan.n_arch, n_position = part->plan.encoding;
    if (n_position == 0 || !part->leaders) return NAS_OK;
    const size_t n_bytes = (size_t)(n_arch * n_position);
    const uint8_t *codes = NULL;
    uint8_t *received = NULL;
    if (part->session) {
        codes = nas_encoding_at(nas_session_inputs(part->session)->encoding, 0);
    } else {
        codes = received = malloc(n_bytes);
    }
    nas_status_t status = codes ? NAS_OK : nas_error_nomem(err, "codes of the pool");
    status = nas_comm_agree(part->leaders, status, err);
    if (!status) {
        nas_comm_bcast(part->leaders, 0, (void *)(uintptr_t)codes, n_bytes);
        status = nas_encoding_from_codes(codes, n_arch, (int)n_position, &part->encoding, err);
    }
    free(received);
    return status;
}

static int watch(void *context, double share)
{
    return nas_session_watch(context, share);
}

static void abandon(void *context, const char *line)
{
    nas_session_abandon(context, line);
}

static nas_status_t begin_heartbeat(part_t *part, nas_error_t *err)
{
    const nas_heartbeat_options_t options = {.silence_s = part->plan.silence_s,
                                             .silent = abandon,
                                             .watch = watch,
                                             .context = part->session};
    return nas_heartbeat_begin(part->world, &options, &part->heartbeat, err);
}

/* Sorting a metric takes seconds where the pool is large. */
static bool is_asked_to_stop(void *context, double share)
{
    part_t *part = context;
    (void)share; /* nothing that the user waits for is shown yet */
    return nas_heartbeat_poll(part->heartbeat, nas_stop_signal(), (double)NAN) != 0;
}

/* Ranks hear each other from here on, since loading can take longer than `silence`. */
static nas_status_t set_up(part_t *part, nas_error_t *err)
{
    if (part->session) part->plan = nas_session_inputs(part->session)->plan;
    nas_comm_bcast(part->world, 0, &part->plan, sizeof part->plan);
    if (part->session) nas_session_begin_search(part->session);
    split_world(part);
    nas_status_t status = begin_heartbeat(part, err);
    if (status) return status;
    part->interrupt = (nas_interrupt_t){.asked = is_asked_to_stop, .context = part};
    status = load_scores(part, err);
    if (!status) status = nas_comm_agree(part->world, spread_encoding(part, err), err);
    if (status) return status;
    const nas_group_options_t options = {.comm = part->group,
                                         .plan = &part->plan,
                                         .scores = part->scores,
                                         .encoding = part->encoding,
                                         .heartbeat = part->heartbeat};
    status = nas_group_create(&options, &part->method, err);
    status = nas_comm_agree(part->world, status, err);
    if (!status)
        status =
            nas_evaluator_create(part->world, part->session, part->heartbeat, &part->judging, err);
    return status;
}

/* A request to stop ended the setting up, on all ranks: it is noted and saved. */
static nas_status_t stop_early(part_t *part, nas_error_t *err)
{
    nas_status_t status = NAS_ESTOP;
    double stop = nas_heartbeat_poll(part->heartbeat, nas_stop_signal(), (double)NAN);
    nas_comm_max(part->world, &stop, 1); /* news of it may still be on its way to rank 0 */
    if (part->session) status = nas_session_stop_early(part->session, (int)stop, err);
    return nas_comm_agree(part->world, status, err);
}

static void tear_down(part_t *part)
{
    nas_evaluator_destroy(part->judging);
    nas_heartbeat_end(part->heartbeat);
    nas_group_destroy(part->method);
    nas_encoding_destroy(part->encoding);
    nas_score_table_destroy(part->scores);
    nas_comm_destroy(part->leaders);
    nas_comm_destroy(part->group);
}

/* -------------------------------------------------------------------------------------- rounds */

/* Messages of one round. */
typedef struct mail {
    nas_buffer_t step;
    size_t *offset; /* rank 0: [n_groups + 1] of the steps, then as many of the replies */
} mail_t;

static size_t *reply_offset(const part_t *part, const mail_t *mail)
{
    return part->session ? mail->offset + part->plan.n_groups + 1 : NULL;
}

/* Leaders: the step to rank 0. */
static void send_step(part_t *part, const nas_step_t *step, mail_t *mail)
{
    nas_error_t err = {0};
    const char *steps = NULL;
    mail->step.size = 0;
    /* an idle group has nothing to say but a signal that one of its ranks received */
    const bool silent = step->repeat < 0 && !step->stop && !step->status;
    if (!silent && nas_step_pack(step, part->plan.n_metric, &mail->step, &err))
        nas_comm_abort(err.text);
    nas_comm_gather(part->leaders, mail->step.data, mail->step.size, &steps, mail->offset);
    if (part->session) nas_session_take_steps(part->session, steps, mail->offset);
}

/* All ranks: what the steps ask for becomes known to rank 0. */
static void judge(part_t *part)
{
    nas_error_t err = {0};
    if (!part->judging) return;
    const nas_status_t status = nas_evaluator_round(part->judging, &err);
    double stop = nas_heartbeat_poll(part->heartbeat, nas_stop_signal(), (double)NAN);
    /* news of it may still be on its way to rank 0 */
    if (status == NAS_ESTOP) nas_comm_max(part->world, &stop, 1);
    if (part->session) nas_session_end_judging(part->session, status, &err, (int)stop);
}

/* Leaders: rank 0's reply. */
static void take_reply(part_t *part, const mail_t *mail)
{
    const char *replies = NULL, *reply = NULL;
    size_t size = 0;
    if (part->session) nas_session_round(part->session, &replies, reply_offset(part, mail));
    nas_comm_scatter(part->leaders, replies, reply_offset(part, mail), &reply, &size);
    nas_group_hear(part->method, reply, size);
}

static nas_status_t run_rounds(part_t *part, nas_error_t *err)
{
    nas_step_t step;
    mail_t mail = {0};
    if (part->session) {
        mail.offset = calloc(2 * ((size_t)part->plan.n_groups + 1), sizeof *mail.offset);
        if (!mail.offset) nas_comm_abort("out of memory for message sizes");
    }
    while (nas_group_step(part->method, &step)) {
        if (part->leaders) send_step(part, &step, &mail);
        judge(part);
        if (part->leaders) take_reply(part, &mail);
    }
    free(mail.offset);
    free(mail.step.data);
    return nas_group_outcome(part->method, err);
}

nas_status_t nas_search(nas_comm_t *world, nas_session_t *session, nas_error_t *err)
{
    part_t part = {.world = world, .session = session};
    nas_status_t status = set_up(&part, err);
    if (status == NAS_ESTOP) status = stop_early(&part, err);
    NAS_FAULT_POINT("start");
    if (!status) status = run_rounds(&part, err);
    tear_down(&part);
    return status;
}
