/* What `robotnas init` finds in a user's files, and the parts of a job file that follow from it. */
#ifndef NAS_COORDINATOR_COMMANDS_INIT_JOB_H
#define NAS_COORDINATOR_COMMANDS_INIT_JOB_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "worker/data/dataset.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Columns of a table, by what they seem to be. Zero-initialise; end with nas_init_table_fini. */
typedef struct nas_init_table {
    int64_t n_rows;
    char *arch;
    const char *encoding; /**< that all architectures have, as pool.encoding says it; NULL: none */
    char *objective;      /**< NULL: none looks like one */
    bool minimise;
    bool guessed; /**< the objective, by its name */
    char *cost;   /**< NULL: none */
    nas_strings_t metrics;
    nas_strings_t wide; /**< metrics, all above 0, that span more than six powers of ten */
    nas_strings_t report;
    nas_strings_t missing;  /**< texts among the numbers that mean a missing value */
    nas_strings_t left_out; /**< of each other column its name and the reason, in one line */
    char *spoilt;           /**< of these, what looks like a result but for a text; NULL: none */
} nas_init_table_t;

/** Read a table once.  Not collective. O(bytes).
 *  objective: the column to find the best of, or NULL to guess; a table for which a program
 *  evaluates needs none. table [out].
 *  NAS_EINPUT: what nas_csv_next refuses, no rows, no column of that name or one that is not of
 *  numbers. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_init_table_read(const char *path, const char *objective, nas_init_table_t *table,
                                 nas_error_t *err);
void nas_init_table_fini(nas_init_table_t *table);

/** Images, where they are and what they are. Zero-initialise; end with nas_init_images_fini. */
typedef struct nas_init_images {
    const nas_format_t *format;
    nas_strings_t train;
    nas_strings_t test;
    int n_classes;         /**< to be said in the job; 0: the files say it */
    nas_strings_t convert; /**< commands that make these files first; none: they are there */
    int64_t n_train;       /**< about; 0: not known */
    int channels;
    int side; /**< the shorter one, in pixels */
} nas_init_images_t;

/** Find the images of a folder: HDF5 files, CIFAR's or IDX files, or one folder a class.  Not
 *  collective; reads the images that a job can read, and forks for HDF5.
 *  name: of the job, for files that are to be made. images [out].
 *  NAS_EINPUT: none are found, or what nas_dataset_read refuses. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_init_images_find(const char *path, const char *name, nas_init_images_t *images,
                                  nas_error_t *err);
void nas_init_images_fini(nas_init_images_t *images);

/** Whether part is somewhere in text, in any case of ASCII. */
bool nas_init_has(const char *text, const char *part);

#endif
