#include "tests/unit/statefile_case.h"

TestSuite(statefile, .init = make_folder, .fini = remove_folder, .timeout = 100);

Test(statefile, comes_back_as_it_was)
{
    const sample_size_t sizes[] = {
        SMALL,
        {.n_repeat = 2, .n_evaluation = 6, .n_metric = 2, .n_report = 2, .n_epochs = 3},
        {.n_repeat = 2, .n_evaluation = 6, .n_goals = 3, .n_event = 1},
        {0},
        {.n_repeat = 1},
        {.n_repeat = 3, .n_evaluation = 5},
        {.n_repeat = 3, .n_evaluation = 5, .n_metric = 1},
        {.n_repeat = 3, .n_evaluation = 5, .n_report = 1, .n_event = 1},
        {.n_repeat = 2, .n_evaluation = 2000, .n_metric = 13, .n_report = 4, .n_event = 500},
        {.n_repeat = 1000, .n_evaluation = 3, .n_metric = 6, .n_report = 3, .n_event = 1},
        {.n_repeat = 2, .n_evaluation = 5, .n_metric = 3, .posterior = true},
        {.n_repeat = 3, .n_evaluation = 5, .posterior = true},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) assert_round_trip(sizes[i]);
}

Test(statefile, long_texts_come_back)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    nas_state_t state = sample_state(SMALL), found = {0};
    free(state.job_text);
    free(state.job_name);
    state.job_text = calloc(1, 1000001);
    state.job_name = calloc(1, 100001);
    memset(state.job_text, '#', 1000000);
    memset(state.job_name, 'n', 100000);
    cr_assert_eq(nas_statefile_write(path.text, &state, NULL, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_read_one(path.text, &found, NULL), NAS_OK);
    assert_equal_states(&state, &found);
    nas_state_fini(&state);
    nas_state_fini(&found);
}

Test(statefile, equal_states_give_equal_bytes)
{
    const temp_path_t a = temp_file(&folder, "a.h5"), b = temp_file(&folder, "b.h5");
    size_t n_a = 0, n_b = 0;
    nas_state_t state = sample_state(SMALL);
    cr_assert_eq(nas_statefile_write(a.text, &state, NULL, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_write(b.text, &state, NULL, NULL), NAS_OK);
    char *bytes_a = bytes_of(a.text, &n_a), *bytes_b = bytes_of(b.text, &n_b);
    cr_assert_eq(n_a, n_b);
    cr_assert_eq(memcmp(bytes_a, bytes_b, n_a), 0);
    free(bytes_a);
    free(bytes_b);
    nas_state_fini(&state);
}

Test(statefile, refuses_what_is_no_state_file)
{
    static char garbage[100000];
    const temp_path_t path = temp_file(&folder, "a.h5");
    const char plain_hdf5[] = "\x89HDF\r\n\x1a\n";
    memset(garbage, 'g', sizeof garbage);
    assert_refused(path.text, "No such file");
    assert_refused(folder.text, "is a directory");
    put_bytes(path.text, "", 0);
    assert_refused(path.text, "is empty");
    put_bytes(path.text, "ROBOT", 5);
    assert_refused(path.text, "not a state file");
    put_bytes(path.text, "ROBOTNAS", 8);
    assert_refused(path.text, "cut short");
    put_bytes(path.text, plain_hdf5, sizeof plain_hdf5);
    assert_refused(path.text, "not a state file");
    put_bytes(path.text, garbage, sizeof garbage);
    assert_refused(path.text, "not a state file");
}

Test(statefile, begins_as_such_also_where_it_is_damaged)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    cr_assert_not(nas_statefile_begins(path.text));
    cr_assert_not(nas_statefile_begins(folder.text));
    put_bytes(path.text, "ROBOTNAS, a column", 7);
    cr_assert_not(nas_statefile_begins(path.text));
    put_bytes(path.text, "ROBOTNAS", 8);
    cr_assert(nas_statefile_begins(path.text));
    put_bytes(path.text, "repeat,seed,arch", 16);
    cr_assert_not(nas_statefile_begins(path.text));
}

