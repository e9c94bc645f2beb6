/* A network from an ONNX file: what its nodes are by what they read, and which calls on a builder
 * (common/space/builder.h) make them.
 *
 * Nodes are looked at in the file's order, those alone that lead to the output, each by the function
 * of its operation (operations.h). What a node makes is a value: a tensor of the network, or
 * numbers that are known now, since exporters write arithmetic on shapes into the file. The number
 * of images is not known and stands as NAS_ONNX_BATCH in shapes.
 *
 * A tensor that is cut or padded with zeros stays what it is, and a place in it, until somebody
 * reads it: a convolution takes zeros around it as its own padding, for all others a crop is made.
 */
#ifndef NAS_WORKER_ONNX_READ_MAKER_H
#define NAS_WORKER_ONNX_READ_MAKER_H

#include "common/space/builder.h"
#include "common/space/network.h"
#include "worker/onnx/file/file.h"

/** The number of images in shapes, and in what is made of them. */
#define NAS_ONNX_BATCH INT64_MIN

typedef enum nas_onnx_kind {
    NAS_ONNX_NOTHING = 0, /**< not made */
    NAS_ONNX_DATA,        /**< of the images: [N, C, H, W] or [N, C] */
    NAS_ONNX_WHOLE,       /**< integers */
    NAS_ONNX_REAL         /**< floats: a weight, or a constant */
} nas_onnx_kind_t;

/** What a node makes, or an initialiser is. */
typedef struct nas_onnx_value {
    nas_onnx_kind_t kind;
    nas_onnx_shape_t shape; /**< of DATA, the first is NAS_ONNX_BATCH */

    int tensor;         /**< DATA: the builder's; -1: nobody will read it */
    nas_extents_t base; /**< DATA: of that tensor */
    int top, left;      /**< DATA: its pixel at the corner; may be negative */
    const char *cut_by; /**< DATA: name of the node that cut or padded it last; NULL: none */

    int64_t *whole; /**< WHOLE */

    nas_onnx_array_t *array;           /**< REAL: its elements are of this, */
    int64_t stride[NAS_ONNX_MAX_RANK]; /**< REAL: with these distances, all 0: one for all */
    bool is_constant;                  /**< REAL: of a node Constant or ConstantOfShape */
} nas_onnx_value_t;

/** First user of an array as a weight. */
typedef struct nas_onnx_weight {
    int shares; /**< 1 + the tensor of the layer; 0: none yet */
    nas_onnx_value_t value;
} nas_onnx_weight_t;

/** The maker's state. Arrays live in the file's memory. */
typedef struct nas_onnx_maker {
    nas_onnx_file_t *file;
    nas_builder_t *b;
    nas_error_t *err;
    nas_network_t network;   /**< extents of the images; classes 0: as the file has them */
    int64_t batch;           /**< that the file says, which exporters copy into shapes; -1: none */
    nas_onnx_value_t *value; /**< [symbols] */
    int *producer;           /**< [symbols] node that makes it, or -1 */
    int *n_readers;          /**< [symbols] inputs of live nodes that are it, and the output */
    int *reader;             /**< [symbols] the last of these nodes, or -1 */
    bool *is_live;           /**< [n_ops] leads to the output */
    bool *is_done;           /**< [n_ops] made of constants alone, and made */
    bool *is_absorbed;       /**< [n_ops] a sum with a bias that the layer before has */
    bool *is_needless;       /**< [n_ops] only its shape is read */
    int *made;               /**< [n_ops] tensor that it has made; -1: none */
    int images;              /**< the builder's tensor of them */
    int n_tensors;           /**< 1 + the last tensor of the builder */
    nas_onnx_weight_t *weight;   /**< [n_arrays] */
    nas_onnx_value_t *parameter; /**< what the graph's parameters are in the file: of kind REAL, in
                                      the graph's order, each in the order of its elements */
    int n_parameters;
    nas_onnx_value_t *statistics; /**< means and variances of every norm, in turn */
    int n_statistics;
    int *rectified; /**< [n_rectified] 1 + the tensor that is that one's ReLU (2 t) or ReLU6 */
    int n_rectified;
    nas_symbols_t names;         /**< that the graph has */
    int64_t n_whole;             /**< integers that were worked out */
    int n_classes;               /**< of the output, once it is made */
    const nas_onnx_op_t *failed; /**< the node that the builder refused; NULL: none */
} nas_onnx_maker_t;

