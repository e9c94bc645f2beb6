#include "worker/objectives/command/child.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/* Beginnings of the names of variables by which launchers tell a process its place in an MPI world,
 * and where its daemons listen. The user's page lists them. Slurm's SLURM_* stay: a nested srun
 * needs them. */
static const char *const launcher_prefix[] = {
    "OMPI_",     "OPAL_",           "ORTE_", "PRTE_",
    "PMIX_", /* Open MPI and PMIx */
    "PMI_",      "PMI2_",           "HYDI_", "MPIR_",
    "MPI_LOCAL",                                      /* MPICH, Intel MPI and their Hydra */
    "HYDRA_",    "MV2_COMM_WORLD_", "PALS_", "ALPS_", /* MVAPICH2, Cray */
};

static bool is_of_launcher(const char *variable)
{
    for (size_t i = 0; i < sizeof launcher_prefix / sizeof *launcher_prefix; i++)
        if (strncmp(variable, launcher_prefix[i], strlen(launcher_prefix[i])) == 0) return true;
    return false;
}

static void leave_launcher(void)
{
    char **kept = environ;
    if (!environ) return;
    for (char **variable = environ; *variable; variable++)
        if (!is_of_launcher(*variable)) *kept++ = *variable;
    *kept = NULL;
}

static void reset_signals(void)
{
    sigset_t none;
    for (int i = 1; i <= SIGRTMAX; i++) (void)signal(i, SIG_DFL); /* some cannot be set */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void become_trainer(const nas_child_t *trainer, pid_t supervisor)
{
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(127); /* it ended before that was set */
    if (dup2(trainer->out, STDOUT_FILENO) >= 0 && dup2(trainer->err, STDERR_FILENO) >= 0) {
        reset_signals();
        leave_launcher();
        (void)execvp(trainer->argument[0], trainer->argument);
    }
    const int reason = errno;
    const ssize_t sent = write(trainer->failure, &reason, sizeof reason);
    _exit(sent == (ssize_t)sizeof reason ? 127 : 126);
}

pid_t nas_child_start(const nas_child_t *trainer)
{
    const pid_t supervisor = getpid();
    const pid_t pid = fork();
    if (pid == 0) become_trainer(trainer, supervisor);
    return pid;
}
