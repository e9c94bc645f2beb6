#include "worker/data/untrusted/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the child ends by itself. Other codes come from a library, or a sanitizer, that gave up. */
enum { ANSWERED = 0, NOT_ANSWERED = 3 };

/* Signals that end the child. MPI and sanitizers catch some of them, to print a report. */
static void reset_signals(void)
{
    static const int fatal[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE,
                                SIGILL,  SIGPIPE, SIGSEGV, SIGXCPU};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        (void)signal(fatal[i], SIG_DFL);
        (void)sigaddset(&set, fatal[i]);
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* What a library or the C library prints when it breaks down is not for the user. */
static bool silence(void)
{
    const int fd = open("/dev/null", O_WRONLY);
    return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
}

/* The address space in use. It may be large: MPI's segments, or a sanitizer's shadow. */
static bool address_space(rlim_t *n_bytes)
{
    char text[64] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return false;
    const bool found = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    /* The first number is that of all pages. */
    *n_bytes = (rlim_t)strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
    return found;
}

/* Lower a limit, unless it is lower already. */
static bool limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return false;
    if (now.rlim_cur > most) now.rlim_cur = most;
    return setrlimit(resource, &now) == 0;
}

static bool confine(const nas_sandbox_limits_t *limits)
{
    rlim_t in_use = 0;
    reset_signals();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a parent that is killed */
    (void)alarm((unsigned)limits->wall_s);
    return silence() && address_space(&in_use) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_CPU, (rlim_t)limits->cpu_s) &&
           limit(RLIMIT_AS, in_use + (rlim_t)limits->memory_bytes);
}

nas_status_t nas_sandbox_start(const nas_sandbox_task_t *task, nas_sandbox_t *sandbox,
                               nas_error_t *err)
{
    int end[2];
    if (pipe(end) != 0)
        return nas_error_set(err, NAS_EIO, "%s: no pipe to read it through: %s", task->path,
                             strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(end[0]);
        const bool answered = confine(&task->limits) && task->work(end[1], task->context);
        _exit(answered ? ANSWERED : NOT_ANSWERED);
    }
    (void)close(end[1]);
    if (pid < 0) {
        (void)close(end[0]);
        return nas_error_set(err, NAS_EIO, "%s: no process to read it in: %s", task->path,
                             strerror(errno));
    }
    *sandbox = (nas_sandbox_t){.pid = pid, .fd = end[0]};
    return NAS_OK;
}

bool nas_sandbox_send(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) done += (size_t)n;
    }
    return true;
}

static nas_status_t died(const nas_sandbox_task_t *task, int signal_number, nas_error_t *err)
{
    switch (signal_number) {
    case SIGPIPE: /* nobody listened any more, and whoever that was knows why */
        return NAS_OK;
    case SIGALRM:
        return nas_error_set(err, NAS_EINPUT, "%s: not read within %d s", task->path,
                             task->limits.wall_s);
    case SIGXCPU:
        return nas_error_set(err, NAS_EINPUT,
                             "%s: not read within %d s of processor time; is it damaged?",
                             task->path, task->limits.cpu_s);
    default:
        return nas_error_set(err, NAS_EINPUT, "%s: reading it crashed (%s); it is damaged",
                             task->path, strsignal(signal_number));
    }
}

nas_status_t nas_sandbox_finish(const nas_sandbox_task_t *task, nas_sandbox_t *sandbox,
                                nas_error_t *err)
{
    int state = 0;
    pid_t waited;
    (void)close(sandbox->fd);
    do {
        waited = waitpid(sandbox->pid, &state, 0);
    } while (waited < 0 && errno == EINTR);
    /* Where SIGCHLD is ignored, nothing is known of the end; the answer must speak for itself. */
    if (waited < 0) return NAS_OK;
    if (WIFSIGNALED(state)) return died(task, WTERMSIG(state), err);
    switch (WEXITSTATUS(state)) {
    case ANSWERED:
        return NAS_OK;
    case NOT_ANSWERED:
        return nas_error_set(err, NAS_EIO, "%s: the process that reads it failed", task->path);
    default:
        return nas_error_set(err, NAS_EINPUT,
                             "%s: reading it crashed (exit code %d); it is damaged", task->path,
                             WEXITSTATUS(state));
    }
}
