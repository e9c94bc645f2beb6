/* One pass of a convolution by oneDNN, made once and run many times. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_PRIMITIVE_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_PRIMITIVE_H

#include "worker/engine/backends/cpu/kernels.h"

typedef enum nas_pass {
    NAS_PASS_FORWARD = 0,
    NAS_PASS_BACKWARD_DATA,
    NAS_PASS_BACKWARD_WEIGHTS,
    NAS_PASS_COUNT /**< their number, no pass */
} nas_pass_t;

/** What a pass is made for. The shape's channels, those of each group, are whole blocks of `lanes`,
 *  those of images as many planes as they have. */
typedef struct nas_primitive_spec {
    nas_conv_shape_t shape;
    nas_pass_t pass;
    int lanes;   /**< 16 or 8 */
    bool planes; /**< the input is [N, C, H, W], not blocked */
} nas_primitive_spec_t;

typedef struct nas_primitive nas_primitive_t;

/** Confine oneDNN to an instruction set and one thread, the calling one's OpenMP setting included.
 *  Before anything else; once a process.  Not collective. */
void nas_primitive_setup(nas_isa_t isa);

/** Make a pass.  Not collective.
 *  primitive_p [out]: NULL where oneDNN has no optimised kernel.  NAS_ENOMEM. */
nas_status_t nas_primitive_create(const nas_primitive_spec_t *spec, nas_primitive_t **primitive_p,
                                  nas_error_t *err);
void nas_primitive_destroy(nas_primitive_t *primitive);

/** How it reads or, backward_weights, writes weights.  Not collective. */
nas_filter_layout_t nas_primitive_filter_layout(const nas_primitive_t *primitive);

size_t nas_primitive_scratch_bytes(const nas_primitive_t *primitive);

/** Run it.  Not collective.
 *  x, y: inputs and outputs, or their gradients; which of x, y and weights is written, the pass
 *  says. scratch: 64-byte aligned. */
typedef struct nas_primitive_operands {
    const void *x;
    const void *y;
    const void *weights;
    void *scratch;
} nas_primitive_operands_t;
void nas_primitive_run(const nas_primitive_t *primitive, nas_primitive_operands_t operands);

#endif
