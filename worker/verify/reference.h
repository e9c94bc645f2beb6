/* Reference files: a network with its parameters and a batch, and the values that must come out, or
 * the losses of a training, or both. scripts/make_references.py writes them and says by which
 * definitions.
 *
 * HDF5 layout, dimension letters as in backend.h:
 *   attributes         arch (native name), channels, cells (per stage), classes, convention
 *   input/images       float [N, C, H, W], normalised; input/labels integer [N]
 *   weights/NAME       every parameter of the network, named as builder.h says
 *   expected/logits    float [N, classes]; expected/loss
 *   expected/METRIC    any metrics of metric.h
 *   expected/gradients/NAME   optional: of the loss, by any parameters
 *   expected/input_gradient   optional: of the sum of the logits, [N, C, H, W]
 *
 * A file of these with expected/losses is a training instead: S steps of N images each, in their
 * order, from the weights in the file; gradient descent with Nesterov momentum 0.9, weight decay
 * 0.0005 on every parameter, and a rate that falls from 0.1 to 0 as half a cosine.
 *   attributes         as above, and batch: N; convention is train
 *   input/images       float [S N, C, H, W], normalised; input/labels integer [S N]. Without them,
 *                      the first images of a CIFAR-10 file that the caller names, normalised by
 *                      means 0.4914, 0.4822, 0.4465 and deviations 0.2470, 0.2435, 0.2616, and
 *                      their labels modulo the classes. Where H or W is below 32 they are cut, from
 *                      the first pixel on; where it is a multiple of 32 pixels are repeated
 *   weights/NAME       as above
 *   expected/losses    float [S], of each step's batch before the step
 *
 * X.h5 without the attribute arch is of the network in X.onnx beside it, whose parameters are the
 * file's. It has values, and a training besides if it has losses:
 *   attributes         model (what the network is called), classes
 *   input/             of the values, as above
 *   expected/          as above; NAME of a gradient is that of the parameter's initialiser
 *   expected/losses    optional: a training as above from the same parameters, of batches of N; its
 *                      images are CIFAR-10's, and where the caller names no file it is left out
 * Where a space is to build the network, model is SPACE:ARCHITECTURE/CHANNELS, and /CELLS besides
 * where the space's networks have a depth, as transnas-micro:64-41414-1_02_333/16. Parameters are
 * those of the ONNX file, whose shapes must be the space's, one after the other.
 */
#ifndef NAS_WORKER_VERIFY_REFERENCE_H
#define NAS_WORKER_VERIFY_REFERENCE_H

#include "common/space/arch.h"
#include "worker/data/images.h"
#include "worker/engine/graph/graph.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of the longest name of a parameter, with its NUL; a network with longer ones is
 *  refused. */
enum { NAS_REFERENCE_NAME_SIZE = 96 };

/** Values of one network. Arrays are owned, and NULL where a reference has none of such; end with
 *  nas_reference_values_fini. */
typedef struct nas_reference_values {
    double *logits; /**< [N, classes] */
    double loss;
    double *metric;         /**< in the order of nas_metric_list */
    double *gradient;       /**< [graph->n_values], laid out as the parameters */
    double *input_gradient; /**< [N, C, H, W] */
    double *losses;         /**< [S] of the training */
    unsigned lacks; /**< nas_need_t bits: no values of metrics that need them, which the engine that
                         was asked has no kernels for */
} nas_reference_values_t;

/** A reference file in memory. Zero-initialise; end with nas_reference_fini. */
typedef struct nas_reference {
    nas_arch_t arch;          /**< its space is NULL where the network is an ONNX file's */
    char *model;              /**< what such a network is called; else NULL */
    const nas_space_t *space; /**< that built such a network; NULL: it is as the ONNX file says */
    nas_graph_t *graph;
    double *parameters;  /**< [graph->n_values] */
    char **initialiser;  /**< [n_parameters] their names in the ONNX file, and NULL; else NULL */
    int batch;           /**< N */
    nas_images_t input;  /**< the batch that has values; none: there is a training alone */
    int n_steps;         /**< S of the training; 0: there is none */
    nas_images_t course; /**< its S N images */
    int n_left_out;      /**< steps of a training whose images were not named */
    nas_reference_values_t expected;
    bool *has_metric;   /**< [n metrics] which values the file has */
    bool *has_gradient; /**< [n_parameters] */
    bool has_input_gradient;
} nas_reference_t;

/** Read a file, and the ONNX file beside it where it is of such.  Not collective; forks
 *  (untrusted_hdf5.h). Memory: its arrays, and as much again for a moment.
 *  cifar [in] a CIFAR-10 file for a training without images, read only for such; NULL:
 *  none;
 *  space [in] that builds the networks of ONNX files; NULL: they are as those say;
 *  reference [out] the caller's.
 *  NAS_EINPUT, naming file and place: missing, damaged, a part absent, of another shape or out of
 *  range; images that are nowhere; what the space does not build. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reference_read(const char *path, const char *cifar, const nas_space_t *space,
                                nas_reference_t *reference, nas_error_t *err);

/** Write a file of this network and batch with these values in place of the expected ones; the same
 *  kinds of value are in it, and no ONNX file is written.  Not collective. Replaces path as a whole.
 *  NAS_EINPUT, NAS_EIO (see nas_file_replace). NAS_ENOMEM. */
nas_status_t nas_reference_write(const char *path, const nas_reference_t *reference,
                                 const nas_reference_values_t *values, nas_error_t *err);

/** Room for all values that a reference has, zero.
 *  Not collective.
 *  values [out] the caller's.
 *  NAS_ENOMEM. */
nas_status_t nas_reference_values_init(const nas_reference_t *reference,
                                       nas_reference_values_t *values, nas_error_t *err);

/** Values of the images of a batch: N C H W. */
size_t nas_reference_n_pixels(const nas_reference_t *reference);

/** What the network is called: its architecture's native name, or what the file says. Borrowed. */
const char *nas_reference_name(const nas_reference_t *reference);

/** What the files call a parameter. Borrowed. */
const char *nas_reference_parameter_name(const nas_reference_t *reference, int parameter);

/** Whether there are values of a batch. */
bool nas_reference_has_values(const nas_reference_t *reference);

void nas_reference_values_fini(nas_reference_values_t *values);
void nas_reference_fini(nas_reference_t *reference);

#endif