/* What a run may replace: what is empty, its own, or garbled beside its own. */
Test(statefile, a_file_of_something_else_is_nobodys_to_replace)
{
    const temp_path_t path = temp_file(&folder, "a.h5"), prev = temp_file(&folder, "a.h5.prev");
    nas_error_t err = {0};
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_OK);
    put_bytes(path.text, "", 0);
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_OK);
    put_bytes(path.text, "ROBOT", 5);
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_OK);
    put_bytes(path.text, "arch,accuracy\n", 14);
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "a.h5 is not a state file of robotnas; move it away"));
    write_sample(prev.text, SMALL);
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_OK);
    put_bytes(prev.text, "arch", 4);
    cr_assert_eq(unlink(path.text), 0);
    cr_assert_eq(nas_statefile_check_own(path.text, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "a.h5.prev is not a state file"), "%s", err.text);
}

Test(statefile, refuses_every_truncation)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    size_t size = 0;
    write_sample(path.text, SMALL);
    free(bytes_of(path.text, &size));
    for (size_t n = size - 1; n > 0; n -= n > 1024 ? 97 : 1) {
        cr_assert_eq(truncate(path.text, (off_t)n), 0);
        assert_refused(path.text,
                       n < NAS_CHECKSUMMED_MAGIC_SIZE ? "not a state file" : "cut short");
    }
}

Test(statefile, refuses_what_was_appended)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    size_t size = 0;
    write_sample(path.text, SMALL);
    free(bytes_of(path.text, &size));
    cr_assert_eq(truncate(path.text, (off_t)size + 1), 0);
    assert_refused(path.text, "damaged");
}

/* Flip one bit of the file, have it refused, and flip it back. */
static void flip(int fd, const char *path, size_t byte, int bit)
{
    char value = 0;
    const off_t at = (off_t)byte;
    cr_assert_eq(pread(fd, &value, 1, at), 1);
    const char flipped = (char)(value ^ (1 << bit));
    cr_assert_eq(pwrite(fd, &flipped, 1, at), 1);
    assert_refused(path, byte < NAS_CHECKSUMMED_MAGIC_SIZE ? "not a state file" : "");
    cr_assert_eq(pwrite(fd, &value, 1, at), 1);
}

Test(statefile, refuses_every_flip_of_the_user_block_and_thousands_elsewhere)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    size_t size = 0;
    nas_state_t state = {0};
    write_sample(path.text, SMALL);
    free(bytes_of(path.text, &size));
    const int fd = open(path.text, O_RDWR);
    cr_assert_geq(fd, 0);
    for (size_t byte = 0; byte < NAS_H5_USER_BLOCK_SIZE; byte++)
        for (int bit = 0; bit < 8; bit++) flip(fd, path.text, byte, bit);
    for (size_t byte = NAS_H5_USER_BLOCK_SIZE; byte < size; byte += 5)
        flip(fd, path.text, byte, (int)(byte % 8));
    close(fd);
    cr_assert_eq(nas_statefile_read_one(path.text, &state, NULL), NAS_OK);
    nas_state_fini(&state);
}

Test(statefile, refuses_a_newer_version)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    write_newer(path.text);
    assert_refused(path.text, "format version 4, this program reads 2 to 3");
    assert_refused(path.text, "newer robotnas");
}

/* A file that version 0.1 of the program wrote. */
static nas_state_t read_version_2(const char *name)
{
    const char *source = getenv("ROBOTNAS_SOURCE");
    char path[4096];
    nas_state_t state = {0};
    nas_error_t err = {0};
    cr_assert_not_null(source);
    (void)snprintf(path, sizeof path, "%s/tests/data/versions/%s", source, name);
    cr_assert_eq(nas_statefile_read_one(path, &state, &err), NAS_OK, "%s", err.text);
    return state;
}

