/* A group's step, in lockstep with all other groups:
 *
 *   leader    asks its method what it wants to know; an idle group asks nothing
 *   leader    broadcasts the question to its members, or the end of the search
 *   all       look the answer up in their shards; one reduction brings it, and every member's
 *             stop signal, to the leader
 *   leader    turns the answer into proposals, which the caller carries to rank 0
 *   leader    hears the results (nas_group_hear) and tells its method
 *
 * A method that has a posterior may ask it, again and again, before it goes on to propose; then the
 * first three lines repeat. All ranks forget the points that the question does not speak of, answer
 * it, and the leader's method hears. Members do not know how many questions will come: the one that
 * is none of the posterior's is the last of the step. What interrupts a member in a sweep shows in
 * the message that ends it; where a point was to be appended, all members hear that there is
 * none, and the signal comes with the step's last question.
 *
 * A leader whose method fails, or whose posterior has no memory left on some rank, goes on
 * answering rounds, with the error in its step, until rank 0
 * ends the search for all: no rank is left waiting in a collective. So does one whose method was
 * interrupted, with the signal: a step that takes long asks the heartbeat whether to stop, which
 * also tells the others that this rank is alive. What the step had found is lost, and is found
 * again.
 */
#include "coordinator/search/group.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/io/stop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The question as it travels to the members, its numbers behind it. */
typedef struct question {
    int64_t is_end;
    int64_t kind; /* nas_query_kind_t */
    int64_t n_weights;
    int64_t k;
    int64_t n_points, arch; /* of a posterior */
    double incumbent, hidden;
    uint64_t seed;
    int64_t n_numbers; /* weights, or z */
    int64_t status;    /* of the end */
    nas_error_t err;
} question_t;

struct nas_group {
    nas_comm_t *comm;
    const nas_search_parameters_t *parameters;
    nas_features_t *features;
    const nas_method_t *method;
    void *state;    /* of the method; NULL while idle. Leader only, like all that follows. */
    int64_t repeat; /* under way, or -1 */
    uint64_t seed;  /* of the repeat */
    bool done;      /* the method wants nothing more */
    nas_heartbeat_t *heartbeat;
    nas_interrupt_t interrupt; /* the method's; its context is this group */
    double next_poll_s;
    int stop;         /* what the heartbeat knew when it was asked last */
    bool interrupted; /* the method has nothing more to say */
    nas_status_t failure;
    nas_error_t failure_text;
    nas_proposals_t proposed;
    int64_t *answer; /* [max(q, T)] */
    double *values;  /* [max(T, n_metric) + 1] of a posterior's answer */
    question_t question;
    double *numbers; /* [max(q x n_weight, T)] of the question, on every rank; touched as used */
    nas_status_t outcome;
    nas_error_t outcome_text;
};

/* ------------------------------------------------------------------------------ life and death */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static nas_status_t allocate(nas_group_t *group, nas_error_t *err)
{
    const nas_search_parameters_t *parameters = group->parameters;
    const size_t n_metric = (size_t)parameters->n_metric, n_weight = (size_t)parameters->n_weight,
                 q = (size_t)parameters->parallel, budget = (size_t)parameters->budget;
    group->numbers = calloc(larger(q * n_weight, budget) + 1, sizeof *group->numbers);
    if (!group->numbers) return nas_error_nomem(err, "a rank group");
    if (nas_comm_rank(group->comm) != 0) return NAS_OK;
    nas_proposals_t *proposed = &group->proposed;
    proposed->arch = calloc(q, sizeof *proposed->arch);
    proposed->phase = calloc(q, sizeof *proposed->phase);
    proposed->weights = calloc(q * n_weight + 1, sizeof *proposed->weights);
    proposed->frontier = calloc(budget, sizeof *proposed->frontier);
    proposed->best_weights = calloc(n_metric + 1, sizeof *proposed->best_weights);
    group->answer = calloc(larger(q, budget), sizeof *group->answer);
    group->values = calloc(larger(n_metric, budget) + 1, sizeof *group->values);
    if (!proposed->arch || !proposed->phase || !proposed->weights || !proposed->frontier ||
        !proposed->best_weights || !group->answer || !group->values)
        return nas_error_nomem(err, "a rank group");
    return NAS_OK;
}

