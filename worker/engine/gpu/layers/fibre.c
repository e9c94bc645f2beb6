#undef _FORTIFY_SOURCE /* its longjmp takes another stack for a mistake */
#include "worker/engine/gpu/layers/run.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#endif
#ifdef WITH_ASAN
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
enum { STACK_SIZE = 256 * 1024 };
#else
enum { STACK_SIZE = 64 * 1024 };
#endif

enum { GUARD = 4096, ENDED = 0 };

/* A stack, and where its work-item stands. */
typedef struct fibre {
    jmp_buf env;
    ucontext_t context; /* for the first time */
    bool started;
    int line;           /* of the barrier at which it waits; ENDED */
    const void *bottom; /* of the stack: for AddressSanitizer */
    size_t size;
    void *fake_stack;
} fibre_t;

struct nas_fibres {
    fibre_t home; /* who called nas_fibres_run */
    fibre_t fibre[NAS_RUN_LANES];
    fibre_t *from; /* who has just switched */
    unsigned char *stacks;
    const nas_run_t *run;
    nas_gpu_item_t *item;
    bool backwards;     /* the last group first */
    int group;          /* how many were before this one */
    size_t local_bytes; /* of this group */
    int diverged;       /* lane that is elsewhere than the first; 0: none */
};

/* longjmp; not AddressSanitizer's own, which takes it that all frames of this stack are left, and
 * wipes what it knows of them, each time. */
static void jump(jmp_buf env)
{
#ifdef WITH_ASAN
    static void (*of_libc)(jmp_buf, int);
    if (of_libc == NULL) {
        void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
        void *symbol = libc == NULL ? NULL : dlsym(libc, "_longjmp");
        if (symbol == NULL) abort();
        memcpy(&of_libc, &symbol, sizeof symbol);
    }
    of_libc(env, 1);
#else
    _longjmp(env, 1);
#endif
}

static void leave(fibre_t *from, fibre_t *to)
{
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#else
    (void)from;
    (void)to;
#endif
}

static void arrive(nas_fibres_t *fibres, fibre_t *self)
{
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, &fibres->from->bottom, &fibres->from->size);
#else
    (void)fibres;
    (void)self;
#endif
}

/* Frames that are left without a return leave their red zones behind. */
static void wipe_shadow(const nas_fibres_t *fibres)
{
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(fibres->stacks, (size_t)NAS_RUN_LANES * (STACK_SIZE + GUARD));
#else
    (void)fibres;
#endif
}

/* Go on in `to`; returns when somebody goes on in `from`. */
static void go(nas_fibres_t *fibres, fibre_t *from, fibre_t *to)
{
    fibres->from = from;
    leave(from, to);
    if (_setjmp(from->env) == 0) {
        if (to->started) jump(to->env);
        to->started = true;
        (void)setcontext(&to->context);
        abort();
    }
    arrive(fibres, from);
}

/* Go on to the next group, if there is one. */
static bool next_group(nas_fibres_t *fibres)
{
    const nas_run_t *run = fibres->run;
    const int last = run->groups_x * run->groups_y - 1;
    if (fibres->group == last) return false;
    const int at = fibres->backwards ? last - ++fibres->group : ++fibres->group;
    fibres->item->group_x = at % run->groups_x;
    fibres->item->group_y = at / run->groups_x;
    return true;
}

/* The next lane's turn; behind the last one that ended, the next group's, or the caller's. */
static void pass_on(nas_fibres_t *fibres, int line)
{
    nas_gpu_item_t *item = fibres->item;
    const nas_run_t *run = fibres->run;
    fibre_t *self = &fibres->fibre[item->lane], *next = &fibres->home;
    self->line = line;
    if (line != fibres->fibre[0].line) {
        fibres->diverged = item->lane;
    } else if (item->lane + 1 < run->lanes) {
        next = &fibres->fibre[++item->lane];
    } else {
        item->lane = 0;
        if (line != ENDED || next_group(fibres)) next = &fibres->fibre[0];
    }
    if (next != self) go(fibres, self, next);
}

static void barrier(void *runner, int line)
{
    pass_on(runner, line);
}

static void local(void *runner, void *array, size_t bytes)
{
    nas_fibres_t *fibres = runner;
    fibres->local_bytes += bytes;
    memset(array, 0xff, bytes);
}

