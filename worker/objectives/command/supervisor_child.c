/* The supervisor's side. It sleeps in poll until something is to be done, and goes through these
 * states:
 *
 *   running   the trainer runs. Left when it has ended by itself, when its time is up, or when the
 *             rank is gone or wants to stop, whichever is seen first.
 *   ending    all descendants have got SIGTERM, and some seconds. Left when there are none, which
 *             is at once where a trainer has left nothing behind.
 *   killing   all descendants get SIGKILL, over and over, since one that forks and leaves its group
 *             may escape a round. Left when there are none, or after GIVE_UP_S: something hangs in
 *             the system and will end when that lets it.
 *   over      what is still in the pipes is saved and the result sent.
 *
 * As a subreaper it becomes the parent of every descendant whose own parent ends: "no child left to
 * wait for" says that there are no descendants. What the trainer prints is saved in all states.
 *
 * Failures. What cannot be set up is the system's and goes to the rank as NAS_EIO. A file that
 * cannot be written is not the trainer's failure: what it prints is lost, its answer is not. Where
 * the rank is gone there is nobody to tell. */
#include "common/base/clock.h"
#include "worker/objectives/command/child.h"
#include "worker/objectives/command/descendants.h"
#include "worker/objectives/command/output.h"
#include "worker/objectives/command/supervisor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const double GRACE_S = 5, STOP_GRACE_S = 1, GIVE_UP_S = 30, KILL_NAP_S = 0.005;

/* The trainer and what is known of it. */
typedef struct watch {
    nas_supervisor_task_t task;
    nas_supervisor_link_t link;
    int signals; /* readable where one has come */
    int failure; /* errno of a program that cannot be run */
    nas_output_t out, err;
    nas_answer_t answer;
    nas_status_t status; /* not NAS_OK: the system's failure, errno in reason */
    int reason;
    pid_t trainer;
    bool ended; /* the trainer, with this state */
    int state;
    bool timed_out;
    bool ending;
    double time_up_s; /* instants of the monotonic clock */
    double kill_s;
} watch_t;

/* ---------------------------------------------------------------------------------- start */

/* Pipes for what it prints, whose ends for writing are the trainer's. */
static bool open_pipes(watch_t *watch, nas_child_t *trainer, int failure[2])
{
    int out[2], err[2];
    if (!nas_supervisor_pipe(out) || !nas_supervisor_pipe(err) || !nas_supervisor_pipe(failure))
        return false;
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(failure[0], F_SETFL, O_NONBLOCK);
    watch->out = (nas_output_t){.from = out[0], .to = watch->task.out};
    watch->err = (nas_output_t){.from = err[0], .to = watch->task.err};
    watch->failure = failure[0];
    trainer->out = out[1];
    trainer->err = err[1];
    trainer->failure = failure[1];
    return true;
}

static void fail(watch_t *watch, nas_status_t status, int reason)
{
    watch->status = status;
    watch->reason = reason;
}

static bool start(watch_t *watch)
{
    int failure[2];
    nas_child_t trainer = {.argument = watch->task.argument};
    watch->signals = nas_supervisor_detach(&watch->task, &watch->link);
    if (watch->signals < 0 || !open_pipes(watch, &trainer, failure)) {
        fail(watch, NAS_EIO, errno);
        return false;
    }
    watch->trainer = nas_child_start(&trainer);
    if (watch->trainer < 0) fail(watch, NAS_EIO, errno);
    (void)close(trainer.out);
    (void)close(trainer.err);
    (void)close(trainer.failure);
    const double timeout_s = watch->task.timeout_s;
    watch->time_up_s = timeout_s > 0 ? nas_clock_monotonic_s() + timeout_s : INFINITY;
    watch->kill_s = INFINITY;
    return watch->trainer > 0;
}

/* ---------------------------------------------------------------------------------- watch */

/* Collect the processes that have ended. Returns whether there are others. */
static bool reap(watch_t *watch)
{
    int state = 0;
    for (;;) {
        const pid_t pid = waitpid(-1, &state, WNOHANG);
        if (pid == 0) return true;
        if (pid < 0 && errno != EINTR) return false;
        if (pid != watch->trainer) continue;
        watch->ended = true;
        watch->state = state;
    }
}

/* SIGTERM now, SIGKILL after a time. */
static void end_all(watch_t *watch, double now_s, double grace_s)
{
    if (!watch->ending) nas_descendants_signal(SIGTERM);
    if (now_s + grace_s < watch->kill_s) watch->kill_s = now_s + grace_s;
    watch->ending = true;
}

