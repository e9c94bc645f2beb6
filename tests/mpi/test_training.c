/* A training on a team gives the bits that it gives on one rank. */
#include "check.h"
#include "common/base/isa.h"
#include "tests/unit/train_case.h"
#include "worker/engine/host/backends.h"

enum { N_SHARDS = 5, N_STEPS = 5 };

/* Every rank's own training, without the others, then the team's. */
static void test_same_bits(nas_comm_t *world, const nas_backend_t *backend)
{
    train_case_t c;
    double alone_loss[N_STEPS], team_loss[N_STEPS];
    train_case_make(&c, backend, train_case_recipe(4 * N_SHARDS, N_SHARDS));
    nas_training_t *alone = train_case_begin(&c);
    CHECK(train_case_go(alone, N_STEPS, alone_loss) == NAS_TRAINING_ON);
    c.options.team = world;
    nas_training_t *team = train_case_begin(&c);
    CHECK(train_case_go(team, N_STEPS, team_loss) == NAS_TRAINING_ON);
    CHECK(train_case_same(alone_loss, team_loss, sizeof team_loss));
    CHECK(train_case_same(nas_training_state(alone)->parameter, nas_training_state(team)->parameter,
                          (size_t)c.graph->n_values * sizeof(double)));
    if (nas_comm_rank(world) == 0) CHECK(train_case_same_state(&c, alone, team));
    nas_training_destroy(alone);
    nas_training_destroy(team);
    train_case_drop(&c);
}

/* Only the leader knows the state that a new team goes on from. */
static void test_resume(nas_comm_t *world, const nas_backend_t *backend)
{
    const bool leads = nas_comm_rank(world) == 0;
    train_case_t c;
    double straight[N_STEPS] = {0}, resumed[N_STEPS] = {0};
    train_case_make(&c, backend, train_case_recipe(4 * N_SHARDS, N_SHARDS));
    nas_training_t *alone = train_case_begin(&c);
    c.options.team = world;
    nas_training_t *team = train_case_begin(&c);
    if (leads) {
        (void)train_case_go(alone, 3, straight);
        train_case_copy_state(&c, alone, team);
        (void)train_case_go(alone, N_STEPS, straight);
    }
    nas_training_resume(team);
    (void)train_case_go(team, N_STEPS, resumed);
    CHECK(nas_training_state(team)->step == N_STEPS);
    for (int step = 3; leads && step < N_STEPS; step++) CHECK(straight[step] == resumed[step]);
    if (leads) CHECK(train_case_same_state(&c, alone, team));
    nas_training_destroy(alone);
    nas_training_destroy(team);
    train_case_drop(&c);
}

static bool yes(void *context, double share)
{
    (void)context;
    (void)share;
    return true;
}

/* One rank gives up, then all do, and the state is as if nothing had been tried. */
static void test_interrupted(nas_comm_t *world, const nas_backend_t *backend)
{
    const bool leads = nas_comm_rank(world) == 0;
    nas_interrupt_t interrupt = {.asked = yes};
    train_case_t c;
    double loss = 0;
    train_case_make(&c, backend, train_case_recipe(4 * N_SHARDS, N_SHARDS));
    nas_training_t *alone = train_case_begin(&c);
    c.options.team = world;
    if (nas_comm_rank(world) == nas_comm_size(world) - 1) c.options.interrupt = &interrupt;
    nas_training_t *team = train_case_begin(&c);
    while (nas_training_step(alone, &loss) != NAS_TRAINING_EPOCH_END) continue;
    while (nas_training_step(team, &loss) != NAS_TRAINING_EPOCH_END) continue;
    CHECK(nas_training_validate(alone));
    CHECK(!nas_training_validate(team));
    interrupt.asked = NULL;
    CHECK(nas_training_validate(team));
    if (leads) CHECK(train_case_same_state(&c, alone, team));
    nas_training_destroy(alone);
    nas_training_destroy(team);
    train_case_drop(&c);
}

/* Every rank hears of it. */
static void test_divergence(nas_comm_t *world, const nas_backend_t *backend)
{
    train_case_t c;
    nas_recipe_t recipe = train_case_recipe(4 * N_SHARDS, N_SHARDS);
    double loss[6];
    recipe.rate = 1e100;
    train_case_make(&c, backend, recipe);
    c.options.team = world;
    nas_training_t *team = train_case_begin(&c);
    CHECK(train_case_go(team, 6, loss) == NAS_TRAINING_DIVERGED);
    nas_training_destroy(team);
    train_case_drop(&c);
}

static void test_refused(nas_comm_t *world)
{
    const int size = nas_comm_size(world);
    nas_error_t err = {0};
    nas_training_t *team = NULL;
    train_case_t c;
    train_case_make(&c, nas_backend_ref(), train_case_recipe(4, 1));
    c.options.team = world;
    const nas_status_t status = nas_training_create(&c.options, &team, &err);
    CHECK(status == (size > 1 ? NAS_EARG : NAS_OK));
    CHECK((team == NULL) == (size > 1));
    nas_training_destroy(team);
    train_case_drop(&c);
}

static void test_all(nas_comm_t *world)
{
    for (int i = 0; i < 2; i++) {
        const nas_backend_t *backend =
            nas_backend_named(i == 0 ? "ref" : "cpu")->of(nas_isa_best());
        if (!backend) continue;
        test_same_bits(world, backend);
        test_resume(world, backend);
        test_interrupted(world, backend);
        test_divergence(world, backend);
    }
    test_refused(world);
}

int main(void)
{
    return run_mpi_test(test_all);
}
