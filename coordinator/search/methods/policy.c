#include "coordinator/search/methods/policy.h"

#include "common/base/magnitude.h"

#include <math.h>

void nas_policy_init(nas_policy_t *policy, const nas_encoding_t *encoding, nas_rng_t *rng)
{
    *policy = (nas_policy_t){0};
    nas_choices_collect(&policy->choices, encoding);
    const int n = policy->choices.first[policy->choices.n_position];
    for (int i = 0; i < n; i++) policy->logit[i] = NAS_POLICY_INITIAL_STD * nas_rng_normal(rng);
}

void nas_policy_probabilities(const nas_policy_t *policy, int position, double *probability)
{
    const int first = policy->choices.first[position];
    const int n = policy->choices.first[position + 1] - first;
    const double *logit = policy->logit + first;
    double highest = logit[0];
    for (int i = 1; i < n; i++) highest = fmax(highest, logit[i]);
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        probability[i] = exp(logit[i] - highest);
        sum += probability[i];
    }
    for (int i = 0; i < n; i++) probability[i] /= sum;
}

void nas_policy_sample(const nas_policy_t *policy, nas_rng_t *rng, uint8_t *code)
{
    const nas_choices_t *choices = &policy->choices;
    double probability[NAS_ENCODING_MAX_CHOICES];
    for (int p = 0; p < choices->n_position; p++) {
        nas_policy_probabilities(policy, p, probability);
        const int last = choices->first[p + 1] - choices->first[p] - 1;
        double u = nas_rng_uniform(rng) - probability[0];
        int i = 0;
        while (i < last && u >= 0.0) u -= probability[++i];
        code[p] = choices->code[choices->first[p] + i];
    }
}

/* Adam's step for one logit, in the order of operations of PyTorch. */
static void step(nas_policy_t *policy, int entry, double gradient)
{
    const double t = (double)policy->n_update;
    double *m = &policy->m[entry], *v = &policy->v[entry];
    *m = NAS_POLICY_BETA_1 * *m + (1.0 - NAS_POLICY_BETA_1) * gradient;
    *v = NAS_POLICY_BETA_2 * *v + (1.0 - NAS_POLICY_BETA_2) * gradient * gradient;
    const double rate = NAS_POLICY_RATE / (1.0 - pow(NAS_POLICY_BETA_1, t));
    const double scale = sqrt(*v) / sqrt(1.0 - pow(NAS_POLICY_BETA_2, t)) + NAS_POLICY_EPSILON;
    policy->logit[entry] -= rate * *m / scale;
}

/* The reward in the policy's unit, which grows with the largest of them. */
static double in_unit(nas_policy_t *policy, double reward)
{
    policy->largest = fmax(policy->largest, fabs(reward));
    const int exponent = nas_magnitude_exponent(policy->largest);
    const int n_entry = policy->choices.first[policy->choices.n_position];
    const int change = policy->exponent - exponent;
    if (change) {
        policy->exponent = exponent;
        policy->reward_sum = ldexp(policy->reward_sum, change);
        for (int i = 0; i < n_entry; i++) {
            policy->m[i] = ldexp(policy->m[i], change);
            policy->v[i] = ldexp(policy->v[i], 2 * change);
        }
    }
    return ldexp(reward, -exponent);
}

/* The reward's part in its own baseline, as the authors have it: the first update changes nothing.
 */
static double advantage(nas_policy_t *policy, double reward)
{
    const double momentum = NAS_POLICY_BASELINE_MOMENTUM;
    policy->reward_sum = momentum * policy->reward_sum + (1.0 - momentum) * reward;
    policy->reward_weight = momentum * policy->reward_weight + (1.0 - momentum);
    return reward - policy->reward_sum / policy->reward_weight;
}

void nas_policy_update(nas_policy_t *policy, const uint8_t *code, double reward)
{
    const nas_choices_t *choices = &policy->choices;
    const double scale = advantage(policy, in_unit(policy, reward));
    double probability[NAS_ENCODING_MAX_CHOICES];
    policy->n_update++;
    for (int p = 0; p < choices->n_position; p++) {
        nas_policy_probabilities(policy, p, probability);
        const int first = choices->first[p], n = choices->first[p + 1] - first;
        for (int i = 0; i < n; i++) {
            const double chosen = choices->code[first + i] == code[p] ? 1.0 : 0.0;
            step(policy, first + i, (probability[i] - chosen) * scale);
        }
    }
}
