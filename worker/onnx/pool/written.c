/* Files that a program of the user's writes.
 *
 * It runs under the supervisor of trainers, in a folder of its own, and writes {onnx} there; what it
 * has written is kept beside the run's output and found again by whoever needs it next: the trainer,
 * a resumed run, `export`. It is found by a digest of the architecture, the program and its
 * arguments, and of the state of those files among them that are there, so that a script that was
 * changed is run again. Two ranks may write one file at a time, each its own, whole; the later one
 * stays.
 */
#include "common/io/file.h"
#include "worker/objectives/command/arguments.h"
#include "worker/objectives/command/output.h"
#include "worker/objectives/command/supervisor.h"
#include "worker/objectives/command/work_folder.h"
#include "worker/onnx/pool/pool_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run of the program. */
typedef struct writing {
    const nas_onnx_pool_t *pool;
    const char *arch;
    char *kept;      /* paths: where what is written belongs, */
    char *folder;    /* where the program works, */
    char *onnx;      /* what it writes there, */
    char *out, *err; /* and what it prints */
    char **argument; /* NULL at the end */
} writing_t;

static void fini(writing_t *w)
{
    for (char **argument = w->argument; argument && *argument; argument++) free(*argument);
    free(w->argument);
    free(w->kept);
    free(w->folder);
    free(w->onnx);
    free(w->out);
    free(w->err);
}

/* ------------------------------------------------------------------------------------- arguments */

static nas_status_t expand(const nas_strings_t *command, const nas_placeholder_texts_t *texts,
                           char **argument, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < command->n && !status; i++)
        status = nas_argument_expand(command->at[i], texts, &argument[i], err);
    return status;
}

nas_status_t nas_onnx_command_check(const nas_strings_t *command, const char *job_folder,
                                    nas_error_t *err)
{
    const nas_placeholder_texts_t known = {.at = {[NAS_PLACEHOLDER_JOB] = job_folder},
                                           .of_network = true};
    nas_placeholder_texts_t texts = known;
    texts.at[NAS_PLACEHOLDER_ARCH] = texts.at[NAS_PLACEHOLDER_ONNX] = "";
    bool names_file = false;
    nas_status_t status = NAS_OK;
    char *program = NULL;
    for (size_t i = 0; i < command->n && !status; i++) {
        char *text = NULL;
        names_file |= strstr(command->at[i], "{onnx}") != NULL;
        status = nas_argument_expand(command->at[i], &texts, &text, err);
        free(text);
    }
    if (!status && !names_file)
        status =
            nas_error_set(err, NAS_EINPUT,
                          "has no {onnx}, the file that it is to write; add it to the arguments");
    if (!status) status = nas_argument_expand(command->at[0], &known, &program, err);
    if (!status) status = nas_argument_find_program(program, err);
    free(program);
    return status;
}

static void update_text(nas_hasher_t *hasher, const char *text)
{
    nas_hasher_update(hasher, text, strlen(text) + 1);
}

/* As it stands in the job, and the state of the file that it is the path of, if it is. */
static nas_status_t update_argument(nas_hasher_t *hasher, const nas_onnx_files_t *files,
                                    const char *argument, nas_error_t *err)
{
    const nas_placeholder_texts_t texts = {.at = {[NAS_PLACEHOLDER_ARCH] = "",
                                                  [NAS_PLACEHOLDER_JOB] = files->job_folder,
                                                  [NAS_PLACEHOLDER_ONNX] = ""},
                                           .of_network = true};
    nas_file_stamp_t stamp = {0};
    char *path = NULL;
    const nas_status_t status = nas_argument_expand(argument, &texts, &path, err);
    update_text(hasher, argument);
    if (!status && nas_file_stamp(path, &stamp)) nas_hasher_update(hasher, &stamp, sizeof stamp);
    free(path);
    return status;
}

