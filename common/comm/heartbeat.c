/* The heartbeat: who says what to whom, and how it ends.
 *
 * A rank other than 0 sends news {share, stop} to rank 0 once a period, and at once when it was
 * asked to stop; at most one such message is under way. Rank 0 keeps one receive posted for news of
 * any rank. Once rank 0 knows of a request to stop, its own or another's, it tells every other
 * rank, once; these keep one receive posted for that.
 *
 * The end. Every other rank sends its last news, marked as such, after which rank 0 has nothing
 * more to say to it than a last message in return. Messages of a pair of ranks arrive in their
 * order, so that whoever has the other's last one has all; then no receive is posted again, and
 * none has to be cancelled. Rank 0 returns when it has heard all last messages and its own are
 * sent, the others when both of theirs are through. Rank 0 answers whenever it polls, be it at its
 * own end or not.
 *
 * Silence is measured in time that rank 0 listens: between two of its polls MAX_GAP_S at most
 * counts. So a rank 0 that was suspended, or worked for long, first takes in what the others sent
 * meanwhile, and gives those that were suspended with it the time to say something.
 *
 * Failures. An error of MPI ends the job, as everywhere in comm.h. A silent rank ends it too, after
 * the caller has saved: the others wait for that rank in collectives that it will never enter.
 */
#include "common/comm/heartbeat.h"

#include "common/base/clock.h"
#include "common/comm/comm_internal.h"
#include "common/io/stop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_SIZE = 65, MAX_NEWS_PER_S = 1000 };

static const double PERIOD_S = 1.0;
static const double CHECK_S = 1.0; /* between two looks for silent ranks */
static const double WATCH_S = 1.0;
static const double MAX_GAP_S = 5.0;
static const double SILENCE_PERIODS = 4.0;

/* The one kind of message, in both directions. */
typedef struct news {
    double share; /* NaN: none; nothing in messages of rank 0 */
    int32_t stop; /* a signal, or 0 */
    int32_t is_last;
} news_t;

/* What rank 0 knows of a rank. */
typedef struct peer {
    bool has_ended;
    double heard_s; /* on the listening clock */
    double share;   /* NaN: none */
} peer_t;

struct nas_heartbeat {
    MPI_Comm handle; /* MPI_COMM_NULL where there is nobody else */
    int rank;
    int size;
    nas_heartbeat_options_t options;
    double period_s;
    int stop;   /* highest known */
    news_t own; /* what this rank has to say */
    news_t incoming;
    MPI_Request receive; /* into incoming; MPI_REQUEST_NULL once nothing more will come */
    /* ranks other than 0 */
    news_t outgoing;
    MPI_Request send; /* of outgoing; MPI_REQUEST_NULL: none under way */
    double next_send_s;
    /* rank 0 */
    char (*host)[HOST_SIZE]; /* [size] */
    peer_t *peer;            /* [size] */
    MPI_Request *request; /* [2 * size] of rank r: [r] the request to stop, [size + r] the last */
    news_t stop_news;     /* sent to all; unchanged while under way */
    news_t last_news;
    bool has_told; /* the others of the request to stop */
    int n_ended;
    double share_sum;
    int n_shares;
    double listening_s; /* the listening clock */
    double polled_s;
    double next_check_s;
    double next_watch_s;
};

/* The heartbeat that waiting ranks poll. A wait is called from everywhere and by callers that know
 * of no heartbeat, so that no argument could carry it there; the process waits in one place at a
 * time, and begin and end, which alone set it, are collective. */
static nas_heartbeat_t *active;

/* ------------------------------------------------------------------------------------- messages */

static void post_receive(nas_heartbeat_t *heartbeat)
{
    NAS_MPI(MPI_Irecv(&heartbeat->incoming, (int)sizeof heartbeat->incoming, MPI_BYTE,
                      heartbeat->rank == 0 ? MPI_ANY_SOURCE : 0, 0, heartbeat->handle,
                      &heartbeat->receive));
}

static void send_news(const nas_heartbeat_t *heartbeat, const news_t *news, int to,
                      MPI_Request *request)
{
    NAS_MPI(MPI_Isend(news, (int)sizeof *news, MPI_BYTE, to, 0, heartbeat->handle, request));
}

