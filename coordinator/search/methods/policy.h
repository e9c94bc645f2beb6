/* The policy of method reinforce: one softmax per position, trained by policy gradients. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_POLICY_H
#define NAS_COORDINATOR_SEARCH_METHODS_POLICY_H

#include "common/base/rng.h"
#include "coordinator/search/methods/choices.h"

#include <stdint.h>

#define NAS_POLICY_INITIAL_STD 1e-3
#define NAS_POLICY_BASELINE_MOMENTUM 0.9
#define NAS_POLICY_RATE 0.01
#define NAS_POLICY_BETA_1 0.9
#define NAS_POLICY_BETA_2 0.999
#define NAS_POLICY_EPSILON 1e-8

/** Independent categorical distributions over the choices of each position, an Adam state for each
 *  logit, and a moving average of rewards. A plain value without pointers. */
typedef struct nas_policy {
    nas_choices_t choices;
    double logit[NAS_CHOICES_MAX]; /**< of each entry of choices */
    double m[NAS_CHOICES_MAX];     /**< Adam's first moment of each gradient, not corrected */
    double v[NAS_CHOICES_MAX];     /**< and the second */
    double reward_sum;             /**< moving average of rewards, biased towards 0 ... */
    double reward_weight;          /**< ... by this factor */
    double largest;                /**< magnitude of the rewards so far */
    int exponent;                  /**< rewards, m and, squared, v are in units of 2^exponent */
    int64_t n_update;
} nas_policy_t;

/** Logits NAS_POLICY_INITIAL_STD times standard normal numbers of rng.  Not collective.
 *  policy [out]. */
void nas_policy_init(nas_policy_t *policy, const nas_encoding_t *encoding, nas_rng_t *rng);

/** Probabilities of the choices at a position, in their order.
 *  probability [out]. */
void nas_policy_probabilities(const nas_policy_t *policy, int position, double *probability);

/** Draw a code, one uniform number a position.
 *  code [out] n_position; it may be nobody's. */
void nas_policy_sample(const nas_policy_t *policy, nas_rng_t *rng, uint8_t *code);

/** Learn from one code and its reward, any finite number: the reward enters the baseline, then Adam
 *  takes one step down the gradient of -log P(code) * (reward - baseline). Rewards whose squares
 *  would overflow are divided by a power of two (common/base/magnitude.h), with all that was learnt
 *  before. Williams 1992 (REINFORCE); Kingma & Ba 2015, algorithm 1. */
void nas_policy_update(nas_policy_t *policy, const uint8_t *code, double reward);

#endif
