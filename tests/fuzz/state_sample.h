/* A state with something of everything, as small as it can be. */
#ifndef NAS_TESTS_FUZZ_STATE_SAMPLE_H
#define NAS_TESTS_FUZZ_STATE_SAMPLE_H

#include "common/state/state.h"

/** Two repeats over a scored pool of 4 architectures. end: nas_state_fini. */
nas_state_t fuzz_state_sample(void);

#endif
