/* State files: what they are for, what is in them, and what happens when one is bad.
 *
 * One file is all that a run needs to go on: identity (what was asked for), provenance (who worked
 * on it, where), and results. Methods have no state of their own to save; they are told the
 * observations again. Rank 0 alone writes, all of it every time: a state grows by some hundred
 * bytes an evaluation, so that a file is built in memory and written in one go, and no file is ever
 * half of one save and half of another.
 *
 * At every instant the file at its path or the one before it, path.prev, is whole:
 *
 *     neither            nothing was saved yet
 *     path               the first save
 *     path, path.prev    ever after
 *     path.prev          between two renames of a save
 *
 * A save takes the file for path.prev only if that is whole. A reader that finds path missing or
 * damaged goes on from path.prev, and says so; what was worked out since then is lost, but for what
 * candidates' files hold. Two cases it does not pass over: a whole file of a newer version, for
 * falling back would undo what the newer program did, and a lack of memory. Where both are bad, the
 * reasons of both are given, and nothing is replaced but with --fresh. What begins with another
 * magic is somebody else's and is never replaced.
 *
 * What is wrong is found from the outside in: the user block and the digest of every byte
 * (checksummed.h), before HDF5 sees any; then that every object is there with its type and shape;
 * then the range of every value, so that no code behind asks again. What comes later in the file is
 * checked against what is earlier.
 *
 * Versions: a file is written in the newest and read from NAS_STATEFILE_OLDEST on, which the next
 * save ends. What came within a version is optional (nas_statefile_root_optional,
 * nas_statefile_lists): the members of a state stay zero where a file lacks it.
 *
 * Layout (HDF5 1.8 format, readable with h5py and h5dump). A group or dataset costs a kilobyte, so
 * their number does not grow with what is stored: repeats and what they found are rows.
 *
 *     /                  attributes: format_version, nas_statefile_root(),
 *     nas_statefile_root_of_3()
 *                        and nas_statefile_root_optional()
 *     /job               the resolved job, YAML
 *     /metrics/          names; constant [n_metric] once it is known; and, where this run scored
 *         the pool, a row an architecture: values [n, n_metric], status, seconds, rank, and
 *         attributes hash and measurement
 *     /pool/             arch: native names, where this run scored the pool
 *     /report_columns    names
 *     /class_names, /reused_from: nas_statefile_lists, where there are any
 *     /repeats/          one row per repeat: nas_statefile_repeat(), has_best_weights and
 *         best_weights [n, n_metric], NaN where they are not known; and, once a repeat has them,
 *         nas_statefile_posterior(), likewise
 *     /observations/     one row per observation, the repeats one after the other: repeat, arch,
 *         phase, weights [n, n_metric], or [n, 0] where the method weighs no metrics
 *     /evaluations/      one row per evaluation, likewise:
 *         repeat, name, reason, value [n, n_goals], columns [n, n_report_columns] and
 *         nas_statefile_evaluation(); and, of trainings, nas_statefile_curve() [n, n_epochs]
 *     /known/            likewise: results of before a retry of failures, where there are any
 *     /events/           time (Unix, s), text
 *
 * In version 2 there are no nas_statefile_root_of_3(), value is [n], and instead of /repeats and
 * /observations there is
 *
 *     /search/<repeat>/  attributes: nas_statefile_repeat(); one row per observation:
 *         arch, phase, weights [n, n_metric]; and best_weights [n_metric] once they are known
 */
#include "common/state/statefile.h"

#include "common/io/file.h"
#include "common/state/statefile_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

nas_status_t nas_statefile_write_names(hid_t at, const char *name, const nas_strings_t *names,
                                       nas_error_t *err)
{
    return nas_h5_write_texts(at, name, (const char *const *)names->at, (int64_t)names->n, err);
}

nas_status_t nas_statefile_read_names(hid_t at, const char *name, nas_strings_t *names,
                                      nas_error_t *err)
{
    nas_h5_texts_t texts = {0};
    nas_status_t status = nas_h5_read_texts(at, name, -1, &texts, err);
    for (int64_t i = 0; i < texts.n && !status; i++) {
        const char *text = texts.data + (size_t)i * texts.width;
        status = nas_strings_add(names, text, strlen(text), err);
    }
    free(texts.data);
    return status;
}

bool nas_statefile_is_phase(const nas_state_t *state, int32_t phase)
{
    return nas_phase_name(phase) &&
           (!nas_phase_is_reason(phase) || strcmp(state->method, "pool-gp") == 0);
}

