/* What setting up (judging_setup.c) and the rounds (judging.c) share. */
#ifndef NAS_COORDINATOR_JUDGING_INTERNAL_H
#define NAS_COORDINATOR_JUDGING_INTERNAL_H

#include "coordinator/judging.h"
#include "coordinator/judging_plan.h"
#include "worker/command/command.h"
#include "worker/train/trainer.h"

struct nas_judging {
    nas_comm_t *world;      /**< borrowed, as are session and pulse */
    nas_session_t *session; /**< rank 0 */
    nas_pulse_t *pulse;
    nas_judging_plan_t plan;
    char *output; /**< of the run: beside it lie the candidates' files */
    char *job_folder;
    int n_teams;
    int my_team;      /**< -1: none */
    nas_comm_t *team; /**< NULL: none */
    int team_size;
    /* TRAIN */
    nas_trainer_t *trainer;
    nas_dataset_t images; /**< on ranks other than 0, which lends the session's */
    /* COMMAND */
    nas_strings_t argument;
    nas_strings_t column;
    nas_command_t command;
};

#endif