/* What a fibre does, for ever: its lane's part of each group. The halves of a pointer are what
 * makecontext hands on. */
static void work(unsigned high, unsigned low)
{
    const uint64_t number = (uint64_t)high << 32 | low;
    nas_fibres_t *fibres;
    memcpy(&fibres, &number, sizeof fibres);
    arrive(fibres, &fibres->fibre[fibres->item->lane]);
    for (;;) {
        const nas_run_t *run = fibres->run;
        if (fibres->item->lane == 0) fibres->local_bytes = 0;
        run->kernel(run->arena, run->vectors, run->data, run->table, run->at);
        pass_on(fibres, ENDED);
    }
}

/* Ready to begin; what it was at is forgotten. */
static void prepare(nas_fibres_t *fibres, int lane)
{
    fibre_t *fibre = &fibres->fibre[lane];
    unsigned char *stack = fibres->stacks + (size_t)lane * (STACK_SIZE + GUARD) + GUARD;
    const uint64_t self = (uintptr_t)fibres;
    fibre->started = false;
    fibre->fake_stack = NULL;
    fibre->bottom = stack;
    fibre->size = STACK_SIZE;
    (void)getcontext(&fibre->context);
    fibre->context.uc_stack.ss_sp = stack;
    fibre->context.uc_stack.ss_size = STACK_SIZE;
    fibre->context.uc_link = NULL;
    makecontext(&fibre->context, (void (*)(void))work, 2, (unsigned)(self >> 32), (unsigned)self);
}

nas_status_t nas_fibres_create(nas_fibres_t **fibres_p, nas_error_t *err)
{
    const char *groups = getenv("NAS_GPU_GROUPS");
    nas_fibres_t *fibres = calloc(1, sizeof *fibres);
    const size_t size = (size_t)NAS_RUN_LANES * (STACK_SIZE + GUARD);
    if (fibres == NULL) return nas_error_nomem(err, "fibres");
    void *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) {
        free(fibres);
        return nas_error_nomem(err, "fibres");
    }
    fibres->backwards = groups != NULL && strcmp(groups, "backwards") == 0;
    fibres->home.started = true;
    fibres->stacks = stacks;
    for (int lane = 0; lane < NAS_RUN_LANES; lane++) {
        (void)mprotect(fibres->stacks + (size_t)lane * (STACK_SIZE + GUARD), GUARD, PROT_NONE);
        prepare(fibres, lane);
    }
    *fibres_p = fibres;
    return NAS_OK;
}

void nas_fibres_destroy(nas_fibres_t *fibres)
{
    if (fibres == NULL) return;
    wipe_shadow(fibres);
    (void)munmap(fibres->stacks, (size_t)NAS_RUN_LANES * (STACK_SIZE + GUARD));
    free(fibres);
}

static nas_status_t say_diverged(nas_fibres_t *fibres, nas_error_t *err)
{
    const int first = fibres->fibre[0].line, other = fibres->fibre[fibres->diverged].line;
    char how[160], lines[2][48];
    const int line[2] = {first, other};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(lines[i], sizeof lines[i],
                       line[i] == ENDED ? "has ended" : "waits at line %d", line[i]);
    }
    (void)snprintf(how, sizeof how, "work-item 0 %s, work-item %d %s", lines[0], fibres->diverged,
                   lines[1]);
    wipe_shadow(fibres);
    for (int lane = 0; lane < NAS_RUN_LANES; lane++) prepare(fibres, lane);
    return nas_run_diverged(fibres->run, err, how);
}

nas_status_t nas_fibres_run(nas_fibres_t *fibres, const nas_run_t *run, nas_error_t *err)
{
    NAS_ASSERT(run->lanes > 0 && run->lanes <= NAS_RUN_LANES);
    fibres->run = run;
    fibres->item = run->item();
    *fibres->item = (nas_gpu_item_t){.runner = fibres, .barrier = barrier, .local = local};
    fibres->diverged = 0;
    fibres->group = -1;
    (void)next_group(fibres);
    go(fibres, &fibres->home, &fibres->fibre[0]);
    if (fibres->diverged != 0) return say_diverged(fibres, err);
    return nas_run_check_local(run, fibres->local_bytes, err);
}
