#include "coordinator/evaluate/evaluator_message.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { N_COLUMNS = 2, N_EPOCHS = 3, N_CURVE = N_EPOCHS * NAS_CURVE_COLUMNS };

static const nas_outcome_size_t trained = {.n_columns = N_COLUMNS, .n_epochs = N_EPOCHS};

Test(evaluator_message, candidates_arrive_as_they_were_sent)
{
    const nas_candidate_t sent[] = {{.arch = 0, .seed = UINT64_MAX, .name = "|none~0|"},
                                    {.arch = INT64_MAX, .seed = 0, .name = ""},
                                    {.arch = 17, .seed = 10, .name = "sixteen letters."}};
    nas_buffer_t buffer = {0};
    nas_candidate_t *got = NULL;
    int64_t n = 0;
    cr_assert_eq(nas_candidates_pack(sent, 3, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_candidates_unpack(buffer.data, &got, &n, NULL), NAS_OK);
    cr_assert_eq(n, 3);
    for (int i = 0; i < 3; i++) {
        cr_assert(got[i].arch == sent[i].arch && got[i].seed == sent[i].seed);
        cr_assert_str_eq(got[i].name, sent[i].name);
        cr_assert(got[i].name >= buffer.data && got[i].name < buffer.data + buffer.size,
                  "the name is not of the message");
    }
    free(got);
    free(buffer.data);
}

Test(evaluator_message, no_candidates_arrive_as_none)
{
    nas_buffer_t buffer = {0};
    nas_candidate_t *got = NULL;
    int64_t n = -1;
    cr_assert_eq(nas_candidates_pack(NULL, 0, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_candidates_unpack(buffer.data, &got, &n, NULL), NAS_OK);
    cr_assert_eq(n, 0);
    free(got);
    free(buffer.data);
}

static void assert_same_bits(const double *a, const double *b, size_t n)
{
    cr_assert_eq(!a, !b);
    cr_assert(!a || memcmp(a, b, n * sizeof *a) == 0);
}

static void assert_same_outcome(const nas_outcome_t *a, const nas_outcome_t *b,
                                nas_outcome_size_t size)
{
    cr_assert_eq(a->status, b->status);
    cr_assert_str_eq(a->reason, b->reason);
    assert_same_bits(a->value, b->value, NAS_MAX_GOALS);
    assert_same_bits(&a->cost, &b->cost, 1);
    if (size.n_columns > 0) assert_same_bits(a->columns, b->columns, (size_t)size.n_columns);
    assert_same_bits(a->curve, b->curve, (size_t)size.n_epochs * NAS_CURVE_COLUMNS);
}

/* The next outcome is `sent` with number `index`. */
static void assert_next(const char **at, nas_outcome_size_t size, int64_t index,
                        const nas_outcome_t *sent)
{
    int64_t number = -1;
    nas_outcome_t got = {0};
    cr_assert_eq(nas_outcome_unpack(at, size, &number, &got, NULL), NAS_OK);
    cr_assert_eq(number, index);
    assert_same_outcome(&got, sent, size);
    cr_assert(!sent->columns || got.columns != sent->columns, "it is no copy");
    nas_outcome_fini(&got);
}

/* As a team's leader sends them: one behind the other, whatever they are. */
Test(evaluator_message, outcomes_arrive_as_they_were_sent)
{
    double columns[N_COLUMNS] = {0.5, (double)NAN}, curve[N_CURVE];
    nas_buffer_t buffer = {0};
    for (int i = 0; i < N_CURVE; i++) curve[i] = i < 5 ? 1.0 / (i + 1) : (double)NAN;
    const nas_outcome_t good = {
        .value = {-0.0, 2.5}, .cost = 640, .columns = columns, .curve = curve};
    nas_outcome_t failed = {.columns = columns, .curve = curve}, bare = {.columns = columns};
    nas_outcome_fail(&failed, "the loss is not finite in step %d of epoch %d", 3, 2);
    memset(bare.reason, 'x', NAS_REASON_SIZE - 1);
    bare.status = NAS_EVAL_FAILED;
    cr_assert_eq(nas_outcome_pack(&good, 5, trained, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_outcome_pack(&failed, 0, trained, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_outcome_pack(&bare, INT64_MAX, trained, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_outcome_pack(&good, 1, trained, &buffer, NULL), NAS_OK);
    const char *at = buffer.data;
    assert_next(&at, trained, 5, &good);
    assert_next(&at, trained, 0, &failed);
    assert_next(&at, trained, INT64_MAX, &bare);
    assert_next(&at, trained, 1, &good);
    cr_assert_eq(at, buffer.data + buffer.size);
    free(buffer.data);
}

/* Of a trainer that reports no numbers besides. */
Test(evaluator_message, an_outcome_without_numbers_arrives)
{
    const nas_outcome_size_t none = {0};
    const nas_outcome_t sent = {.value = {3}, .cost = (double)NAN};
    nas_buffer_t buffer = {0};
    cr_assert_eq(nas_outcome_pack(&sent, 2, none, &buffer, NULL), NAS_OK);
    cr_assert_eq(nas_outcome_pack(&sent, 4, none, &buffer, NULL), NAS_OK);
    const char *at = buffer.data;
    assert_next(&at, none, 2, &sent);
    assert_next(&at, none, 4, &sent);
    cr_assert_eq(at, buffer.data + buffer.size);
    free(buffer.data);
}
