/* Where coordinator and worker meet.
 *
 * The world is cut into groups of consecutive ranks; each works on one repeat at a time, all in
 * lockstep. A round is one step of every group (group.c), one gather of the leaders' steps to rank
 * 0, the look-up of what they propose in a table, whose rows the ranks may share, or its evaluation
 * by all ranks (evaluate/evaluator.c), and one scatter of rank 0's replies. Rank 0 leads group 0
 * and records the search besides (search_stage.c).
 */
#include "coordinator/search/search.h"

#include "common/base/fault.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"
#include "coordinator/evaluate/evaluator.h"
#include "coordinator/search/features.h"
#include "coordinator/search/group.h"
#include "coordinator/search/search_stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The search on a rank. */
typedef struct search {
    nas_comm_t *world;
    nas_comm_t *group;            /* all ranks of my group */
    nas_comm_t *leaders;          /* leaders of all groups; NULL on the others */
    const nas_devices_t *devices; /* borrowed */
    nas_networks_t *networks;     /* likewise; NULL: none are trained */
    nas_search_stage_t *stage;    /* rank 0; borrowed */
    nas_shared_table_t *table;    /* this rank's rows of a table; NULL: none; borrowed */
    nas_search_parameters_t parameters;
    nas_features_t features;
    nas_group_t *method;
    nas_heartbeat_t *heartbeat;
    nas_interrupt_t interrupt;  /* of setting up, and of what is made then */
    nas_evaluator_t *evaluator; /* NULL: values stand in a table */
} search_t;

/* -------------------------------------------------------------------------------------- set up */

static void split_world(search_t *search)
{
    const int rank = nas_comm_rank(search->world), size = nas_comm_size(search->world);
    nas_comm_split(search->world, nas_search_group_of(&search->parameters, rank, size),
                   &search->group);
    nas_comm_split(search->world, nas_comm_rank(search->group) == 0 ? 0 : -1, &search->leaders);
}

static int watch(void *context, double share)
{
    return nas_search_stage_watch(context, share);
}

static void abandon(void *context, const char *line)
{
    const nas_search_stage_t *stage = context;
    nas_session_abandon(stage->session, line);
}

static nas_status_t begin_heartbeat(search_t *search, nas_error_t *err)
{
    const nas_heartbeat_options_t options = {.silence_s = search->parameters.silence_s,
                                             .silent = abandon,
                                             .watch = watch,
                                             .context = search->stage};
    return nas_heartbeat_begin(search->world, &options, &search->heartbeat, err);
}

/* Sorting a metric takes seconds where the pool is large. What was made while the search was set up
 * may ask in its steps, too, of which the group knows. */
static bool is_asked_to_stop(void *context, double share)
{
    search_t *search = context; /* nothing that the user waits for is shown yet */
    if (search->method) return nas_interrupted(nas_group_interrupt(search->method), share);
    return nas_heartbeat_poll(search->heartbeat, nas_stop_signal(), (double)NAN) != 0;
}

static nas_status_t make_evaluator(search_t *search, nas_error_t *err)
{
    nas_evaluator_options_t options;
    if (search->stage) options = nas_search_stage_evaluator(search->stage);
    const nas_evaluator_ranks_t ranks = {.world = search->world,
                                         .devices = search->devices,
                                         .networks = search->networks,
                                         .heartbeat = search->heartbeat};
    return nas_evaluator_create(&ranks, search->stage ? &options : NULL, &search->evaluator, err);
}

/* Ranks hear each other from here on, since loading can take longer than `silence`. */
static nas_status_t set_up(search_t *search, nas_error_t *err)
{
    if (search->stage) search->parameters = search->stage->parameters;
    nas_comm_bcast(search->world, 0, &search->parameters, sizeof search->parameters);
    if (search->stage) nas_search_stage_begin(search->stage);
    split_world(search);
    nas_status_t status = begin_heartbeat(search, err);
    if (status) return status;
    search->interrupt = (nas_interrupt_t){.asked = is_asked_to_stop, .context = search};
    const nas_features_source_t source = {.world = search->world,
                                          .group = search->group,
                                          .leaders = search->leaders,
                                          .parameters = &search->parameters,
                                          .stage = search->stage,
                                          .table = search->table,
                                          .interrupt = &search->interrupt};
    status = nas_features_load(&source, &search->features, err);
    if (status) return status;
    const nas_group_options_t options = {.comm = search->group,
                                         .parameters = &search->parameters,
                                         .features = &search->features,
                                         .heartbeat = search->heartbeat};
    status = nas_group_create(&options, &search->method, err);
    status = nas_comm_agree(search->world, status, err);
    return status ? status : make_evaluator(search, err);
}