/* Whether there is news in `incoming`, and of whom. */
static bool has_received(nas_heartbeat_t *heartbeat, int *from)
{
    int done = 0;
    MPI_Status status;
    if (heartbeat->receive == MPI_REQUEST_NULL) return false;
    NAS_MPI(MPI_Test(&heartbeat->receive, &done, &status));
    if (done) *from = status.MPI_SOURCE;
    return done;
}

static void learn_stop(nas_heartbeat_t *heartbeat, int stop)
{
    if (stop > heartbeat->stop) heartbeat->stop = stop;
}

/* ---------------------------------------------------------------------- ranks other than rank 0 */

static bool is_sent(nas_heartbeat_t *heartbeat)
{
    int done = 0;
    NAS_MPI(MPI_Test(&heartbeat->send, &done, MPI_STATUS_IGNORE));
    return done;
}

static void report(nas_heartbeat_t *heartbeat, double now_s)
{
    if (heartbeat->outgoing.is_last || !is_sent(heartbeat)) return;
    const bool is_urgent = heartbeat->own.stop != heartbeat->outgoing.stop ||
                           heartbeat->own.is_last != heartbeat->outgoing.is_last;
    if (!is_urgent && now_s < heartbeat->next_send_s) return;
    heartbeat->outgoing = heartbeat->own;
    heartbeat->next_send_s = now_s + heartbeat->period_s;
    send_news(heartbeat, &heartbeat->outgoing, 0, &heartbeat->send);
}

static void hear_root(nas_heartbeat_t *heartbeat)
{
    int from = 0;
    while (has_received(heartbeat, &from)) {
        learn_stop(heartbeat, heartbeat->incoming.stop);
        if (!heartbeat->incoming.is_last) post_receive(heartbeat);
    }
}

/* --------------------------------------------------------------------------------------- rank 0 */

static void note_share(nas_heartbeat_t *heartbeat, int rank, double share)
{
    double *known = &heartbeat->peer[rank].share;
    if (isnan(share)) return;
    if (isnan(*known))
        heartbeat->n_shares++;
    else
        heartbeat->share_sum -= *known;
    heartbeat->share_sum += share;
    *known = share;
}

static void end_peer(nas_heartbeat_t *heartbeat, int rank)
{
    heartbeat->peer[rank].has_ended = true;
    heartbeat->n_ended++;
    send_news(heartbeat, &heartbeat->last_news, rank, &heartbeat->request[heartbeat->size + rank]);
}

static void hear_ranks(nas_heartbeat_t *heartbeat)
{
    int from = 0;
    while (has_received(heartbeat, &from)) {
        const news_t news = heartbeat->incoming;
        heartbeat->peer[from].heard_s = heartbeat->listening_s;
        learn_stop(heartbeat, news.stop);
        note_share(heartbeat, from, news.share);
        if (news.is_last) end_peer(heartbeat, from);
        if (heartbeat->n_ended < heartbeat->size - 1) post_receive(heartbeat);
    }
}

static void tell_stop(nas_heartbeat_t *heartbeat)
{
    if (heartbeat->has_told || !heartbeat->stop) return;
    heartbeat->has_told = true;
    heartbeat->stop_news.stop = heartbeat->stop;
    for (int r = 1; r < heartbeat->size; r++)
        if (!heartbeat->peer[r].has_ended)
            send_news(heartbeat, &heartbeat->stop_news, r, &heartbeat->request[r]);
}

_Noreturn static void end_job(const nas_heartbeat_t *heartbeat, int rank)
{
    char line[256];
    (void)snprintf(
        line, sizeof line,
        "rank %d on %s has not answered for %.0f s; the job ends, run again with --resume", rank,
        *heartbeat->host[rank] ? heartbeat->host[rank] : "an unknown host",
        heartbeat->listening_s - heartbeat->peer[rank].heard_s);
    active = NULL;
    heartbeat->options.silent(heartbeat->options.context, line);
    nas_comm_give_up(line);
}

