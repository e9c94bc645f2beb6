#include "common/io/file.h"
#include "temp_folder.h"
#include "worker/candidates/candidate_file.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { N_GOALS = 2, N_COLUMNS = 3, N_EPOCHS = 2, N_VALUES = 40, N_STATISTICS = 6, CHANNELS = 3 };

static const double columns[N_COLUMNS] = {0.25, (double)NAN, -1e300};
static const double curve[N_EPOCHS * NAS_CURVE_COLUMNS] = {
    2.3, 2.2, 11.5, (double)NAN, (double)INFINITY, (double)NAN};

/* A folder with a candidate of arrays that the test owns. */
typedef struct fixture {
    temp_path_t folder;
    temp_path_t stem;
    temp_path_t file;
    double value[N_VALUES];
    double velocity[N_VALUES];
    nas_candidate_record_t record;
    nas_error_t err;
} fixture_t;

static double *borrow(const double *at)
{
    return (double *)(uintptr_t)at;
}

/* Done, with all that a training leaves. */
static void make(fixture_t *f)
{
    *f = (fixture_t){.folder = temp_folder_make()};
    f->stem = temp_file(&f->folder, "000123-s10");
    f->file = temp_file(&f->folder, "000123-s10.h5");
    for (int i = 0; i < N_VALUES; i++) f->value[i] = 1.0 / (i + 1);
    for (int i = 0; i < N_VALUES; i++) f->velocity[i] = -i;
    f->record = (nas_candidate_record_t){
        .candidate = {.arch = 123, .seed = UINT64_MAX - 7, .name = "|none~0|+\"\xc3\xa9\""},
        .done = true,
        .outcome = {.value = {91.125, -0.0},
                    .cost = 3200,
                    .columns = borrow(columns),
                    .curve = borrow(curve)},
        .n_goals = N_GOALS,
        .n_columns = N_COLUMNS,
        .n_epochs = N_EPOCHS,
        .step = 12,
        .loss_sum = 0.1,
        .parameters = {f->value, N_VALUES},
        .statistics = {f->value + 2, N_STATISTICS},
        .network = {.image_channels = CHANNELS,
                    .height = 32,
                    .width = 28,
                    .channels = 4,
                    .cells = 1,
                    .classes = 10,
                    .convention = NAS_CONVENTION_TRAIN},
        .mean = {f->value + 3, CHANNELS},
        .std = {f->value + 5, CHANNELS}};
    for (int i = 0; i < NAS_DIGEST_SIZE; i++) f->record.run.byte[i] = (uint8_t)(i * 11);
}

static void drop(fixture_t *f)
{
    temp_folder_remove(&f->folder);
}

static void write_record(fixture_t *f)
{
    cr_assert_eq(nas_candidate_write(f->stem.text, &f->record, &f->err), NAS_OK, "%s", f->err.text);
}

/* What a reader knows before. */
static nas_candidate_record_t wanted_of(const fixture_t *f)
{
    return (nas_candidate_record_t){.candidate = f->record.candidate,
                                    .run = f->record.run,
                                    .n_goals = f->record.n_goals,
                                    .n_columns = f->record.n_columns,
                                    .n_epochs = f->record.n_epochs};
}

