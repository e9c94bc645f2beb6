#include "worker/engine/gpu/layers/run.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

enum { STACK_SIZE = 256 * 1024 };

/* Two barriers that take turns: with a single one ThreadSanitizer overlooks races between what is
 * before a barrier and what is before the next.
 *
 * Who ends meets the others at a barrier, too, and says so first in the count of that turn. All
 * must have ended or none; each finds out for itself, and all find the same, for no one adds to
 * the count of a turn until all have come to the other barrier. */
typedef struct crew {
    const nas_run_t *run;
    pthread_barrier_t barrier[2];
    atomic_int_least64_t n_ended[2];
    pthread_mutex_t gate; /* closed until all threads are there */
    bool is_abandoned;    /* or are not */
} crew_t;

typedef struct member {
    crew_t *crew;
    pthread_t thread;
    int lane, turn;
    int64_t n_expected[2]; /* n_ended, where nobody diverges */
    size_t local_bytes;
    bool diverged;
    jmp_buf out;
} member_t;

static void meet(member_t *member, bool has_ended)
{
    crew_t *crew = member->crew;
    const int turn = member->turn ^= 1;
    if (has_ended) {
        member->n_expected[turn] += crew->run->lanes;
        (void)atomic_fetch_add_explicit(&crew->n_ended[turn], 1, memory_order_relaxed);
    }
    (void)pthread_barrier_wait(&crew->barrier[turn]);
    if (atomic_load_explicit(&crew->n_ended[turn], memory_order_relaxed) !=
        member->n_expected[turn]) {
        _longjmp(member->out, 1);
    }
}

static void barrier(void *runner, int line)
{
    (void)line;
    meet(runner, false);
}

static void local(void *runner, void *array, size_t bytes)
{
    (void)array;
    ((member_t *)runner)->local_bytes += bytes;
}

static void work_through(member_t *member)
{
    const nas_run_t *run = member->crew->run;
    nas_gpu_item_t *item = run->item();
    *item = (nas_gpu_item_t){
        .lane = member->lane, .runner = member, .barrier = barrier, .local = local};
    for (int y = 0; y < run->groups_y; y++) {
        for (int x = 0; x < run->groups_x; x++) {
            item->group_x = x;
            item->group_y = y;
            member->local_bytes = 0;
            run->kernel(run->arena, run->vectors, run->data, run->table, run->at);
            meet(member, true);
        }
    }
}

static void *work(void *argument)
{
    member_t *member = argument;
    (void)pthread_mutex_lock(&member->crew->gate);
    const bool is_abandoned = member->crew->is_abandoned;
    (void)pthread_mutex_unlock(&member->crew->gate);
    if (is_abandoned) return NULL;
    if (_setjmp(member->out) == 0) {
        work_through(member);
    } else {
        member->diverged = true;
    }
    return NULL;
}

static nas_status_t gather(crew_t *crew, member_t *member, nas_error_t *err)
{
    pthread_attr_t attributes;
    int n = 0;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_mutex_lock(&crew->gate);
    for (; n < crew->run->lanes; n++) {
        member[n] = (member_t){.crew = crew, .lane = n};
        if (pthread_create(&member[n].thread, &attributes, work, &member[n]) != 0) break;
    }
    crew->is_abandoned = n < crew->run->lanes;
    (void)pthread_mutex_unlock(&crew->gate);
    (void)pthread_attr_destroy(&attributes);
    for (int i = 0; i < n; i++) (void)pthread_join(member[i].thread, NULL);
    if (n == crew->run->lanes) return NAS_OK;
    return nas_error_set(err, NAS_EIO, "this system refuses %d threads at once", crew->run->lanes);
}

nas_status_t nas_crew_run(const nas_run_t *run, nas_error_t *err)
{
    NAS_ASSERT(run->lanes > 0 && run->lanes <= NAS_RUN_LANES);
    crew_t crew = {.run = run, .gate = PTHREAD_MUTEX_INITIALIZER};
    member_t *member = calloc((size_t)run->lanes, sizeof *member);
    if (member == NULL) return nas_error_nomem(err, "threads of a group");
    for (int i = 0; i < 2; i++) {
        (void)pthread_barrier_init(&crew.barrier[i], NULL, (unsigned)run->lanes);
    }
    nas_status_t status = gather(&crew, member, err);
    for (int i = 0; i < 2; i++) (void)pthread_barrier_destroy(&crew.barrier[i]);
    if (status == NAS_OK && member[0].diverged) {
        status = nas_run_diverged(run, err, "some work-items ended while others waited");
    }
    if (status == NAS_OK) status = nas_run_check_local(run, member[0].local_bytes, err);
    free(member);
    return status;
}