/* A method may ask after every microsecond of work. */
static bool poll_heartbeat(void *context, double share)
{
    (void)share; /* the user is shown what is evaluated, not what is thought about */
    const double interval_s = 0.01;
    nas_group_t *group = context;
    const double now_s = nas_clock_monotonic_s();
    if (group->stop || now_s < group->next_poll_s) return group->stop != 0;
    group->next_poll_s = now_s + interval_s;
    group->stop = nas_heartbeat_poll(group->heartbeat, nas_stop_signal(), (double)NAN);
    return group->stop != 0;
}

nas_status_t nas_group_create(const nas_group_options_t *options, nas_group_t **group_p,
                              nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    nas_group_t *group = calloc(1, sizeof *group);
    if (group) {
        *group = (nas_group_t){.comm = options->comm,
                               .parameters = options->parameters,
                               .features = options->features,
                               .heartbeat = options->heartbeat,
                               .interrupt = {.asked = poll_heartbeat, .context = group},
                               .method = nas_search_method(options->parameters),
                               .repeat = -1};
        status = allocate(group, err);
    } else {
        status = nas_error_nomem(err, "a rank group");
    }
    status = nas_comm_agree(options->comm, status, err);
    if (status) {
        nas_group_destroy(group);
        return status;
    }
    *group_p = group;
    return NAS_OK;
}

const nas_interrupt_t *nas_group_interrupt(const nas_group_t *group)
{
    return &group->interrupt;
}

static void end_repeat(nas_group_t *group)
{
    if (group->state) group->method->destroy(group->state);
    group->state = NULL;
    group->repeat = -1;
    group->done = false;
}

void nas_group_destroy(nas_group_t *group)
{
    if (!group) return;
    end_repeat(group);
    free(group->proposed.arch);
    free(group->proposed.phase);
    free(group->proposed.weights);
    free(group->proposed.frontier);
    free(group->proposed.best_weights);
    free(group->answer);
    free(group->values);
    free(group->numbers);
    free(group);
}

/* ------------------------------------------------------------------------------------ one step */

/* Whether the leader's method has something to do. */
static bool is_at_work(const nas_group_t *group)
{
    return group->state && !group->failure && !group->interrupted;
}

/* How a call of the method ended. */
static void note(nas_group_t *group, nas_status_t status)
{
    if (status == NAS_ESTOP)
        group->interrupted = true;
    else if (!group->failure)
        group->failure = status;
}

/* The numbers that a question has, and how many. */
static const double *numbers_of(const nas_group_t *group, const nas_query_t *query, int64_t *n)
{
    switch (query->kind) {
    case NAS_QUERY_BEST:
    case NAS_QUERY_TOP:
        *n = query->n_weights * group->parameters->n_weight;
        return query->weights;
    case NAS_QUERY_IMPROVE:
    case NAS_QUERY_LEARNED:
        *n = query->n_points;
        return query->z;
    case NAS_QUERY_APPEND:
    case NAS_QUERY_NONE:
    case NAS_QUERY_DONE:
        break;
    }
    *n = 0;
    return NULL;
}

/* The leader's method poses its question; where it fails, nothing is asked and the failure is kept.
 */
static void ask(nas_group_t *group)
{
    group->question = (question_t){.kind = NAS_QUERY_NONE};
    if (!is_at_work(group)) return;
    nas_query_t query = {0};
    int64_t n_numbers = 0;
    note(group, group->method->ask(group->state, &query, &group->failure_text));
    if (!is_at_work(group)) return;
    group->done = query.kind == NAS_QUERY_DONE;
    const double *numbers = numbers_of(group, &query, &n_numbers);
    if (n_numbers > 0) memcpy(group->numbers, numbers, (size_t)n_numbers * sizeof *numbers);
    group->question = (question_t){.kind = group->done ? NAS_QUERY_NONE : query.kind,
                                   .n_weights = query.n_weights,
                                   .k = query.k,
                                   .n_points = query.n_points,
                                   .arch = query.arch,
                                   .incumbent = query.incumbent,
                                   .hidden = query.hidden,
                                   .seed = group->seed,
                                   .n_numbers = n_numbers};
}

