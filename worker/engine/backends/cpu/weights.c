#include "worker/engine/backends/cpu/weights.h"

static int in_per_group(const nas_conv_blocks_t *conv)
{
    return conv->c_in / conv->groups;
}

static int group_of_out(const nas_conv_blocks_t *conv, int o)
{
    return o / (conv->c_out / conv->groups);
}

static int n_taps(const nas_conv_blocks_t *conv)
{
    return conv->window.k_h * conv->window.k_w;
}

int nas_weights_joined(const nas_conv_blocks_t *conv, int lanes)
{
    int most = 1;
    for (int o = 0; o < conv->c_out; o += lanes) {
        const int last_out = o + lanes < conv->c_out ? o + lanes - 1 : conv->c_out - 1;
        const int first = group_of_out(conv, o) * in_per_group(conv);
        const int last = (group_of_out(conv, last_out) + 1) * in_per_group(conv) - 1;
        const int joined = last / lanes - first / lanes + 1;
        if (joined > most) most = joined;
    }
    return most;
}

/* The first number of the filter between two channels of one group. */
static size_t filter_at(nas_weights_t where, int o, int i)
{
    const nas_filter_layout_t *layout = &where.layout;
    const int lanes = where.lanes;
    const int first = nas_conv_first_in(where.conv, o / lanes, lanes);
    return (size_t)(o / lanes) * layout->o_block + (size_t)(i / lanes - first) * layout->i_block +
           (size_t)(o % lanes) * layout->o + (size_t)(i % lanes) * layout->i;
}

void nas_weights_pack(nas_weights_t where, const double *weights, float *packed)
{
    const nas_conv_blocks_t *conv = where.conv;
    for (int o = 0; o < conv->c_out; o++) {
        const int first = group_of_out(conv, o) * in_per_group(conv);
        for (int i = first; i < first + in_per_group(conv); i++) {
            float *to = packed + filter_at(where, o, i);
            for (int k = 0; k < n_taps(conv); k++, to += where.layout.k) *to = (float)*weights++;
        }
    }
}

void nas_weights_unpack(nas_weights_t where, const float *packed, double *weights)
{
    const nas_conv_blocks_t *conv = where.conv;
    for (int o = 0; o < conv->c_out; o++) {
        const int first = group_of_out(conv, o) * in_per_group(conv);
        for (int i = first; i < first + in_per_group(conv); i++) {
            const float *from = packed + filter_at(where, o, i);
            for (int k = 0; k < n_taps(conv); k++, from += where.layout.k)
                *weights++ = (double)*from;
        }
    }
}

void nas_weights_clear(nas_weights_t where, float *packed)
{
    const nas_conv_blocks_t *conv = where.conv;
    const int lanes = where.lanes;
    for (int o = 0; o < conv->c_out; o++) {
        const int begin = nas_conv_first_in(conv, o / lanes, lanes) * lanes;
        const int first = group_of_out(conv, o) * in_per_group(conv);
        for (int i = begin; i < begin + conv->joined * lanes; i++) {
            if (i >= first && i < first + in_per_group(conv)) continue;
            float *at = packed + filter_at(where, o, i);
            for (int k = 0; k < n_taps(conv); k++, at += where.layout.k) *at = 0;
        }
    }
}
