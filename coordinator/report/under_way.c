#include "coordinator/report/under_way.h"

#include "common/base/arch_index.h"
#include "common/io/file.h"
#include "worker/candidates/candidate_file.h"
#include "worker/objectives/command/output.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A repeat, found by its seed, and what is known of it from before a retry. */
typedef struct seeded {
    const nas_repeat_t *repeat;
    nas_arch_index_t known;
} seeded_t;

/* A search for them. */
typedef struct finder {
    const nas_state_t *state;
    seeded_t *seeded; /* [n_repeat] by seed */
    nas_digest_t run;
    char *output; /* owned, as folder */
    char *folder;
    nas_under_way_t list;
    int64_t capacity;
} finder_t;

/* What a name in the folder stands for: 000123-s10 and an ending. */
typedef struct entry {
    long long arch;
    unsigned long long seed;
    const char *ending; /* borrowed */
} entry_t;

static bool is_digit(char c)
{
    return '0' <= c && c <= '9';
}

static bool parse_entry(const char *name, entry_t *entry)
{
    char *behind = NULL;
    if (!is_digit(*name)) return false;
    entry->arch = strtoll(name, &behind, 10);
    if (strncmp(behind, "-s", 2) != 0 || !is_digit(behind[2])) return false;
    entry->seed = strtoull(behind + 2, &behind, 10);
    entry->ending = behind;
    return true;
}

static int by_seed(const void *a, const void *b)
{
    const seeded_t *x = a, *y = b;
    return (x->repeat->seed > y->repeat->seed) - (x->repeat->seed < y->repeat->seed);
}

static nas_status_t seed_repeats(finder_t *finder, nas_error_t *err)
{
    const nas_state_t *state = finder->state;
    nas_status_t status = NAS_OK;
    finder->seeded = calloc((size_t)state->n_repeat, sizeof *finder->seeded);
    if (!finder->seeded) return nas_error_nomem(err, "candidates under way");
    for (int64_t r = 0; r < state->n_repeat && !status; r++) {
        const nas_repeat_t *repeat = &state->repeat[r];
        seeded_t *seeded = &finder->seeded[r];
        seeded->repeat = repeat;
        if (repeat->n_known > 0)
            status = nas_arch_index_reserve(&seeded->known, repeat->n_known, err);
        for (int64_t i = 0; i < repeat->n_known && !status; i++)
            (void)nas_arch_index_add(&seeded->known, repeat->known[i].arch);
    }
    if (!status) qsort(finder->seeded, (size_t)state->n_repeat, sizeof *finder->seeded, by_seed);
    return status;
}

static void finder_fini(finder_t *finder)
{
    for (int64_t r = 0; finder->seeded && r < finder->state->n_repeat; r++)
        nas_arch_index_fini(&finder->seeded[r].known);
    free(finder->seeded);
    free(finder->folder);
    free(finder->output);
}

/* Whether the state has it already, as an evaluation or as a result from before a retry. Seeds of
 * repeats differ. */
static bool is_recorded(const finder_t *finder, const entry_t *entry)
{
    const nas_repeat_t wanted = {.seed = entry->seed};
    const seeded_t key = {.repeat = &wanted};
    const seeded_t *found = bsearch(&key, finder->seeded, (size_t)finder->state->n_repeat,
                                    sizeof *finder->seeded, by_seed);
    return found && (nas_repeat_find(found->repeat, entry->arch) != NULL ||
                     nas_arch_index_find(&found->known, entry->arch) >= 0);
}

/* A new item; NULL when out of memory. */
static nas_under_way_item_t *add_item(finder_t *finder, const entry_t *entry, nas_error_t *err)
{
    nas_under_way_t *list = &finder->list;
    if (list->n == finder->capacity) {
        const int64_t capacity = finder->capacity > 0 ? 2 * finder->capacity : 16;
        nas_under_way_item_t *at = realloc(list->at, (size_t)capacity * sizeof *at);
        if (!at) {
            (void)nas_error_nomem(err, "candidates under way");
            return NULL;
        }
        list->at = at;
        finder->capacity = capacity;
    }
    list->at[list->n] = (nas_under_way_item_t){.arch = entry->arch, .seed = entry->seed};
    return &list->at[list->n++];
}

/* Whole epochs of a curve: those of which anything is known. */
static int64_t count_epochs(const double *curve, int64_t n_epochs)
{
    int64_t n = 0;
    while (curve && n < n_epochs && !isnan(curve[n * NAS_CURVE_COLUMNS + NAS_CURVE_TRAIN_LOSS]))
        n++;
    return n;
}

/* A file that says how far a candidate is. */
static nas_status_t add_file(finder_t *finder, const entry_t *entry, const char *path,
                             nas_error_t *err)
{
    nas_candidate_record_t record = {.run = finder->run,
                                     .n_goals = finder->state->n_goals,
                                     .n_columns = (int64_t)finder->state->report_columns.n,
                                     .n_epochs = finder->state->n_epochs,
                                     .generation = finder->state->generation};
    char *name = NULL;
    bool found = false;
    const nas_status_t read = nas_candidate_read_any(path, &record, &name, &found, err);
    if (read || !found) return read == NAS_ENOMEM ? read : NAS_OK;
    nas_under_way_item_t *item = add_item(finder, entry, err);
    if (item) {
        item->name = name;
        item->done = record.done;
        item->outcome = record.outcome;
        item->outcome.columns = item->outcome.curve = NULL;
        item->n_epochs = count_epochs(record.outcome.curve, record.n_epochs);
        item->n_steps = record.step;
    } else {
        free(name);
    }
    nas_candidate_record_fini(&record);
    return item ? NAS_OK : NAS_ENOMEM;
}