/* A request to stop ended the setting up, on all ranks: it is noted and saved. */
static nas_status_t stop_early(search_t *search, nas_error_t *err)
{
    nas_status_t status = NAS_ESTOP;
    double stop = nas_heartbeat_poll(search->heartbeat, nas_stop_signal(), (double)NAN);
    nas_comm_max(search->world, &stop, 1); /* news of it may still be on its way to rank 0 */
    if (search->stage) status = nas_search_stage_stop_early(search->stage, (int)stop, err);
    return nas_comm_agree(search->world, status, err);
}

static void tear_down(search_t *search)
{
    nas_evaluator_destroy(search->evaluator);
    nas_heartbeat_end(search->heartbeat);
    nas_group_destroy(search->method);
    nas_features_fini(&search->features);
    nas_comm_destroy(search->leaders);
    nas_comm_destroy(search->group);
}

/* -------------------------------------------------------------------------------------- rounds */

/* Messages of one round. */
typedef struct mail {
    nas_buffer_t step;
    size_t *offset; /* rank 0: [n_groups + 1] of the steps, then as many of the replies */
} mail_t;

static size_t *reply_offset(const search_t *search, const mail_t *mail)
{
    return search->stage ? mail->offset + search->parameters.n_groups + 1 : NULL;
}

/* Leaders: the step to rank 0. */
static void send_step(search_t *search, const nas_step_t *step, mail_t *mail)
{
    nas_error_t err = {0};
    const char *steps = NULL;
    mail->step.size = 0;
    /* an idle group has nothing to say but a signal that one of its ranks received */
    const bool silent = step->repeat < 0 && !step->stop && !step->status;
    if (!silent &&
        nas_step_pack(step, nas_search_message_sizes(&search->parameters), &mail->step, &err))
        nas_comm_abort(err.text);
    nas_comm_gather(search->leaders, mail->step.data, mail->step.size, &steps, mail->offset);
    if (search->stage) nas_search_stage_take_steps(search->stage, steps, mail->offset);
}

/* All ranks: rows of the table that the steps ask for become known to rank 0. */
static void look_up(search_t *search)
{
    int64_t n = 0;
    const int64_t *row = search->stage ? nas_search_stage_rows(search->stage, &n) : NULL;
    if (search->table) nas_shared_table_fetch(search->table, row, n);
    if (search->stage) nas_search_stage_collect(search->stage);
}

/* All ranks: what the steps ask for becomes known to rank 0. */
static void evaluate(search_t *search)
{
    nas_error_t err = {0};
    if (!search->evaluator) return;
    nas_evaluator_round_t round;
    if (search->stage) round = nas_search_stage_candidates(search->stage);
    const nas_status_t status =
        nas_evaluator_evaluate(search->evaluator, search->stage ? &round : NULL, &err);
    double stop = nas_heartbeat_poll(search->heartbeat, nas_stop_signal(), (double)NAN);
    /* news of it may still be on its way to rank 0 */
    if (status == NAS_ESTOP) nas_comm_max(search->world, &stop, 1);
    if (search->stage) nas_search_stage_end_evaluations(search->stage, status, &err, (int)stop);
}

/* Leaders: rank 0's reply. */
static void take_reply(search_t *search, const mail_t *mail)
{
    const char *replies = NULL, *reply = NULL;
    size_t size = 0;
    if (search->stage)
        nas_search_stage_end_round(search->stage, &replies, reply_offset(search, mail));
    nas_comm_scatter(search->leaders, replies, reply_offset(search, mail), &reply, &size);
    nas_group_hear(search->method, reply, size);
}

static nas_status_t run_rounds(search_t *search, nas_error_t *err)
{
    nas_step_t step;
    mail_t mail = {0};
    if (search->stage) {
        mail.offset = calloc(2 * ((size_t)search->parameters.n_groups + 1), sizeof *mail.offset);
        if (!mail.offset) nas_comm_abort("out of memory for message sizes");
    }
    while (nas_group_step(search->method, &step)) {
        if (search->leaders) send_step(search, &step, &mail);
        look_up(search);
        evaluate(search);
        if (search->leaders) take_reply(search, &mail);
    }
    free(mail.offset);
    free(mail.step.data);
    return nas_group_outcome(search->method, err);
}

nas_status_t nas_search(const nas_search_ranks_t *ranks, nas_search_stage_t *stage,
                        nas_error_t *err)
{
    search_t search = {.world = ranks->world,
                       .devices = ranks->devices,
                       .networks = ranks->networks,
                       .stage = stage,
                       .table = ranks->table};
    nas_status_t status = set_up(&search, err);
    if (status == NAS_ESTOP) status = stop_early(&search, err);
    NAS_FAULT_POINT("start");
    if (!status) status = run_rounds(&search, err);
    tear_down(&search);
    return status;
}
