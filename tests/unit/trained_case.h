/* Candidates evaluated by a training each, with checkpoints; interrupted at will. */
#ifndef NAS_TESTS_UNIT_TRAINED_CASE_H
#define NAS_TESTS_UNIT_TRAINED_CASE_H

#include "common/base/isa.h"
#include "common/io/file.h"
#include "temp_folder.h"
#include "tests/unit/train_case.h"
#include "worker/candidates/candidate_file.h"
#include "worker/engine/host/backends.h"
#include "worker/objectives/train/trainer.h"

#include <criterion/criterion.h>
#include <math.h>

enum { BATCH = 20, N_EPOCHS = 3, N_STEPS = 2, N_CURVE = N_EPOCHS * NAS_CURVE_COLUMNS };

/* Who interrupts, and what was asked. */
typedef struct asking {
    int64_t n;          /* questions so far */
    int64_t yes_from;   /* number of the first one that is answered yes; 0: none */
    const char *keep;   /* where the file goes at question number */
    int64_t keep_at;    /* this; 0: nowhere */
    const char *file;   /* the candidate's */
    double last_share;  /* the latest */
    bool share_is_good; /* never went back, within [0, 1] */
} asking_t;

/* A trainer with its candidate's file. */
typedef struct fixture {
    temp_path_t folder, stem, file, kept;
    train_case_t c;
    nas_device_t *device;
    nas_networks_t *networks;
    nas_candidate_t candidate;
    nas_trainer_options_t options;
    asking_t asking;
    nas_error_t err;
} fixture_t;

static inline void copy_file(const char *from, const char *to)
{
    char *data = NULL;
    size_t n = 0;
    cr_assert_eq(nas_file_read(from, 64 << 20, &data, &n, NULL), NAS_OK);
    cr_assert_eq(nas_file_replace(to, &(nas_span_t){data, n}, 1, false, NULL), NAS_OK);
    free(data);
}

static inline bool asked(void *context, double share)
{
    asking_t *asking = context;
    asking->n++;
    asking->share_is_good &= share >= asking->last_share && share <= 1;
    asking->last_share = share;
    if (asking->n == asking->keep_at) copy_file(asking->file, asking->keep);
    return asking->yes_from > 0 && asking->n >= asking->yes_from;
}

/* 15 of 62 images are held out, so that an epoch has two steps. */
static inline void make(fixture_t *f, const nas_backend_t *backend, nas_recipe_t recipe)
{
    *f = (fixture_t){.folder = temp_folder_make()};
    f->stem = temp_file(&f->folder, "run.h5.d/000007-s5");
    f->file = temp_file(&f->folder, "run.h5.d/000007-s5.h5");
    f->kept = temp_file(&f->folder, "kept.h5");
    train_case_make(&f->c, backend, recipe);
    const nas_device_options_t device = {.choice = {.kind = NAS_DEVICE_CPU}, .backend = backend};
    NAS_ASSERT(nas_device_open(&device, &f->device, NULL) == NAS_OK);
    NAS_ASSERT(nas_networks_of_space(f->c.arch.space, NAS_WEIGHTS_BY_NAME, &f->networks, NULL) ==
               NAS_OK);
    f->candidate = (nas_candidate_t){.arch = 7, .seed = 5, .name = TRAIN_CASE_CELL};
    f->options = (nas_trainer_options_t){.team = f->c.alone,
                                         .device = f->device,
                                         .networks = f->networks,
                                         .network = f->c.graph->network,
                                         .recipe = recipe,
                                         .dataset = &f->c.dataset,
                                         .run = {{1, 2, 3}},
                                         .interval_s = 60};
}

static inline void drop(fixture_t *f)
{
    nas_networks_destroy(f->networks);
    nas_device_close(f->device);
    train_case_drop(&f->c);
    temp_folder_remove(&f->folder);
}

static inline nas_status_t evaluate(fixture_t *f, int64_t yes_from, nas_outcome_t *outcome)
{
    nas_trainer_t *trainer = NULL;
    f->asking.n = 0;
    f->asking.yes_from = yes_from;
    f->asking.last_share = 0;
    f->asking.share_is_good = true;
    const nas_interrupt_t interrupt = {.asked = asked, .context = &f->asking};
    cr_assert_eq(nas_trainer_create(&f->options, &trainer, &f->err), NAS_OK);
    const nas_trainer_task_t task = {.candidate = &f->candidate, .stem = f->stem.text};
    const nas_trainer_tasks_t tasks = {.task = &task, .n = 1, .interrupt = &interrupt};
    const nas_status_t status = nas_trainer_evaluate(trainer, &tasks, outcome, &f->err);
    nas_trainer_destroy(trainer);
    cr_assert(f->asking.share_is_good);
    return status;
}

/* Evaluate to the end; the outcome is the caller's. */
static inline nas_outcome_t outcome_of(fixture_t *f)
{
    nas_outcome_t outcome = {0};
    cr_assert_eq(evaluate(f, 0, &outcome), NAS_OK, "%s", f->err.text);
    return outcome;
}

/* Evaluate up to a question that is answered yes. */
static inline void interrupt_at(fixture_t *f, int64_t yes_from)
{
    nas_outcome_t outcome = {0};
    cr_assert_eq(evaluate(f, yes_from, &outcome), NAS_ESTOP);
    cr_assert(!outcome.columns && !outcome.curve);
}

static inline void assert_same_bits(const double *a, const double *b, int64_t n)
{
    cr_assert(a && b && memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

static inline void assert_same_outcome(const nas_outcome_t *a, const nas_outcome_t *b,
                                       int64_t n_columns)
{
    cr_assert_eq(a->status, b->status);
    cr_assert_str_eq(a->reason, b->reason);
    assert_same_bits(a->value, b->value, 1);
    assert_same_bits(&a->cost, &b->cost, 1);
    assert_same_bits(a->columns, b->columns, n_columns);
    assert_same_bits(a->curve, b->curve, N_CURVE);
}

static inline nas_candidate_record_t record_of(fixture_t *f)
{
    bool found = false;
    nas_candidate_record_t record = {.candidate = f->candidate,
                                     .run = f->options.run,
                                     .n_goals = 1,
                                     .n_columns = 3,
                                     .n_epochs = f->options.recipe.epochs};
    cr_assert_eq(nas_candidate_read(f->stem.text, &record, &found, &f->err), NAS_OK, "%s",
                 f->err.text);
    cr_assert(found);
    return record;
}

typedef void (*test_t)(const nas_backend_t *backend);

static inline void on_every_backend(test_t test)
{
    const nas_backend_t *cpu = nas_backend_named("cpu")->of(nas_isa_best());
    test(nas_backend_ref());
    if (cpu) test(cpu);
}

#endif
