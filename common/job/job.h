/* Job files: YAML text, `--set` overrides and defaults become one nas_job_t. */
#ifndef NAS_COMMON_JOB_JOB_H
#define NAS_COMMON_JOB_JOB_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/strings.h"
#include "common/job/section.h"
#include "common/space/space.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { NAS_JOB_NAMES_SIZE = 96 };

/** What a job is read for. */
typedef enum nas_job_purpose {
    NAS_JOB_SEARCH = 0,
    NAS_JOB_SCORE /**< the scoring stage alone: objective.*, search.* and transforms do not count */
} nas_job_purpose_t;

/** Whether rank 0 works besides coordinating. */
typedef enum nas_coordinator_kind {
    NAS_COORDINATOR_SHARED = 0,
    NAS_COORDINATOR_DEDICATED
} nas_coordinator_kind_t;

/** Where metric values come from. */
typedef enum nas_metric_source {
    NAS_SOURCE_TABLE = 0,
    NAS_SOURCE_COMPUTE,
    NAS_SOURCE_SCORES
} nas_metric_source_t;

/** Applied to a metric before min-max normalisation. */
typedef enum nas_transform {
    NAS_TRANSFORM_NONE = 0,
    NAS_TRANSFORM_LOG,
    NAS_TRANSFORM_EXP,
    NAS_TRANSFORM_RANK
} nas_transform_t;

/** What networks begin with. */
typedef enum nas_job_weights {
    NAS_JOB_WEIGHTS_USUAL = 0, /**< KAIMING for files, UNIFORM in a space */
    NAS_JOB_WEIGHTS_KAIMING,
    NAS_JOB_WEIGHTS_UNIFORM,
    NAS_JOB_WEIGHTS_FILE
} nas_job_weights_t;

/** Which part of a space. */
typedef struct nas_job_subset {
    int kind;   /**< nas_subset_kind_t */
    int64_t n;  /**< SAMPLE; 0 otherwise */
    char *file; /**< FILE: path, resolved; NULL otherwise */
} nas_job_subset_t;

/** A list of numbers. */
typedef struct nas_job_numbers {
    double *at;
    size_t n;
} nas_job_numbers_t;

/** A resolved job. Every field but the purpose comes from the sections that it was read with. What
 *  does not apply (pool.table of a space, data where nothing is computed, the search of a job that
 *  is read to score) holds nothing of use: its default, or NULL, 0 and the like. */
struct nas_job {
    nas_job_purpose_t purpose;
    char *name;
    int64_t seed;
    char *output;
    char *folder;     /**< of the job file */
    int backend;      /**< place in the list of backends */
    char *device;     /**< as nas_device_choice_parse takes it */
    int coordinator;  /**< nas_coordinator_kind_t */
    double silence_s; /**< a rank without a sign of life for so long is lost; 0: never */
    struct {
        int space;    /**< of its names; see nas_job_space */
        char *table;  /**< of a table: path, resolved */
        char *arch;   /**< of a table: column of the architecture string */
        int encoding; /**< of a table: nas_encoding_kind_t */
        char *onnx;   /**< of files: path of one, resolved, with {arch} in it; NULL: the table has a
                           column with a path each */
        nas_strings_t command; /**< of files: the program that writes one; empty: they are there */
        double timeout_s;      /**< of files: of the program; 0: none */
        nas_strings_t missing;
        nas_job_subset_t subset; /**< of a space */
    } pool;
    struct {
        int source; /**< nas_metric_source_t */
        char *file; /**< SCORES: path, resolved */
        nas_strings_t names;
        nas_strings_t transform_of; /**< metric names that have a transform ... */
        int *transform;             /**< ... and which, nas_transform_t [transform_of.n] */
        int64_t batch;              /**< COMPUTE: images */
        int choice;                 /**< COMPUTE: RANDOM or PER_CLASS of nas_batch_choice_t */
    } metrics;
    struct {
        int64_t channels;
        int64_t cells;  /**< per stage */
        int convention; /**< COMPUTE: nas_convention_t */
        int weights;    /**< nas_job_weights_t */
    } network;          /**< COMPUTE, or objective TRAIN */
    struct {
        int format;             /**< place in the list of formats */
        nas_strings_t train;    /**< paths, resolved; at least one */
        nas_strings_t test;     /**< paths, resolved */
        int64_t classes;        /**< 0: as the data say */
        nas_job_numbers_t mean; /**< of each channel; none: computed */
        nas_job_numbers_t std;  /**< likewise; as many as of mean where both are given */
        int64_t limit;          /**< images of each split; 0: all */
    } data;                     /**< COMPUTE, or objective TRAIN */
    struct {                    /* a kind has more of its own: nas_job_values */
        int kind;               /**< place in the list of objectives */
        bool minimise;          /**< of a table, or a command */
        nas_strings_t report;   /**< likewise */
        int64_t patience;       /**< of work: failures without a success that end a run; 0: any */
    } objective;
    struct {
        int method;      /**< place in the list of methods */
        int64_t budget;  /**< T: architectures evaluated */
        int64_t repeats; /**< R: repeat r runs with seed + r */
        int64_t parallel;
        int64_t groups; /**< rank groups over which repeats spread; 0: chosen */
        char *metric;   /**< method single; NULL otherwise */
        double hidden;  /**< a method with a posterior: share that first steps leave out */
    } search;
    struct {
        double interval_s; /**< most seconds between two checkpoints */
    } checkpoint;
    const nas_job_sections_t *sections; /**< borrowed */
    struct nas_job_origin *origin;      /**< where each field was set; opaque */
};

