/* Candidates that a trainer has on a GPU at once: each as if it were alone, whatever stops them. */
#include "tests/tools/with_asan.h"
#include "trained_case.h"
#include "worker/engine/gpu/layers/layer.h"

#include <criterion/redirect.h>
#include <stdio.h>

enum { PACK = 3, PACK_EPOCHS = 2, PACK_CURVE = PACK_EPOCHS * NAS_CURVE_COLUMNS };

static const char *const CELL[PACK] = {
    TRAIN_CASE_CELL,
    "|nor_conv_1x1~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|skip_connect~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"};

/* One of the candidates, with the file that a run has of it. */
typedef struct one {
    nas_candidate_t candidate;
    temp_path_t stem, file;
} one_t;

typedef struct packs {
    fixture_t f;
    one_t one[PACK];
} packs_t;

static nas_device_t *open_threads(void)
{
    nas_device_t *device = NULL;
    nas_device_options_t options = {.backend = nas_backend_ref()};
    cr_assert_eq(nas_device_choice_parse("threads", &options.choice, NULL), NAS_OK);
    cr_assert_eq(nas_device_open(&options, &device, NULL), NAS_OK);
    return device;
}

static void make_packs(packs_t *p)
{
    nas_recipe_t recipe = train_case_recipe(BATCH, 1);
    recipe.epochs = PACK_EPOCHS;
    make(&p->f, nas_backend_ref(), recipe);
    nas_device_close(p->f.device);
    p->f.device = NULL;
    for (int i = 0; i < PACK; i++) {
        one_t *one = &p->one[i];
        char name[64];
        (void)snprintf(name, sizeof name, "run.h5.d/%06d-s%d.h5", i, 5 + i);
        one->file = temp_file(&p->f.folder, name);
        name[strlen(name) - strlen(".h5")] = '\0';
        one->stem = temp_file(&p->f.folder, name);
        one->candidate = (nas_candidate_t){.arch = i, .seed = (uint64_t)(5 + i), .name = CELL[i]};
    }
}

static void drop_packs(packs_t *p)
{
    drop(&p->f);
}

/* Candidates from `first` on, n of them. */
static nas_status_t evaluate_some(packs_t *p, int first, int n, int64_t yes_from,
                                  nas_outcome_t *outcome)
{
    fixture_t *f = &p->f;
    nas_trainer_t *trainer = NULL;
    nas_trainer_task_t task[PACK];
    f->asking = (asking_t){.yes_from = yes_from, .share_is_good = true};
    f->options.device = f->device;
    for (int i = 0; i < n; i++) {
        const one_t *one = &p->one[first + i];
        task[i] = (nas_trainer_task_t){.candidate = &one->candidate, .stem = one->stem.text};
    }
    const nas_interrupt_t interrupt = {.asked = asked, .context = &f->asking};
    const nas_trainer_tasks_t tasks = {.task = task, .n = n, .interrupt = &interrupt};
    cr_assert_eq(nas_trainer_create(&f->options, &trainer, &f->err), NAS_OK);
    cr_assert_geq(nas_trainer_width(trainer), PACK);
    const nas_status_t status = nas_trainer_evaluate(trainer, &tasks, outcome, &f->err);
    nas_trainer_destroy(trainer);
    cr_assert(f->asking.share_is_good);
    cr_assert(yes_from == 0 || status != NAS_ESTOP || f->asking.n == yes_from);
    return status;
}

static nas_candidate_record_t record_of_one(packs_t *p, int number)
{
    p->f.candidate = p->one[number].candidate;
    p->f.stem = p->one[number].stem;
    return record_of(&p->f);
}

static void remove_files(const packs_t *p)
{
    for (int i = 0; i < PACK; i++) cr_assert_eq(unlink(p->one[i].file.text), 0);
}

/* What came of them, and the network in the file; files are removed. */
typedef struct found {
    nas_outcome_t outcome[PACK];
    nas_candidate_record_t record[PACK];
} found_t;

static void take_records(packs_t *p, found_t *found)
{
    for (int i = 0; i < PACK; i++) found->record[i] = record_of_one(p, i);
    remove_files(p);
}

static void found_fini(found_t *found)
{
    for (int i = 0; i < PACK; i++) {
        nas_outcome_fini(&found->outcome[i]);
        nas_candidate_record_fini(&found->record[i]);
    }
}

