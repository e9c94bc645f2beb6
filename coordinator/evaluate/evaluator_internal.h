/* What setting up (evaluator_setup.c) and the rounds (evaluator.c) share. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_INTERNAL_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_INTERNAL_H

#include "coordinator/evaluate/evaluator.h"
#include "worker/objectives/command/command.h"
#include "worker/objectives/train/trainer.h"

struct nas_evaluator {
    nas_comm_t *world; /**< borrowed, as is the heartbeat */
    nas_heartbeat_t *heartbeat;
    nas_evaluate_parameters_t parameters;
    char *output; /**< of the run: beside it lie the candidates' files */
    char *job_folder;
    int n_teams;
    int my_team;      /**< -1: none */
    nas_comm_t *team; /**< NULL: none */
    int team_size;
    /* TRAIN */
    nas_trainer_t *trainer;
    nas_dataset_t images; /**< on ranks other than 0, which has its own */
    /* COMMAND */
    nas_strings_t argument;
    nas_strings_t column;
    nas_command_t command;
};

#endif