/** What to read. Borrowed for the call, but for the sections, which must outlive the job. */
typedef struct nas_job_source {
    const nas_job_sections_t *sections; /**< all that it may say */
    const char *path;                   /**< of the job file, at most 1 MiB */
    const char *text; /**< what stands in it, where it is not to be read; NULL otherwise */
    const char *const
        *set; /**< [n_set] "key.path=value", applied in order: a later one wins over an
                             *   earlier one, and all over the file */
    size_t n_set;
    nas_job_purpose_t purpose;
} nas_job_source_t;

/** Read, override, default, check and resolve.  Not collective. In paths (a program's is one)
 *  `${NAME}` is replaced from the environment, a leading `~` by HOME, `$$` by a `$`; relative input
 *  paths in the file are relative to its folder; `output` and paths in the overrides to the working
 *  directory. A byte order mark at the head of the file is skipped. Keys that do not apply to the
 *  purpose, or to what the job computes, are checked for their types and have no effect otherwise.
 *  NAS_EINPUT, one line "FILE:LINE:COLUMN: key.path: what is wrong; what would be right" (or
 *  "--set key.path: ..."): not YAML, several documents, anchors, aliases, tags, duplicate or
 *  unknown keys (with the nearest known), a wrong type, a value out of range, a missing required
 *  key, a key of another kind of pool, values that contradict each other.
 *  The caller owns *job_p and ends it with nas_job_destroy. */
nas_status_t nas_job_read(const nas_job_source_t *source, nas_job_t **job_p, nas_error_t *err);

/** Accepts NULL. */
void nas_job_destroy(nas_job_t *job);

/** An error about a field, found later than parsing (a column that the table lacks, an unknown
 *  method): the text is prefixed with where the field was set and its key path. key: the path of a
 *  field. Returns NAS_EINPUT. */
