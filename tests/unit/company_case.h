/* Trainings of three cells by one recipe, each of a seed of its own, on an engine of a GPU. */
#ifndef NAS_TESTS_UNIT_COMPANY_CASE_H
#define NAS_TESTS_UNIT_COMPANY_CASE_H

#include "gpu_engine_case.h"
#include "tests/unit/train_case.h"

enum { COMPANY = 3, COMPANY_BATCH = 16, COMPANY_EPOCHS = 2, COMPANY_STEPS = 4 };

typedef struct company_case {
    train_case_t c[COMPANY]; /* the first one's recipe, images and engine are all's */
    nas_training_options_t options[COMPANY];
} company_case_t;

static inline void company_case_make(company_case_t *all, nas_gpu_t *gpu, size_t memory_bytes,
                                     int64_t shards)
{
    static const char *const cell[COMPANY] = {
        TRAIN_CASE_CELL,
        "|nor_conv_1x1~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|skip_connect~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"};
    nas_recipe_t recipe = train_case_recipe(COMPANY_BATCH, shards);
    recipe.epochs = COMPANY_EPOCHS;
    for (int i = 0; i < COMPANY; i++) {
        train_case_t *c = &all->c[i];
        train_case_make(c, nas_backend_ref(), recipe);
        nas_engine_destroy(c->engine);
        c->engine = i == 0 ? make_gpu_engine(gpu, memory_bytes) : NULL;
        nas_split_fini(&c->split);
        nas_arch_fini(&c->arch);
        const nas_network_t network = c->graph->network;
        nas_graph_destroy(c->graph);
        c->options.seed = (uint64_t)(5 + i);
        c->options.arch = cell[i];
        cr_assert_eq(nas_split_make(&c->dataset, &c->recipe, c->options.seed, &c->split, NULL),
                     NAS_OK);
        c->arch = arch_of(cell[i]);
        cr_assert_eq(nas_graph_create(&network, &c->arch, &c->graph, NULL), NAS_OK);
        all->options[i] = c->options;
        all->options[i].graph = c->graph;
        all->options[i].engine = all->c[0].engine;
        all->options[i].dataset = &all->c[0].dataset;
        all->options[i].recipe = &all->c[0].recipe;
    }
}

static inline void company_case_drop(company_case_t *all)
{
    for (int i = COMPANY - 1; i >= 0; i--) train_case_drop(&all->c[i]);
}

static inline nas_training_t *company_case_alone(const company_case_t *all, int number)
{
    nas_training_t *training = NULL;
    cr_assert_eq(nas_training_create(&all->options[number], &training, NULL), NAS_OK);
    return training;
}

static inline void company_case_begin(const company_case_t *all, nas_training_t **training)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_trainings_create(all->options, COMPANY, training, &err), NAS_OK, "%s",
                 err.text);
}

/* Those that have neither taken `end` steps nor diverged take steps together. */
static inline void company_case_go(nas_training_t *const *training, int64_t end, bool *has_diverged)
{
    for (;;) {
        nas_training_t *going[COMPANY];
        int number[COMPANY], n = 0;
        nas_training_verdict_t verdict[COMPANY];
        for (int i = 0; i < COMPANY; i++)
            if (!has_diverged[i] && nas_training_state(training[i])->step < end) {
                number[n] = i;
                going[n++] = training[i];
            }
        if (n == 0) return;
        nas_trainings_step(going, n, verdict);
        for (int i = 0; i < n; i++) {
            cr_assert_neq(verdict[i], NAS_TRAINING_FAILED, "%s",
                          nas_training_failure(going[i])->text);
            has_diverged[number[i]] = verdict[i] == NAS_TRAINING_DIVERGED;
            if (verdict[i] == NAS_TRAINING_EPOCH_END) cr_assert(nas_training_validate(going[i]));
        }
    }
}

#endif
