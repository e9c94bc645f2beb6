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
#include "coordinator/search/group.h"
#include "coordinator/search/search_stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The search on a rank. */
typedef struct search {
    nas_comm_t *world;
    nas_comm_t *group;         /* all ranks of my group */
    nas_comm_t *leaders;       /* leaders of all groups; NULL on the others */
    nas_search_stage_t *stage; /* rank 0; borrowed */
    nas_shared_table_t *table; /* this rank's rows of a table; NULL: none; borrowed */
    nas_search_parameters_t parameters;
    nas_score_table_t *scores;
    nas_encoding_t *encoding; /* leaders, where the method needs one */
    nas_group_t *method;
    nas_heartbeat_t *heartbeat;
    nas_interrupt_t interrupt;  /* of setting up: asks the heartbeat */
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

/* What all ranks must know of one metric. */
typedef struct metric_facts {
    char name[256];
    int transform; /* nas_transform_t */
    int column;    /* of the table; -1: rank 0 has the values */
} metric_facts_t;

/* Room for one metric. */
typedef struct load {
    double *column; /* rank 0: of the whole pool, where its values are in no table */
    double *shard;  /* of this rank in its group */
} load_t;

static metric_facts_t share_facts(const search_t *search, int64_t metric)
{
    metric_facts_t facts = {0};
    if (search->stage) {
        const nas_search_inputs_t *inputs = search->stage->inputs;
        const char *name = inputs->job->metrics.names.at[metric];
        (void)snprintf(facts.name, sizeof facts.name, "%s", name);
        facts.transform = (int)nas_job_transform(inputs->job, name);
        facts.column = nas_search_inputs_column(inputs, metric);
    }
    nas_comm_bcast(search->world, 0, &facts, sizeof facts);
    return facts;
}

/* The raw values of one metric that this rank holds; rows [out] which they are. */
static const double *held_values(const search_t *search, int64_t metric, int column, double *room,
                                 nas_comm_rows_t *rows)
{
    const nas_search_stage_t *stage = search->stage;
    *rows = (nas_comm_rows_t){0};
    if (column >= 0 && search->table) {
        *rows = nas_shared_table_held(search->table);
        return nas_shared_table_column(search->table, column);
    }
    if (column >= 0 || !stage) return NULL;
    rows->n = search->parameters.n_arch;
    nas_search_inputs_metric(stage->inputs, rows->n, &nas_session_state(stage->session)->scores,
                             metric, room);
    return room;
}

/* One metric from whoever has its values into the shards of all groups. */
static nas_status_t load_metric(search_t *search, int64_t metric, const load_t *load,
                                nas_error_t *err)
{
    const metric_facts_t facts = share_facts(search, metric);
    nas_comm_rows_t held, wanted = {0};
    const double *value = held_values(search, metric, facts.column, load->column, &held);
    NAS_FAULT_POINT("load-metric");
    nas_score_table_shard(search->scores, &wanted.first, &wanted.n);
    nas_comm_move_rows(search->world, held, value, wanted, load->shard);
    const nas_status_t status = nas_score_table_load(
        search->scores, metric, load->shard, (nas_transform_t)facts.transform, facts.name, err);
    return status ? status : nas_interrupt_check(&search->interrupt, 0, err);
}

static nas_status_t load_metrics(search_t *search, nas_error_t *err)
{
    load_t load = {0};
    int64_t first = 0, n_rows = 0;
    nas_status_t status = NAS_OK;
    nas_score_table_shard(search->scores, &first, &n_rows);
    load.shard = malloc((size_t)n_rows * sizeof *load.shard + 1); /* it may be empty */
    const bool needs_room = search->stage && nas_search_inputs_column(search->stage->inputs, 0) < 0;
    if (needs_room) load.column = malloc((size_t)search->parameters.n_arch * sizeof *load.column);
    if (!load.shard || (needs_room && !load.column))
        status = nas_error_nomem(err, "a metric column");
    status = nas_comm_agree(search->world, status, err);
    for (int64_t metric = 0; !status && metric < search->parameters.n_metric; metric++)
        status = nas_comm_agree(search->world, load_metric(search, metric, &load, err), err);
    free(load.shard);
    free(load.column);
    return status;
}

static nas_status_t load_scores(search_t *search, nas_error_t *err)
{
    const nas_search_parameters_t *parameters = &search->parameters;
    if (parameters->n_metric == 0) return NAS_OK;
    /* q best ones, or once the T best of one weight vector */
    const int64_t max_places =
        parameters->parallel > parameters->budget ? parameters->parallel : parameters->budget;
    const nas_score_table_options_t options = {.n_arch = parameters->n_arch,
                                               .n_metric = parameters->n_metric,
                                               .max_places = max_places,
                                               .interrupt = &search->interrupt};
    nas_status_t status = NAS_OK;
    if (search->stage) status = nas_search_stage_look_at_metrics(search->stage, err);
    status = nas_comm_agree(search->world, status, err);
    if (!status) status = nas_score_table_create(search->group, &options, &search->scores, err);
    status = nas_comm_agree(search->world, status, err);
    return status ? status : load_metrics(search, err);
}

/* The pool's codes from rank 0 to the leaders, one byte a position. */
static nas_status_t spread_encoding(search_t *search, nas_error_t *err)
{
    const int64_t n_arch = search->parameters.n_arch, n_position = search->parameters.encoding;
    if (n_position == 0 || !search->leaders) return NAS_OK;
    const size_t n_bytes = (size_t)(n_arch * n_position);
    const uint8_t *codes = NULL;
    uint8_t *received = NULL;
    if (search->stage) {
        codes = nas_encoding_at(search->stage->inputs->encoding, 0);
    } else {
        codes = received = malloc(n_bytes);
    }
    nas_status_t status = codes ? NAS_OK : nas_error_nomem(err, "codes of the pool");
    status = nas_comm_agree(search->leaders, status, err);
    if (!status) {
        nas_comm_bcast(search->leaders, 0, (void *)(uintptr_t)codes, n_bytes);
        const nas_codes_t all = {.code = codes, .n = n_arch, .n_position = (int)n_position};
        status = nas_encoding_from_codes(&all, NULL, &search->encoding, err);
    }
    free(received);
    return status;
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

/* Sorting a metric takes seconds where the pool is large. */
static bool is_asked_to_stop(void *context, double share)
{
    search_t *search = context;
    (void)share; /* nothing that the user waits for is shown yet */
    return nas_heartbeat_poll(search->heartbeat, nas_stop_signal(), (double)NAN) != 0;
}

static nas_status_t make_evaluator(search_t *search, nas_error_t *err)
{
    nas_evaluator_options_t options;
    if (search->stage) options = nas_search_stage_evaluator(search->stage);
    return nas_evaluator_create(search->world, search->stage ? &options : NULL, search->heartbeat,
                                &search->evaluator, err);
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
    status = load_scores(search, err);
    if (!status) status = nas_comm_agree(search->world, spread_encoding(search, err), err);
    if (status) return status;
    const nas_group_options_t options = {.comm = search->group,
                                         .parameters = &search->parameters,
                                         .scores = search->scores,
                                         .encoding = search->encoding,
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
    nas_encoding_destroy(search->encoding);
    nas_score_table_destroy(search->scores);
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

nas_status_t nas_search(nas_comm_t *world, nas_search_stage_t *stage, nas_shared_table_t *table,
                        nas_error_t *err)
{
    search_t search = {.world = world, .stage = stage, .table = table};
    nas_status_t status = set_up(&search, err);
    if (status == NAS_ESTOP) status = stop_early(&search, err);
    NAS_FAULT_POINT("start");
    if (!status) status = run_rounds(&search, err);
    tear_down(&search);
    return status;
}
