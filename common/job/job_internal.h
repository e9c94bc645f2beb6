/* What the files of the job module share: located YAML values, the fields of all sections,
 * conversion between the two. */
#ifndef NAS_COMMON_JOB_JOB_INTERNAL_H
#define NAS_COMMON_JOB_JOB_INTERNAL_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "common/job/job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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

/* ---- job.c ---- */

struct nas_job_origin {
    nas_strings_t names;          /**< the job file's path, then the key of every override */
    nas_job_node_t *tree;         /**< one a name */
    const nas_job_node_t **value; /**< one a field, borrowed from a tree; NULL: its default */
    void **values;                /**< one a section: its own values; NULL: none */
};

/* ---- job_sections.c: the fields of all sections ---- */

/** Fields in the order of the sections, without the rows that stand for another section's. */
size_t nas_job_field_count(const nas_job_sections_t *sections);
const nas_job_field_t *nas_job_field_at(const nas_job_sections_t *sections, size_t i);

/** Index of the field with this key path, or -1. */
ptrdiff_t nas_job_field_find(const nas_job_sections_t *sections, const char *key);

/** The section that has the row of a field. */
size_t nas_job_section_of(const nas_job_sections_t *sections, const nas_job_field_t *field);

/** The name of a choice of an ENUM or of CHOICES; NULL: there are no more. */
const char *nas_job_choice_name(const nas_job_field_t *field, size_t choice);

/** Whether a part of a condition on `field` holds for one of its choices. */
bool nas_job_choice_fits(const nas_job_field_t *field, size_t choice, unsigned choices);

/** Whether a field applies with the section of this name: it has the row, or one that stands for
 *  it. */
bool nas_job_applies_with(const nas_job_sections_t *sections, const nas_job_field_t *field,
                          const char *name);

/** Whether a field's condition and its section's hold, once all fields are set. */
bool nas_job_condition_holds(const nas_job_t *job, const nas_job_field_t *field);

/** Whether a field has an effect on what the job is read for. */
bool nas_job_applies(const nas_job_t *job, const nas_job_field_t *field);

/** The key whose value makes a field apply or not; NULL: it always does. */
const char *nas_job_condition_key(const nas_job_t *job, const nas_job_field_t *field);

/** The name that an ENUM field has. */
const char *nas_job_choice_of(const nas_job_t *job, const char *key);

/** Length of the group's name in a key path, 0 for a field of the top. */
size_t nas_job_field_group(const nas_job_field_t *field);

/** Whether two fields belong to the same group, or both to none. */
bool nas_job_same_group(const nas_job_field_t *a, const nas_job_field_t *b);

/** Whether some field belongs to the group of this name. */
bool nas_job_is_group(const nas_job_sections_t *sections, const char *name);

/** The nearest field or group to an unknown key path, by the whole path or else by its last part;
 *  NULL: none is near. *nearest_p is the caller's (free). */
nas_status_t nas_job_field_nearest(const nas_job_sections_t *sections, const char *key,
                                   char **nearest_p, nas_error_t *err);

/** Address of a field's value. */
void *nas_job_value(nas_job_t *job, const nas_job_field_t *field);
const void *nas_job_value_const(const nas_job_t *job, const nas_job_field_t *field);

/** Address of a member of nas_job_t. */
void *nas_job_member(nas_job_t *job, size_t offset);

/** Make room for the sections' own values, all zero.  NAS_ENOMEM. */
nas_status_t nas_job_values_create(const nas_job_sections_t *sections, void ***values_p,
                                   nas_error_t *err);

/** Accepts NULL. */
void nas_job_values_destroy(const nas_job_sections_t *sections, void **values);

/* ---- job_reference.c ---- */

enum { NAS_JOB_EXPECTED_SIZE = 160 };

/** What a field takes, as a phrase after "expected": "an integer from 1 to 10". */
void nas_job_field_expected(const nas_job_field_t *field, char text[NAS_JOB_EXPECTED_SIZE]);

/** Where a field applies, and what it means: a few sentences. */
void nas_job_write_meaning(const nas_job_sections_t *sections, const nas_job_field_t *field,
                           FILE *out);

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