static void check_silence(nas_heartbeat_t *heartbeat, double now_s)
{
    int quietest = 0;
    if (heartbeat->options.silence_s <= 0 || now_s < heartbeat->next_check_s) return;
    heartbeat->next_check_s = now_s + CHECK_S;
    for (int r = 1; r < heartbeat->size; r++) {
        const peer_t *peer = &heartbeat->peer[r];
        if (peer->has_ended) continue;
        if (!quietest || peer->heard_s < heartbeat->peer[quietest].heard_s) quietest = r;
    }
    if (!quietest) return;
    const double quiet_s = heartbeat->listening_s - heartbeat->peer[quietest].heard_s;
    if (quiet_s > heartbeat->options.silence_s) end_job(heartbeat, quietest);
}

static void listen_to_ranks(nas_heartbeat_t *heartbeat, double now_s)
{
    heartbeat->listening_s += fmin(now_s - heartbeat->polled_s, MAX_GAP_S);
    heartbeat->polled_s = now_s;
    hear_ranks(heartbeat);
    tell_stop(heartbeat);
    check_silence(heartbeat, now_s);
}

static void watch(nas_heartbeat_t *heartbeat)
{
    const double now_s = nas_clock_monotonic_s();
    if (!heartbeat->options.watch || now_s < heartbeat->next_watch_s) return;
    heartbeat->next_watch_s = now_s + WATCH_S;
    learn_stop(heartbeat, heartbeat->options.watch(heartbeat->options.context,
                                                   nas_heartbeat_share(heartbeat)));
}

/* -------------------------------------------------------------------------------------- polling */

static void exchange(nas_heartbeat_t *heartbeat)
{
    if (heartbeat->handle == MPI_COMM_NULL) return;
    const double now_s = nas_clock_monotonic_s();
    if (heartbeat->rank == 0) {
        listen_to_ranks(heartbeat, now_s);
    } else {
        hear_root(heartbeat);
        report(heartbeat, now_s);
    }
}

int nas_heartbeat_poll(nas_heartbeat_t *heartbeat, int stop, double share)
{
    if (stop > heartbeat->own.stop) heartbeat->own.stop = stop;
    heartbeat->own.share = share;
    learn_stop(heartbeat, stop);
    if (heartbeat->rank == 0) {
        note_share(heartbeat, 0, share);
        watch(heartbeat);
    }
    exchange(heartbeat);
    return heartbeat->stop;
}

/* While this rank waits: with the news that it gave last, and the signal that it has received by
 * now. */
static void poll_active(void)
{
    if (active) (void)nas_heartbeat_poll(active, nas_stop_signal(), active->own.share);
}

double nas_heartbeat_share(const nas_heartbeat_t *heartbeat)
{
    if (heartbeat->rank != 0) return isnan(heartbeat->own.share) ? 0 : heartbeat->own.share;
    return heartbeat->n_shares ? heartbeat->share_sum / heartbeat->n_shares : 0;
}

/* ---------------------------------------------------------------------------- beginning and end */

static void destroy(nas_heartbeat_t *heartbeat)
{
    if (!heartbeat) return;
    free(heartbeat->host);
    free(heartbeat->peer);
    free(heartbeat->request);
    free(heartbeat);
}

static nas_status_t allocate_root(nas_heartbeat_t *heartbeat, nas_error_t *err)
{
    const size_t size = (size_t)heartbeat->size;
    heartbeat->host = calloc(size, sizeof *heartbeat->host);
    heartbeat->peer = malloc(size * sizeof *heartbeat->peer);
    heartbeat->request = malloc(2 * size * sizeof *heartbeat->request);
    if (!heartbeat->host || !heartbeat->peer || !heartbeat->request)
        return nas_error_nomem(err, "the heartbeat");
    for (size_t r = 0; r < size; r++) heartbeat->peer[r] = (peer_t){.share = (double)NAN};
    for (size_t i = 0; i < 2 * size; i++) heartbeat->request[i] = MPI_REQUEST_NULL;
    return NAS_OK;
}