/* ------------------------------------------------------------------------------------ errors */

/** "FILE: node NAME: TYPE: " and a reason; op NULL: of the file. NAS_EINPUT. */
nas_status_t nas_onnx_refuse(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** That it cannot be computed, and what can be. NAS_EINPUT. */
nas_status_t nas_onnx_refuse_operation(nas_onnx_maker_t *m, const nas_onnx_op_t *op);

nas_status_t nas_onnx_no_memory(nas_onnx_maker_t *m);

/* -------------------------------------------------------------------------------- attributes */

/** The attribute of this name, or NULL. */
const nas_onnx_attribute_t *nas_onnx_find(const nas_onnx_op_t *op, const char *name);

/** Its integer, float (as its shortest decimal), or text; otherwise, where it is not there. */
int64_t nas_onnx_integer(const nas_onnx_op_t *op, const char *name, int64_t otherwise);
double nas_onnx_float(const nas_onnx_op_t *op, const char *name, double otherwise);
bool nas_onnx_text_is(const nas_onnx_op_t *op, const char *name, const char *text);

/** A list of integers that is an attribute in some versions and an input in others. */
typedef struct nas_onnx_list {
    const int64_t *at; /**< NULL: it is not there */
    int n;
} nas_onnx_list_t;

/** The list: the attribute of this name, or input number i; i < 0: attribute alone.
 *  NAS_EINPUT: the input is not known now. */
nas_status_t nas_onnx_integers(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *name,
                               int i, nas_onnx_list_t *list);

/** A number likewise; `otherwise` where it is not there. */
nas_status_t nas_onnx_number(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *name, int i,
                             double *number);

/* ------------------------------------------------------------------------------------ values */

/** Input number i of a node, or NULL where it is left out. Output 0, to be written. */
const nas_onnx_value_t *nas_onnx_input(const nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i);
nas_onnx_value_t *nas_onnx_output(const nas_onnx_maker_t *m, const nas_onnx_op_t *op);

/** Input number i of kind DATA, of this rank (0: any).  NAS_EINPUT: it is not. */
nas_status_t nas_onnx_data(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int i, int rank,
                           const nas_onnx_value_t **value_p);

/** The builder's tensor of a value of kind DATA, cut where it is to be. -1: nobody reads it, or the
 *  builder refuses. */
int nas_onnx_tensor(nas_onnx_maker_t *m, const nas_onnx_value_t *value);

/** Write what a node makes: a tensor of the builder, as [N, C, H, W] or (rank 2) [N, C].  Where the
 *  builder refused it, the node is noted. */
nas_status_t nas_onnx_give(nas_onnx_maker_t *m, const nas_onnx_op_t *op, int tensor, int rank);

/** Extents of an image of kind DATA. */
nas_extents_t nas_onnx_extents(const nas_onnx_value_t *value);

/** Whether a size is that of the batch: not known, or what the file happens to say. */
bool nas_onnx_is_batch(const nas_onnx_maker_t *m, int64_t dim);

/** A value of kind REAL of a whole array. */
nas_onnx_value_t nas_onnx_real(nas_onnx_array_t *array, bool is_constant);

/** Whether all elements of a value of kind REAL are x. */
nas_status_t nas_onnx_is_all(nas_onnx_maker_t *m, const nas_onnx_value_t *value, double x,
                             bool *is_all);

/** Room for n integers of a value of kind WHOLE and this shape, to be written.
 *  NAS_EINPUT: too many. */
nas_status_t nas_onnx_take_whole(nas_onnx_maker_t *m, const nas_onnx_op_t *op,
                                 const nas_onnx_shape_t *shape, nas_onnx_value_t *value);

/** Elements of a shape that has no batch in it; -1: it has, or too many. */
int64_t nas_onnx_count(const nas_onnx_shape_t *shape);

/** To the next element of a shape, the last axis first. */
void nas_onnx_step(const nas_onnx_shape_t *shape, int64_t index[NAS_ONNX_MAX_RANK]);

/** An axis of this rank, negative ones from the end; -1: none such. */
int nas_onnx_axis(int64_t axis, int rank);

/** A name for a node of the graph that none has yet, nor will by what is derived of it. */
const char *nas_onnx_name(nas_onnx_maker_t *m, const char *name);

#endif
