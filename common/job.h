/* Job files: YAML text, `--set` overrides and defaults become one nas_job_t. */
#ifndef NAS_COMMON_JOB_H
#define NAS_COMMON_JOB_H

#include "common/digest.h"
#include "common/encoding.h"
#include "common/error.h"
#include "common/strings.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Where architectures come from. */
typedef enum nas_space { NAS_SPACE_TABLE = 0 } nas_space_t;

/** Where metric values come from. */
typedef enum nas_metric_source { NAS_SOURCE_TABLE = 0 } nas_metric_source_t;

/** How an architecture is judged. */
typedef enum nas_objective_kind { NAS_OBJECTIVE_TABLE = 0 } nas_objective_kind_t;

/** Applied to a metric before min-max normalisation. */
typedef enum nas_transform {
    NAS_TRANSFORM_NONE = 0,
    NAS_TRANSFORM_LOG,
    NAS_TRANSFORM_EXP,
    NAS_TRANSFORM_RANK
} nas_transform_t;

/** A resolved job. Every field comes from the field table in job_fields.c. */
typedef struct nas_job {
    char *name;
    int64_t seed;
    char *output;
    struct {
        int space;    /**< nas_space_t */
        char *table;  /**< path, resolved */
        char *arch;   /**< column of the architecture string */
        int encoding; /**< nas_encoding_kind_t */
        nas_strings_t missing;
    } pool;
    struct {
        int source; /**< nas_metric_source_t */
        nas_strings_t names;
        nas_strings_t transform_of; /**< metric names that have a transform ... */
        int *transform;             /**< ... and which, nas_transform_t [transform_of.n] */
    } metrics;
    struct {
        int kind; /**< nas_objective_kind_t */
        char *column;
        bool minimise;
        char *cost; /**< NULL: no cost column */
        nas_strings_t report;
    } objective;
    struct {
        char *method;
        int64_t budget;  /**< T: architectures evaluated */
        int64_t repeats; /**< R: repeat r runs with seed + r */
        int64_t parallel;
        int64_t groups; /**< rank groups over which repeats spread; 0: chosen */
        char *metric;   /**< method single; NULL otherwise */
    } search;
    struct {
        double interval_s; /**< most seconds between two checkpoints */
    } checkpoint;
    struct nas_job_origin *origin; /**< where each field was set; opaque */
} nas_job_t;

/** Read, override, default, check and resolve.  Not collective. path: the job file, at most 1 MiB;
 *  set [n_set]: "key.path=value" texts, applied in order: a later one wins over an earlier one,
 *  and all over the file. Input paths: `${NAME}` is replaced from the environment; relative ones
 *  in the file are relative to its folder; `output` and paths in --set to the working directory.
 *  NAS_EINPUT, one line "FILE:LINE:COLUMN: key.path: what is wrong; what would be right" (or
 *  "--set key.path: ..."): not YAML, several documents, anchors, aliases, tags, duplicate or
 *  unknown keys (with the nearest known), a wrong type, a value out of range, a missing required
 *  key.
 *  The caller owns *job_p and ends it with nas_job_destroy. */
nas_status_t nas_job_read(const char *path, const char *const *set, size_t n_set, nas_job_t **job_p,
                          nas_error_t *err);

/** Accepts NULL. */
void nas_job_destroy(nas_job_t *job);

/** An error about a field, found later than parsing (a column that the table lacks, an unknown
 *  method): the text is prefixed with where the field was set and its key path. key: the path of a
 *  field. Returns NAS_EINPUT. */
nas_status_t nas_job_error(const nas_job_t *job, const char *key, nas_error_t *err,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Transform of metric `name`. */
nas_transform_t nas_job_transform(const nas_job_t *job, const char *name);

/** The resolved job as YAML, every field with its value, in the order of the field table; paths
 *  are absolute. The text, read as a job file anywhere, gives the same job and the same text
 *  again. With values_only, only the fields that affect values (no output, checkpoint, groups;
 *  paths of tables left out: their content counts, by digest). The caller frees *text_p. */
nas_status_t nas_job_print(const nas_job_t *job, bool values_only, char **text_p, nas_error_t *err);

/** Identity of what a job computes: SHA-256 of nas_job_print(values_only) and of the table's
 *  digest. Equal for jobs that differ only in fields that do not affect values. */
nas_status_t nas_job_hash(const nas_job_t *job, const nas_digest_t *table, nas_digest_t *hash,
                          nas_error_t *err);

/** The same without search.budget: equal hashes and another budget means "changed budget". */
nas_status_t nas_job_hash_without_budget(const nas_job_t *job, const nas_digest_t *table,
                                         nas_digest_t *hash, nas_error_t *err);

/** Identity of the objective alone (pool table, its arch column and missing values, objective.*):
 *  evaluations of equal ones are interchangeable. */
nas_status_t nas_job_objective_hash(const nas_job_t *job, const nas_digest_t *table,
                                    nas_digest_t *hash, nas_error_t *err);

/** Write the reference page docs/job-file.md from the field table. */
void nas_job_write_reference(FILE *out);

#endif
