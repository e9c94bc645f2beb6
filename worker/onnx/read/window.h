/* Windows of convolutions and pools. */
#ifndef NAS_WORKER_ONNX_READ_WINDOW_H
#define NAS_WORKER_ONNX_READ_WINDOW_H

#include "worker/onnx/read/maker.h"

/** The window of a node over an image: kernel_shape (or `kernel`, where that is not given), strides,
 *  dilations, and pads or auto_pad.
 *  e [in] of the image. NAS_EINPUT: not one of two dimensions, or it does not fit on the image. */
nas_status_t nas_onnx_window(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_extents_t e,
                             const int64_t *kernel, nas_window_t *window);

/** Zeros around an image, where it is nothing but the builder's tensor with zeros around it: added
 *  to a window's padding, which is over zeros, too. False: it is cut. */
bool nas_onnx_take_padding(const nas_onnx_value_t *value, nas_window_t *window);

#endif
