/* How trainers end, and that nothing of them stays. */
#include "trainer_case.h"

#include <signal.h>
#include <sys/wait.h>

/* A process that leaves the session, and its parent, and would outlive a trainer. */
#define ESCAPE "setsid nohup sh -c 'setsid nohup sleep 1000 & sleep 1000' >&- 2>&- &\n"

/* That the trainer has come so far. */
#define READY "touch \"$CASE/ready\"\n"

static bool is_ready(void *context, double share)
{
    const trainer_case_t *c = context;
    const temp_path_t ready = temp_file(&c->folder, "ready");
    (void)share;
    return nas_file_exists(ready.text);
}

/* A generous number of looks, with naps between them, until a condition holds. */
static bool comes_true(bool (*condition)(void *context, double share), trainer_case_t *c)
{
    for (int i = 0; i < 6000; i++) {
        if (condition(c, 0)) return true;
        (void)usleep(10000);
    }
    return false;
}

static bool is_quiet(void *context, double share)
{
    (void)share;
    return count_processes(context) == 0;
}

Test(supervisor, a_time_limit_ends_even_what_ignores_term)
{
    trainer_case_t c;
    trainer_case_make(&c, "trap '' TERM; " ESCAPE "while :; do sleep 1000; done\n");
    c.command.timeout_s = 0.25;
    assert_fails(&c, "time limit of 0.25 s");
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, a_time_limit_leaves_time_to_tidy_up)
{
    trainer_case_t c;
    trainer_case_make(&c, "trap 'echo tidied > \"$CASE/tidied\"; exit 0' TERM\n" TRAINER_ANSWER
                          "while :; do sleep 0.01; done\n");
    c.command.timeout_s = 2;
    assert_fails(&c, "time limit of 2 s");
    assert_kept(&c, "tidied", "tidied\n");
    trainer_case_remove(&c);
}

Test(supervisor, what_a_trainer_leaves_running_is_ended)
{
    trainer_case_t c;
    trainer_case_make(&c, ESCAPE "( trap '' TERM; while :; do sleep 1000; done ) &\n"
                                 "sleep 1000 &\n" TRAINER_ANSWER);
    assert_scores(&c, 1);
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, a_stopped_process_is_ended)
{
    trainer_case_t c;
    trainer_case_make(&c, "sleep 1000 & kill -STOP $!\n" TRAINER_ANSWER);
    assert_scores(&c, 1);
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, processes_that_go_on_forking_are_ended)
{
    trainer_case_t c;
    trainer_case_make(&c, "trap '' TERM\n"
                          "for i in 1 2; do\n"
                          "  while :; do sleep 1000 & sleep 0.05; done &\n"
                          "done\n" TRAINER_ANSWER);
    assert_scores(&c, 1);
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, processes_that_go_on_leaving_their_session_are_ended)
{
    trainer_case_t c;
    trainer_case_make(&c,
                      "trap '' TERM\n"
                      "if [ $# -eq 0 ]; then setsid \"$0\" 1 & setsid \"$0\" 2 &\n" TRAINER_ANSWER
                      "else setsid \"$0\" $1 & fi\n");
    assert_scores(&c, 1);
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, an_interrupt_ends_everything)
{
    trainer_case_t c;
    trainer_case_make(&c, "trap '' TERM; " ESCAPE READY "while :; do sleep 1000; done\n");
    c.interrupt = (nas_interrupt_t){.asked = is_ready, .context = &c};
    c.command.retries = 3;
    cr_assert_eq(judge(&c), NAS_ESTOP);
    cr_assert_eq(c.outcome.status, NAS_EVAL_OK);
    cr_assert_null(c.outcome.columns);
    cr_assert_eq(count_processes(&c), 0);
    trainer_case_remove(&c);
}

Test(supervisor, a_failure_during_an_interrupt_is_no_outcome)
{
    trainer_case_t c;
    trainer_case_make(&c, READY "kill -TERM $$\n");
    c.interrupt = (nas_interrupt_t){.asked = is_ready, .context = &c};
    cr_assert_eq(judge(&c), NAS_ESTOP);
    trainer_case_remove(&c);
}

/* In a script: the supervisor, which is the parent of its shell. */
#define SUPERVISOR "supervisor=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$$/stat)\n"

Test(supervisor, signals_to_it_do_not_stop_it)
{
    trainer_case_t c;
    trainer_case_make(&c, SUPERVISOR
                      "for name in TERM INT HUP USR1 PIPE XFSZ; do kill -$name $supervisor; done\n"
                      "until grep -q 'ShdPnd:.0*$' /proc/$supervisor/status; do :; done\n"
                      "sleep 0.1\n" TRAINER_ANSWER);
    assert_scores(&c, 1);
    trainer_case_remove(&c);
}

Test(supervisor, a_killed_supervisor_is_a_failure_and_takes_the_trainer_along)
{
    trainer_case_t c;
    trainer_case_make(&c, SUPERVISOR "kill -KILL $supervisor\nwhile :; do :; done\n");
    assert_fails(&c, "its supervisor was killed (signal 9)");
    cr_assert(comes_true(is_quiet, &c)); /* the system sees to it, in its own time */
    trainer_case_remove(&c);
}

/* The rank's process: it judges until it is killed. */
static pid_t start_rank(trainer_case_t *c)
{
    const pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) _exit(judge(c) == NAS_OK ? 0 : 1);
    return pid;
}

Test(supervisor, a_rank_that_is_killed_takes_everything_along)
{
    trainer_case_t c;
    trainer_case_make(&c, "trap '' TERM; " ESCAPE READY "while :; do sleep 1000; done\n");
    const pid_t rank = start_rank(&c);
    cr_assert(comes_true(is_ready, &c));
    cr_assert_gt(count_processes(&c), 0);
    cr_assert_eq(kill(rank, SIGKILL), 0);
    cr_assert_eq(waitpid(rank, NULL, 0), rank);
    cr_assert(comes_true(is_quiet, &c));
    trainer_case_remove(&c);
}

Test(supervisor, a_process_group_that_is_killed_takes_everything_along)
{
    trainer_case_t c;
    trainer_case_make(&c, ESCAPE READY "sleep 1000\n");
    const pid_t rank = start_rank(&c);
    (void)setpgid(rank, rank);
    cr_assert(comes_true(is_ready, &c));
    cr_assert_eq(kill(-rank, SIGKILL), 0);
    cr_assert_eq(waitpid(rank, NULL, 0), rank);
    cr_assert(comes_true(is_quiet, &c));
    trainer_case_remove(&c);
}
