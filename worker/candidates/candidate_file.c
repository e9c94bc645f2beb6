#include "worker/candidates/candidate_file.h"

#include "common/io/file.h"
#include "common/state/checksummed.h"
#include "common/state/h5.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const nas_checksummed_kind_t kind = {
    .magic = "ROBOTCAN", .version = 2, .oldest = 1, .name = "candidate's file"};

/* One attribute: a member of the record. */
typedef struct field {
    const char *name;
    nas_h5_type_t type;
    size_t offset;
} field_t;

/* status and reason are stored as other types than they have in memory, and stand apart. */
static const field_t fields[] = {
    {"run", NAS_H5_DIGEST, offsetof(nas_candidate_record_t, run)},
    {"seed", NAS_H5_U64, offsetof(nas_candidate_record_t, candidate.seed)},
    {"done", NAS_H5_BOOL, offsetof(nas_candidate_record_t, done)},
    {"step", NAS_H5_I64, offsetof(nas_candidate_record_t, step)},
    {"loss_sum", NAS_H5_F64, offsetof(nas_candidate_record_t, loss_sum)},
    {"cost", NAS_H5_F64, offsetof(nas_candidate_record_t, outcome.cost)},
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

char *nas_candidate_stem(const char *output, const nas_candidate_t *candidate, nas_error_t *err)
{
    return nas_string_format(err, "%s.d/%06lld-s%llu", output, (long long)candidate->arch,
                             (unsigned long long)candidate->seed);
}

/* ------------------------------------------------------------------------------------- writing */

static nas_status_t write_numbers(hid_t file, const char *name, const double *at, int64_t n,
                                  nas_error_t *err)
{
    const nas_h5_array_t array = {NAS_H5_F64, 1, {n}, (void *)(uintptr_t)at};
    return n > 0 ? nas_h5_write_array(file, name, &array, err) : NAS_OK;
}

static nas_status_t write_curve(hid_t file, const nas_candidate_record_t *record, nas_error_t *err)
{
    const nas_h5_array_t array = {
        NAS_H5_F64, 2, {record->n_epochs, NAS_CURVE_COLUMNS}, record->outcome.curve};
    return record->outcome.curve ? nas_h5_write_array(file, "curve", &array, err) : NAS_OK;
}

enum { N_EXTENTS = 6 };

/* What the keys of a job, and images, let the members of a network be at most; beyond that a file
 * is wrong, and what is computed of it need not fit an int. */
static const int32_t most_extent[N_EXTENTS] = {256, 4096, 4096, 1024, 64, 65536};

/* The members of a network, in the order stored. */
static void list_extents(nas_network_t *network, int *extent[N_EXTENTS])
{
    int *const all[N_EXTENTS] = {&network->image_channels, &network->height, &network->width,
                                 &network->channels,       &network->cells,  &network->classes};
    memcpy(extent, all, sizeof all);
}

static nas_status_t write_onnx(hid_t file, const nas_candidate_record_t *record, nas_error_t *err)
{
    const char *onnx = record->onnx;
    if (!onnx) return NAS_OK;
    const nas_status_t status = nas_h5_write_attribute(file, "onnx", NAS_H5_TEXT, &onnx, err);
    if (status) return status;
    return nas_h5_write_attribute(file, "onnx_content", NAS_H5_DIGEST, &record->onnx_content, err);
}

static nas_status_t write_network(hid_t file, const nas_candidate_record_t *record,
                                  nas_error_t *err)
{
    nas_network_t network = record->network;
    int *extent[N_EXTENTS];
    int32_t stored[N_EXTENTS];
    if (record->parameters.n == 0) return NAS_OK;
    list_extents(&network, extent);
    for (int i = 0; i < N_EXTENTS; i++) stored[i] = *extent[i];
    const nas_h5_array_t array = {NAS_H5_I32, 1, {N_EXTENTS}, stored};
    nas_status_t status = nas_h5_write_array(file, "network", &array, err);
    if (!status) status = write_numbers(file, "mean", record->mean.at, record->mean.n, err);
    if (!status) status = write_numbers(file, "std", record->std.at, record->std.n, err);
    if (!status) status = write_onnx(file, record, err);
    return status;
}

static nas_status_t write_attributes(hid_t file, const nas_candidate_record_t *record,
                                     nas_error_t *err)
{
    const int64_t version = (int64_t)kind.version;
    const int32_t outcome = (int32_t)record->outcome.status;
    const char *reason = record->outcome.reason;
    nas_status_t status = nas_h5_write_attribute(file, "format_version", NAS_H5_I64, &version, err);
    if (!status)
        status = nas_h5_write_attribute(file, "generation", NAS_H5_I64, &record->generation, err);
    if (!status)
        status = nas_h5_write_attribute(file, "arch", NAS_H5_TEXT, &record->candidate.name, err);
    if (!status) status = nas_h5_write_attribute(file, "reason", NAS_H5_TEXT, &reason, err);
    if (!status) status = nas_h5_write_attribute(file, "status", NAS_H5_I32, &outcome, err);
    for (size_t i = 0; i < N_FIELDS && !status; i++)
        status = nas_h5_write_attribute(file, fields[i].name, fields[i].type,
                                        (const char *)record + fields[i].offset, err);
    return status;
}

static nas_status_t build_image(const nas_candidate_record_t *record, char **image_p, size_t *size,
                                nas_error_t *err)
{
    const nas_numbers_t *parameters = &record->parameters, *statistics = &record->statistics,
                        *velocity = &record->velocity;
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_h5_create(&file, err);
    if (status) return status;
    status = write_attributes(file, record, err);
    if (!status) status = write_numbers(file, "value", record->outcome.value, record->n_goals, err);
    if (!status && record->done)
        status = write_numbers(file, "columns", record->outcome.columns, record->n_columns, err);
    if (!status) status = write_curve(file, record, err);
    if (!status) status = write_numbers(file, "parameters", parameters->at, parameters->n, err);
    if (!status) status = write_numbers(file, "statistics", statistics->at, statistics->n, err);
    if (!status) status = write_numbers(file, "velocity", velocity->at, velocity->n, err);
    if (!status) status = write_network(file, record, err);
    if (!status) status = nas_h5_image(file, image_p, size, err);
    nas_h5_close(file);
    return status;
}

nas_status_t nas_candidate_write(const char *stem, const nas_candidate_record_t *record,
                                 nas_error_t *err)
{
    char *image = NULL, *path = nas_file_sibling(stem, ".h5", err);
    size_t size = 0;
    if (!path) return NAS_ENOMEM;
    nas_status_t status = build_image(record, &image, &size, err);
    if (!status) status = nas_checksummed_fill(&kind, image, size, err);
    if (!status) status = nas_file_make_parent(path, err);
    if (!status) status = nas_file_replace(path, &(nas_span_t){image, size}, 1, false, err);
    free(image);
    free(path);
    return status;
}

/* ------------------------------------------------------------------------------------- reading */

/* An array that may be absent; n: how many there must be, -1: any. */
static nas_status_t read_numbers(hid_t file, const char *name, int64_t n, nas_numbers_t *numbers,
                                 nas_error_t *err)
{
    nas_h5_array_t array = {.type = NAS_H5_F64, .rank = 1, .size = {n}};
    if (!nas_h5_has(file, name)) return NAS_OK;
    const nas_status_t status = nas_h5_read_array(file, name, &array, err);
    if (!status) *numbers = (nas_numbers_t){.at = array.data, .n = array.size[0]};
    return status;
}

/* Version 1 has one value, an attribute. */
static nas_status_t read_values(hid_t file, uint64_t version, nas_candidate_record_t *record,
                                nas_error_t *err)
{
    nas_h5_array_t value = {.type = NAS_H5_F64, .rank = 1, .size = {record->n_goals}};
    NAS_ASSERT(record->n_goals >= 0 && record->n_goals <= NAS_MAX_GOALS);
    if (version == 1)
        return nas_h5_read_attribute(file, "value", NAS_H5_F64, record->outcome.value, err);
    if (record->n_goals == 0) return NAS_OK;
    const nas_status_t status = nas_h5_read_array(file, "value", &value, err);
    if (!status)
        memcpy(record->outcome.value, value.data, (size_t)record->n_goals * sizeof(double));
    free(value.data);
    return status;
}

static nas_status_t read_outcome(hid_t file, nas_candidate_record_t *record, nas_error_t *err)
{
    nas_outcome_t *outcome = &record->outcome;
    nas_numbers_t columns = {0};
    nas_h5_array_t curve = {
        .type = NAS_H5_F64, .rank = 2, .size = {record->n_epochs, NAS_CURVE_COLUMNS}};
    int32_t outcome_status = 0;
    char *reason = NULL;
    nas_status_t status = nas_h5_read_attribute(file, "status", NAS_H5_I32, &outcome_status, err);
    if (!status) status = nas_h5_read_attribute(file, "reason", NAS_H5_TEXT, &reason, err);
    if (!status) status = read_numbers(file, "columns", record->n_columns, &columns, err);
    if (!status && nas_h5_has(file, "curve"))
        status = nas_h5_read_array(file, "curve", &curve, err);
    outcome->status = (nas_eval_status_t)outcome_status;
    outcome->columns = columns.at;
    outcome->curve = curve.data;
    if (reason) (void)snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    free(reason);
    return status;
}

static nas_status_t read_onnx(hid_t file, nas_candidate_record_t *record, nas_error_t *err)
{
    if (!nas_h5_has_attribute(file, "onnx")) return NAS_OK;
    const nas_status_t status =
        nas_h5_read_attribute(file, "onnx", NAS_H5_TEXT, &record->onnx, err);
    if (status) return status;
    return nas_h5_read_attribute(file, "onnx_content", NAS_H5_DIGEST, &record->onnx_content, err);
}

static nas_status_t read_network(hid_t file, nas_candidate_record_t *record, nas_error_t *err)
{
    nas_h5_array_t array = {.type = NAS_H5_I32, .rank = 1, .size = {N_EXTENTS}};
    int *extent[N_EXTENTS];
    if (record->parameters.n == 0) return NAS_OK;
    nas_status_t status = nas_h5_read_array(file, "network", &array, err);
    if (status) return status;
    list_extents(&record->network, extent);
    for (int i = 0; i < N_EXTENTS && !status; i++) {
        *extent[i] = ((const int32_t *)array.data)[i];
        if (*extent[i] < 1 || *extent[i] > most_extent[i])
            status = nas_error_set(err, NAS_EINPUT, "impossible network");
    }
    free(array.data);
    if (status) return status;
    record->network.convention = NAS_CONVENTION_TRAIN;
    status = read_numbers(file, "mean", record->network.image_channels, &record->mean, err);
    if (!status)
        status = read_numbers(file, "std", record->network.image_channels, &record->std, err);
    if (!status) status = read_onnx(file, record, err);
    return status;
}

/* Whether the values are those of a success, or of a failure. */
static bool are_values(const nas_candidate_record_t *record)
{
    for (int64_t g = 0; g < record->n_goals; g++) {
        const double value = record->outcome.value[g];
        if (record->outcome.status == NAS_EVAL_OK ? !isfinite(value) : !isnan(value)) return false;
    }
    return true;
}

/* What the digest cannot know. */
static nas_status_t check(const nas_candidate_record_t *record, nas_error_t *err)
{
    const nas_outcome_t *outcome = &record->outcome;
    if (outcome->status != NAS_EVAL_OK && outcome->status != NAS_EVAL_FAILED)
        return nas_error_set(err, NAS_EINPUT, "impossible status");
    if (record->done && !are_values(record))
        return nas_error_set(err, NAS_EINPUT, "impossible value");
    if (record->done && record->n_columns > 0 && !outcome->columns)
        return nas_error_set(err, NAS_EINPUT, "no columns");
    if (record->step < 0 || record->parameters.n != (record->velocity.n > 0 ? record->velocity.n
                                                                            : record->parameters.n))
        return nas_error_set(err, NAS_EINPUT, "impossible step or sizes");
    return NAS_OK;
}

/* Whether the file is of the candidate and run that the record names. */
static nas_status_t is_same(hid_t file, const nas_candidate_record_t *record, bool *same,
                            nas_error_t *err)
{
    nas_digest_t run;
    uint64_t seed = 0;
    char *arch = NULL;
    nas_status_t status = nas_h5_read_attribute(file, "run", NAS_H5_DIGEST, &run, err);
    if (!status) status = nas_h5_read_attribute(file, "seed", NAS_H5_U64, &seed, err);
    if (!status) status = nas_h5_read_attribute(file, "arch", NAS_H5_TEXT, &arch, err);
    *same = !status && memcmp(&run, &record->run, sizeof run) == 0 &&
            seed == record->candidate.seed && strcmp(arch, record->candidate.name) == 0;
    free(arch);
    return status;
}

/* Whether it failed before the run's failures were retried. Files that do not say when are of the
 * first generation. */
static nas_status_t is_outdated(hid_t file, const nas_candidate_record_t *record, bool *outdated,
                                nas_error_t *err)
{
    int64_t generation = 0;
    nas_status_t status = NAS_OK;
    if (nas_h5_has_attribute(file, "generation"))
        status = nas_h5_read_attribute(file, "generation", NAS_H5_I64, &generation, err);
    *outdated = record->done && record->outcome.status == NAS_EVAL_FAILED &&
                generation < record->generation;
    return status;
}

static nas_status_t read_content(hid_t file, uint64_t version, nas_candidate_record_t *record,
                                 bool *same, nas_error_t *err)
{
    nas_status_t status = is_same(file, record, same, err);
    if (status || !*same) return status;
    for (size_t i = 0; i < N_FIELDS && !status; i++)
        status = nas_h5_read_attribute(file, fields[i].name, fields[i].type,
                                       (char *)record + fields[i].offset, err);
    if (!status) status = read_values(file, version, record, err);
    if (!status) status = read_outcome(file, record, err);
    if (!status) status = read_numbers(file, "parameters", -1, &record->parameters, err);
    if (!status) status = read_numbers(file, "statistics", -1, &record->statistics, err);
    if (!status) status = read_numbers(file, "velocity", -1, &record->velocity, err);
    if (!status) status = read_network(file, record, err);
    if (!status) status = check(record, err);
    bool outdated = false;
    if (!status) status = is_outdated(file, record, &outdated, err);
    if (outdated) nas_candidate_record_fini(record);
    *same = !outdated;
    return status;
}

/* Of which candidate it is; *name_p is NULL or the caller's, also after an error. */
static nas_status_t read_candidate(hid_t file, nas_candidate_record_t *record, char **name_p,
                                   nas_error_t *err)
{
    nas_status_t status =
        nas_h5_read_attribute(file, "seed", NAS_H5_U64, &record->candidate.seed, err);
    if (!status) status = nas_h5_read_attribute(file, "arch", NAS_H5_TEXT, name_p, err);
    record->candidate.name = *name_p;
    return status;
}

/* name_p [out] the candidate's, where the record does not say it; NULL: it does. */
static nas_status_t read_file(const char *path, nas_candidate_record_t *record, char **name_p,
                              bool *same, nas_error_t *err)
{
    nas_checksummed_image_t image = {0};
    nas_error_t reason = {0};
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_checksummed_load(&kind, path, &image, err);
    if (status) return status;
    status = nas_h5_open(image.data, image.size, &file, &reason);
    if (!status && name_p) status = read_candidate(file, record, name_p, &reason);
    if (!status) status = read_content(file, image.version, record, same, &reason);
    nas_h5_close(file);
    free(image.data);
    if (!status) return NAS_OK;
    nas_candidate_record_fini(record);
    return nas_error_set(err, status, "%s: inconsistent: %s", path, reason.text);
}

nas_status_t nas_candidate_read(const char *stem, nas_candidate_record_t *record, bool *found,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    char *path = nas_file_sibling(stem, ".h5", err);
    if (!path) return NAS_ENOMEM;
    bool same = false;
    if (nas_file_exists(path)) status = read_file(path, record, NULL, &same, err);
    *found = !status && same;
    free(path);
    return status;
}

nas_status_t nas_candidate_read_any(const char *path, nas_candidate_record_t *record, char **name_p,
                                    bool *found, nas_error_t *err)
{
    nas_candidate_record_t read = *record;
    char *name = NULL;
    bool same = false;
    const nas_status_t status = read_file(path, &read, &name, &same, err);
    *found = !status && same;
    if (*found) {
        *record = read;
        *name_p = name;
    } else {
        free(name);
    }
    return status;
}

void nas_candidate_record_fini(nas_candidate_record_t *record)
{
    nas_outcome_fini(&record->outcome);
    free(record->parameters.at);
    free(record->statistics.at);
    free(record->velocity.at);
    free(record->mean.at);
    free(record->std.at);
    free(record->onnx);
    record->onnx = NULL;
    record->parameters = record->statistics = record->velocity = (nas_numbers_t){0};
    record->mean = record->std = (nas_numbers_t){0};
    record->done = false;
    record->step = 0;
    record->loss_sum = 0;
}
