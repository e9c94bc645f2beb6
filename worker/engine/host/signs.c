/* Signs of ReLUs: where those of two images agree, and the patterns that images have of them. */
#include "worker/engine/host/run.h"

static double count_differing(const uint64_t *x, const uint64_t *y, size_t n_words)
{
    int64_t n = 0;
    for (size_t k = 0; k < n_words; k++) n += __builtin_popcountll(x[k] ^ y[k]);
    return (double)n;
}

void nas_run_agreement(const nas_run_t *run, const nas_tensor_op_t *op)
{
    const int64_t n = op->shape.n;
    const size_t n_words = run->backend->sign_words(op->shape);
    const double n_values = (double)op->shape.c * op->shape.h * op->shape.w;
    uint64_t *bits = nas_run_tensor(run, op->b.at);
    double *agreement = nas_run_vector(run, op->out[0]);
    run->backend->signs(op->shape, nas_run_channels(run, op->a), bits);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double differ =
                count_differing(bits + (size_t)i * n_words, bits + (size_t)j * n_words, n_words);
            const double agree = op->times * (n_values - differ);
            agreement[i * n + j] += agree;
            if (i != j) agreement[j * n + i] += agree;
        }
}

/* The signs of 64 values of an image in a word; a pattern is a bit of each image's. */
void nas_run_patterns(const nas_run_t *run, const nas_tensor_op_t *op)
{
    const int n = op->shape.n;
    const size_t n_words = run->backend->sign_words(op->shape);
    const size_t n_values = (size_t)op->shape.c * (size_t)op->shape.h * (size_t)op->shape.w;
    uint64_t *bits = nas_run_tensor(run, op->b.at);
    double *seen = nas_run_vector(run, op->out[0]), *count = nas_run_vector(run, op->out[1]);
    run->backend->signs(op->shape, nas_run_channels(run, op->a), bits);
    for (size_t k = 0; k < n_values; k++) {
        const uint64_t *word = bits + k / 64;
        uint64_t pattern = 0;
        for (int i = 0; i < n; i++, word += n_words) pattern |= (*word >> k % 64 & 1) << i;
        *count += seen[pattern] == 0;
        seen[pattern] = 1;
    }
}