static void assert_same(const double *a, const double *b, int64_t n)
{
    cr_assert_eq(!a, !b);
    cr_assert(!a || memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

static void assert_same_numbers(nas_numbers_t a, nas_numbers_t b)
{
    cr_assert_eq(a.n, b.n);
    assert_same(a.n ? a.at : NULL, b.n ? b.at : NULL, a.n);
}

static void assert_same_record(const nas_candidate_record_t *a, const nas_candidate_record_t *b)
{
    cr_assert(a->done == b->done && a->step == b->step && a->loss_sum == b->loss_sum);
    cr_assert_eq(a->outcome.status, b->outcome.status);
    cr_assert_str_eq(a->outcome.reason, b->outcome.reason);
    assert_same(a->outcome.value, b->outcome.value, a->n_goals);
    assert_same(&a->outcome.cost, &b->outcome.cost, 1);
    assert_same(a->outcome.columns, b->outcome.columns, a->n_columns);
    assert_same(a->outcome.curve, b->outcome.curve, a->n_epochs * NAS_CURVE_COLUMNS);
    assert_same_numbers(a->parameters, b->parameters);
    assert_same_numbers(a->statistics, b->statistics);
    assert_same_numbers(a->velocity, b->velocity);
    assert_same_numbers(a->mean, b->mean);
    assert_same_numbers(a->std, b->std);
    cr_assert_eq(memcmp(&a->network, &b->network, sizeof a->network), 0);
}

/* Write the record and read it back. */
static void assert_round_trip(fixture_t *f)
{
    bool found = false;
    nas_candidate_record_t read = wanted_of(f);
    write_record(f);
    cr_assert_eq(nas_candidate_read(f->stem.text, &read, &found, &f->err), NAS_OK, "%s",
                 f->err.text);
    cr_assert(found);
    assert_same_record(&read, &f->record);
    nas_candidate_record_fini(&read);
}

/* Reading is refused, with the path and this in its text, and nothing to free is left. */
static void assert_inconsistent(fixture_t *f, const nas_candidate_record_t *wanted,
                                const char *reason)
{
    bool found = false;
    nas_candidate_record_t read = *wanted;
    cr_assert_eq(nas_candidate_read(f->stem.text, &read, &found, &f->err), NAS_EINPUT);
    cr_assert_not(found);
    cr_assert_not_null(strstr(f->err.text, f->file.text), "%s", f->err.text);
    cr_assert_not_null(strstr(f->err.text, reason), "%s", f->err.text);
    cr_assert(!read.outcome.columns && !read.outcome.curve && !read.parameters.at && !read.mean.at);
}

/* ------------------------------------------------------------------------------- round trips */

Test(candidate_file, a_finished_training_comes_back)
{
    fixture_t f;
    make(&f);
    assert_round_trip(&f);
    drop(&f);
}

Test(candidate_file, a_training_under_way_comes_back)
{
    fixture_t f;
    make(&f);
    f.record.done = false;
    f.record.velocity = (nas_numbers_t){f.velocity, N_VALUES};
    f.record.outcome = (nas_outcome_t){.curve = borrow(curve)};
    assert_round_trip(&f);
    drop(&f);
}

Test(candidate_file, a_failure_comes_back_with_its_reason)
{
    fixture_t f;
    make(&f);
    nas_outcome_fail(&f.record.outcome, "the loss is not finite in step %d", 3);
    assert_round_trip(&f);
    memset(f.record.outcome.reason, 'x', NAS_REASON_SIZE - 1);
    assert_round_trip(&f);
    drop(&f);
}

/* That version 0.1 of the program wrote, with one value. */
Test(candidate_file, one_of_version_1_is_read)
{
    fixture_t f;
    nas_candidate_record_t found;
    bool is_there = false;
    char stem[4096];
    const char *source = getenv("ROBOTNAS_SOURCE");
    make(&f);
    f.record.n_goals = 1;
    found = wanted_of(&f);
    cr_assert_not_null(source);
    (void)snprintf(stem, sizeof stem, "%s/tests/data/versions/candidate-1", source);
    cr_assert_eq(nas_candidate_read(stem, &found, &is_there, &f.err), NAS_OK, "%s", f.err.text);
    cr_assert(is_there);
    assert_same_record(&found, &f.record);
    nas_candidate_record_fini(&found);
    drop(&f);
}

/* As the user's own trainer leaves it, with columns and without. */
Test(candidate_file, an_outcome_alone_comes_back)
{
    fixture_t f;
    make(&f);
    f.record = (nas_candidate_record_t){
        .candidate = f.record.candidate,
        .run = f.record.run,
        .done = true,
        .outcome = {.value = {-0.0}, .cost = (double)NAN, .columns = borrow(columns)},
        .n_goals = 1,
        .n_columns = N_COLUMNS};
    assert_round_trip(&f);
    f.record.n_columns = 0;
    f.record.outcome.columns = NULL;
    assert_round_trip(&f);
    drop(&f);
}

Test(candidate_file, writing_makes_the_folder_and_leaves_one_file_of_the_same_bytes)
{
    fixture_t f;
    char *first = NULL, *second = NULL;
    size_t n_first = 0, n_second = 0;
    make(&f);
    f.stem = temp_file(&f.folder, "run.h5.d/000001-s0");
    const temp_path_t file = temp_file(&f.folder, "run.h5.d/000001-s0.h5"),
                      rest = temp_file(&f.folder, "run.h5.d/000001-s0.h5.tmp"),
                      previous = temp_file(&f.folder, "run.h5.d/000001-s0.h5.prev");
    write_record(&f);
    cr_assert_eq(nas_file_read(file.text, 1 << 20, &first, &n_first, &f.err), NAS_OK);
    write_record(&f);
    cr_assert_eq(nas_file_read(file.text, 1 << 20, &second, &n_second, &f.err), NAS_OK);
    cr_assert(n_first == n_second && memcmp(first, second, n_first) == 0);
    cr_assert(!nas_file_exists(rest.text) && !nas_file_exists(previous.text));
    free(first);
    free(second);
    drop(&f);
}

Test(candidate_file, an_output_folder_that_vanished_is_not_made_again)
{
    fixture_t f;
    make(&f);
    f.stem = temp_file(&f.folder, "vanished/run.h5.d/000001-s0");
    cr_assert_eq(nas_candidate_write(f.stem.text, &f.record, &f.err), NAS_EIO);
    cr_assert_not_null(strstr(f.err.text, "No such file or directory"), "%s", f.err.text);
    cr_assert(!nas_file_exists(temp_file(&f.folder, "vanished").text));
    drop(&f);
}

Test(candidate_file, the_stem_names_run_place_and_seed)
{
    const nas_candidate_t candidate = {.arch = 123, .seed = UINT64_MAX}, far = {.arch = 12345678};
    char *stem = nas_candidate_stem("runs/a.h5", &candidate, NULL);
    cr_assert_str_eq(stem, "runs/a.h5.d/000123-s18446744073709551615");
    free(stem);
    stem = nas_candidate_stem("a.h5", &far, NULL);
    cr_assert_str_eq(stem, "a.h5.d/12345678-s0");
    free(stem);
}

/* ---------------------------------------------------------------------------- as good as none */

static void assert_not_found(fixture_t *f, const nas_candidate_record_t *wanted)
{
    bool found = true;
    nas_candidate_record_t read = *wanted;
    cr_assert_eq(nas_candidate_read(f->stem.text, &read, &found, &f->err), NAS_OK, "%s",
                 f->err.text);
    cr_assert_not(found);
    cr_assert(!read.outcome.columns && !read.outcome.curve && !read.parameters.at && !read.done);
}

Test(candidate_file, none_is_not_found)
{
    fixture_t f;
    make(&f);
    const nas_candidate_record_t wanted = wanted_of(&f);
    assert_not_found(&f, &wanted);
    drop(&f);
}

Test(candidate_file, one_of_another_run_seed_or_architecture_is_not_found)
{
    fixture_t f;
    make(&f);
    write_record(&f);
    nas_candidate_record_t wanted = wanted_of(&f);
    wanted.run.byte[NAS_DIGEST_SIZE - 1] ^= 1;
    assert_not_found(&f, &wanted);
    wanted = wanted_of(&f);
    wanted.candidate.seed ^= 1;
    assert_not_found(&f, &wanted);
    wanted = wanted_of(&f);
    wanted.candidate.name = "|none~0|";
    assert_not_found(&f, &wanted);
    drop(&f);
}

static void assert_found(const fixture_t *f, nas_candidate_record_t wanted)
{
    bool found = false;
    cr_assert_eq(nas_candidate_read(f->stem.text, &wanted, &found, NULL), NAS_OK);
    cr_assert(found);
    nas_candidate_record_fini(&wanted);
}

Test(candidate_file, a_failure_of_a_generation_before_is_not_found)
{
    fixture_t f;
    make(&f);
    f.record.generation = 1;
    nas_candidate_record_t wanted = wanted_of(&f);
    wanted.generation = 2;
    write_record(&f);
    assert_found(&f, wanted); /* it succeeded */
    f.record.done = false;
    write_record(&f);
    assert_found(&f, wanted); /* its training goes on */
    f.record.done = true;
    nas_outcome_fail(&f.record.outcome, "exit code 3");
    write_record(&f);
    assert_not_found(&f, &wanted);
    wanted.generation = 1;
    assert_found(&f, wanted);
    wanted.generation = 0; /* as where the state before a retry was taken up again */
    assert_found(&f, wanted);
    drop(&f);
}

/* ---------------------------------------------------------------------------------- refused */

static void put(const temp_path_t *path, const char *data, size_t n)
{
    FILE *file = fopen(path->text, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

/* The file as it was written; the caller frees it. */
static char *written_bytes(fixture_t *f, size_t *n)
{
    char *data = NULL;
    write_record(f);
    cr_assert_eq(nas_file_read(f->file.text, 1 << 20, &data, n, &f->err), NAS_OK);
    return data;
}

Test(candidate_file, a_flipped_byte_is_noticed_wherever_it_is)
{
    fixture_t f;
    size_t n = 0;
    make(&f);
    char *data = written_bytes(&f, &n);
    const nas_candidate_record_t wanted = wanted_of(&f);
    for (size_t i = 0; i < n; i += 97) {
        data[i] ^= 0x40;
        put(&f.file, data, n);
        assert_inconsistent(&f, &wanted, "");
        data[i] ^= 0x40;
    }
    free(data);
    drop(&f);
}

Test(candidate_file, one_that_is_cut_short_or_too_long_is_refused)
{
    fixture_t f;
    size_t n = 0;
    make(&f);
    char *data = written_bytes(&f, &n);
    const nas_candidate_record_t wanted = wanted_of(&f);
    const size_t length[] = {0, 1, 100, 511, 512, 513, n / 2, n - 1};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        put(&f.file, data, length[i]);
        assert_inconsistent(&f, &wanted, "");
    }
    data = realloc(data, n + 1);
    data[n] = 0;
    put(&f.file, data, n + 1);
    assert_inconsistent(&f, &wanted, "damaged");
    free(data);
    drop(&f);
}

Test(candidate_file, other_numbers_of_columns_or_epochs_are_refused)
{
    fixture_t f;
    make(&f);
    write_record(&f);
    nas_candidate_record_t wanted = wanted_of(&f);
    wanted.n_goals++;
    assert_inconsistent(&f, &wanted, "value");
    wanted = wanted_of(&f);
    wanted.n_columns++;
    assert_inconsistent(&f, &wanted, "columns");
    wanted = wanted_of(&f);
    wanted.n_epochs++;
    assert_inconsistent(&f, &wanted, "curve");
    drop(&f);
}

static void assert_impossible(fixture_t *f, const char *reason)
{
    const nas_candidate_record_t wanted = wanted_of(f);
    write_record(f);
    assert_inconsistent(f, &wanted, reason);
}

Test(candidate_file, what_no_program_writes_is_refused)
{
    fixture_t f;
    make(&f);
    const nas_candidate_record_t good = f.record;
    f.record.outcome.status = NAS_EVAL_MISSING;
    assert_impossible(&f, "impossible status");
    f.record.outcome.status = (nas_eval_status_t)7;
    assert_impossible(&f, "impossible status");
    f.record = good;
    f.record.outcome.value[0] = (double)NAN;
    assert_impossible(&f, "impossible value");
    f.record.outcome.value[0] = good.outcome.value[0];
    f.record.outcome.value[1] = (double)INFINITY;
    assert_impossible(&f, "impossible value");
    f.record = good;
    f.record.outcome.status = NAS_EVAL_FAILED;
    assert_impossible(&f, "impossible value");
    f.record = good;
    f.record.step = -1;
    assert_impossible(&f, "impossible step");
    f.record = good;
    f.record.done = false;
    f.record.velocity = (nas_numbers_t){f.velocity, N_VALUES - 1};
    assert_impossible(&f, "impossible step or sizes");
    f.record = good;
    f.record.network.cells = 65;
    assert_impossible(&f, "impossible network");
    f.record.network.cells = 0;
    assert_impossible(&f, "impossible network");
    drop(&f);
}

/* Beyond what a job can say, what is computed of a network need not fit an int. */
Test(candidate_file, a_network_out_of_bounds_is_refused)
{
    fixture_t f;
    make(&f);
    nas_network_t *network = &f.record.network;
    int *const member[] = {&network->height, &network->width, &network->channels, &network->cells,
                           &network->classes};
    const int most[] = {4096, 4096, 1024, 64, 65536};
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        const int good = *member[i];
        *member[i] = most[i] + 1;
        assert_impossible(&f, "impossible network");
        *member[i] = 0;
        assert_impossible(&f, "impossible network");
        *member[i] = good;
    }
    network->image_channels = -1; /* which would stand for any number of means */
    assert_impossible(&f, "impossible network");
    drop(&f);
}

Test(candidate_file, what_cannot_be_written_is_an_error_of_the_system)
{
    fixture_t f;
    make(&f);
    put(&f.file, "in the way", 10);
    f.stem = temp_file(&f.folder, "000123-s10.h5/000001-s0");
    cr_assert_eq(nas_candidate_write(f.stem.text, &f.record, &f.err), NAS_EIO);
    cr_assert_not_null(strstr(f.err.text, f.file.text));
    drop(&f);
}
