/* What a job may say: its fields, in sections. A section is handed in by whoever its keys are about
 * (backends, data, every kind of objective, methods ...), so that nothing in this folder knows a
 * name of theirs; common/job has those that are about none of them.
 *
 * A row of a section is all there is to a key: parser, default, `--set`, where it applies,
 * printing, part in the hashes and reference text follow from it. */
#ifndef NAS_COMMON_JOB_SECTION_H
#define NAS_COMMON_JOB_SECTION_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct nas_job nas_job_t;

typedef enum nas_job_type {
    NAS_JOB_STRING = 0,  /**< char *, not empty */
    NAS_JOB_OPTIONAL,    /**< char *, NULL where empty */
    NAS_JOB_IDENTIFIER,  /**< char *, letters, digits and ._- */
    NAS_JOB_INPUT_PATH,  /**< char * */
    NAS_JOB_INPUT_PATHS, /**< nas_strings_t of distinct paths */
    NAS_JOB_OUTPUT_PATH, /**< char * */
    NAS_JOB_INT,         /**< int64_t */
    NAS_JOB_FLOAT,       /**< double */
    NAS_JOB_FLOATS,      /**< nas_job_numbers_t */
    NAS_JOB_BOOL,        /**< bool */
    NAS_JOB_ENUM,        /**< int, the place of a name among the field's */
    NAS_JOB_STRINGS,     /**< nas_strings_t of distinct, not empty strings */
    NAS_JOB_ARGUMENTS,   /**< nas_strings_t, at least one */
    NAS_JOB_CHOICES,     /**< nas_strings_t at offset, int * (as ENUM's) at value_offset */
    NAS_JOB_SUBSET       /**< nas_job_subset_t */
} nas_job_type_t;

/** What a change of a field changes. */
enum {
    NAS_JOB_AFFECTS_NOTHING = 0,
    NAS_JOB_AFFECTS_VALUES = 1,
    NAS_JOB_AFFECTS_OBJECTIVE = 2,
    NAS_JOB_AFFECTS_SCORES = 4,
    NAS_JOB_AFFECTS_NETWORKS = 8, /**< the objective, where that builds networks */
    NAS_JOB_OF_SCORES = NAS_JOB_AFFECTS_VALUES | NAS_JOB_AFFECTS_SCORES,
    NAS_JOB_OF_OBJECTIVE = NAS_JOB_AFFECTS_VALUES | NAS_JOB_AFFECTS_OBJECTIVE,
    NAS_JOB_OF_IMAGES = NAS_JOB_OF_SCORES | NAS_JOB_AFFECTS_NETWORKS
};

/** What a name of a registry brings with it, for conditions and checks to ask; see nas_job_has. */
enum {
    NAS_POOL_OF_TABLE = 1,         /**< pool.space: the rows of a table */
    NAS_POOL_OF_SPACE = 2,         /**< pool.space: a search space */
    NAS_POOL_WITH_NETWORKS = 4,    /**< pool.space: one whose networks can be built */
    NAS_POOL_WITH_CLASSES = 8,     /**< pool.space: one that has classes of equal architectures */
    NAS_POOL_WITH_DEPTH = 16,      /**< pool.space: one whose networks are as deep as a job says */
    NAS_POOL_OF_FILES = 32,        /**< pool.space: networks are files */
    NAS_OBJECTIVE_ON_IMAGES = 1,   /**< objective.kind: builds networks and feeds them the images */
    NAS_OBJECTIVE_IN_TABLE = 2,    /**< objective.kind: values stand in a table */
    NAS_METHOD_WITH_POSTERIOR = 1, /**< search.method: learns over the architectures themselves */
};

/** What another field must be for a field to apply. */
typedef struct nas_job_condition {
    const char *key;  /**< an ENUM field */
    unsigned choices; /**< holds for what has one of these bits: its traits, or without any a bit
                       *   for each of its names */
    bool tolerant;    /**< elsewhere the key has no effect; otherwise it is refused */
    const struct nas_job_condition *also;    /**< must hold besides; NULL: nothing */
    const struct nas_job_condition *instead; /**< will do in its place; NULL: nothing */
} nas_job_condition_t;

/** One key. Without `doc`: the key of another section, which applies with this one too. */
typedef struct nas_job_field {
    const char *key; /**< key path, `group.name` or `name` */
    nas_job_type_t type;
    unsigned affects; /**< of the flags above; an input path counts by its file's digest instead */
    const nas_job_condition_t *condition; /**< NULL: applies wherever its section does */
    bool search_only;                     /**< has no effect where a job is read to score */
    bool may_lack;                        /**< left out without a default: NULL, or an empty list */
    bool is_later; /**< ENUM: came when there were runs already, which had what its default says:
                    *   with that it is no part of what identifies a run */
    bool own;      /**< the value is one of the section's own; otherwise of nas_job_t */
    size_t offset; /**< into either */
    size_t value_offset;   /**< CHOICES: into nas_job_t, as the next */
    size_t allowed_offset; /**< CHOICES: which nas_strings_t, set before, holds the keys */
    const char *initial; /**< the default as YAML; NULL: required wherever the field applies, unless
                            *   it may lack */
    double least, most;  /**< INT, FLOAT, FLOATS; SUBSET: of a sample */
    const char *const *names; /**< ENUM, CHOICES: ends with NULL; or NULL, and the next two */
    const char *(*name)(size_t choice); /**< ENUM: of a registry; NULL past the last */
    unsigned (*traits)(size_t choice);  /**< ENUM: of a registry; may be NULL */
    const char *doc;                    /**< one or two sentences for the reference page */
} nas_job_field_t;

/** Fields of one concern. */
typedef struct nas_job_section {
    const char *key;  /**< an ENUM field: they apply only where that takes `name`; NULL: always */
    const char *name; /**< likewise */
    const nas_job_field_t *fields; /**< [n_fields] */
    size_t n_fields;
    size_t n_bytes; /**< of the struct of own values (see nas_job_values); 0: none */
    /** Whether the values of a whole job go together, asked section after section of those that
     *  apply and of no job that is read to score where key is set; NULL: nothing to check.
     *  NAS_EINPUT by nas_job_error. */
    nas_status_t (*check)(const nas_job_t *job, nas_error_t *err);
} nas_job_section_t;

/** All that a job may say, in the order of the reference page and of printed jobs; fields of one
 *  group stand together. Static: jobs keep a pointer. */
typedef struct nas_job_sections {
    const nas_job_section_t *const *at; /**< [n] */
    size_t n;
    const char *const *preface; /**< what the reference page says before its tables; ends with
                                 *   NULL */
} nas_job_sections_t;

/** Applies with networks: of metrics that are computed, or of an objective on images. Tolerant. */
extern const nas_job_condition_t nas_job_with_networks;

/** Keys about none of the registries above this folder. */
extern const nas_job_section_t nas_job_identity;   /**< name, seed, output */
extern const nas_job_section_t nas_job_world;      /**< coordinator, silence */
extern const nas_job_section_t nas_job_pool;       /**< pool.* */
extern const nas_job_section_t nas_job_network;    /**< network.* */
extern const nas_job_section_t nas_job_checkpoint; /**< checkpoint.* */

#endif
