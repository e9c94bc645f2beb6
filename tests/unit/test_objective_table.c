#include "coordinator/registries/registries.h"
#include "temp_folder.h"
#include "worker/objectives/table/objective_table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seven architectures; `acc` has a missing value and a tie that straddles the third place. */
static const char csv[] = "arch,acc,cost,test\n"
                          "a,3,1,30\nb,,2,20\nc,5,,50\nd,4,4,40\ne,4,5,41\nf,1,6,\ng,4,7,43\n";

static const char job_text[] =
    "name: t\npool: {space: table, table: t.csv}\n"
    "objective: {kind: table, column: acc, cost: cost, report: [test], minimise: %s}\n"
    "search: {method: random, budget: 3}\n";

enum { N_ARCH = 7 };

typedef struct fixture {
    temp_path_t folder;
    nas_job_t *job;
    nas_comm_t *self;
    nas_shared_table_t *table;
    nas_objective_t *objective;
} fixture_t;

static void write_text(const temp_path_t *path, const char *text)
{
    FILE *file = fopen(path->text, "w");
    cr_assert_not_null(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert_eq(fclose(file), 0);
}

static void read_table(fixture_t *f)
{
    static const char *const name[] = {"acc", "cost", "test"};
    nas_error_t err = {0};
    nas_strings_t columns = {0};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(nas_strings_add(&columns, name[i], strlen(name[i]), &err), NAS_OK);
    const nas_shared_table_options_t options = {
        .table = {.path = f->job->pool.table, .arch_column = "arch", .columns = &columns},
        .n_bytes = sizeof csv - 1,
        .least = 1};
    cr_assert_eq(nas_comm_self(&f->self, &err), NAS_OK);
    cr_assert_eq(nas_shared_table_read(f->self, &options, &f->table, &err), NAS_OK, "%s", err.text);
    nas_strings_fini(&columns);
}

static fixture_t make(bool minimise)
{
    char text[1024];
    nas_error_t err = {0};
    fixture_t f = {.folder = temp_folder_make()};
    const temp_path_t table = temp_file(&f.folder, "t.csv"), job = temp_file(&f.folder, "job.yaml");
    (void)snprintf(text, sizeof text, job_text, minimise ? "true" : "false");
    write_text(&table, csv);
    write_text(&job, text);
    const nas_job_source_t source = {.sections = nas_registries_job(), .path = job.text};
    cr_assert_eq(nas_job_read(&source, &f.job, &err), NAS_OK, "%s", err.text);
    read_table(&f);
    const nas_table_order_t order = {.column = nas_shared_table_find(f.table, "acc"),
                                     .minimise = minimise,
                                     .n_best = f.job->search.budget};
    cr_assert_eq(nas_shared_table_rank(f.table, &order, &err), NAS_OK);
    const nas_objective_options_t objective = {.job = f.job, .table = f.table, .n_arch = N_ARCH};
    cr_assert_eq(nas_objective_create(&objective, &f.objective, &err), NAS_OK);
    const int64_t all[N_ARCH] = {0, 1, 2, 3, 4, 5, 6};
    nas_shared_table_fetch(f.table, all, N_ARCH);
    return f;
}

static void drop(fixture_t *f)
{
    nas_objective_destroy(f->objective);
    nas_shared_table_destroy(f->table);
    nas_comm_destroy(f->self);
    nas_job_destroy(f->job);
    temp_folder_remove(&f->folder);
}

Test(objective_table, looks_up_a_row)
{
    fixture_t f = make(false);
    nas_outcome_t outcome;
    int64_t pool_rank;
    nas_objective_look_up(f.objective, 3, &outcome, &pool_rank);
    cr_assert_eq(outcome.value[0], 4);
    cr_assert_eq(outcome.cost, 4);
    cr_assert_eq(outcome.columns[0], 40);
    cr_assert_eq(pool_rank, 2, "only c is strictly better");
    cr_assert_eq(outcome.status, NAS_EVAL_OK);
    drop(&f);
}

Test(objective_table, a_missing_objective_is_a_failed_evaluation)
{
    fixture_t f = make(false);
    nas_outcome_t outcome;
    int64_t pool_rank;
    nas_objective_look_up(f.objective, 1, &outcome, &pool_rank);
    cr_assert_eq(outcome.status, NAS_EVAL_MISSING);
    cr_assert(isnan(outcome.value[0]));
    cr_assert_eq(pool_rank, 0);
    cr_assert_eq(outcome.cost, 2, "its cost is known all the same");
    drop(&f);
}

Test(objective_table, missing_cost_and_column_are_unknown)
{
    fixture_t f = make(false);
    nas_outcome_t outcome;
    int64_t pool_rank;
    nas_objective_look_up(f.objective, 2, &outcome, &pool_rank);
    cr_assert(isnan(outcome.cost));
    nas_objective_look_up(f.objective, 5, &outcome, &pool_rank);
    cr_assert(isnan(outcome.columns[0]));
    cr_assert_float_eq(nas_objective_mean_cost(f.objective), 25.0 / 6.0, 1e-15);
    drop(&f);
}

/* The best are c and, with rank 2 each, d, e and g: whichever of them are found are among the three
 * best. */
Test(objective_table, precision_counts_by_rank_whatever_the_order_of_the_pool)
{
    fixture_t f = make(false);
    const int64_t found[][3] = {{4, 2, 3}, {2, 3, 6}, {3, 4, 6}, {6, 0, 2}, {0, 1, 5}};
    const double share[] = {1.0, 1.0, 1.0, 2.0 / 3.0, 0.0};
    for (size_t i = 0; i < sizeof share / sizeof *share; i++)
        cr_assert_eq(nas_objective_precision(f.objective, found[i], 3), share[i], "case %zu", i);
    drop(&f);
}

Test(objective_table, minimise_turns_the_order_round)
{
    fixture_t f = make(true);
    const int64_t best[] = {5, 0, 3};
    nas_outcome_t outcome;
    int64_t pool_rank;
    nas_objective_look_up(f.objective, 0, &outcome, &pool_rank);
    cr_assert_eq(outcome.value[0], 3, "the user's unit and sign");
    cr_assert_eq(pool_rank, 2);
    cr_assert_eq(nas_objective_precision(f.objective, best, 3), 1.0);
    drop(&f);
}