/* Of the sample, but for what files had no room for then. */
Test(statefile, reads_a_file_of_version_2)
{
    const sample_size_t size = {.n_repeat = 2,
                                .n_evaluation = 5,
                                .n_metric = 2,
                                .n_report = 1,
                                .n_event = 1,
                                .n_epochs = 1};
    nas_state_t state = sample_state(size), found = read_version_2("state-2.h5");
    state.table_blocks = (nas_digest_t){{0}};
    state.event[0].time_s = 1.75e9;
    assert_equal_states(&state, &found);
    nas_state_fini(&state);
    nas_state_fini(&found);
}

/* Of four architectures one was scored, one failed and two are pending. */
Test(statefile, reads_scores_of_version_2)
{
    static const uint8_t status[] = {NAS_SCORE_OK, NAS_SCORE_FAILED, NAS_SCORE_PENDING,
                                     NAS_SCORE_PENDING};
    nas_state_t state = read_version_2("scored-2.h5");
    const nas_scores_t *scores = &state.scores;
    cr_assert(scores->n == 4 && scores->n_done == 2 && state.metrics.n == 2);
    cr_assert_eq(memcmp(scores->status, status, sizeof status), 0);
    for (int i = 0; i < 4; i++)
        cr_assert(scores->seconds[i] == (i < 2 ? 0.5F : 0) && scores->rank[i] == (i < 2 ? 0 : -1));
    cr_assert(scores->value[0] == 0.5 && scores->value[1] == 1.5 && isnan(scores->value[2]));
    nas_state_fini(&state);
}

/* Its content is not taken for that of another version. */
Test(statefile, refuses_a_version_that_its_content_is_not_of)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    size_t size = 0;
    write_sample(path.text, SMALL);
    char *image = bytes_of(path.text, &size);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_VERSION_AT, NAS_STATEFILE_OLDEST);
    checksum(image, size);
    put_bytes(path.text, image, size);
    free(image);
    assert_refused(path.text, "inconsistent state file: /search is not a group");
}

/* Whole files with impossible content, each made by one change to a sample. */
static void change_arch(nas_state_t *state)
{
    state->repeat[1].evaluation[3].arch = state->n_arch;
}
static void change_arch_sign(nas_state_t *state)
{
    state->repeat[0].evaluation[0].arch = -1;
}
static void change_phase(nas_state_t *state)
{
    state->repeat[0].evaluation[1].phase = NAS_N_PHASES;
}
static void change_status(nas_state_t *state)
{
    state->repeat[0].evaluation[1].status = -1;
}
static void change_value(nas_state_t *state)
{
    state->repeat[0].evaluation[1].value[0] = (double)NAN;
}
static void change_pool_rank(nas_state_t *state)
{
    state->repeat[0].evaluation[1].pool_rank = state->n_arch + 1;
}
static void change_cost(nas_state_t *state)
{
    state->repeat[0].evaluation[1].cost = (double)INFINITY;
}
static void change_rank(nas_state_t *state)
{
    state->repeat[0].evaluation[1].rank = -1;
}
static void change_observed_arch(nas_state_t *state)
{
    state->repeat[1].observation[6].arch = INT64_MAX;
}
static void change_phase_to_another_methods(nas_state_t *state)
{
    state->repeat[0].evaluation[1].phase = NAS_PHASE_START;
}
static void change_observed_phase(nas_state_t *state)
{
    state->repeat[1].observation[6].phase = 7;
}
static void change_weights(nas_state_t *state)
{
    state->repeat[1].weights[3] = (double)NAN;
}
static void change_best_weights(nas_state_t *state)
{
    state->repeat[1].best_weights[2] = -1.5;
}
static void change_best_weights_to_none(nas_state_t *state)
{
    state->repeat[1].best_weights[0] = (double)NAN;
}
static void change_precision(nas_state_t *state)
{
    state->repeat[1].precision_at_t = 1.5;
}
static void change_posterior(nas_state_t *state)
{
    state->repeat[1].posterior_mean = 1.0;
}
static void change_posterior_std(nas_state_t *state)
{
    state->repeat[1].posterior_mean = 1.0;
    state->repeat[1].posterior_std = -1.0;
}
static void change_known(nas_state_t *state)
{
    state->repeat[1].known[0].status = NAS_EVAL_FAILED;
    state->repeat[1].known[0].value[0] = (double)NAN;
}
static void change_known_arch(nas_state_t *state)
{
    state->repeat[1].known[1].arch = state->n_arch;
}
static void change_generation(nas_state_t *state)
{
    state->generation = -1;
}
static void change_budget(nas_state_t *state)
{
    state->budget = -1;
}

