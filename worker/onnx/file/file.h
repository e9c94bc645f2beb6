/* An ONNX file as plain data: nodes, initialisers, inputs and outputs. What is in it is checked as
 * far as it can be without knowing operations.
 *
 * Values that go from node to node are numbers here, of texts in `symbols`; so are names. The
 * elements of arrays stay where they are, in the file's bytes or in a file beside it (elements.h).
 */
#ifndef NAS_WORKER_ONNX_FILE_FILE_H
#define NAS_WORKER_ONNX_FILE_FILE_H

#include "common/base/error.h"
#include "worker/onnx/file/symbols.h"
#include "worker/onnx/file/wire.h"
#include "worker/onnx/onnx_memory.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAS_ONNX_MAX_RANK = 8 };

/** Of elements, by ONNX's numbers (TensorProto.DataType): those that are read. */
typedef enum nas_onnx_type {
    NAS_ONNX_FLOAT = 1,
    NAS_ONNX_INT32 = 6,
    NAS_ONNX_INT64 = 7,
    NAS_ONNX_BOOL = 9,
    NAS_ONNX_DOUBLE = 11
} nas_onnx_type_t;

/** Shape of an array or value. */
typedef struct nas_onnx_shape {
    int rank;
    int64_t dim[NAS_ONNX_MAX_RANK]; /**< of a value, -1: free */
} nas_onnx_shape_t;

/** Where an array's elements are, if not in the model. */
typedef struct nas_onnx_external {
    const char *location; /**< path from the model's folder; NULL: in the model */
    int64_t offset;
    int64_t length; /**< -1: as many bytes as the shape says */
} nas_onnx_external_t;

/** An array of numbers. */
typedef struct nas_onnx_array {
    int index;        /**< among all arrays of the file */
    const char *name; /**< "": none */
    int type;         /**< nas_onnx_type_t, or another */
    nas_onnx_shape_t shape;
    int64_t n; /**< elements */
    nas_wire_bytes_t data;
    bool is_packed; /**< data are varints, one an element; else little-endian, in the type's size */
    nas_onnx_external_t external;
} nas_onnx_array_t;

/** An attribute of a node: what of these it was given. */
typedef struct nas_onnx_attribute {
    const char *name;
    bool has_f, has_i, has_s, has_t;
    float f;
    int64_t i;
    nas_wire_bytes_t s;
    int64_t *ints;
    size_t n_ints;
    float *floats;
    size_t n_floats;
    nas_onnx_array_t *t;
} nas_onnx_attribute_t;

typedef struct nas_onnx_op {
    const char *name; /**< its name, or else that of its first output, or its number */
    const char *type; /**< like "Conv" */
    const char *domain;
    int *input; /**< [n_inputs] values; -1: left out */
    int n_inputs;
    int *output; /**< [n_outputs] likewise */
    int n_outputs;
    nas_onnx_attribute_t *attribute;
    int n_attributes;
} nas_onnx_op_t;

/** A declared input or output. */
typedef struct nas_onnx_declared {
    int value;
    int type; /**< of its elements; 0: not said */
    bool has_shape;
    nas_onnx_shape_t shape;
} nas_onnx_declared_t;

/** Zero-initialise; end with nas_onnx_file_fini. */
typedef struct nas_onnx_file {
    const char *path; /**< borrowed */
    char *bytes;      /**< all of it; arrays and attributes point into it */
    size_t size;
    nas_onnx_memory_t memory; /**< of everything else */
    nas_symbols_t symbols;
    nas_onnx_op_t *op;
    int n_ops;
    nas_onnx_array_t **initialiser;
    int n_initialisers;
    int n_arrays; /**< initialisers, and those in attributes */
    nas_onnx_declared_t *input;
    int n_inputs;
    nas_onnx_declared_t *output;
    int n_outputs;
    int64_t opset;    /**< of ONNX's own operations; 0: none */
    int n_references; /**< inputs and outputs of all nodes */
} nas_onnx_file_t;

/** Read a file.  Not collective. At most 2 GiB, 65,536 nodes, and as many arrays.
 *  path: kept, borrowed.
 *  NAS_EINPUT, naming path and where in it: it cannot be read, it is no ONNX model, or one beyond
 *  these limits. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_onnx_file_read(nas_onnx_file_t *file, const char *path, nas_error_t *err);

/** As nas_onnx_file_read, of bytes that are in memory and become the file's (free), whatever
 *  happens. */
nas_status_t nas_onnx_file_decode(nas_onnx_file_t *file, char *bytes, size_t size,
                                  nas_error_t *err);

void nas_onnx_file_fini(nas_onnx_file_t *file);

#endif
