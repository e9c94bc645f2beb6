/* A folder with a trainer, a shell script, and a candidate for it. */
#ifndef NAS_TESTS_UNIT_TRAINER_CASE_H
#define NAS_TESTS_UNIT_TRAINER_CASE_H

#include "common/io/file.h"
#include "temp_folder.h"
#include "worker/objectives/command/command.h"

#include <dirent.h>
#include <math.h>
#include <sys/stat.h>

#define TRAINER_ANSWER "echo '{\"score\": 1}'\n"

/* Zero but for what trainer_case_make sets. */
typedef struct trainer_case {
    temp_path_t folder;
    temp_path_t stem;
    nas_strings_t argument; /* the script's path, then what the test adds */
    nas_strings_t columns;
    nas_command_t command;
    nas_candidate_t candidate;
    nas_interrupt_t interrupt;
    nas_outcome_t outcome;
    nas_error_t err;
} trainer_case_t;

static inline void write_script(const temp_path_t *path, const char *text)
{
    FILE *file = fopen(path->text, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fprintf(file, "#!/bin/sh\n%s", text), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(path->text, 0755), 0);
}

static inline void add_argument(trainer_case_t *c, const char *text)
{
    cr_assert_eq(nas_strings_add(&c->argument, text, strlen(text), NULL), NAS_OK);
}

/* Every process that the trainer starts has the folder's path in its environment, as CASE. */
static inline void trainer_case_make(trainer_case_t *c, const char *script)
{
    *c = (trainer_case_t){.folder = temp_folder_make()};
    const temp_path_t path = temp_file(&c->folder, "trainer.sh");
    write_script(&path, script);
    add_argument(c, path.text);
    c->stem = temp_file(&c->folder, "kept");
    c->command = (nas_command_t){.argument = &c->argument,
                                 .job_folder = c->folder.text,
                                 .device = 3,
                                 .timeout_s = 100,
                                 .columns = &c->columns};
    c->candidate = (nas_candidate_t){.arch = 12, .seed = 10, .name = "|none~0|+\"x\" '$y'"};
    cr_assert_eq(setenv("CASE", c->folder.text, 1), 0);
}

static inline void trainer_case_remove(trainer_case_t *c)
{
    temp_folder_remove(&c->folder);
    nas_strings_fini(&c->argument);
    nas_strings_fini(&c->columns);
    nas_outcome_fini(&c->outcome);
}

static inline nas_status_t judge(trainer_case_t *c)
{
    nas_outcome_fini(&c->outcome);
    return nas_command_evaluate(&c->command, &c->candidate, c->stem.text, &c->interrupt,
                                &c->outcome, &c->err);
}

/* Judge, expecting an outcome. */
static inline const nas_outcome_t *outcome_of(trainer_case_t *c)
{
    cr_assert_eq(judge(c), NAS_OK, "%s", c->err.text);
    return &c->outcome;
}

/* The candidate fails and leaves no work folder. */
static inline void assert_fails(trainer_case_t *c, const char *reason)
{
    const nas_outcome_t *outcome = outcome_of(c);
    const temp_path_t work = temp_file(&c->folder, "kept.work");
    cr_assert_eq(outcome->status, NAS_EVAL_FAILED);
    cr_assert_str_eq(outcome->reason, reason);
    cr_assert(isnan(outcome->value[0]) && isnan(outcome->cost));
    for (size_t i = 0; i < c->columns.n; i++) cr_assert(isnan(outcome->columns[i]));
    cr_assert_not(nas_file_exists(work.text));
}

static inline void assert_scores(trainer_case_t *c, double score)
{
    const nas_outcome_t *outcome = outcome_of(c);
    cr_assert_eq(outcome->status, NAS_EVAL_OK, "%s", outcome->reason);
    cr_assert_eq(outcome->value[0], score);
}

/* A file of the case; the caller frees it. */
static inline char *read_kept(const trainer_case_t *c, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    const temp_path_t path = temp_file(&c->folder, name);
    nas_error_t err = {0};
    cr_assert_eq(nas_file_read(path.text, 64 << 20, &text, &size, &err), NAS_OK, "%s", err.text);
    return text;
}

static inline void assert_kept(const trainer_case_t *c, const char *name, const char *expected)
{
    char *text = read_kept(c, name);
    cr_assert_str_eq(text, expected);
    free(text);
}

static inline bool is_of_case(const trainer_case_t *c, const char *pid)
{
    char path[64], mark[TEMP_PATH_SIZE + 8], text[1 << 16];
    (void)snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
    (void)snprintf(mark, sizeof mark, "CASE=%s", c->folder.text);
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    const size_t n = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[n] = '\0';
    for (const char *variable = text; variable < text + n; variable += strlen(variable) + 1)
        if (strcmp(variable, mark) == 0) return true;
    return false;
}

/* Processes of the case's trainers, wherever they are by now. */
static inline int count_processes(const trainer_case_t *c)
{
    int n = 0;
    DIR *dir = opendir("/proc");
    cr_assert_not_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') n += is_of_case(c, entry->d_name);
    (void)closedir(dir);
    return n;
}

#endif
