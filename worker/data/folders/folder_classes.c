/* The classes of a folder: whether its folders are any, and whether another file has the same. */
#include "worker/data/class_names.h"
#include "worker/data/folders/folder_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *last_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* ------------------------------------------------------------------------------ parts */

/* A folder that is named as a part of a data set: 1 to train on, 2 to validate on, 0 otherwise. */
static int part_of(const char *path)
{
    static const struct {
        const char *name;
        int part;
    } known[] = {{"train", 1},   {"training", 1},   {"trainset", 1}, {"val", 2},
                 {"valid", 2},   {"validation", 2}, {"dev", 2},      {"test", 2},
                 {"testing", 2}, {"testset", 2},    {"eval", 2},     {"holdout", 2}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(last_name(path), known[i].name) == 0) return known[i].part;
    return 0;
}

/* How many folders are in one, as far as it can be read. */
static size_t count_folders(const char *path)
{
    nas_folder_contents_t contents = {0};
    nas_folder_faults_t faults = {0};
    (void)nas_folder_look(path, &contents, &faults, NULL);
    const size_t n = contents.folders.n;
    nas_folder_contents_fini(&contents);
    nas_strings_fini(&faults.line);
    return n;
}

/* The parts in a folder. */
typedef struct parts {
    size_t n;
    bool have_classes;  /* there are folders in one of them */
    const char *first;  /* the one to begin with: to train on, where there is one */
    const char *second; /* another */
} parts_t;

static parts_t find_parts(const nas_strings_t *folders)
{
    parts_t parts = {0};
    for (int wanted = 1; wanted <= 2; wanted++)
        for (size_t i = 0; i < folders->n; i++) {
            const char *path = folders->at[i];
            if (part_of(path) != wanted) continue;
            parts.n++;
            parts.have_classes = parts.have_classes || count_folders(path) > 0;
            if (!parts.first)
                parts.first = path;
            else if (!parts.second)
                parts.second = path;
        }
    return parts;
}

static nas_status_t refuse_parts(const nas_folder_options_t *options, const parts_t *parts,
                                 nas_error_t *err)
{
    const char *gray = options->gray ? " --gray" : "";
    const char *first = last_name(parts->first), *second = last_name(parts->second);
    if (!parts->have_classes)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: %s and %s are parts of a data set, not classes, and have no folders in them; every class needs a folder of its own in each",
            options->folder, first, second);
    return nas_error_set(
        err, NAS_EINPUT,
        "%s: %s and %s are parts of a data set, not classes; convert each by itself: robotnas convert %s %s.h5 --size %dx%d%s, then robotnas convert %s %s.h5 --size %dx%d%s --classes-from %s.h5",
        options->folder, first, second, parts->first, first, options->height, options->width, gray,
        parts->second, second, options->height, options->width, gray, first);
}

nas_status_t nas_folder_check_classes(const nas_folder_options_t *options,
                                      const nas_folder_contents_t *contents, nas_error_t *err)
{
    const nas_strings_t *folders = &contents->folders;
    const parts_t parts = find_parts(folders);
    if (parts.n >= 2 && (parts.have_classes || parts.n == folders->n))
        return refuse_parts(options, &parts, err);
    if (folders->n >= 2 && folders->n <= NAS_IMAGES_MAX_CLASSES) return NAS_OK;
    nas_status_t status = nas_error_set(
        err, NAS_EINPUT, "%s: %zu folder%s in it, each of which is a class; expected 2 to %d",
        options->folder, folders->n, folders->n == 1 ? "" : "s", NAS_IMAGES_MAX_CLASSES);
    if (folders->n == 1 && count_folders(folders->at[0]) >= 2)
        status =
            nas_error_set(err, status, "%s; are those in %s meant?", err->text, folders->at[0]);
    if (folders->n == 0 && contents->files.n > 0)
        status = nas_error_set(err, status, "%s; the files in it, such as %s, are of no class",
                               err->text, last_name(contents->files.at[0]));
    return status;
}

/* ------------------------------------------------------------------------------ notes */

