/* A library that takes signals for itself, to be preloaded: while MPI starts, as PoCL's LLVM does
 * where hwloc looks for OpenCL, and again once the file THIEF_WHEN is there, which it then removes.
 * With THIEF_RAISES set, the process is asked to stop just after the first theft. */
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void swallow(int signal_number)
{
    (void)signal_number;
}

static void take(void (*handler)(int))
{
    (void)signal(SIGUSR1, handler);
    (void)signal(SIGTERM, handler);
    (void)signal(SIGXFSZ, SIG_DFL);
}

static void *take_later(void *file)
{
    const struct timespec moment = {.tv_nsec = 1000 * 1000};
    while (access(file, F_OK) != 0) (void)nanosleep(&moment, NULL);
    take(SIG_IGN);
    (void)unlink(file);
    return NULL;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    pthread_t thread;
    char *file = getenv("THIEF_WHEN");
    const int result = PMPI_Init_thread(argc, argv, required, provided);
    take(swallow);
    if (getenv("THIEF_RAISES")) (void)raise(SIGTERM);
    if (file && pthread_create(&thread, NULL, take_later, file) == 0) (void)pthread_detach(thread);
    return result;
}
