/* The rank's side. */
#include "worker/objectives/command/supervisor.h"

#include "worker/objectives/command/supervisor_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAP_MS = 50 };

/* A running supervisor. */
typedef struct supervisor {
    pid_t pid;
    int alive;  /* closed to stop it; then -1 */
    int result; /* ends where it does */
} supervisor_t;

static nas_status_t no_process(nas_error_t *err, int reason)
{
    return nas_error_set(err, NAS_EIO, "no process or pipe is to be had for a trainer: %s",
                         strerror(reason));
}

static nas_status_t start(const nas_supervisor_task_t *task, supervisor_t *supervisor,
                          nas_error_t *err)
{
    int alive[2], result[2];
    const pid_t rank = getpid();
    if (!nas_supervisor_pipe(alive)) return no_process(err, errno);
    if (!nas_supervisor_pipe(result)) {
        const nas_status_t status = no_process(err, errno);
        (void)close(alive[0]);
        (void)close(alive[1]);
        return status;
    }
    const pid_t pid = fork();
    if (pid == 0)
        nas_supervisor_main(
            *task, (nas_supervisor_link_t){.rank = rank, .alive = alive[0], .result = result[1]});
    const int reason = errno;
    (void)close(alive[0]);
    (void)close(result[1]);
    *supervisor = (supervisor_t){.pid = pid, .alive = alive[1], .result = result[0]};
    if (pid > 0) return NAS_OK;
    (void)close(alive[1]);
    (void)close(result[0]);
    return no_process(err, reason);
}

/* The next bytes of its result; false after the last. Asks meanwhile, also after a first yes, since
 * others may want to hear that this process is alive. */
static bool listen_on(supervisor_t *supervisor, const nas_interrupt_t *interrupt, char *data,
                      size_t size, size_t *n_read)
{
    struct pollfd news = {.fd = supervisor->result, .events = POLLIN};
    if (nas_interrupted(interrupt, 0) && supervisor->alive >= 0) {
        (void)close(supervisor->alive);
        supervisor->alive = -1;
    }
    if (poll(&news, 1, NAP_MS) <= 0) return true;
    const ssize_t n = read(supervisor->result, data + *n_read, size - *n_read);
    if (n > 0) *n_read += (size_t)n;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Wait for its end. Returns its state; 0 where that is unknown. */
static int finish(supervisor_t *supervisor)
{
    int state = 0;
    pid_t waited;
    if (supervisor->alive >= 0) (void)close(supervisor->alive);
    (void)close(supervisor->result);
    do {
        waited = waitpid(supervisor->pid, &state, 0);
    } while (waited < 0 && errno == EINTR);
    return waited < 0 ? 0 : state;
}

static nas_status_t unpack(const char *data, size_t n_read, int state,
                           nas_supervision_t *supervision, nas_error_t *err)
{
    nas_supervisor_message_t message = {0};
    if (n_read >= sizeof message) memcpy(&message, data, sizeof message);
    if (n_read < sizeof message || n_read - sizeof message != message.n_bytes) {
        *supervision = (nas_supervision_t){.ending = NAS_ENDING_LOST};
        supervision->code = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
        return NAS_OK;
    }
    if (message.status == NAS_ENOMEM) return nas_error_nomem(err, "a trainer's answer");
    if (message.status) return no_process(err, message.code);
    nas_answer_line_t line = {.n_bytes = message.n_bytes, .too_long = message.answer.line.too_long};
    if (line.n_bytes > 0) {
        line.at = malloc(line.n_bytes);
        if (!line.at) return nas_error_nomem(err, "a trainer's answer");
        memcpy(line.at, data + sizeof message, line.n_bytes);
    }
    message.answer.line = line;
    message.answer.reading = (nas_answer_line_t){0};
    *supervision = (nas_supervision_t){
        .ending = message.ending, .code = message.code, .answer = message.answer};
    return NAS_OK;
}

nas_status_t nas_supervisor_run(const nas_supervisor_task_t *task, const nas_interrupt_t *interrupt,
                                nas_supervision_t *supervision, nas_error_t *err)
{
    const size_t size = sizeof(nas_supervisor_message_t) + NAS_ANSWER_SIZE;
    size_t n_read = 0;
    supervisor_t supervisor = {.alive = -1, .result = -1};
    char *data = malloc(size);
    if (!data) return nas_error_nomem(err, "a trainer's answer");
    nas_status_t status = start(task, &supervisor, err);
    if (status) goto out;
    while (listen_on(&supervisor, interrupt, data, size, &n_read)) {
    }
    const bool stopped = supervisor.alive < 0;
    const int state = finish(&supervisor);
    status = stopped ? nas_error_set(err, NAS_ESTOP, "stopped while a trainer was running")
                     : unpack(data, n_read, state, supervision, err);
out:
    free(data);
    return status;
}
