/* An architecture of a scorer's pack: its graph, its programs, and what they found. */
#ifndef NAS_WORKER_ENGINE_SCORER_MEMBER_H
#define NAS_WORKER_ENGINE_SCORER_MEMBER_H

#include "worker/engine/metrics/runs.h"
#include "worker/engine/scorer.h"

/** The most tasks of an architecture. */
enum { NAS_SCORER_TASKS = NAS_N_RUNS * NAS_RUNS_MOST };

/** What all of a scorer's members have in common. */
typedef struct nas_scorer_plan {
    nas_scorer_options_t options;
    nas_runs_t runs[NAS_N_RUNS]; /**< [n_runs] a program of each member each */
    int n_runs;
    nas_runs_images_t images[NAS_N_RUNS]; /**< [n_runs] */
    bool reads_parameters;                /**< a metric does */
} nas_scorer_plan_t;

/** Zero-initialise it; it is used again after nas_scorer_member_clear. */
typedef struct nas_scorer_member {
    nas_fresh_network_t own;  /**< its graph is NULL where the caller's is measured */
    const nas_graph_t *graph; /**< NULL: there is none */
    const double *parameters; /**< NULL: the engine draws them */
    nas_engine_draw_t draw;
    char *name;   /**< that keys the draw of an engine; owned */
    double *room; /**< [n_room] for parameters that are drawn here; owned */
    int64_t n_room;
    double *scaled; /**< parameters of NAS_RUNS_CHANGE, where there are such runs; owned */
    nas_program_t *program[NAS_N_RUNS]; /**< [n_programs] of the plan's runs; all, or it failed */
    int n_programs;
    int n_tasks;                                   /**< runs of all programs */
    nas_program_values_t values[NAS_SCORER_TASKS]; /**< [n_tasks] the engine's, or `kept` */
    double *kept;                                  /**< copies of values; owned */
    nas_scorer_result_t result;
} nas_scorer_member_t;

/** What these options come to.  NAS_ENOMEM.
 *  plan [out], ended with nas_scorer_plan_fini. */
nas_status_t nas_scorer_plan_init(nas_scorer_plan_t *plan, const nas_scorer_options_t *options,
                                  nas_error_t *err);
void nas_scorer_plan_fini(nas_scorer_plan_t *plan);

/** Make it of an architecture, by its number among the networks; a failure is its result. */
void nas_scorer_member_build(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                             int64_t number);

/** Make it of a graph with parameters, both borrowed until it is cleared. */
void nas_scorer_member_take(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                            const nas_graph_t *graph, const double *parameters);

/** The engine's tasks for it; returns their number. task [out] NAS_SCORER_TASKS. */
int nas_scorer_member_tasks(const nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                            nas_engine_task_t *task);

/** Take what came of its tasks: values, or the first failure.
 *  result [in] of each task. */
void nas_scorer_member_settle(nas_scorer_member_t *member, const nas_engine_result_t *result);

/** Copy its values out of the engine.  NAS_ENOMEM: they are the engine's still. */
nas_status_t nas_scorer_member_keep(nas_scorer_member_t *member, const nas_scorer_plan_t *plan);

/** Work its metrics out, where nothing failed; parameters that the engine has drawn are drawn here,
 *  too, where a metric reads them. value [out] n_metric. */
void nas_scorer_member_evaluate(nas_scorer_member_t *member, const nas_scorer_plan_t *plan,
                                double *value);

/** Free all but the room for parameters. */
void nas_scorer_member_clear(nas_scorer_member_t *member);
void nas_scorer_member_fini(nas_scorer_member_t *member);

#endif
