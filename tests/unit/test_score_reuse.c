#include "coordinator/score/score_reuse.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N_ARCH = 4 };

static void add(nas_strings_t *strings, const char *text)
{
    cr_assert_eq(nas_strings_add(strings, text, strlen(text), NULL), NAS_OK);
}

/* A state that scores architectures "a", "b", ... from `first`; value of metric m: 10 m + letter.
 */
static nas_state_t scoring_state(const char *const *metric, char first, int64_t n)
{
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h";
    nas_state_t state = {.n_arch = n};
    for (; *metric; metric++) add(&state.metrics, *metric);
    const nas_name_source_t arch = nas_name_source_of_text(&names[2 * (first - 'a')], 2, n);
    cr_assert_eq(nas_state_make_scores(&state, &arch, NULL), NAS_OK);
    return state;
}

static void score_all(nas_state_t *state)
{
    const size_t n_metric = state->metrics.n;
    for (int64_t i = 0; i < state->scores.n; i++) {
        const nas_name_source_t *arch = &state->scores.arch;
        nas_scores_set(&state->scores, i, NAS_SCORE_OK, 0.5, 3);
        for (size_t m = 0; m < n_metric; m++)
            state->scores.value[(size_t)i * n_metric + m] =
                10.0 * (double)(state->metrics.at[m][0]) + (double)nas_name_source_at(arch, i)[0];
    }
}

/* Take what old has for a state that wants metrics x, y of "a" to "d". */
static nas_score_reuse_t take(const nas_state_t *old, nas_state_t *state)
{
    const char *const wanted[] = {"x", "y", NULL};
    nas_score_reuse_t reuse;
    *state = scoring_state(wanted, 'a', N_ARCH);
    cr_assert_eq(nas_score_reuse_init(&reuse, old, state, &state->scores.arch, NULL), NAS_OK);
    nas_score_reuse_take(&reuse, state);
    return reuse;
}

static void end(nas_score_reuse_t *reuse, nas_state_t *state, nas_state_t *old)
{
    nas_score_reuse_fini(reuse);
    nas_state_fini(state);
    nas_state_fini(old);
}

Test(score_reuse, architectures_with_all_metrics_are_recorded_whatever_their_order)
{
    const char *const metrics[] = {"z", "y", "x", NULL};
    nas_state_t state, old = scoring_state(metrics, 'c', N_ARCH); /* c, d, e, f */
    score_all(&old);
    nas_score_reuse_t reuse = take(&old, &state);
    cr_assert(reuse.n_taken == 2 && reuse.n_partly == 0 && reuse.n_missing == 0);
    cr_assert(state.scores.status[1] == NAS_SCORE_PENDING && state.scores.rank[1] == -1);
    cr_assert(state.scores.status[2] == NAS_SCORE_OK && state.scores.rank[2] == 0);
    cr_assert_eq(state.scores.value[2 * 2 + 0], 10.0 * 'x' + 'c');
    cr_assert_eq(state.scores.value[2 * 2 + 1], 10.0 * 'y' + 'c');
    end(&reuse, &state, &old);
}

Test(score_reuse, a_metric_that_is_missing_alone_is_left_to_compute)
{
    const char *const metrics[] = {"y", NULL};
    nas_state_t state, old = scoring_state(metrics, 'b', 2);
    double value[] = {7.0, NAN};
    score_all(&old);
    nas_score_reuse_t reuse = take(&old, &state);
    cr_assert(reuse.n_taken == 0 && reuse.n_partly == 2 && reuse.n_missing == 1);
    cr_assert_eq(nas_score_reuse_known(&reuse, 2), 2u);
    cr_assert(nas_score_reuse_is_partly(&reuse, 1) && !nas_score_reuse_is_partly(&reuse, 3));
    cr_assert_eq(state.scores.status[1], NAS_SCORE_PENDING);
    nas_score_reuse_fill(&reuse, 1, 2, value);
    cr_assert(value[0] == 7.0 && value[1] == 10.0 * 'y' + 'b');
    end(&reuse, &state, &old);
}

Test(score_reuse, failed_and_pending_scores_are_not_taken)
{
    const char *const metrics[] = {"x", "y", NULL};
    nas_state_t state, old = scoring_state(metrics, 'a', N_ARCH);
    score_all(&old);
    old.scores.status[0] = NAS_SCORE_FAILED;
    old.scores.status[3] = NAS_SCORE_PENDING;
    nas_score_reuse_t reuse = take(&old, &state);
    cr_assert_eq(reuse.n_taken, 2);
    cr_assert_eq(state.scores.status[0], NAS_SCORE_PENDING);
    cr_assert_eq(state.scores.status[3], NAS_SCORE_PENDING);
    end(&reuse, &state, &old);
}

Test(score_reuse, other_metrics_are_of_no_use)
{
    const char *const metrics[] = {"z", NULL};
    nas_state_t state, old = scoring_state(metrics, 'a', N_ARCH);
    score_all(&old);
    nas_score_reuse_t reuse = take(&old, &state);
    cr_assert(reuse.n_taken == 0 && reuse.n_partly == 0);
    cr_assert_not(nas_score_reuse_is_partly(&reuse, 0));
    cr_assert_eq(nas_score_reuse_known(&reuse, 2), 0u);
    end(&reuse, &state, &old);
}

Test(score_reuse, the_measurement_is_what_values_depend_on)
{
    nas_digest_t first, second, batch = {{0}};
    nas_score_parameters_t parameters = {.n_arch = 5, .network = {.channels = 16}, .seed = 3};
    cr_assert_eq(nas_score_measurement(&parameters, &batch, "AVX2", &first, NULL), NAS_OK);
    parameters.n_arch = 9;
    parameters.n_metric = 2;
    cr_assert_eq(nas_score_measurement(&parameters, &batch, "AVX2", &second, NULL), NAS_OK);
    cr_assert_eq(memcmp(&first, &second, sizeof first), 0);
    cr_assert_eq(nas_score_measurement(&parameters, &batch, "AVX-512", &second, NULL), NAS_OK);
    cr_assert_neq(memcmp(&first, &second, sizeof first), 0);
    parameters.seed = 4;
    cr_assert_eq(nas_score_measurement(&parameters, &batch, "AVX2", &second, NULL), NAS_OK);
    cr_assert_neq(memcmp(&first, &second, sizeof first), 0);
    parameters.seed = 3;
    batch.byte[0] = 1;
    cr_assert_eq(nas_score_measurement(&parameters, &batch, "AVX2", &second, NULL), NAS_OK);
    cr_assert_neq(memcmp(&first, &second, sizeof first), 0);
}