static void assert_same_found(const found_t *a, const found_t *b)
{
    for (int i = 0; i < PACK; i++) {
        const nas_outcome_t *x = &a->outcome[i], *y = &b->outcome[i];
        cr_assert(x->status == NAS_EVAL_OK && y->status == NAS_EVAL_OK);
        assert_same_bits(x->value, y->value, 1);
        assert_same_bits(&x->cost, &y->cost, 1);
        assert_same_bits(x->columns, y->columns, 3);
        assert_same_bits(x->curve, y->curve, PACK_CURVE);
        assert_same_bits(a->record[i].parameters.at, b->record[i].parameters.at,
                         a->record[i].parameters.n);
        assert_same_bits(a->record[i].statistics.at, b->record[i].statistics.at,
                         a->record[i].statistics.n);
    }
}

static void train_alone(packs_t *p, found_t *found)
{
    for (int i = 0; i < PACK; i++)
        cr_assert_eq(evaluate_some(p, i, 1, 0, &found->outcome[i]), NAS_OK, "%s", p->f.err.text);
    take_records(p, found);
}

/* Stopped while the second is validated, and between steps; the second loses its file in between, so
 * that it is an epoch behind the others from then on. */
static void train_with_interrupts(packs_t *p, found_t *found)
{
    nas_outcome_t again[PACK];
    cr_assert_eq(evaluate_some(p, 0, PACK, 6, found->outcome), NAS_ESTOP);
    cr_assert_eq(unlink(p->one[1].file.text), 0);
    cr_assert_eq(evaluate_some(p, 0, PACK, 4, found->outcome), NAS_ESTOP);
    for (int i = 0; i < PACK; i++) {
        nas_candidate_record_t record = record_of_one(p, i);
        cr_assert(!record.done && record.step == (i == 1 ? 1 : N_STEPS + 1));
        nas_candidate_record_fini(&record);
    }
    cr_assert_eq(evaluate_some(p, 0, PACK, 0, found->outcome), NAS_OK, "%s", p->f.err.text);
    cr_assert_eq(evaluate_some(p, 0, PACK, 1, again), NAS_OK, "all are in their files");
    cr_assert_eq(p->f.asking.n, 0);
    for (int i = 0; i < PACK; i++) nas_outcome_fini(&again[i]);
    take_records(p, found);
}

/* Whether the device has room for one candidate, on so much memory. */
static bool has_room(packs_t *p, size_t bytes)
{
    char text[32];
    nas_outcome_t none = {0};
    (void)snprintf(text, sizeof text, "%zu", bytes);
    cr_assert_eq(setenv("NAS_GPU_THREADS_MEMORY", text, 1), 0);
    nas_device_close(p->f.device);
    p->f.device = open_threads();
    const nas_status_t status = evaluate_some(p, 0, 1, 1, &none);
    if (status == NAS_ESTOP) cr_assert_eq(unlink(p->one[0].file.text), 0);
    cr_assert(status == NAS_ESTOP || status == NAS_ENOMEM, "%s", p->f.err.text);
    return status == NAS_ESTOP;
}

/* With memory for one of them, but for a little. */
static void train_in_short_memory(packs_t *p, found_t *found)
{
    size_t low = (size_t)1 << 20, high = (size_t)1 << 28;
    while (high - low > low / 32) {
        const size_t middle = (low + high) / 2;
        if (has_room(p, middle))
            high = middle;
        else
            low = middle;
    }
    cr_assert(has_room(p, high));
    cr_assert_eq(evaluate_some(p, 0, PACK, 0, found->outcome), NAS_OK, "%s", p->f.err.text);
    take_records(p, found);
}

/* New lines of stderr that tell of so many candidates at once. */
static int count_told(int n_at_once)
{
    char line[512], end[32];
    int n = 0;
    (void)snprintf(end, sizeof end, ", one of %d at once\n", n_at_once);
    (void)fflush(stderr);
    for (FILE *err = cr_get_redirected_stderr(); fgets(line, sizeof line, err);)
        n += strstr(line, end) != NULL;
    return n;
}

Test(trainer_packs, company_interrupts_and_short_memory_change_no_bit)
{
    packs_t p;
    found_t alone = {0}, together = {0}, in_parts = {0};
    if (!nas_gpu_layer_named("threads")) cr_skip_test("no layer of threads");
    if (WITH_ASAN) cr_skip_test("trainings on kernels as C take too long under the leak checker");
    cr_redirect_stderr();
    make_packs(&p);
    p.f.device = open_threads();
    train_alone(&p, &alone);
    train_with_interrupts(&p, &together);
    assert_same_found(&alone, &together);
    cr_assert_eq(count_told(PACK), PACK);
    train_in_short_memory(&p, &in_parts);
    assert_same_found(&alone, &in_parts);
    cr_assert_eq(count_told(PACK), 0);
    found_fini(&alone);
    found_fini(&together);
    found_fini(&in_parts);
    drop_packs(&p);
}