Test(statefile, refuses_impossible_content)
{
    static const struct {
        void (*change)(nas_state_t *state);
        const char *reason;
    } cases[] = {
        {change_arch, "impossible arch"},
        {change_arch_sign, "impossible arch"},
        {change_phase, "impossible phase"},
        {change_phase_to_another_methods, "impossible phase"},
        {change_status, "impossible status"},
        {change_value, "impossible value"},
        {change_pool_rank, "impossible pool_rank"},
        {change_rank, "impossible rank"},
        {change_observed_arch, "observation 6"},
        {change_observed_phase, "observation 6"},
        {change_budget, "budget -1"},
        {change_known, "a known result of architecture"},
        {change_known_arch, "impossible arch"},
        {change_generation, "generation -1"},
        {change_cost, "impossible cost"},
        {change_weights, "observation 0 has impossible weights"},
        {change_best_weights, "impossible best_weights"},
        {change_best_weights_to_none, "impossible best_weights"},
        {change_precision, "impossible precision_at_t"},
        {change_posterior, "impossible posterior"},
        {change_posterior_std, "impossible posterior"},
    };
    const temp_path_t path = temp_file(&folder, "a.h5");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_state_t state = sample_state(SMALL);
        cases[i].change(&state);
        cr_assert_eq(nas_statefile_write(path.text, &state, NULL, NULL), NAS_OK);
        assert_refused(path.text, cases[i].reason);
        nas_state_fini(&state);
    }
}

/* Without evaluations nothing is stored that would bound it. */
Test(statefile, epochs_without_evaluations_take_no_memory)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    const sample_size_t none = {.n_repeat = 1, .n_metric = 1, .n_report = 1};
    nas_state_t state = sample_state(none), found = {0};
    state.n_epochs = INT64_C(1) << 50;
    cr_assert_eq(nas_statefile_write(path.text, &state, NULL, NULL), NAS_OK);
    cr_assert_eq(nas_statefile_read_one(path.text, &found, NULL), NAS_OK);
    cr_assert_eq(found.n_epochs, state.n_epochs);
    nas_state_fini(&state);
    nas_state_fini(&found);
}

Test(statefile, refuses_an_image_without_content)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    hid_t file = H5I_INVALID_HID;
    char *image = NULL;
    size_t size = 0;
    cr_assert_eq(nas_h5_create(&file, NULL), NAS_OK);
    cr_assert_eq(nas_h5_image(file, &image, &size, NULL), NAS_OK);
    nas_h5_close(file);
    memcpy(image, nas_statefile_kind.magic, NAS_CHECKSUMMED_MAGIC_SIZE);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_VERSION_AT, NAS_STATEFILE_VERSION);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_SIZE_AT, size);
    checksum(image, size);
    put_bytes(path.text, image, size);
    assert_refused(path.text, "inconsistent state file: /program_version");
    memset(image + NAS_H5_USER_BLOCK_SIZE, 0, size - NAS_H5_USER_BLOCK_SIZE);
    checksum(image, size);
    put_bytes(path.text, image, size);
    assert_refused(path.text, "inconsistent state file: HDF5");
    free(image);
}

Test(statefile, leaves_no_file_open_in_hdf5)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    nas_state_t bad = sample_state(SMALL);
    change_arch(&bad);
    assert_round_trip(SMALL);
    cr_assert_eq(nas_statefile_write(path.text, &bad, NULL, NULL), NAS_OK);
    assert_refused(path.text, "impossible arch");
    cr_assert_eq(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    nas_state_fini(&bad);
}
