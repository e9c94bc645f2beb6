/* What the files of the job module share: located YAML values, the field table, conversion between
 * the two. */
#ifndef NAS_COMMON_JOB_JOB_INTERNAL_H
#define NAS_COMMON_JOB_JOB_INTERNAL_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "common/job/job.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- job_place.c: where a value was written ---- */

typedef enum nas_job_place_source {
    NAS_JOB_DEFAULT = 0,
    NAS_JOB_FILE,
    NAS_JOB_SET
} nas_job_place_source_t;

typedef struct nas_job_place {
    nas_job_place_source_t source;
    const char *name;    /**< the job file, or with SET the key before the `=`; borrowed */
    size_t line, column; /**< from 1; FILE only */
} nas_job_place_t;

/** NAS_EINPUT with the place and the key path in front of the text. key may be NULL: of no key in
 *  particular. */
nas_status_t nas_job_error_at(const nas_job_place_t *place, const char *key, nas_error_t *err,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- job_yaml.c: YAML text to a tree of located values ---- */

typedef enum nas_job_node_kind {
    NAS_JOB_SCALAR = 0,
    NAS_JOB_LIST,
    NAS_JOB_MAP
} nas_job_node_kind_t;

/** Zero-initialise; end with nas_job_node_fini. */
typedef struct nas_job_node {
    nas_job_node_kind_t kind;
    nas_job_place_t place;
    char *text; /**< SCALAR: valid UTF-8 without control characters */
    bool plain; /**< SCALAR: without quotes: may be a number, a truth value or null */
    char *key;  /**< entry of a MAP: its key, distinct and not empty; NULL elsewhere */
    nas_job_place_t key_place;
    struct nas_job_node *at; /**< LIST, MAP: n children in the order written */
    size_t n;
} nas_job_node_t;

/** Parse one YAML document. start: source and name of every place in it. Text that is blank,
 *  outside a file, is "".
 *  root [out] the caller's, nas_job_node_fini.
 *  NAS_EINPUT as nas_job_read says. O(size). */
nas_status_t nas_job_parse(const char *text, size_t size, const nas_job_place_t *start,
                           nas_job_node_t *root, nas_error_t *err);

void nas_job_node_fini(nas_job_node_t *node);

/** Whether text has no control characters and no line breaks, Unicode's included. */
bool nas_job_is_printable(const char *text, size_t size);

/* ---- job_fields.c: the field table ---- */

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
    NAS_JOB_ENUM,        /**< int, index into names */
    NAS_JOB_STRINGS,     /**< nas_strings_t of distinct, not empty strings */
    NAS_JOB_ARGUMENTS,   /**< nas_strings_t, at least one */
    NAS_JOB_CHOICES,     /**< nas_strings_t at offset, int * (into names) at value_offset */
    NAS_JOB_SUBSET       /**< nas_job_subset_t */
} nas_job_type_t;

/** What a change of a field changes. */
enum {
    NAS_JOB_AFFECTS_NOTHING = 0,
    NAS_JOB_AFFECTS_VALUES = 1,
    NAS_JOB_AFFECTS_OBJECTIVE = 2,
    NAS_JOB_AFFECTS_SCORES = 4,
    NAS_JOB_AFFECTS_TRAINING = 8 /**< the objective, where that is training */
};

/** What another field must be for a field to apply. */
typedef struct nas_job_condition {
    const char *key;  /**< an ENUM field */
    unsigned choices; /**< a bit for each of its values with which it holds */
    bool tolerant;    /**< elsewhere the key has no effect; otherwise it is refused */
    const struct nas_job_condition *also;    /**< must hold besides; NULL: nothing */
    const struct nas_job_condition *instead; /**< will do in its place; NULL: nothing */
} nas_job_condition_t;

typedef struct nas_job_field {
    const char *key; /**< key path, `group.name` or `name` */
    nas_job_type_t type;
    unsigned affects; /**< of the flags above; an input path counts by its file's digest instead */
    const nas_job_condition_t *condition; /**< NULL: applies always */
    bool search_only;                     /**< has no effect where a job is read to score */
    size_t offset;                        /**< into nas_job_t */
    size_t value_offset;                  /**< CHOICES */
    size_t allowed_offset;    /**< CHOICES: which nas_strings_t, set before, holds the keys */
    const char *initial;      /**< the default as YAML; NULL: required wherever the field applies */
    double least, most;       /**< INT, FLOAT, FLOATS; SUBSET: of a sample */
    const char *const *names; /**< ENUM, CHOICES: ends with NULL */
    const char *doc;          /**< one or two sentences for the reference page */
} nas_job_field_t;

size_t nas_job_field_count(void);
const nas_job_field_t *nas_job_field_at(size_t i);

/** Index of the field with this key path, or -1. */
ptrdiff_t nas_job_field_find(const char *key);

/** Address of a field's value. */
void *nas_job_value(nas_job_t *job, size_t offset);
const void *nas_job_value_const(const nas_job_t *job, size_t offset);

/** Whether a field's condition holds, once all fields are set. */
bool nas_job_condition_holds(const nas_job_t *job, const nas_job_field_t *field);

/** Whether a field has an effect on what the job is read for. */
bool nas_job_applies(const nas_job_t *job, const nas_job_field_t *field);

/** The part of a field's condition that makes it hold or fail. */
const nas_job_condition_t *nas_job_condition_part(const nas_job_t *job,
                                                  const nas_job_field_t *field);

/** The name of the value that the field of a condition has. */
const char *nas_job_condition_value(const nas_job_t *job, const nas_job_condition_t *condition);

/** Length of the group's name in a key path, 0 for a field of the top. */
size_t nas_job_field_group(const nas_job_field_t *field);

/** Whether two fields belong to the same group, or both to none. */
bool nas_job_same_group(const nas_job_field_t *a, const nas_job_field_t *b);

/** Whether some field belongs to the group of this name. */
bool nas_job_is_group(const char *name);

/** The nearest field or group to an unknown key path, by the whole path or else by its last part;
 *  NULL: none is near. *nearest_p is the caller's (free). */
nas_status_t nas_job_field_nearest(const char *key, char **nearest_p, nas_error_t *err);

/* ---- job_reference.c ---- */

enum { NAS_JOB_EXPECTED_SIZE = 160 };

/** What a field takes, as a phrase after "expected": "an integer from 1 to 10". */
void nas_job_field_expected(const nas_job_field_t *field, char text[NAS_JOB_EXPECTED_SIZE]);

/* ---- job_value.c: tree to fields ---- */

/** Names of nas_subset_kind_t in a job; ends with NULL. */
extern const char *const nas_job_subset_names[];

/** Set one field of the job, which holds none yet, from a value.
 *  NAS_EINPUT: wrong type or out of range. */
nas_status_t nas_job_value_set(nas_job_t *job, const nas_job_field_t *field,
                               const nas_job_node_t *node, nas_error_t *err);

/** Free what a field owns. */
void nas_job_value_fini(nas_job_t *job, const nas_job_field_t *field);

/* ---- job_path.c ---- */

/** Resolve the paths that a field holds (of ARGUMENTS the program): replace every `${NAME}` from
 *  the environment, a leading `~` by HOME and `$$` by a `$`; then prefix a relative input path that
 *  was written in a job file with that file's folder.
 *  node: what the field was set from.
 *  NAS_EINPUT: a variable that is not set, another `$`, another user's `~`. */
nas_status_t nas_job_resolve_paths(nas_job_t *job, const nas_job_field_t *field,
                                   const nas_job_node_t *node, nas_error_t *err);

#endif
