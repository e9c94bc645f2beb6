#include "coordinator/search/message.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N_WEIGHT = 3, N_METRIC = 2 };

static const nas_message_sizes_t SIZES = {.n_weight = N_WEIGHT, .n_metric = N_METRIC};

Test(message, a_step_arrives_as_it_was_sent)
{
    int64_t arch[2] = {5, 7}, phase[2] = {NAS_PHASE_EXPLOIT, NAS_PHASE_HEDGE},
            frontier[4] = {1, 2, 3, 4};
    double weights[2 * N_WEIGHT] = {1, 2, 3, 4, 5, 6}, best[N_METRIC] = {-1, 1};
    const nas_step_t sent = {.repeat = 9,
                             .status = NAS_ENUMERIC,
                             .stop = 15,
                             .done = 1,
                             .err = {"a text"},
                             .proposed = {.n = 2,
                                          .arch = arch,
                                          .weights = weights,
                                          .phase = phase,
                                          .n_frontier = 4,
                                          .frontier = frontier,
                                          .has_learned = true,
                                          .best_weights = best,
                                          .posterior_mean = 1.5,
                                          .posterior_std = 0.25}};
    nas_buffer_t buffer = {0};
    nas_error_t err = {0};
    nas_step_t got;
    cr_assert_eq(nas_step_pack(&sent, SIZES, &buffer, &err), NAS_OK);
    nas_step_unpack(buffer.data, buffer.size, SIZES, &got);
    cr_assert_eq(got.repeat, 9);
    cr_assert_eq(got.status, NAS_ENUMERIC);
    cr_assert_eq(got.stop, 15);
    cr_assert_eq(got.done, 1);
    cr_assert_str_eq(got.err.text, "a text");
    cr_assert_eq(got.proposed.n, 2);
    cr_assert_eq(got.proposed.n_frontier, 4);
    cr_assert_arr_eq(got.proposed.arch, arch, sizeof arch);
    cr_assert_arr_eq(got.proposed.phase, phase, sizeof phase);
    cr_assert(got.proposed.has_learned);
    cr_assert_eq(got.proposed.posterior_mean, 1.5);
    cr_assert_eq(got.proposed.posterior_std, 0.25);
    cr_assert_arr_eq(got.proposed.weights, weights, sizeof weights);
    cr_assert_arr_eq(got.proposed.frontier, frontier, sizeof frontier);
    cr_assert_arr_eq(got.proposed.best_weights, best, sizeof best);
    free(buffer.data);
}

Test(message, silence_is_an_idle_group)
{
    nas_step_t got = {.repeat = 3};
    nas_step_unpack(NULL, 0, SIZES, &got);
    cr_assert_eq(got.repeat, -1);
    cr_assert_eq(got.proposed.n, 0);
}

/* Packed one behind the other, as rank 0 does for all groups. */
Test(message, replies_arrive_as_they_were_sent)
{
    const double weights[2][N_WEIGHT] = {{1, 2, 3}, {4, 5, 6}};
    nas_result_t result[2] = {
        {.arch = 4, .target = 0.5, .phase = NAS_PHASE_EXPLORE, .weights = weights[0]},
        {.arch = 8, .failed = true, .phase = NAS_PHASE_EXPLOIT, .weights = weights[1]}};
    const nas_reply_t end = {.kind = NAS_REPLY_END, .status = NAS_EIO, .err = {"disk full"}};
    const nas_reply_t start = {
        .kind = NAS_REPLY_START, .repeat = 2, .seed = 77, .n = 2, .result = result};
    nas_buffer_t buffer = {0};
    nas_error_t err = {0};
    nas_reply_t got;
    cr_assert_eq(nas_reply_pack(&end, N_WEIGHT, &buffer, &err), NAS_OK);
    const size_t behind = buffer.size;
    cr_assert_eq(nas_reply_pack(&start, N_WEIGHT, &buffer, &err), NAS_OK);

    cr_assert_eq(nas_reply_unpack(buffer.data, N_WEIGHT, &got, &err), NAS_OK);
    cr_assert_eq(got.kind, NAS_REPLY_END);
    cr_assert_eq(got.status, NAS_EIO);
    cr_assert_str_eq(got.err.text, "disk full");
    free(got.result);

    cr_assert_eq(nas_reply_unpack(buffer.data + behind, N_WEIGHT, &got, &err), NAS_OK);
    cr_assert_eq(got.kind, NAS_REPLY_START);
    cr_assert_eq(got.repeat, 2);
    cr_assert_eq(got.seed, 77);
    cr_assert_eq(got.n, 2);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(got.result[i].arch, result[i].arch);
        cr_assert_eq(got.result[i].target, result[i].target);
        cr_assert_eq(got.result[i].failed, result[i].failed);
        cr_assert_eq(got.result[i].phase, result[i].phase);
        cr_assert_arr_eq(got.result[i].weights, weights[i], sizeof weights[i]);
    }
    free(got.result);
    free(buffer.data);
}
