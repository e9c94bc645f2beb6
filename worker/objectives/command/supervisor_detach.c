#include "worker/objectives/command/supervisor_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool nas_supervisor_pipe(int end[2])
{
    if (pipe(end) != 0) return false;
    (void)fcntl(end[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(end[1], F_SETFD, FD_CLOEXEC);
    return true;
}

/* Away from the numbers of the standard streams, which a rank may have closed. */
static bool move_above(int *fd)
{
    *fd = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return *fd >= 0;
}

static bool is_kept(int fd, const nas_supervisor_task_t *task, const nas_supervisor_link_t *link)
{
    return fd == task->out || fd == task->err || fd == link->alive || fd == link->result;
}

/* Sockets and devices of MPI, the state file, the job's output. A list of them is asked for, since
 * the limit on their number may be beyond counting. */
static bool close_others(const nas_supervisor_task_t *task, const nas_supervisor_link_t *link)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return false;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        const int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > STDERR_FILENO && fd != dirfd(dir) && !is_kept(fd, task, link)) (void)close(fd);
    }
    (void)closedir(dir);
    return true;
}

static bool close_standard(void)
{
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool good = fd >= 0;
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
        good = good && (fd == standard || dup2(fd, standard) >= 0);
    if (fd > STDERR_FILENO) (void)close(fd);
    return good && fcntl(STDIN_FILENO, F_SETFD, 0) == 0;
}

/* No handler of the rank's may run here. A failed write is an errno: EPIPE where the rank is gone,
 * EFBIG at a limit on file sizes. */
static int catch_signals(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i <= SIGRTMAX; i++) (void)signal(i, SIG_DFL); /* some cannot be set */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int nas_supervisor_detach(nas_supervisor_task_t *task, nas_supervisor_link_t *link)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, "nas-supervisor"); /* not to be taken for a rank, in ps or by pkill */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != link->rank) return -1; /* it ended before that was set */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || !move_above(&task->out) ||
        !move_above(&task->err) || !move_above(&link->alive) || !move_above(&link->result) ||
        !close_others(task, link) || !close_standard())
        return -1;
    return catch_signals();
}