/* Where what is written belongs. */
static nas_status_t name_kept(writing_t *w, nas_error_t *err)
{
    const nas_strings_t *command = &w->pool->files.command;
    char hex[NAS_DIGEST_HEX_SIZE];
    nas_hasher_t *hasher = NULL;
    nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    update_text(hasher, w->arch);
    for (size_t i = 0; i < command->n && !status; i++)
        status = update_argument(hasher, &w->pool->files, command->at[i], err);
    const nas_digest_t digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    if (status) return status;
    nas_digest_hex(&digest, hex);
    w->kept = nas_string_format(err, "%s/%.32s.onnx", w->pool->files.folder, hex);
    return w->kept ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t name_work(writing_t *w, nas_error_t *err)
{
    const nas_onnx_files_t *files = &w->pool->files;
    w->folder = nas_string_format(err, "%s.%d.work", w->kept, w->pool->rank);
    w->onnx = w->folder ? nas_string_format(err, "%s/network.onnx", w->folder) : NULL;
    w->out = w->folder ? nas_string_format(err, "%s/command%s", w->folder, NAS_OUTPUT_OUT) : NULL;
    w->err = w->folder ? nas_string_format(err, "%s/command%s", w->folder, NAS_OUTPUT_ERR) : NULL;
    if (!w->onnx || !w->out || !w->err) return NAS_ENOMEM;
    w->argument = calloc(files->command.n + 1, sizeof *w->argument);
    if (!w->argument) return nas_error_nomem(err, "the arguments of a command");
    const nas_placeholder_texts_t texts = {.at = {[NAS_PLACEHOLDER_ARCH] = w->arch,
                                                  [NAS_PLACEHOLDER_JOB] = files->job_folder,
                                                  [NAS_PLACEHOLDER_ONNX] = w->onnx},
                                           .of_network = true};
    return expand(&files->command, &texts, w->argument, err);
}

/* ------------------------------------------------------------------------------------- running it */

static nas_status_t supervise(const writing_t *w, nas_supervision_t *supervision, nas_error_t *err)
{
    nas_supervisor_task_t task = {
        .argument = w->argument, .out = -1, .err = -1, .timeout_s = w->pool->files.timeout_s};
    nas_status_t status = nas_file_create(w->out, &task.out, err);
    if (!status) status = nas_file_create(w->err, &task.err, err);
    if (!status) status = nas_supervisor_run(&task, w->pool->networks.interrupt, supervision, err);
    if (task.out >= 0) (void)close(task.out);
    if (task.err >= 0) (void)close(task.err);
    return status;
}

/* How it ended that did not end well, with the last line that it printed of errors. */
static nas_status_t refuse(const writing_t *w, const nas_supervision_t *supervision,
                           nas_error_t *err)
{
    const int code = supervision->code;
    char line[NAS_OUTPUT_LINE_SIZE] = "";
    (void)nas_output_last_line(w->err, line);
    const char *colon = *line ? ": " : "";
    switch (supervision->ending) {
    case NAS_ENDING_EXIT:
        return nas_error_set(err, NAS_EINPUT, "%s: the command ended with exit code %d%s%s",
                             w->arch, code, colon, line);
    case NAS_ENDING_SIGNAL:
        return nas_error_set(err, NAS_EINPUT, "%s: the command was ended by signal %d%s%s", w->arch,
                             code, colon, line);
    case NAS_ENDING_TIME:
        return nas_error_set(err, NAS_EINPUT, "%s: the command took more than %g s (pool.timeout)",
                             w->arch, w->pool->files.timeout_s);
    case NAS_ENDING_NOT_RUN:
        return nas_error_set(err, NAS_EINPUT, "%s: cannot run %.100s: %s", w->arch, w->argument[0],
                             strerror(code));
    case NAS_ENDING_LOST:
        break;
    }
    return nas_error_set(err, NAS_EINPUT, "%s: the command's supervisor was killed (signal %d)",
                         w->arch, code);
}

/* Whole and on the disk while it is this rank's alone, then to the place where it belongs. */
static nas_status_t keep(const writing_t *w, nas_error_t *err)
{
    char *bytes = NULL;
    size_t size = 0;
    if (!nas_file_exists(w->onnx))
        return nas_error_set(err, NAS_EINPUT, "%s: the command ended well but wrote no {onnx}",
                             w->arch);
    nas_status_t status = nas_file_read(w->onnx, INT32_MAX, &bytes, &size, err);
    const nas_span_t span = {bytes, size};
    if (!status) status = nas_file_replace(w->onnx, &span, 1, false, err);
    free(bytes);
    if (status || rename(w->onnx, w->kept) == 0) return status;
    return nas_error_set(err, NAS_EIO, "cannot write %s: %s", w->kept, strerror(errno));
}

static nas_status_t write_file(writing_t *w, nas_error_t *err)
{
    nas_supervision_t supervision = {0};
    nas_status_t status = name_work(w, err);
    if (!status) status = nas_file_make_parents(w->kept, err);
    if (!status) status = nas_work_folder_make(w->folder, false, err);
    if (status) return status;
    status = supervise(w, &supervision, err);
    if (!status) nas_answer_fini(&supervision.answer);
    const bool is_good = supervision.ending == NAS_ENDING_EXIT && supervision.code == 0;
    if (!status && !is_good) /* a signal that is meant for all of a job's processes ends it first */
        status = nas_interrupt_check(w->pool->networks.interrupt, 0, err);
    if (!status) status = is_good ? keep(w, err) : refuse(w, &supervision, err);
    (void)nas_work_folder_remove(w->folder, NULL);
    return status;
}

nas_status_t nas_onnx_pool_write(const nas_onnx_pool_t *pool, int64_t arch, char **path_p,
                                 nas_error_t *err)
{
    writing_t w = {.pool = pool, .arch = pool->files.arch.at[arch]};
    nas_status_t status = name_kept(&w, err);
    if (!status && !nas_file_exists(w.kept)) status = write_file(&w, err);
    if (!status) {
        *path_p = w.kept;
        w.kept = NULL;
    }
    fini(&w);
    return status;
}