nas_status_t nas_statefile_read_fields(hid_t at, nas_statefile_fields_t fields, void *object,
                                       nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++) {
        const nas_statefile_field_t *field = &fields.at[i];
        status = nas_h5_read_attribute(at, field->name, field->type, (char *)object + field->offset,
                                       err);
    }
    return status;
}

nas_status_t nas_statefile_write_member(hid_t group, const nas_statefile_field_t *field,
                                        const void *const *object, int64_t n, nas_error_t *err)
{
    const size_t size = nas_h5_size(field->type);
    char *data = malloc((size_t)n * size + 1);
    if (!data) return nas_error_nomem(err, field->name);
    for (int64_t i = 0; i < n; i++)
        memcpy(data + (size_t)i * size, (const char *)object[i] + field->offset, size);
    const nas_h5_array_t array = {field->type, 1, {n}, data};
    const nas_status_t status = nas_h5_write_array(group, field->name, &array, err);
    free(data);
    return status;
}

void nas_statefile_read_member(const nas_statefile_field_t *field, const nas_h5_array_t *array,
                               int64_t i, void *object)
{
    const size_t size = nas_h5_size(field->type);
    memcpy((char *)object + field->offset, (const char *)array->data + (size_t)i * size, size);
}

const nas_checksummed_kind_t nas_statefile_kind = {.magic = "ROBOTNAS",
                                                   .version = NAS_STATEFILE_VERSION,
                                                   .oldest = NAS_STATEFILE_OLDEST,
                                                   .name = "state file"};

