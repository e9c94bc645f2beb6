/* The user's own trainer: what it is told, what it answers, what is kept. */
#include "trainer_case.h"

#include <fcntl.h>
#include <signal.h>

/* ---------------------------------------------------------------------------------- check */

/* Check a command of one or two arguments. */
static nas_status_t check(const char *program, const char *argument, nas_error_t *err)
{
    char *at[] = {(char *)program, (char *)argument};
    const nas_strings_t list = {.at = at, .n = argument ? 2 : 1};
    const nas_command_t command = {.argument = &list, .job_folder = "/bin"};
    return nas_command_check(&command, err);
}

static void assert_refused(const char *program, const char *argument, const char *text)
{
    nas_error_t err = {0};
    cr_assert_eq(check(program, argument, &err), NAS_EINPUT, "%s", program);
    cr_assert_not_null(strstr(err.text, text), "%s", err.text);
}

Test(command, a_good_command_is_accepted)
{
    nas_error_t err = {0};
    cr_assert_eq(check("sh", "{arch}{index}{seed}{work}{device}{job}", &err), NAS_OK, "%s",
                 err.text);
    cr_assert_eq(check("/bin/sh", "{{\"rate\": 0.1}}", &err), NAS_OK, "%s", err.text);
    cr_assert_eq(check("{job}/sh", NULL, &err), NAS_OK, "%s", err.text);
}

Test(command, unknown_placeholders_and_lone_braces_are_refused)
{
    assert_refused("sh", "--a={architecture}",
                   "'--a={architecture}': unknown placeholder {architecture}; known are {arch}");
    assert_refused("sh", "{}", "unknown placeholder {}");
    assert_refused("sh", "{\"rate\": 0.1}", "a brace is written {{ or }}");
    assert_refused("sh", "{arch", "'{arch': unpaired {");
    assert_refused("sh", "arch}", "'arch}': unpaired }");
    assert_refused("sh", "{{arch}", "unpaired }");
}

Test(command, programs_that_cannot_be_run_are_refused)
{
    assert_refused("", NULL, "the program's name is empty");
    assert_refused("no-such-trainer", NULL, "no program 'no-such-trainer' in PATH");
    assert_refused("/bin/no-such-trainer", NULL, "no program /bin/no-such-trainer: No such file");
    assert_refused("/bin", NULL, "/bin is no file");
    assert_refused("/proc/self/environ", NULL, "/proc/self/environ may not be run");
    assert_refused("{arch}", NULL, "'{arch}': {arch} has no place in a program's name");
    const nas_strings_t none = {0};
    const nas_command_t command = {.argument = &none, .job_folder = ""};
    cr_assert_eq(nas_command_check(&command, NULL), NAS_EINPUT);
}