static void decide(watch_t *watch, double now_s)
{
    if (watch->link.alive < 0) {
        end_all(watch, now_s, STOP_GRACE_S);
    } else if (!watch->ending && watch->ended) {
        end_all(watch, now_s, GRACE_S);
    } else if (!watch->ending && now_s >= watch->time_up_s) {
        watch->timed_out = true;
        end_all(watch, now_s, GRACE_S);
    }
    if (now_s >= watch->kill_s) nas_descendants_signal(SIGKILL);
}

static int nap_ms(const watch_t *watch, double now_s)
{
    const double longest_s = 3600; /* a number of milliseconds that fits */
    double nap_s = watch->ending ? watch->kill_s - now_s : watch->time_up_s - now_s;
    if (nap_s > longest_s) nap_s = longest_s;
    if (now_s >= watch->kill_s) nap_s = KILL_NAP_S;
    return nap_s > 0 ? (int)ceil(1000 * nap_s) : 0;
}

/* Save what the trainer prints; its answer is taken from standard output. Returns whether there was
 * anything. */
static bool take_output(watch_t *watch)
{
    char piece[NAS_OUTPUT_PIECE];
    const size_t n_err = nas_output_take(&watch->err, piece);
    const size_t n_out = nas_output_take(&watch->out, piece);
    if (!watch->status && nas_answer_feed(&watch->answer, piece, n_out, NULL))
        fail(watch, NAS_ENOMEM, 0);
    return n_err + n_out > 0;
}

/* Signals wake it: SIGCHLD, and SIGTERM where the rank ends. Others that are sent to it mean
 * nothing; what is to be done is the rank's decision. */
static void take_signals(watch_t *watch)
{
    struct signalfd_siginfo info;
    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    }
    if (getppid() != watch->link.rank) watch->link.alive = -1;
}

static void wait_for_news(watch_t *watch, double now_s)
{
    struct pollfd news[] = {{.fd = watch->link.alive, .events = POLLIN},
                            {.fd = watch->signals, .events = POLLIN},
                            {.fd = watch->out.from, .events = POLLIN},
                            {.fd = watch->err.from, .events = POLLIN}};
    if (poll(news, sizeof news / sizeof *news, nap_ms(watch, now_s)) <= 0) return;
    if (news[0].revents) watch->link.alive = -1;
    if (news[1].revents) take_signals(watch);
    (void)take_output(watch);
}

/* Until there are no descendants. */
static void watch_over(watch_t *watch)
{
    while (reap(watch)) {
        const double now_s = nas_clock_monotonic_s();
        if (now_s >= watch->kill_s + GIVE_UP_S) {
            nas_output_note(&watch->err, "some processes of this trainer could not be ended");
            return;
        }
        decide(watch, now_s);
        wait_for_news(watch, now_s);
    }
}

/* ----------------------------------------------------------------------------------- over */

/* No more than pipes can hold, in case that someone else still writes to them. */
static void drain(watch_t *watch)
{
    const int most = (4 << 20) / NAS_OUTPUT_PIECE;
    for (int i = 0; i < most && take_output(watch); i++) {
    }
    nas_answer_end(&watch->answer);
    nas_output_finish(&watch->out);
    nas_output_finish(&watch->err);
}

static void describe_ending(const watch_t *watch, nas_supervisor_message_t *message)
{
    int reason = 0;
    if (read(watch->failure, &reason, sizeof reason) == (ssize_t)sizeof reason) {
        message->ending = NAS_ENDING_NOT_RUN;
        message->code = reason;
    } else if (watch->timed_out || !watch->ended) {
        message->ending = NAS_ENDING_TIME;
    } else if (WIFSIGNALED(watch->state)) {
        message->ending = NAS_ENDING_SIGNAL;
        message->code = WTERMSIG(watch->state);
    } else {
        message->ending = NAS_ENDING_EXIT;
        message->code = WEXITSTATUS(watch->state);
    }
}

static bool send_all(int fd, const void *data, size_t size)
{
    const char *from = data;
    while (size > 0) {
        const ssize_t n = write(fd, from, size);
        if (n < 0 && errno != EINTR) return false;
        if (n <= 0) continue;
        from += n;
        size -= (size_t)n;
    }
    return true;
}

static void report(const watch_t *watch)
{
    nas_supervisor_message_t message;
    memset(&message, 0, sizeof message); /* the padding is sent too */
    message.status = watch->status;
    message.code = watch->reason;
    if (!watch->status) {
        describe_ending(watch, &message);
        message.answer = watch->answer;
        message.n_bytes = watch->answer.line.n_bytes;
    }
    if (send_all(watch->link.result, &message, sizeof message))
        (void)send_all(watch->link.result, watch->answer.line.at, message.n_bytes);
}

_Noreturn void nas_supervisor_main(nas_supervisor_task_t task, nas_supervisor_link_t link)
{
    watch_t watch = {.task = task, .link = link};
    if (start(&watch)) {
        watch_over(&watch);
        drain(&watch);
    }
    report(&watch);
    _exit(0);
}
