/* What setting up (evaluator_setup.c) and the rounds (evaluator.c) share. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_INTERNAL_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_INTERNAL_H

#include "coordinator/evaluate/evaluator.h"

struct nas_evaluator {
    nas_comm_t *world; /**< borrowed, as are the next three */
    const nas_devices_t *devices;
    nas_networks_t *networks;
    nas_heartbeat_t *heartbeat;
    nas_evaluate_parameters_t parameters;
    const nas_objective_kind_t *kind;
    void *objective;      /**< what it evaluates with */
    char *output;         /**< of the run: beside it lie the candidates' files */
    nas_strings_t column; /**< names of the numbers that an outcome has besides its value */
    nas_buffer_t message; /**< from rank 0, what the setup points into */
    nas_objective_setup_t setup;
    int n_teams;
    int my_team;      /**< -1: none */
    nas_comm_t *team; /**< NULL: none */
    int team_size;
};

#endif