static nas_status_t create(const nas_comm_t *world, const nas_heartbeat_options_t *options,
                           nas_heartbeat_t **heartbeat_p, nas_error_t *err)
{
    nas_heartbeat_t *heartbeat = malloc(sizeof *heartbeat);
    if (!heartbeat) return nas_error_nomem(err, "the heartbeat");
    *heartbeat = (nas_heartbeat_t){.handle = MPI_COMM_NULL,
                                   .rank = world->rank,
                                   .size = world->size,
                                   .options = *options,
                                   .period_s = fmax(PERIOD_S, (double)world->size / MAX_NEWS_PER_S),
                                   .own = {.share = (double)NAN},
                                   .receive = MPI_REQUEST_NULL,
                                   .send = MPI_REQUEST_NULL,
                                   .last_news = {.is_last = 1}};
    if (options->silence_s > 0)
        heartbeat->options.silence_s =
            fmax(options->silence_s, SILENCE_PERIODS * heartbeat->period_s);
    const nas_status_t status = heartbeat->rank == 0 ? allocate_root(heartbeat, err) : NAS_OK;
    if (status) {
        destroy(heartbeat);
        return status;
    }
    *heartbeat_p = heartbeat;
    return NAS_OK;
}

/* Names travel in a fixed size, so that rank 0 needs no more than one array of them. */
static void gather_hosts(nas_heartbeat_t *heartbeat)
{
    char host[HOST_SIZE] = "";
    (void)gethostname(host, sizeof host - 1);
    if (heartbeat->size == 1) {
        memcpy(heartbeat->host[0], host, sizeof host);
        return;
    }
    MPI_Request request;
    NAS_MPI(MPI_Igather(host, HOST_SIZE, MPI_CHAR, heartbeat->host, HOST_SIZE, MPI_CHAR, 0,
                        heartbeat->handle, &request));
    nas_comm_wait(&request);
}

/* The others' first news are spread over a period, so that they do not all come at once. */
static void start(nas_heartbeat_t *heartbeat)
{
    const double now_s = nas_clock_monotonic_s();
    heartbeat->polled_s = now_s;
    heartbeat->next_check_s = now_s + CHECK_S;
    heartbeat->next_send_s = now_s + heartbeat->period_s * heartbeat->rank / heartbeat->size;
    post_receive(heartbeat);
    active = heartbeat;
    nas_comm_call_between_naps(poll_active);
}

nas_status_t nas_heartbeat_begin(nas_comm_t *world, const nas_heartbeat_options_t *options,
                                 nas_heartbeat_t **heartbeat_p, nas_error_t *err)
{
    nas_heartbeat_t *heartbeat = NULL;
    NAS_ASSERT(!active && (options->silence_s <= 0 || options->silent));
    const nas_status_t status = nas_comm_agree(world, create(world, options, &heartbeat, err), err);
    if (status) {
        destroy(heartbeat);
        return status;
    }
    if (heartbeat->size > 1) {
        NAS_MPI(MPI_Comm_dup(world->handle, &heartbeat->handle));
        NAS_MPI(MPI_Comm_set_errhandler(heartbeat->handle, MPI_ERRORS_RETURN));
    }
    gather_hosts(heartbeat);
    if (heartbeat->size > 1) start(heartbeat);
    *heartbeat_p = heartbeat;
    return NAS_OK;
}

/* Whether this rank's last news are sent and nothing more will come. */
static bool is_through(nas_heartbeat_t *heartbeat)
{
    int done = 0;
    if (heartbeat->rank != 0)
        return heartbeat->receive == MPI_REQUEST_NULL && heartbeat->outgoing.is_last &&
               is_sent(heartbeat);
    if (heartbeat->n_ended < heartbeat->size - 1) return false;
    NAS_MPI(MPI_Testall(2 * heartbeat->size, heartbeat->request, &done, MPI_STATUSES_IGNORE));
    return done;
}

void nas_heartbeat_end(nas_heartbeat_t *heartbeat)
{
    nas_comm_nap_t nap = {0};
    if (!heartbeat) return;
    if (heartbeat->size > 1) {
        nas_comm_call_between_naps(NULL);
        active = NULL;
        heartbeat->own.is_last = 1;
        while (!is_through(heartbeat)) {
            exchange(heartbeat);
            (void)nas_comm_nap(&nap);
        }
        NAS_MPI(MPI_Comm_free(&heartbeat->handle));
    }
    destroy(heartbeat);
}
