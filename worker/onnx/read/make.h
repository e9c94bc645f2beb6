/* A graph of a file. */
#ifndef NAS_WORKER_ONNX_READ_MAKE_H
#define NAS_WORKER_ONNX_READ_MAKE_H

#include "worker/engine/graph/graph.h"
#include "worker/onnx/read/maker.h"

/** Prepare a maker: what leads to the output, initialisers, constants.  Not collective.
 *  m [in,out] zero but for file, err and network, in which 0 is what is not known, and is then.
 *  NAS_EINPUT, NAS_EIO, NAS_ENOMEM as of nas_onnx_read. */
nas_status_t nas_onnx_prepare(nas_onnx_maker_t *m);

/** Make the graph.  Not collective.
 *  graph_p [out] the caller's; m has the sources of its parameters and statistics then. */
nas_status_t nas_onnx_make_graph(nas_onnx_maker_t *m, nas_graph_t **graph_p);

#endif