static int ignoring_case(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static nas_status_t note(nas_strings_t *notes, char *text)
{
    const nas_status_t status =
        text ? nas_strings_add(notes, text, strlen(text), NULL) : NAS_ENOMEM;
    free(text);
    return status;
}

static nas_status_t note_cases(const nas_strings_t *classes, nas_strings_t *notes)
{
    nas_status_t status = NAS_OK;
    char **sorted = malloc((classes->n + 1) * sizeof *sorted);
    if (!sorted) return NAS_ENOMEM;
    for (size_t i = 0; i < classes->n; i++) sorted[i] = classes->at[i];
    qsort(sorted, classes->n, sizeof *sorted, ignoring_case);
    for (size_t i = 1; i < classes->n && !status; i++)
        if (strcasecmp(sorted[i - 1], sorted[i]) == 0)
            status =
                note(notes, nas_string_format(NULL, "classes '%s' and '%s' differ in case alone",
                                              sorted[i - 1], sorted[i]));
    free(sorted);
    return status;
}

static int by_last_name(const void *a, const void *b)
{
    return strcmp(last_name(*(char *const *)a), last_name(*(char *const *)b));
}

/* Whether two folders have folders of the same names in them, two or more, and no file beside them.
 */
static bool are_made_alike(nas_folder_contents_t contents[2])
{
    const size_t n = contents[0].folders.n;
    bool alike = n >= 2 && n == contents[1].folders.n;
    for (int k = 0; k < 2 && alike; k++) {
        qsort(contents[k].folders.at, n, sizeof *contents[k].folders.at, by_last_name);
        alike = contents[k].files.n == 0;
    }
    for (size_t i = 0; i < n && alike; i++)
        alike = by_last_name(&contents[0].folders.at[i], &contents[1].folders.at[i]) == 0;
    return alike;
}

/* The first class and the last stand for all of them. */
static nas_status_t note_inner(const nas_strings_t *folders, nas_strings_t *notes)
{
    const char *outer[] = {folders->at[0], folders->at[folders->n - 1]};
    nas_folder_contents_t contents[2] = {0};
    nas_folder_faults_t faults = {0};
    nas_status_t status = NAS_OK;
    for (int k = 0; k < 2; k++) (void)nas_folder_look(outer[k], &contents[k], &faults, NULL);
    if (are_made_alike(contents))
        status = note(
            notes,
            nas_string_format(
                NULL,
                "%s and %s have the same folders in them, such as %s and %s; where those are the classes, convert %s by itself",
                last_name(outer[0]), last_name(outer[1]), last_name(contents[0].folders.at[0]),
                last_name(contents[0].folders.at[1]), outer[0]));
    for (int k = 0; k < 2; k++) nas_folder_contents_fini(&contents[k]);
    nas_strings_fini(&faults.line);
    return status;
}

nas_status_t nas_folder_note(const nas_folder_contents_t *contents, const nas_strings_t *classes,
                             nas_strings_t *notes, nas_error_t *err)
{
    const size_t n = contents->files.n;
    nas_status_t status = note_cases(classes, notes);
    if (!status) status = note_inner(&contents->folders, notes);
    if (!status && n > 0)
        status = note(
            notes, nas_string_format(NULL, "%zu file%s beside the classes passed over, such as %s",
                                     n, n == 1 ? "" : "s", last_name(contents->files.at[0])));
    return status ? nas_error_nomem(err, "notes") : NAS_OK;
}

/* ------------------------------------------------------------------------------ other files */

char *nas_folder_class_text(const nas_strings_t *classes, nas_error_t *err)
{
    size_t n_bytes = 1;
    for (size_t i = 0; i < classes->n; i++) n_bytes += strlen(classes->at[i]) + 1;
    char *text = malloc(n_bytes);
    if (!text) {
        (void)nas_error_nomem(err, "names of classes");
        return NULL;
    }
    char *end = text;
    for (size_t i = 0; i < classes->n; i++) {
        if (i > 0) *end++ = '\n';
        end = stpcpy(end, classes->at[i]);
    }
    *end = '\0';
    return text;
}

/* A list of names, one a line, seen from one of them on. */
typedef struct lines {
    const char *at;
    size_t n; /* bytes of the line; 0 at the end */
} lines_t;

static lines_t lines_from(const char *text)
{
    return (lines_t){.at = text, .n = strcspn(text, "\n")};
}

static lines_t next_line(const lines_t *lines)
{
    const char *end = lines->at + lines->n;
    return lines_from(end + (*end == '\n'));
}

/* As strcmp, the end of a list behind all names. */
static int compare_lines(const lines_t *a, const lines_t *b)
{
    const bool a_ends = a->n == 0, b_ends = b->n == 0;
    if (a_ends || b_ends) return a_ends - b_ends;
    const int order = memcmp(a->at, b->at, a->n < b->n ? a->n : b->n);
    return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

/* Both lists are sorted: of two names that differ, the lesser is in one list alone. */
static nas_status_t compare_classes(const nas_folder_options_t *options, lines_t here,
                                    lines_t there, nas_folder_faults_t *faults, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    while ((here.n > 0 || there.n > 0) && !status) {
        const int order = compare_lines(&here, &there);
        const lines_t *alone = order < 0 ? &here : &there;
        nas_error_t reason = {0};
        if (order != 0)
            status = nas_error_set(
                &reason, NAS_EINPUT, "%s: class '%.*s' is %s %s; both must have the same",
                options->folder, (int)alone->n, alone->at,
                order < 0 ? "not in" : "missing, which is in", options->classes_from);
        status = nas_folder_absorb(faults, status, &reason, err);
        if (order <= 0) here = next_line(&here);
        if (order >= 0) there = next_line(&there);
    }
    return status;
}

nas_status_t nas_folder_compare_classes(const nas_folder_options_t *options, const char *classes,
                                        nas_folder_faults_t *faults, nas_error_t *err)
{
    char *found = NULL;
    nas_status_t status = nas_class_text_read(options->classes_from, false, &found, err);
    if (!status)
        status = compare_classes(options, lines_from(classes), lines_from(found), faults, err);
    free(found);
    return status;
}