Test(command, programs_are_found_where_they_would_be_run)
{
    trainer_case_t c;
    nas_error_t err = {0};
    trainer_case_make(&c, TRAINER_ANSWER);
    cr_assert_eq(chdir(c.folder.text), 0);
    assert_refused("trainer.sh", NULL, "no program 'trainer.sh' in PATH");
    cr_assert_eq(setenv("PATH", "/nowhere::/bin", 1), 0); /* empty: the working directory */
    cr_assert_eq(check("trainer.sh", NULL, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(check("./trainer.sh", NULL, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(chmod("trainer.sh", 0644), 0);
    assert_refused("trainer.sh", NULL, "no program 'trainer.sh' in PATH");
    cr_assert_eq(unsetenv("PATH"), 0);
    cr_assert_eq(check("sh", NULL, &err), NAS_OK, "%s", err.text);
    trainer_case_remove(&c);
}

/* --------------------------------------------------------------------------------- answer */

Test(command, score_cost_and_columns_arrive)
{
    trainer_case_t c;
    trainer_case_make(&c, "echo training; echo to stderr >&2\n"
                          "echo '{\"score\": 0.25, \"cost\": 7, \"columns\": {\"a\": 2}}'\n");
    cr_assert_eq(nas_strings_add(&c.columns, "a", 1, NULL), NAS_OK);
    cr_assert_eq(nas_strings_add(&c.columns, "b", 1, NULL), NAS_OK);
    assert_scores(&c, 0.25);
    cr_assert_eq(c.outcome.cost, 7);
    cr_assert_eq(c.outcome.columns[0], 2);
    cr_assert(isnan(c.outcome.columns[1]));
    assert_kept(&c, "kept.err", "to stderr\n");
    assert_kept(&c, "kept.out",
                "training\n{\"score\": 0.25, \"cost\": 7, \"columns\": {\"a\": 2}}\n");
    trainer_case_remove(&c);
}

Test(command, the_last_line_with_a_score_counts)
{
    trainer_case_t c;
    trainer_case_make(&c, "echo '{\"score\": 1}'; printf '10 %%\\r100 %%\\r{\"score\": 2}\\r\\n'\n"
                          "echo '{\"saved\": true}'; echo \"{'score': 3}\"\n");
    assert_scores(&c, 2);
    trainer_case_remove(&c);
}

Test(command, failures_have_their_reason)
{
    static const struct {
        const char *script, *reason;
    } failure[] = {
        {TRAINER_ANSWER "exit 3\n", "exit code 3"},
        {TRAINER_ANSWER "kill -SEGV $$\n", "ended by signal 11 (Segmentation fault)"},
        {"true\n", "no answer: it printed nothing on standard output"},
        {"echo \"{'loss': 1}\"; echo done\n",
         "no answer: no line with \"score\" among 2 lines, the last that begins with '{': "
         "{'loss': 1}"},
        {TRAINER_ANSWER "printf '{\"score\": \\0\\n'\n",
         "its answer is not JSON: invalid token near end of file"},
        {"echo '{\"score\": \"high\"}'\n", "its answer has no finite number as score"},
    };
    for (size_t i = 0; i < sizeof failure / sizeof *failure; i++) {
        trainer_case_t c;
        trainer_case_make(&c, failure[i].script);
        cr_assert_eq(nas_strings_add(&c.columns, "a", 1, NULL), NAS_OK);
        assert_fails(&c, failure[i].reason);
        trainer_case_remove(&c);
    }
}

Test(command, an_answer_of_a_mebibyte_arrives)
{
    trainer_case_t c;
    trainer_case_make(&c, "printf '{\"score\": 1'; head -c 1048564 /dev/zero | tr '\\0' ' '\n"
                          "echo '}'\n");
    assert_scores(&c, 1);
    trainer_case_remove(&c);
    trainer_case_make(&c, "printf '{\"score\": 1'; head -c 1048565 /dev/zero | tr '\\0' ' '\n"
                          "echo '}'\n");
    assert_fails(&c, "its answer is longer than 1048576 bytes");
    trainer_case_remove(&c);
}

Test(command, a_program_that_cannot_be_run_fails_the_candidate)
{
    trainer_case_t c;
    trainer_case_make(&c, "");
    nas_strings_fini(&c.argument);
    add_argument(&c, "no-such-trainer");
    assert_fails(&c, "cannot run no-such-trainer: No such file or directory");
    trainer_case_remove(&c);
}

/* ------------------------------------------------------------------------ what it is given */

Test(command, arguments_arrive_verbatim)
{
    trainer_case_t c;
    char expected[4096];
    trainer_case_make(&c, "for a; do printf '%s\\n' \"$a\"; done >&2\n" TRAINER_ANSWER);
    static const char *const argument[] = {
        "--arch={arch}", "{index} {seed} {device}",   "{job}/x", "{work}", "{{{seed}}}", "",
        "a  b",          "$HOME `id` | > * \\ ; '\"",
    };
    for (size_t i = 0; i < sizeof argument / sizeof *argument; i++) add_argument(&c, argument[i]);
    c.candidate.name = "{seed}|none~0|+ \"x\" '$y'";
    assert_scores(&c, 1);
    (void)snprintf(expected, sizeof expected,
                   "--arch={seed}|none~0|+ \"x\" '$y'\n12 10 3\n%s/x\n%s.work\n{10}\n\na  b\n"
                   "$HOME `id` | > * \\ ; '\"\n",
                   c.folder.text, c.stem.text);
    assert_kept(&c, "kept.err", expected);
    trainer_case_remove(&c);
}

Test(command, relative_paths_arrive_as_absolute_ones)
{
    trainer_case_t c;
    char expected[4096];
    trainer_case_make(&c, "printf '%s\\n' \"$@\" >&2\n" TRAINER_ANSWER);
    add_argument(&c, "{work}");
    add_argument(&c, "{job}");
    cr_assert_eq(chdir(c.folder.text), 0);
    c.command.job_folder = "";
    strcpy(c.stem.text, "files/kept");
    assert_scores(&c, 1);
    (void)snprintf(expected, sizeof expected, "%s/files/kept.work\n%s\n", c.folder.text,
                   c.folder.text);
    assert_kept(&c, "files/kept.err", expected);
    trainer_case_remove(&c);
}

Test(command, the_launcher_s_variables_are_left_out_and_others_passed)
{
    static const char *const launcher[] = {"OMPI_COMM_WORLD_RANK",
                                           "PMIX_RANK",
                                           "PMI_FD",
                                           "PMI2_X",
                                           "PRTE_X",
                                           "ORTE_X",
                                           "OPAL_X",
                                           "HYDRA_X",
                                           "HYDI_X",
                                           "MPIR_X",
                                           "MPI_LOCALRANKID"};
    static const char *const others[] = {"SLURM_JOB_ID", "OMP_NUM_THREADS", "I_MPI_ROOT", "XPMI_X"};
    trainer_case_t c;
    trainer_case_make(&c, "env >&2\n" TRAINER_ANSWER);
    for (size_t i = 0; i < sizeof launcher / sizeof *launcher; i++)
        cr_assert_eq(setenv(launcher[i], "7654321", 1), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(setenv(others[i], "1234567", 1), 0);
    assert_scores(&c, 1);
    char *text = read_kept(&c, "kept.err");
    cr_assert_null(strstr(text, "7654321"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "\n%s=1234567\n", others[i]);
        cr_assert_not_null(strstr(text, line), "%s", others[i]);
    }
    cr_assert_str_eq(getenv("PMIX_RANK"), "7654321"); /* here they stay */
    free(text);
    trainer_case_remove(&c);
}

Test(command, it_inherits_no_descriptors_signals_or_input)
{
    trainer_case_t c;
    sigset_t blocked;
    trainer_case_make(&c, "ls /proc/self/fd >&2; cat\n"
                          "grep -E 'SigBlk|SigIgn' /proc/self/status >&2\n" TRAINER_ANSWER);
    const int fd = open("/dev/null", O_RDONLY); /* not closed on exec */
    cr_assert_geq(fd, 0);
    cr_assert_geq(dup2(fd, 77), 0);
    cr_assert_neq(signal(SIGUSR1, SIG_IGN), SIG_ERR);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    cr_assert_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    assert_scores(&c, 1);
    assert_kept(&c, "kept.err",
                "0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"); /* 3: ls's */
    assert_kept(&c, "kept.out", "{\"score\": 1}\n");
    trainer_case_remove(&c);
}

Test(command, closed_standard_streams_do_no_harm)
{
    trainer_case_t c;
    trainer_case_make(&c, "echo words; echo more >&2\n" TRAINER_ANSWER);
    for (int fd = 0; fd < 3; fd++) (void)close(fd);
    assert_scores(&c, 1);
    assert_kept(&c, "kept.out", "words\n{\"score\": 1}\n");
    assert_kept(&c, "kept.err", "more\n");
    trainer_case_remove(&c);
}

/* ------------------------------------------------------------------------------ what is kept */

/* A file of 16 MiB at most, whose last line says that something is missing. */
static void assert_cut(const trainer_case_t *c, const char *name)
{
    char *text = read_kept(c, name);
    const size_t length = strlen(text);
    cr_assert_leq(length, 16 << 20);
    cr_assert_gt(length, (16 << 20) - 2048);
    cr_assert_eq(strspn(text, "x"), (16 << 20) - 1024);
    cr_assert_not_null(strstr(text, "\nrobotnas: "));
    cr_assert_str_eq(strchr(strstr(text, "\nrobotnas: "), 'm'), "more bytes were printed, and "
                                                                "dropped\n");
    free(text);
}

Test(command, much_output_is_cut_and_the_answer_behind_it_counts)
{
    trainer_case_t c;
    trainer_case_make(&c, "head -c 100000000 /dev/zero | tr '\\0' x >&2\n"
                          "head -c 100000000 /dev/zero | tr '\\0' x; echo\n" TRAINER_ANSWER);
    assert_scores(&c, 1);
    assert_cut(&c, "kept.out");
    assert_cut(&c, "kept.err");
    trainer_case_remove(&c);
}

Test(command, a_full_disk_is_not_the_trainer_s_failure)
{
    trainer_case_t c;
    trainer_case_make(&c, "head -c 1000000 /dev/zero\necho\n" TRAINER_ANSWER);
    const temp_path_t path = temp_file(&c.folder, "kept.out");
    cr_assert_eq(symlink("/dev/full", path.text), 0);
    assert_scores(&c, 1);
    trainer_case_remove(&c);
}

Test(command, a_folder_that_cannot_be_written_is_the_system_s_failure)
{
    trainer_case_t c;
    trainer_case_make(&c, TRAINER_ANSWER);
    strcpy(c.stem.text, c.argument.at[0]);
    strcat(c.stem.text, "/kept");
    cr_assert_eq(judge(&c), NAS_EIO);
    cr_assert_not_null(strstr(c.err.text, "/trainer.sh"), "%s", c.err.text);
    cr_assert_eq(c.outcome.reason[0], '\0');
    trainer_case_remove(&c);
}

Test(command, the_work_folder_is_private_and_stays_after_success)
{
    trainer_case_t c;
    trainer_case_make(&c, "echo weights > \"$1/weights\"; stat -c %a \"$1\" >&2\n" TRAINER_ANSWER);
    add_argument(&c, "{work}");
    assert_scores(&c, 1);
    assert_kept(&c, "kept.work/weights", "weights\n");
    assert_kept(&c, "kept.err", "700\n");
    trainer_case_remove(&c);
}

Test(command, a_full_work_folder_goes_after_a_failure_and_what_it_links_to_stays)
{
    trainer_case_t c;
    trainer_case_make(&c, "cd \"$1\" && mkdir -p a/b/c d/moved-0 moved-1 shut/in .hidden\n"
                          "touch a/1 a/b/2 a/b/c/3 d/moved-0/4 .hidden/5 shut/6 'a name'\n"
                          "ln -s \"$2\" folder; ln -s \"$2/precious\" a/file; mkfifo fifo\n"
                          "chmod 0 shut/in; chmod 0 shut; chmod 500 a/b; chmod 0 .; exit 1\n");
    const temp_path_t outside = temp_file(&c.folder, "outside");
    const temp_path_t precious = temp_file(&outside, "precious");
    cr_assert_eq(mkdir(outside.text, 0755), 0);
    write_script(&precious, "");
    add_argument(&c, "{work}");
    add_argument(&c, outside.text);
    assert_fails(&c, "exit code 1");
    cr_assert(nas_file_exists(precious.text));
    trainer_case_remove(&c);
}

Test(command, a_work_folder_of_any_depth_goes)
{
    trainer_case_t c;
    trainer_case_make(&c,
                      "cd \"$1\"; i=0; name=a-folder-with-a-name-of-some-length\n"
                      "while [ $i -lt 400 ]; do mkdir $name side; cd -P $name; i=$((i+1)); done\n"
                      "exit 1\n");
    add_argument(&c, "{work}");
    assert_fails(&c, "exit code 1");
    trainer_case_remove(&c);
}

Test(command, the_work_folder_is_empty_at_every_try)
{
    trainer_case_t c;
    trainer_case_make(&c, "ls -A \"$1\" >&2; touch \"$1/left\"; exit 1\n");
    const temp_path_t work = temp_file(&c.folder, "kept.work");
    const temp_path_t left = temp_file(&work, "of-a-killed-run");
    cr_assert_eq(mkdir(work.text, 0755), 0);
    write_script(&left, "");
    add_argument(&c, "{work}");
    c.command.retries = 2;
    assert_fails(&c, "exit code 1 (3 tries)");
    assert_kept(&c, "kept.err", "");
    trainer_case_remove(&c);
}

/* Put a file into the folder {work}. */
static void leave_checkpoint(const trainer_case_t *c)
{
    const temp_path_t work = temp_file(&c->folder, "kept.work");
    const temp_path_t left = temp_file(&work, "checkpoint");
    cr_assert_eq(mkdir(work.text, 0700), 0);
    write_script(&left, "");
}

Test(command, a_try_goes_on_in_the_folder_of_one_that_was_interrupted)
{
    trainer_case_t c;
    trainer_case_make(&c, "[ -e \"$1/checkpoint\" ] || exit 1\n" TRAINER_ANSWER);
    leave_checkpoint(&c);
    add_argument(&c, "{work}");
    c.command.goes_on = true;
    assert_scores(&c, 1);
    trainer_case_remove(&c);
}

/* What was left may be at fault; and it is said as if nothing had been interrupted. */
Test(command, a_try_that_goes_on_and_fails_does_not_count)
{
    trainer_case_t c;
    trainer_case_make(&c, "ls -A \"$1\" >> \"$CASE/seen\"; echo try >> \"$CASE/seen\"; exit 1\n");
    leave_checkpoint(&c);
    add_argument(&c, "{work}");
    c.command.goes_on = true;
    c.command.retries = 1;
    assert_fails(&c, "exit code 1 (2 tries)");
    assert_kept(&c, "seen", "checkpoint\ntry\ntry\ntry\n");
    trainer_case_remove(&c);
}

Test(command, a_link_in_place_of_the_work_folder_is_not_followed)
{
    trainer_case_t c;
    trainer_case_make(&c, "touch \"$1/mine\"\n" TRAINER_ANSWER);
    const temp_path_t outside = temp_file(&c.folder, "outside");
    const temp_path_t work = temp_file(&c.folder, "kept.work"), mine = temp_file(&outside, "mine");
    cr_assert_eq(mkdir(outside.text, 0700), 0);
    cr_assert_eq(symlink(outside.text, work.text), 0);
    add_argument(&c, "{work}");
    c.command.goes_on = true;
    assert_scores(&c, 1);
    cr_assert(!nas_file_exists(mine.text));
    trainer_case_remove(&c);
}

/* -------------------------------------------------------------------------------- retries */

/* Succeeds at the third try; the file tries counts. */
static const char *const third_time = "echo x >> \"$CASE/tries\"; n=$(wc -l < \"$CASE/tries\")\n"
                                      "echo \"try $n\" >&2\n"
                                      "[ $n -eq 3 ] || exit $n\n" TRAINER_ANSWER;

Test(command, it_is_tried_until_it_answers)
{
    trainer_case_t c;
    trainer_case_make(&c, third_time);
    c.command.retries = 5;
    assert_scores(&c, 1);
    assert_kept(&c, "tries", "x\nx\nx\n");
    assert_kept(&c, "kept.err", "try 3\n"); /* of the last try alone */
    trainer_case_remove(&c);
}

Test(command, tries_come_to_an_end)
{
    trainer_case_t c;
    trainer_case_make(&c, third_time);
    c.command.retries = 1;
    assert_fails(&c, "exit code 2 (2 tries)");
    assert_kept(&c, "tries", "x\nx\n");
    trainer_case_remove(&c);
}
