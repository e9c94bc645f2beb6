/* An architecture of a scorer's pack: its graph, its programs, and what they found. */
#ifndef NAS_WORKER_ENGINE_SCORER_MEMBER_H
#define NAS_WORKER_ENGINE_SCORER_MEMBER_H

#include "worker/engine/scorer.h"

/** The programs of an architecture: of the batch, of the flow, or both. */
enum { NAS_SCORER_PROGRAMS = 2 };

/** Zero-initialise it; it is used again after nas_scorer_member_clear. */
typedef struct nas_scorer_member {
    nas_fresh_network_t own;  /**< its graph is NULL where the caller's is measured */
    const nas_graph_t *graph; /**< NULL: there is none */
    const double *parameters; /**< NULL: the engine draws them */
    nas_engine_draw_t draw;
    char *name;   /**< that keys the draw of an engine; owned */
    double *room; /**< [n_room] for parameters that are drawn here; owned */
    int64_t n_room;
    nas_program_t *program[NAS_SCORER_PROGRAMS];
    int n_programs;
    nas_program_values_t values[NAS_SCORER_PROGRAMS]; /**< the engine's, or `kept` */
    double *kept;                                     /**< copies of values; owned */
    nas_scorer_result_t result;
} nas_scorer_member_t;

/** What the metrics of a scorer need. */
typedef struct nas_scorer_needs {
    unsigned of_batch; /**< nas_need_t bits, without FLOW */
    bool of_flow;
    bool of_parameters;
} nas_scorer_needs_t;

nas_scorer_needs_t nas_scorer_needs(const nas_scorer_options_t *options);

/** Make it of an architecture, by its number among the networks; a failure is its result. */
void nas_scorer_member_build(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                             int64_t number);

/** Make it of a graph with parameters, both borrowed until it is cleared. */
void nas_scorer_member_take(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                            const nas_graph_t *graph, const double *parameters);

/** The engine's tasks for it; returns their number. task [out] NAS_SCORER_PROGRAMS. */
int nas_scorer_member_tasks(const nas_scorer_member_t *member, const nas_scorer_options_t *options,
                            nas_engine_task_t *task);

/** Take what came of its tasks: values, or the first failure.
 *  result [in] of each task. */
void nas_scorer_member_settle(nas_scorer_member_t *member, const nas_engine_result_t *result);

/** Copy its values out of the engine.  NAS_ENOMEM: they are the engine's still. */
nas_status_t nas_scorer_member_keep(nas_scorer_member_t *member);

/** Work its metrics out, where nothing failed; parameters that the engine has drawn are drawn here,
 *  too, where a metric reads them. value [out] n_metric. */
void nas_scorer_member_evaluate(nas_scorer_member_t *member, const nas_scorer_options_t *options,
                                double *value);

/** Free all but the room for parameters. */
void nas_scorer_member_clear(nas_scorer_member_t *member);
void nas_scorer_member_fini(nas_scorer_member_t *member);

#endif