nas_status_t nas_job_error(const nas_job_t *job, const char *key, nas_error_t *err,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Whether the file or an override gives a key.  key: the path of a field. */
bool nas_job_names(const nas_job_t *job, const char *key);

/** Give an ENUM field that the job does not name another choice than its default, such as an older
 *  run's. What applies follows from it; no other field changes.
 *  false: it has no choice of this name, and keeps its own. */
bool nas_job_set_choice(nas_job_t *job, const char *key, const char *name);

/** Whether what an ENUM field of a registry takes has one of some traits (NAS_POOL_WITH_NETWORKS
 *  and the like). */
bool nas_job_has(const nas_job_t *job, const char *key, unsigned traits);

/** The names of a registry that have one of some traits, as "a, b": what would be right. */
void nas_job_names_with(const nas_job_t *job, const char *key, unsigned traits,
                        char text[NAS_JOB_NAMES_SIZE]);

/** The search space of the pool; NULL: it is the rows of a table. */
const nas_space_t *nas_job_space(const nas_job_t *job);

/** The own values of one of the job's sections: a struct that the section says the fields of. */
const void *nas_job_values(const nas_job_t *job, const nas_job_section_t *section);

/** Transform of metric `name`. */
nas_transform_t nas_job_transform(const nas_job_t *job, const char *name);

/** The resolved job as YAML, every field that applies with its value, in the order of its
 *  sections; paths are absolute. The text, read as a job file anywhere for the same purpose, gives
 *  the same job and the same text again. With values_only, only the fields that affect values (no
 *  output, checkpoint, groups), and of files at most their number: their content counts, by digest.
 *  The caller frees *text_p. */
nas_status_t nas_job_print(const nas_job_t *job, bool values_only, char **text_p, nas_error_t *err);

/** The value of a key in a text of nas_job_print, borrowed from it, up to the end of its line;
 *  length [out] bytes. NULL, and length as it was: the key does not apply there. */
const char *nas_job_text_value(const char *text, const char *key, size_t *length);

/** Keys that affect values, and paths, that have other values in one text of nas_job_print than in
 *  another, or stand in one alone: added to keys, in the order of the sections. A key
 *  that stands in one alone because the one on which it counts differs is left out.  NAS_ENOMEM. */
nas_status_t nas_job_text_differences(const nas_job_sections_t *sections, const char *text,
                                      const char *other, nas_strings_t *keys, nas_error_t *err);

/** Whether a text can stand in a job at all: UTF-8 without control characters and line breaks.  */
bool nas_job_can_hold(const char *text);

/** Write a text as a value of YAML on one line that is read back as this very string.
 *  text: one that nas_job_can_hold. */
void nas_job_write_text(FILE *out, const char *text);

/** The same of a path, in which a job file takes a $ and a leading ~ for more than they are. A
 *  relative one stays relative. */
void nas_job_write_path(FILE *out, const char *path);

/** Digests of files that a job names. Borrowed for the call. */
typedef struct nas_job_content {
    const nas_digest_t *file; /**< [n] */
    size_t n;
} nas_job_content_t;

/** Identity of what a job computes: SHA-256 of nas_job_print(values_only) and of its files'
 *  digests. Equal for jobs that differ only in fields that do not affect values.
 *  content: of the files that apply, in this order: pool or objective table, score file, training
 *  files, test files, subset file. */
nas_status_t nas_job_hash(const nas_job_t *job, const nas_job_content_t *content,
                          nas_digest_t *hash, nas_error_t *err);

/** The same without search.budget: equal hashes and another budget means "changed budget". */
nas_status_t nas_job_hash_without_budget(const nas_job_t *job, const nas_job_content_t *content,
                                         nas_digest_t *hash, nas_error_t *err);

/** Identity of the objective alone (its table, that one's arch column and missing values,
 *  objective.*; for TRAIN also backend, network.* and data.*): evaluations of equal ones are
 *  interchangeable.
 *  content: TABLE: of the pool's or the objective's table; TRAIN: of training files, test files;
 *  COMMAND: none. */
nas_status_t nas_job_objective_hash(const nas_job_t *job, const nas_job_content_t *content,
                                    nas_digest_t *hash, nas_error_t *err);

/** Identity of the scoring stage alone (seed, backend, pool.*, network.*, data.*, metrics.* but
 *  transforms), whatever the job's name and the purpose it is read for: scores of equal ones are
 *  interchangeable. For jobs that compute metrics.
 *  content: of training files, test files, subset file, as far as they apply. */
nas_status_t nas_job_score_hash(const nas_job_t *job, const nas_job_content_t *content,
                                nas_digest_t *hash, nas_error_t *err);

/** Write the reference page docs/job-file.md. */
void nas_job_write_reference(const nas_job_sections_t *sections, FILE *out);

/** Write a JSON Schema (draft 7) of jobs that are read to search, or to score where they say nothing
 *  of a search. What it refuses, nas_job_read does.  Not collective.
 *  NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_job_write_schema(const nas_job_sections_t *sections, FILE *out, nas_error_t *err);

#endif
