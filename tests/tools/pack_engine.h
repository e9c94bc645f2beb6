/* An engine that takes packs as those of devices do, and fails as they may: in front of one of the
 * host, which computes when it is finished. */
#ifndef NAS_TESTS_TOOLS_PACK_ENGINE_H
#define NAS_TESTS_TOOLS_PACK_ENGINE_H

#include "worker/engine/engine.h"

/** How it behaves; may be changed at any time. */
typedef struct nas_pack_engine {
    nas_engine_t engine; /**< whose fields but the functions may be changed, too */
    nas_engine_t *host;
    int most_tasks;        /**< it has memory for, together; 0: any number */
    size_t most_bytes;     /**< of vectors of one program, above which there is no memory for it; 0:
                                any */
    int n_starts_left;     /**< before the device is lost; negative: never */
    bool is_lost_at_start; /**< where it is: else when it is finished */
    int n_starts;          /**< so far, refused ones included */
    nas_engine_task_t *task;
    double **drawn;                    /**< [n] parameters of tasks; NULL: given */
    int n;                             /**< under way */
    const nas_engine_result_t *result; /**< of the n_results before */
    int n_results;
} nas_pack_engine_t;

/** Around a host engine, which it then owns; width 8.  NULL where memory is out. End it by its
 *  engine. */
nas_pack_engine_t *nas_pack_engine_create(nas_engine_t *host);

#endif
