/* The pulse: who says what to whom, and how it ends.
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
#include "common/clock.h"
#include "common/comm_internal.h"
#include "common/pulse.h"
#include "common/stop.h"

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

struct nas_pulse {
    MPI_Comm handle; /* MPI_COMM_NULL where there is nobody else */
    int rank;
    int size;
    nas_pulse_options_t options;
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

/* The pulse that waiting ranks poll. A wait is called from everywhere and by callers that know of
 * no pulse, so that no argument could carry it there; the process waits in one place at a time, and
 * begin and end, which alone set it, are collective. */
static nas_pulse_t *active;

/* ------------------------------------------------------------------------------------- messages */

static void post_receive(nas_pulse_t *pulse)
{
    NAS_MPI(MPI_Irecv(&pulse->incoming, (int)sizeof pulse->incoming, MPI_BYTE,
                      pulse->rank == 0 ? MPI_ANY_SOURCE : 0, 0, pulse->handle, &pulse->receive));
}

static void send_news(const nas_pulse_t *pulse, const news_t *news, int to, MPI_Request *request)
{
    NAS_MPI(MPI_Isend(news, (int)sizeof *news, MPI_BYTE, to, 0, pulse->handle, request));
}

/* Whether there is news in `incoming`, and of whom. */
static bool has_received(nas_pulse_t *pulse, int *from)
{
    int done = 0;
    MPI_Status status;
    if (pulse->receive == MPI_REQUEST_NULL) return false;
    NAS_MPI(MPI_Test(&pulse->receive, &done, &status));
    if (done) *from = status.MPI_SOURCE;
    return done;
}

static void learn_stop(nas_pulse_t *pulse, int stop)
{
    if (stop > pulse->stop) pulse->stop = stop;
}

/* ---------------------------------------------------------------------- ranks other than rank 0 */

static bool is_sent(nas_pulse_t *pulse)
{
    int done = 0;
    NAS_MPI(MPI_Test(&pulse->send, &done, MPI_STATUS_IGNORE));
    return done;
}

static void report(nas_pulse_t *pulse, double now_s)
{
    if (pulse->outgoing.is_last || !is_sent(pulse)) return;
    const bool is_urgent =
        pulse->own.stop != pulse->outgoing.stop || pulse->own.is_last != pulse->outgoing.is_last;
    if (!is_urgent && now_s < pulse->next_send_s) return;
    pulse->outgoing = pulse->own;
    pulse->next_send_s = now_s + pulse->period_s;
    send_news(pulse, &pulse->outgoing, 0, &pulse->send);
}

static void hear_root(nas_pulse_t *pulse)
{
    int from = 0;
    while (has_received(pulse, &from)) {
        learn_stop(pulse, pulse->incoming.stop);
        if (!pulse->incoming.is_last) post_receive(pulse);
    }
}

/* --------------------------------------------------------------------------------------- rank 0 */

static void note_share(nas_pulse_t *pulse, int rank, double share)
{
    double *known = &pulse->peer[rank].share;
    if (isnan(share)) return;
    if (isnan(*known))
        pulse->n_shares++;
    else
        pulse->share_sum -= *known;
    pulse->share_sum += share;
    *known = share;
}

static void end_peer(nas_pulse_t *pulse, int rank)
{
    pulse->peer[rank].has_ended = true;
    pulse->n_ended++;
    send_news(pulse, &pulse->last_news, rank, &pulse->request[pulse->size + rank]);
}

static void hear_ranks(nas_pulse_t *pulse)
{
    int from = 0;
    while (has_received(pulse, &from)) {
        const news_t news = pulse->incoming;
        pulse->peer[from].heard_s = pulse->listening_s;
        learn_stop(pulse, news.stop);
        note_share(pulse, from, news.share);
        if (news.is_last) end_peer(pulse, from);
        if (pulse->n_ended < pulse->size - 1) post_receive(pulse);
    }
}

static void tell_stop(nas_pulse_t *pulse)
{
    if (pulse->has_told || !pulse->stop) return;
    pulse->has_told = true;
    pulse->stop_news.stop = pulse->stop;
    for (int r = 1; r < pulse->size; r++)
        if (!pulse->peer[r].has_ended) send_news(pulse, &pulse->stop_news, r, &pulse->request[r]);
}