/* The leader's question on every rank of the group. */
static void spread_question(nas_group_t *group)
{
    question_t *question = &group->question;
    nas_comm_bcast(group->comm, 0, question, sizeof *question);
    if (question->is_end || question->n_numbers == 0) return;
    nas_comm_bcast(group->comm, 0, group->numbers,
                   (size_t)question->n_numbers * sizeof *group->numbers);
}

static bool is_of_posterior(int64_t kind)
{
    return kind == NAS_QUERY_APPEND || kind == NAS_QUERY_IMPROVE || kind == NAS_QUERY_LEARNED;
}

/* A rank that knows of a request to stop has its own flag set. */
static void notice_stop(nas_group_t *group)
{
    const int own = nas_stop_signal();
    if (own > group->stop) group->stop = own;
}

/* What all ranks together answer; answer [out] on the leader. */
static nas_status_t answer_of(nas_group_t *group, nas_posterior_answer_t *answer, nas_error_t *err)
{
    const question_t *question = &group->question;
    nas_posterior_t *posterior = group->features->posterior;
    const nas_posterior_query_t query = {.z = group->numbers,
                                         .incumbent = question->incumbent,
                                         .seed = question->seed,
                                         .hidden = question->hidden};
    nas_posterior_pick_t pick = {0};
    nas_posterior_learned_t learned = {.correlation = group->values};
    *answer = (nas_posterior_answer_t){.arch = question->arch, .values = group->values};
    if (question->kind == NAS_QUERY_APPEND) {
        NAS_FAULT_POINT("append");
        return nas_posterior_append(posterior, question->arch, &answer->mean, group->values, err);
    }
    if (question->kind == NAS_QUERY_IMPROVE) {
        NAS_FAULT_POINT("improve");
        nas_posterior_improve(posterior, &query, &group->stop, &pick);
        answer->arch = pick.arch;
        answer->mean = pick.mean;
        return NAS_OK;
    }
    NAS_FAULT_POINT("learned");
    const nas_status_t status =
        nas_posterior_learned(posterior, &query, question->arch, &group->stop, &learned, err);
    answer->mean = learned.mean;
    answer->std = learned.std;
    return status;
}

/* All ranks answer a question to the posterior, and the leader's method hears. */
static void ask_posterior(nas_group_t *group)
{
    nas_error_t err = {0};
    nas_posterior_answer_t answer;
    notice_stop(group);
    nas_posterior_keep(group->features->posterior, group->question.n_points);
    const nas_status_t status = answer_of(group, &answer, &err);
    if (nas_comm_rank(group->comm) != 0) return;
    if (group->stop) group->interrupted = true; /* some rank has not looked at all of its rows */
    if (status && !group->failure) group->failure_text = err;
    note(group, status);
    if (is_at_work(group))
        note(group, group->method->hear(group->state, &answer, &group->failure_text));
}

/* All ranks look up; returns, on the leader, the highest signal number that a member received or
 * knows of. */
static int look_up(nas_group_t *group)
{
    const question_t *question = &group->question;
    notice_stop(group);
    if (question->kind == NAS_QUERY_NONE) {
        double flag = group->stop;
        nas_comm_max(group->comm, &flag, 1);
        return (int)flag;
    }
    if (question->kind == NAS_QUERY_TOP) NAS_FAULT_POINT("greedy");
    const nas_score_query_t query = {.weights = group->numbers,
                                     .n = question->n_weights,
                                     .k = question->k,
                                     .interrupt = &group->interrupt};
    nas_score_table_top(group->features->scores, &query, &group->stop, group->answer, NULL);
    /* a rank that knew of a request has not looked at all of its rows */
    if (group->stop) group->interrupted = true;
    return group->stop;
}