/* Name of an architecture, owned by the caller; *name_p stays NULL where it is not known. */
static nas_status_t name_of(const nas_state_t *state, int64_t arch, char **name_p, nas_error_t *err)
{
    const char *name = NULL;
    if (arch >= 0 && arch < state->scores.n) name = nas_name_source_at(&state->scores.arch, arch);
    for (int64_t r = 0; !name && r < state->n_repeat; r++) {
        const nas_evaluation_t *evaluation = nas_repeat_find(&state->repeat[r], arch);
        if (evaluation) name = evaluation->name;
    }
    if (name) *name_p = nas_string_copy(name, err);
    return name && !*name_p ? NAS_ENOMEM : NAS_OK;
}

static double changed_s(const struct stat *info)
{
    return (double)info->st_mtim.tv_sec + 1e-9 * (double)info->st_mtim.tv_nsec;
}

/* Whether what a command prints is that of one which has not answered: it is there from the start,
 * and younger than the run and than any answer before it, as of another run or of a failure that is
 * tried again. */
static bool has_begun(const finder_t *finder, const entry_t *entry, const char *path)
{
    const nas_candidate_t candidate = {.arch = entry->arch, .seed = entry->seed};
    struct stat printed, answer;
    if (lstat(path, &printed) != 0 || changed_s(&printed) < floor(finder->state->created_s))
        return false;
    char *stem = nas_candidate_stem(finder->output, &candidate, NULL);
    char *file = stem ? nas_file_sibling(stem, ".h5", NULL) : NULL;
    const bool answered =
        file && lstat(file, &answer) == 0 && changed_s(&answer) >= changed_s(&printed);
    free(file);
    free(stem);
    return !answered;
}

static nas_status_t add_begun(finder_t *finder, const entry_t *entry, const char *path,
                              nas_error_t *err)
{
    if (!has_begun(finder, entry, path)) return NAS_OK;
    nas_under_way_item_t *item = add_item(finder, entry, err);
    if (item) item->begun = true;
    return item ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t add_entry(finder_t *finder, const char *name, nas_error_t *err)
{
    entry_t entry;
    if (!parse_entry(name, &entry) || is_recorded(finder, &entry)) return NAS_OK;
    const bool is_file = strcmp(entry.ending, ".h5") == 0;
    if (!is_file && strcmp(entry.ending, NAS_OUTPUT_OUT) != 0) return NAS_OK;
    char *path = nas_string_format(err, "%s/%s", finder->folder, name);
    if (!path) return NAS_ENOMEM;
    const nas_status_t status =
        is_file ? add_file(finder, &entry, path, err) : add_begun(finder, &entry, path, err);
    free(path);
    return status;
}

/* What a file says of a candidate comes before what its command's output says. */
static int by_arch_and_seed(const void *a, const void *b)
{
    const nas_under_way_item_t *x = a, *y = b;
    if (x->arch != y->arch) return x->arch < y->arch ? -1 : 1;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    return x->begun - y->begun;
}

/* In order, an item a candidate, and named where something says how. */
static nas_status_t settle(finder_t *finder, nas_error_t *err)
{
    nas_under_way_t *list = &finder->list;
    nas_under_way_item_t *last = NULL;
    int64_t n = 0;
    if (list->n > 0) qsort(list->at, (size_t)list->n, sizeof *list->at, by_arch_and_seed);
    for (int64_t i = 0; i < list->n; i++) {
        nas_under_way_item_t *item = &list->at[i];
        if (last && last->arch == item->arch && last->seed == item->seed) {
            last->begun = last->begun || item->begun;
            free(item->name);
        } else {
            last = &list->at[n++];
            *last = *item;
        }
    }
    list->n = n;
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        nas_under_way_item_t *item = &list->at[i];
        if (!item->name) status = name_of(finder->state, item->arch, &item->name, err);
    }
    return status;
}

static nas_status_t look_around(finder_t *finder, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    DIR *dir = opendir(finder->folder);
    if (!dir) return NAS_OK; /* nothing has been begun yet */
    for (const struct dirent *entry = readdir(dir); entry && !status; entry = readdir(dir))
        status = add_entry(finder, entry->d_name, err);
    (void)closedir(dir);
    return status ? status : settle(finder, err);
}

nas_status_t nas_under_way_read(const char *path, const nas_state_t *state, nas_under_way_t *list,
                                nas_error_t *err)
{
    finder_t finder = {.state = state};
    *list = (nas_under_way_t){0};
    if (state->complete || state->n_repeat == 0) return NAS_OK;
    finder.output = nas_file_locate(path, err);
    finder.folder = finder.output ? nas_file_sibling(finder.output, ".d", err) : NULL;
    nas_status_t status = finder.folder ? NAS_OK : NAS_ENOMEM;
    if (!status) status = nas_state_identity(state, &finder.run, err);
    if (!status) status = seed_repeats(&finder, err);
    if (!status) status = look_around(&finder, err);
    finder_fini(&finder);
    if (status)
        nas_under_way_fini(&finder.list);
    else
        *list = finder.list;
    return status;
}

void nas_under_way_fini(nas_under_way_t *list)
{
    for (int64_t i = 0; i < list->n; i++) free(list->at[i].name);
    free(list->at);
    *list = (nas_under_way_t){0};
}