nas_statefile_fields_t nas_statefile_root(void)
{
    static const nas_statefile_field_t field[] = {
        {"program_version", NAS_H5_TEXT, offsetof(nas_state_t, program_version)},
        {"commit", NAS_H5_TEXT, offsetof(nas_state_t, commit)},
        {"job_name", NAS_H5_TEXT, offsetof(nas_state_t, job_name)},
        {"method", NAS_H5_TEXT, offsetof(nas_state_t, method)},
        {"job_hash", NAS_H5_DIGEST, offsetof(nas_state_t, job_hash)},
        {"job_hash_without_budget", NAS_H5_DIGEST, offsetof(nas_state_t, job_hash_without_budget)},
        {"objective_hash", NAS_H5_DIGEST, offsetof(nas_state_t, objective_hash)},
        {"table", NAS_H5_TEXT, offsetof(nas_state_t, table_path)},
        {"table_digest", NAS_H5_DIGEST, offsetof(nas_state_t, table_digest)},
        {"budget", NAS_H5_I64, offsetof(nas_state_t, budget)},
        {"n_arch", NAS_H5_I64, offsetof(nas_state_t, n_arch)},
        {"n_epochs", NAS_H5_I64, offsetof(nas_state_t, n_epochs)},
        {"minimise", NAS_H5_BOOL, offsetof(nas_state_t, minimise)},
        {"has_weights", NAS_H5_BOOL, offsetof(nas_state_t, has_weights)},
        {"host", NAS_H5_TEXT, offsetof(nas_state_t, host)},
        {"isa", NAS_H5_TEXT, offsetof(nas_state_t, isa)},
        {"n_ranks", NAS_H5_I32, offsetof(nas_state_t, n_ranks)},
        {"created", NAS_H5_F64, offsetof(nas_state_t, created_s)},
        {"updated", NAS_H5_F64, offsetof(nas_state_t, updated_s)},
        {"elapsed", NAS_H5_F64, offsetof(nas_state_t, elapsed_s)},
        {"complete", NAS_H5_BOOL, offsetof(nas_state_t, complete)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

nas_statefile_fields_t nas_statefile_root_of_3(void)
{
    static const nas_statefile_field_t field[] = {
        {"n_goals", NAS_H5_I64, offsetof(nas_state_t, n_goals)},
        {"table_blocks", NAS_H5_DIGEST, offsetof(nas_state_t, table_blocks)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

nas_statefile_fields_t nas_statefile_root_optional(void)
{
    static const nas_statefile_field_t field[] = {
        {"gave_up", NAS_H5_BOOL, offsetof(nas_state_t, gave_up)},
        {"blas", NAS_H5_TEXT, offsetof(nas_state_t, blas)},
        {"device", NAS_H5_TEXT, offsetof(nas_state_t, device)},
        {"golden", NAS_H5_U64, offsetof(nas_state_t, golden)},
        {"seen_hash", NAS_H5_DIGEST, offsetof(nas_state_t, seen_hash)},
        {"generation", NAS_H5_I64, offsetof(nas_state_t, generation)},
        {"files", NAS_H5_DIGEST, offsetof(nas_state_t, files)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

const nas_statefile_list_t nas_statefile_lists[NAS_STATEFILE_LISTS] = {
    {"class_names", offsetof(nas_state_t, class_names)},
    {"reused_from", offsetof(nas_state_t, reused_from)},
};

nas_statefile_fields_t nas_statefile_repeat(void)
{
    static const nas_statefile_field_t field[] = {
        {"seed", NAS_H5_U64, offsetof(nas_repeat_t, seed)},
        {"complete", NAS_H5_BOOL, offsetof(nas_repeat_t, complete)},
        {"precision_at_t", NAS_H5_F64, offsetof(nas_repeat_t, precision_at_t)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

nas_statefile_fields_t nas_statefile_posterior(void)
{
    static const nas_statefile_field_t field[] = {
        {"posterior_mean", NAS_H5_F64, offsetof(nas_repeat_t, posterior_mean)},
        {"posterior_std", NAS_H5_F64, offsetof(nas_repeat_t, posterior_std)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

const char *nas_statefile_curve(int column)
{
    static const char *const name[] = {[NAS_CURVE_TRAIN_LOSS] = "train_loss",
                                       [NAS_CURVE_VALID_LOSS] = "valid_loss",
                                       [NAS_CURVE_VALID_ACCURACY] = "valid_accuracy"};
    return name[column];
}

nas_statefile_fields_t nas_statefile_evaluation(void)
{
    static const nas_statefile_field_t field[] = {
        {"arch", NAS_H5_I64, offsetof(nas_evaluation_t, arch)},
        {"cost", NAS_H5_F64, offsetof(nas_evaluation_t, cost)},
        {"pool_rank", NAS_H5_I64, offsetof(nas_evaluation_t, pool_rank)},
        {"seed", NAS_H5_U64, offsetof(nas_evaluation_t, seed)},
        {"status", NAS_H5_I32, offsetof(nas_evaluation_t, status)},
        {"phase", NAS_H5_I32, offsetof(nas_evaluation_t, phase)},
        {"rank", NAS_H5_I32, offsetof(nas_evaluation_t, rank)},
        {"reused", NAS_H5_BOOL, offsetof(nas_evaluation_t, reused)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

bool nas_statefile_exists(const char *path)
{
    char *at = nas_file_locate(path, NULL);
    char *prev = at ? nas_file_sibling(at, ".prev", NULL) : NULL;
    const bool exists = prev && (nas_file_exists(at) || nas_file_exists(prev));
    free(at);
    free(prev);
    return exists;
}

/* The first bytes of a file; fewer where it is shorter, none where it cannot be read. */
static size_t read_head(const char *path, char head[NAS_CHECKSUMMED_MAGIC_SIZE])
{
    int64_t size = 0;
    size_t n_read = 0;
    nas_error_t err;
    int fd = -1;
    if (nas_file_open(path, &fd, &size, &err)) return 0;
    const nas_status_t status =
        nas_file_read_next(fd, path, head, NAS_CHECKSUMMED_MAGIC_SIZE, &n_read, &err);
    (void)close(fd);
    return status ? 0 : n_read;
}

bool nas_statefile_begins(const char *path)
{
    char head[NAS_CHECKSUMMED_MAGIC_SIZE];
    return read_head(path, head) == sizeof head &&
           memcmp(head, nas_statefile_kind.magic, sizeof head) == 0;
}

/* Whether it begins otherwise, as far as it goes. */
static bool is_untrusted(const char *path)
{
    char head[NAS_CHECKSUMMED_MAGIC_SIZE];
    const size_t n = read_head(path, head);
    return memcmp(head, nas_statefile_kind.magic, n) != 0;
}

nas_status_t nas_statefile_check_own(const char *path, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *at = nas_file_locate(path, err);
    char *prev = at ? nas_file_sibling(at, ".prev", err) : NULL;
    if (!prev)
        status = NAS_ENOMEM;
    else if (!nas_statefile_begins(at) && !nas_statefile_begins(prev) &&
             (is_untrusted(at) || is_untrusted(prev)))
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s is not a state file of robotnas; move it away or choose another output",
            is_untrusted(at) ? at : prev);
    free(at);
    free(prev);
    return status;
}
