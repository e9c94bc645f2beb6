/* Arrays whose elements are in a file beside the model. */
#ifndef NAS_WORKER_ONNX_FILE_EXTERNAL_H
#define NAS_WORKER_ONNX_FILE_EXTERNAL_H

#include "worker/onnx/file/file.h"

/** Read the n_bytes that an array's shape takes into the file's memory, as its data.  Not
 *  collective.
 *  NAS_EINPUT: the place is not in the model's folder, or is no file that holds them; its length is
 *  another. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_onnx_external_read(nas_onnx_file_t *file, nas_onnx_array_t *array, size_t n_bytes,
                                    nas_error_t *err);

#endif