_Noreturn static void end_job(const nas_pulse_t *pulse, int rank)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "rank %d on %s has not answered for %.0f s; the job ends, run again with "
                   "--resume",
                   rank, *pulse->host[rank] ? pulse->host[rank] : "an unknown host",
                   pulse->listening_s - pulse->peer[rank].heard_s);
    active = NULL;
    pulse->options.silent(pulse->options.context, line);
    nas_comm_give_up(line);
}

static void check_silence(nas_pulse_t *pulse, double now_s)
{
    int quietest = 0;
    if (pulse->options.silence_s <= 0 || now_s < pulse->next_check_s) return;
    pulse->next_check_s = now_s + CHECK_S;
    for (int r = 1; r < pulse->size; r++) {
        const peer_t *peer = &pulse->peer[r];
        if (peer->has_ended) continue;
        if (!quietest || peer->heard_s < pulse->peer[quietest].heard_s) quietest = r;
    }
    if (!quietest) return;
    const double quiet_s = pulse->listening_s - pulse->peer[quietest].heard_s;
    if (quiet_s > pulse->options.silence_s) end_job(pulse, quietest);
}

static void listen_to_ranks(nas_pulse_t *pulse, double now_s)
{
    pulse->listening_s += fmin(now_s - pulse->polled_s, MAX_GAP_S);
    pulse->polled_s = now_s;
    hear_ranks(pulse);
    tell_stop(pulse);
    check_silence(pulse, now_s);
}

static void watch(nas_pulse_t *pulse)
{
    const double now_s = nas_clock_monotonic_s();
    if (!pulse->options.watch || now_s < pulse->next_watch_s) return;
    pulse->next_watch_s = now_s + WATCH_S;
    learn_stop(pulse, pulse->options.watch(pulse->options.context, nas_pulse_share(pulse)));
}

/* -------------------------------------------------------------------------------------- polling */

static void exchange(nas_pulse_t *pulse)
{
    if (pulse->handle == MPI_COMM_NULL) return;
    const double now_s = nas_clock_monotonic_s();
    if (pulse->rank == 0) {
        listen_to_ranks(pulse, now_s);
    } else {
        hear_root(pulse);
        report(pulse, now_s);
    }
}

int nas_pulse_poll(nas_pulse_t *pulse, int stop, double share)
{
    if (stop > pulse->own.stop) pulse->own.stop = stop;
    pulse->own.share = share;
    learn_stop(pulse, stop);
    if (pulse->rank == 0) {
        note_share(pulse, 0, share);
        watch(pulse);
    }
    exchange(pulse);
    return pulse->stop;
}

void nas_comm_poll_pulse(void)
{
    if (active) (void)nas_pulse_poll(active, nas_stop_signal(), active->own.share);
}

double nas_pulse_share(const nas_pulse_t *pulse)
{
    if (pulse->rank != 0) return isnan(pulse->own.share) ? 0 : pulse->own.share;
    return pulse->n_shares ? pulse->share_sum / pulse->n_shares : 0;
}

const char *nas_pulse_host(const nas_pulse_t *pulse, int rank)
{
    return pulse->host ? pulse->host[rank] : "";
}

/* ---------------------------------------------------------------------------- beginning and end */

static void destroy(nas_pulse_t *pulse)
{
    if (!pulse) return;
    free(pulse->host);
    free(pulse->peer);
    free(pulse->request);
    free(pulse);
}

static nas_status_t allocate_root(nas_pulse_t *pulse, nas_error_t *err)
{
    const size_t size = (size_t)pulse->size;
    pulse->host = calloc(size, sizeof *pulse->host);
    pulse->peer = malloc(size * sizeof *pulse->peer);
    pulse->request = malloc(2 * size * sizeof *pulse->request);
    if (!pulse->host || !pulse->peer || !pulse->request) return nas_error_nomem(err, "the pulse");
    for (size_t r = 0; r < size; r++) pulse->peer[r] = (peer_t){.share = (double)NAN};
    for (size_t i = 0; i < 2 * size; i++) pulse->request[i] = MPI_REQUEST_NULL;
    return NAS_OK;
}