/* The leader's proposals for this answer, ready to send. */
static void propose(nas_group_t *group, int stop, nas_step_t *step)
{
    nas_proposals_t *proposed = &group->proposed;
    proposed->n = 0;
    proposed->n_frontier = 0;
    proposed->has_learned = false;
    proposed->posterior_mean = proposed->posterior_std = (double)NAN;
    if (is_at_work(group) && !group->done) {
        const int64_t *answer = group->question.kind == NAS_QUERY_NONE ? NULL : group->answer;
        note(group, group->method->propose(group->state, answer, proposed, &group->failure_text));
    }
    if (group->interrupted) proposed->n = proposed->n_frontier = proposed->has_learned = 0;
    *step = (nas_step_t){.repeat = group->repeat,
                         .status = group->failure,
                         .stop = group->stop > stop ? group->stop : stop,
                         .done = group->done,
                         .err = group->failure_text,
                         .proposed = *proposed};
}

bool nas_group_step(nas_group_t *group, nas_step_t *step)
{
    const bool leads = nas_comm_rank(group->comm) == 0;
    if (leads && !group->question.is_end) ask(group);
    spread_question(group);
    while (is_of_posterior(group->question.kind)) {
        ask_posterior(group);
        if (leads) ask(group);
        spread_question(group);
    }
    if (group->question.is_end) {
        group->outcome = (nas_status_t)group->question.status;
        group->outcome_text = group->question.err;
        return false;
    }
    const int stop = look_up(group);
    if (leads) propose(group, stop, step);
    NAS_FAULT_POINT("step");
    return true;
}

/* ------------------------------------------------------------------------------------- replies */

static nas_status_t start_repeat(nas_group_t *group, const nas_reply_t *reply, nas_error_t *err)
{
    end_repeat(group);
    nas_method_setup_t setup = nas_search_setup(group->parameters, reply->seed);
    setup.encoding = group->features->encoding;
    if (group->features->posterior) {
        setup.n_kept = nas_posterior_metrics(group->features->posterior);
        setup.n_position = nas_posterior_positions(group->features->posterior);
    }
    setup.interrupt = &group->interrupt;
    nas_status_t status = group->method->create(&setup, &group->state, err);
    if (status) return status;
    group->repeat = reply->repeat;
    group->seed = reply->seed;
    return group->method->tell(group->state, reply->result, reply->n, err);
}

/* Results come in the order proposed; the weights never left this rank. */
static nas_status_t tell_results(nas_group_t *group, nas_reply_t *reply, nas_error_t *err)
{
    if (!group->state || reply->n == 0) return NAS_OK;
    if (group->parameters->n_weight > 0)
        for (int64_t i = 0; i < reply->n; i++)
            reply->result[i].weights = group->proposed.weights + i * group->parameters->n_weight;
    return group->method->tell(group->state, reply->result, reply->n, err);
}

static void end_search(nas_group_t *group, const nas_reply_t *reply)
{
    group->question.is_end = 1;
    group->question.status = reply->status;
    group->question.err = reply->err;
}

void nas_group_hear(nas_group_t *group, const char *data, size_t size)
{
    NAS_ASSERT(size > 0);
    nas_reply_t reply = {0};
    nas_status_t status =
        nas_reply_unpack(data, group->parameters->n_weight, &reply, &group->failure_text);
    if (!status) {
        switch ((nas_reply_kind_t)reply.kind) {
        case NAS_REPLY_RESULTS:
            status = tell_results(group, &reply, &group->failure_text);
            break;
        case NAS_REPLY_START:
            status = start_repeat(group, &reply, &group->failure_text);
            break;
        case NAS_REPLY_IDLE:
            end_repeat(group);
            break;
        case NAS_REPLY_END:
            end_search(group, &reply);
            break;
        }
    }
    note(group, status);
    free(reply.result);
}

nas_status_t nas_group_outcome(const nas_group_t *group, nas_error_t *err)
{
    if (group->outcome) *err = group->outcome_text;
    return group->outcome;
}
