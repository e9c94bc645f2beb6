#include "tests/unit/statefile_case.h"

TestSuite(statefile_scores, .init = make_folder, .fini = remove_folder, .timeout = 100);

/* Four architectures: one pending, one scored, one failed, one that did not fit; two metrics. */
static nas_state_t scored_state(void)
{
    nas_state_t state = {.n_arch = 4};
    const nas_name_source_t arch = nas_name_source_of_text("aaa\0b\0\0\0cc\0\0d\0\0", 4, 4);
    sample_names(&state.metrics, "metric", 2);
    cr_assert_eq(nas_state_make_scores(&state, &arch, NULL), NAS_OK);
    nas_scores_set(&state.scores, 1, NAS_SCORE_OK, 0.25, 3);
    nas_scores_set(&state.scores, 2, NAS_SCORE_FAILED, 1e-3, 0);
    nas_scores_set(&state.scores, 3, NAS_SCORE_UNFIT, 0.5, 1);
    state.scores.value[2] = 0.1;
    state.scores.value[3] = -1e300;
    return state;
}

static void assert_same_scores(hid_t file, const nas_state_t *state)
{
    const nas_scores_t *scores = &state->scores;
    nas_error_t err = {0};
    nas_state_t read = {.n_arch = 4};
    cr_assert_eq(nas_statefile_read_scores(file, &read, &err), NAS_OK, "%s", err.text);
    const nas_scores_t *found = &read.scores;
    cr_assert(found->n == 4 && found->n_done == 3);
    for (int64_t i = 0; i < 4; i++) {
        cr_assert_str_eq(nas_name_source_at(&found->arch, i), nas_name_source_at(&scores->arch, i));
        cr_assert_eq(found->status[i], scores->status[i]);
        cr_assert_eq(found->seconds[i], scores->seconds[i]);
        cr_assert_eq(found->rank[i], scores->rank[i]);
    }
    cr_assert_eq(memcmp(found->value, scores->value, 8 * sizeof *found->value), 0);
    nas_state_fini(&read);
}

/* Put numbers of another type in the place of a dataset of four. */
static void replace_array(hid_t metrics, const char *name, nas_h5_type_t type, void *data)
{
    const nas_h5_array_t array = {type, 1, {4}, data};
    cr_assert_geq(H5Ldelete(metrics, name, H5P_DEFAULT), 0);
    cr_assert_eq(nas_h5_write_array(metrics, name, &array, NULL), NAS_OK);
}

Test(statefile_scores, scores_come_back_also_as_version_2_had_them)
{
    hid_t file = H5I_INVALID_HID, metrics = H5I_INVALID_HID;
    nas_state_t state = scored_state();
    cr_assert_eq(nas_h5_create(&file, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_write_scores(file, &state, NULL), NAS_OK);
    assert_same_scores(file, &state);
    cr_assert_eq(nas_h5_group_open(file, "metrics", &metrics, NULL), NAS_OK);
    int32_t status[] = {0, 1, 2, 3};
    replace_array(metrics, "status", NAS_H5_I32, status);
    cr_assert(nas_h5_is(metrics, "rank", NAS_H5_I16));
    replace_array(metrics, "rank", NAS_H5_I32, state.scores.rank);
    replace_array(metrics, "seconds", NAS_H5_F64, (double[]){0, 0.25, (double)1e-3f, 0.5});
    assert_same_scores(file, &state);
    status[3] = 256; /* no status in any width */
    replace_array(metrics, "status", NAS_H5_I32, status);
    nas_state_t read = {.n_arch = 4};
    nas_error_t err = {0};
    cr_assert_eq(nas_statefile_read_scores(file, &read, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "architecture 3 have an impossible status"), "%s",
                       err.text);
    nas_state_fini(&read);
    nas_h5_group_close(metrics);
    nas_h5_close(file);
    nas_state_fini(&state);
}

Test(statefile_scores, a_rank_beyond_int16_comes_back)
{
    hid_t file = H5I_INVALID_HID;
    nas_state_t state = scored_state();
    nas_scores_set(&state.scores, 1, NAS_SCORE_OK, 0.25, INT16_MAX + 1);
    cr_assert_eq(nas_h5_create(&file, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_write_scores(file, &state, NULL), NAS_OK);
    assert_same_scores(file, &state);
    nas_h5_close(file);
    nas_state_fini(&state);
}

/* What did not fit is scored again, but not once a search has begun with the scores as they are. */
Test(statefile_scores, what_did_not_fit_is_tried_again_before_a_search)
{
    nas_state_t state = scored_state();
    nas_repeat_t repeat = {.n_observation = 1};
    state.repeat = &repeat;
    state.n_repeat = 1;
    cr_assert_eq(nas_state_retry_unfit(&state), 0);
    cr_assert_eq(nas_scores_count(&state.scores, NAS_SCORE_UNFIT), 1);
    repeat.n_observation = 0;
    cr_assert_eq(nas_state_retry_unfit(&state), 1);
    cr_assert(state.scores.status[3] == NAS_SCORE_PENDING && state.scores.rank[3] == -1);
    cr_assert_eq(state.scores.n_done, 2);
    cr_assert_eq(nas_scores_count(&state.scores, NAS_SCORE_FAILED), 1);
    state.repeat = NULL;
    state.n_repeat = 0;
    nas_state_fini(&state);
}