static nas_status_t create(const nas_comm_t *world, const nas_pulse_options_t *options,
                           nas_pulse_t **pulse_p, nas_error_t *err)
{
    nas_pulse_t *pulse = malloc(sizeof *pulse);
    if (!pulse) return nas_error_nomem(err, "the pulse");
    *pulse = (nas_pulse_t){.handle = MPI_COMM_NULL,
                           .rank = world->rank,
                           .size = world->size,
                           .options = *options,
                           .period_s = fmax(PERIOD_S, (double)world->size / MAX_NEWS_PER_S),
                           .own = {.share = (double)NAN},
                           .receive = MPI_REQUEST_NULL,
                           .send = MPI_REQUEST_NULL,
                           .last_news = {.is_last = 1}};
    if (options->silence_s > 0)
        pulse->options.silence_s = fmax(options->silence_s, SILENCE_PERIODS * pulse->period_s);
    const nas_status_t status = pulse->rank == 0 ? allocate_root(pulse, err) : NAS_OK;
    if (status) {
        destroy(pulse);
        return status;
    }
    *pulse_p = pulse;
    return NAS_OK;
}

/* Names travel in a fixed size, so that rank 0 needs no more than one array of them. */
static void gather_hosts(nas_pulse_t *pulse)
{
    char host[HOST_SIZE] = "";
    (void)gethostname(host, sizeof host - 1);
    if (pulse->size == 1) {
        memcpy(pulse->host[0], host, sizeof host);
        return;
    }
    MPI_Request request;
    NAS_MPI(MPI_Igather(host, HOST_SIZE, MPI_CHAR, pulse->host, HOST_SIZE, MPI_CHAR, 0,
                        pulse->handle, &request));
    nas_comm_wait(&request);
}

/* The others' first news are spread over a period, so that they do not all come at once. */
static void start(nas_pulse_t *pulse)
{
    const double now_s = nas_clock_monotonic_s();
    pulse->polled_s = now_s;
    pulse->next_check_s = now_s + CHECK_S;
    pulse->next_send_s = now_s + pulse->period_s * pulse->rank / pulse->size;
    post_receive(pulse);
    active = pulse;
}

nas_status_t nas_pulse_begin(nas_comm_t *world, const nas_pulse_options_t *options,
                             nas_pulse_t **pulse_p, nas_error_t *err)
{
    nas_pulse_t *pulse = NULL;
    NAS_ASSERT(!active && (options->silence_s <= 0 || options->silent));
    const nas_status_t status = nas_comm_agree(world, create(world, options, &pulse, err), err);
    if (status) {
        destroy(pulse);
        return status;
    }
    if (pulse->size > 1) {
        NAS_MPI(MPI_Comm_dup(world->handle, &pulse->handle));
        NAS_MPI(MPI_Comm_set_errhandler(pulse->handle, MPI_ERRORS_RETURN));
    }
    gather_hosts(pulse);
    if (pulse->size > 1) start(pulse);
    *pulse_p = pulse;
    return NAS_OK;
}

/* Whether this rank's last news are sent and nothing more will come. */
static bool is_through(nas_pulse_t *pulse)
{
    int done = 0;
    if (pulse->rank != 0)
        return pulse->receive == MPI_REQUEST_NULL && pulse->outgoing.is_last && is_sent(pulse);
    if (pulse->n_ended < pulse->size - 1) return false;
    NAS_MPI(MPI_Testall(2 * pulse->size, pulse->request, &done, MPI_STATUSES_IGNORE));
    return done;
}

void nas_pulse_end(nas_pulse_t *pulse)
{
    nas_comm_nap_t nap = {0};
    if (!pulse) return;
    if (pulse->size > 1) {
        active = NULL;
        pulse->own.is_last = 1;
        while (!is_through(pulse)) {
            exchange(pulse);
            (void)nas_comm_nap(&nap);
        }
        NAS_MPI(MPI_Comm_free(&pulse->handle));
    }
    destroy(pulse);
}
