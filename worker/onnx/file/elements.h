/* The elements of an array of an ONNX file: in the model's own bytes, or in a file beside it. */
#ifndef NAS_WORKER_ONNX_FILE_ELEMENTS_H
#define NAS_WORKER_ONNX_FILE_ELEMENTS_H

#include "worker/onnx/file/file.h"

/** Find the elements of an array, and check that they are as many as its shape says.  Not
 *  collective. External ones are read into the file's memory, once. Such a file is one that lies in
 *  the model's folder or below it, wherever links in it lead; path: relative, without "..".
 *  NAS_EINPUT, naming the array: they are not there, too few or too many, or of a type that is not
 *  read. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_onnx_elements_find(nas_onnx_file_t *file, nas_onnx_array_t *array,
                                    nas_error_t *err);

/** Whether elements of this type are real numbers (float, double), or whole ones. */
bool nas_onnx_type_is_real(int type);
bool nas_onnx_type_is_whole(int type);

/** Element number i, 0 <= i < n, of real numbers that were found. */
double nas_onnx_element(const nas_onnx_array_t *array, int64_t i);

/** All elements of whole numbers that were found.  value [out] array->n. */
nas_status_t nas_onnx_elements_whole(const nas_onnx_file_t *file, const nas_onnx_array_t *array,
                                     int64_t *value, nas_error_t *err);

#endif
