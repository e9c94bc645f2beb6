#include "common/io/stop.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

/* What a library may do with a signal of ours. */
static void swallow(int signal_number)
{
    (void)signal_number;
}

static void take(int signal_number, void (*handler)(int))
{
    cr_assert_neq(signal(signal_number, handler), SIG_ERR);
}

static bool is_ignored(int signal_number)
{
    struct sigaction now;
    cr_assert_eq(sigaction(signal_number, NULL, &now), 0);
    return now.sa_handler == SIG_IGN;
}

/* Each test is a process of its own. */
Test(stop, notes_the_signals_it_catches)
{
    const int number[] = {SIGTERM, SIGUSR1, SIGINT};
    cr_assert_eq(nas_stop_signal(), 0);
    nas_stop_install();
    cr_assert_eq(nas_stop_signal(), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(raise(number[i]), 0);
        cr_assert_eq(nas_stop_signal(), number[i]);
    }
    cr_assert(is_ignored(SIGXFSZ));
}

Test(stop, takes_back_what_a_library_took)
{
    nas_stop_install();
    cr_assert_eq(nas_stop_keep(), 0);
    take(SIGUSR1, swallow);
    take(SIGTERM, SIG_IGN);
    take(SIGINT, SIG_DFL);
    take(SIGXFSZ, SIG_DFL);
    cr_assert_eq(nas_stop_keep(), 4);
    cr_assert_eq(nas_stop_keep(), 0);
    cr_assert_eq(raise(SIGTERM), 0);
    cr_assert_eq(nas_stop_signal(), SIGTERM);
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_assert_eq(nas_stop_signal(), SIGUSR1);
    cr_assert(is_ignored(SIGXFSZ));
}

Test(stop, asking_for_the_signal_takes_back_too, .timeout = 60)
{
    nas_stop_install();
    cr_assert_eq(nas_stop_signal(), 0);
    take(SIGUSR1, SIG_IGN);
    while (is_ignored(SIGUSR1)) (void)nas_stop_signal();
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_assert_eq(nas_stop_signal(), SIGUSR1);
}

Test(stop, takes_nothing_that_it_was_not_asked_to_catch)
{
    take(SIGUSR1, swallow);
    cr_assert_eq(nas_stop_keep(), 0);
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_assert_eq(nas_stop_signal(), 0);
}

/* As while MPI starts and a library that it loads takes the signal. */
Test(stop, a_signal_that_comes_while_held_is_noted_afterwards)
{
    nas_stop_install();
    nas_stop_hold();
    take(SIGUSR1, swallow);
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_assert_eq(nas_stop_signal(), 0);
    nas_stop_install();
    cr_assert_eq(nas_stop_signal(), SIGUSR1);
}

Test(stop, signals_inherited_as_blocked_are_heard)
{
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    cr_assert_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    cr_assert_eq(raise(SIGTERM), 0);
    nas_stop_install();
    cr_assert_eq(nas_stop_signal(), SIGTERM);
}

Test(stop, a_second_interrupt_ends_the_process, .signal = SIGINT)
{
    nas_stop_install();
    cr_assert_eq(raise(SIGINT), 0);
    nas_stop_install(); /* which forgets nothing */
    cr_assert_eq(nas_stop_signal(), SIGINT);
    (void)raise(SIGINT);
}
