/* Writing a reference: an HDF5 file made in memory, then put in place as a whole. */
#include "common/io/file.h"
#include "common/state/h5.h"
#include "worker/engine/metrics/metric.h"
#include "worker/verify/reference_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* A file under construction. */
typedef struct writer {
    hid_t file;
    hid_t links;    /* groups are made on the way to a dataset */
    hid_t creation; /* no times: equal content gives equal bytes */
    const nas_reference_t *reference;
} writer_t;

/* An array to write: in memory, in the file. */
typedef struct array {
    hid_t memory;
    hid_t stored;
    nas_reference_shape_t shape;
    const void *data;
} array_t;

static nas_status_t write_array(const writer_t *writer, const char *folder, const char *name,
                                const array_t *array, nas_error_t *err)
{
    char path[NAS_REFERENCE_NAME_SIZE + 32];
    hsize_t size[4];
    for (int i = 0; i < array->shape.rank; i++) size[i] = (hsize_t)array->shape.size[i];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const hid_t space = array->shape.rank == 0 ? H5Screate(H5S_SCALAR)
                                               : H5Screate_simple(array->shape.rank, size, NULL);
    const hid_t id = H5Dcreate2(writer->file, path, array->stored, space, writer->links,
                                writer->creation, H5P_DEFAULT);
    const bool written =
        id >= 0 && H5Dwrite(id, array->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->data) >= 0;
    if (id >= 0) (void)H5Dclose(id);
    (void)H5Sclose(space);
    return written ? NAS_OK : nas_error_nomem(err, path);
}

static array_t doubles(nas_reference_shape_t shape, const double *data)
{
    return (array_t){H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, shape, data};
}

/* An attribute of a file. */
typedef struct attribute {
    const char *name;
    nas_h5_type_t type;
    const void *value;
} attribute_t;

static nas_status_t write_list(const writer_t *writer, const attribute_t *attribute, size_t n,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < n; i++)
        status = nas_h5_write_attribute(writer->file, attribute[i].name, attribute[i].type,
                                        attribute[i].value, err);
    return status;
}

static nas_status_t write_attributes(const writer_t *writer, nas_error_t *err)
{
    const nas_reference_t *reference = writer->reference;
    const nas_network_t *net = &reference->graph->network;
    const char *name = nas_reference_name(reference);
    const char *convention = net->convention == NAS_CONVENTION_SCORE ? "score" : "train";
    const attribute_t of_model[] = {{"model", NAS_H5_TEXT, &name},
                                    {"classes", NAS_H5_I32, &net->classes}};
    const attribute_t of_arch[] = {{"arch", NAS_H5_TEXT, &name},
                                   {"channels", NAS_H5_I32, &net->channels},
                                   {"cells", NAS_H5_I32, &net->cells},
                                   {"classes", NAS_H5_I32, &net->classes},
                                   {"convention", NAS_H5_TEXT, &convention},
                                   {"batch", NAS_H5_I32, &reference->batch}};
    const size_t n = sizeof of_arch / sizeof *of_arch;
    if (reference->model)
        return write_list(writer, of_model, sizeof of_model / sizeof *of_model, err);
    return write_list(writer, of_arch, nas_reference_has_values(reference) ? n - 1 : n, err);
}

static nas_status_t write_input(const writer_t *writer, nas_error_t *err)
{
    const nas_reference_t *reference = writer->reference;
    const nas_images_t *from =
        nas_reference_has_values(reference) ? &reference->input : &reference->course;
    const array_t images = {H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, nas_reference_images_shape(from),
                            from->data};
    const array_t labels = {H5T_NATIVE_INT32, H5T_STD_I64LE, {1, {from->n}}, from->labels};
    nas_status_t status = write_array(writer, "input", "images", &images, err);
    if (!status) status = write_array(writer, "input", "labels", &labels, err);
    return status;
}

static nas_status_t write_parameters(const writer_t *writer, nas_error_t *err)
{
    const nas_graph_t *graph = writer->reference->graph;
    nas_status_t status = NAS_OK;
    if (writer->reference->model) return NAS_OK; /* the ONNX file has them */
    for (int i = 0; !status && i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        const array_t weight = {H5T_NATIVE_DOUBLE, H5T_IEEE_F32LE,
                                nas_reference_parameter_shape(parameter),
                                writer->reference->parameters + parameter->offset};
        status = write_array(writer, "weights", nas_reference_parameter_name(writer->reference, i),
                             &weight, err);
    }
    return status;
}

static nas_status_t write_gradients(const writer_t *writer, const nas_reference_values_t *values,
                                    nas_error_t *err)
{
    const nas_graph_t *graph = writer->reference->graph;
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        if (!writer->reference->has_gradient[i]) continue;
        const array_t gradient =
            doubles(nas_reference_parameter_shape(parameter), values->gradient + parameter->offset);
        status = write_array(writer, "expected/gradients",
                             nas_reference_parameter_name(writer->reference, i), &gradient, err);
    }
    return status;
}

static nas_status_t write_metrics(const writer_t *writer, const nas_reference_values_t *values,
                                  nas_error_t *err)
{
    int n_metrics;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < n_metrics; i++) {
        const array_t number = doubles((nas_reference_shape_t){0}, &values->metric[i]);
        if (writer->reference->has_metric[i] && !(metric[i]->needs & values->lacks))
            status = write_array(writer, "expected", metric[i]->name, &number, err);
    }
    return status;
}

static nas_status_t write_outputs(const writer_t *writer, const nas_reference_values_t *values,
                                  nas_error_t *err)
{
    const nas_reference_t *reference = writer->reference;
    const array_t loss = doubles((nas_reference_shape_t){0}, &values->loss);
    const array_t logits = doubles(nas_reference_logits_shape(reference), values->logits);
    const array_t input =
        doubles(nas_reference_images_shape(&reference->input), values->input_gradient);
    nas_status_t status = write_array(writer, "expected", "loss", &loss, err);
    if (!status) status = write_array(writer, "expected", "logits", &logits, err);
    if (!status && reference->has_input_gradient)
        status = write_array(writer, "expected", "input_gradient", &input, err);
    return status;
}

static nas_status_t write_losses(const writer_t *writer, const nas_reference_values_t *values,
                                 nas_error_t *err)
{
    const array_t losses =
        doubles((nas_reference_shape_t){1, {writer->reference->n_steps}}, values->losses);
    return write_array(writer, "expected", "losses", &losses, err);
}

static nas_status_t write_values(const writer_t *writer, const nas_reference_values_t *values,
                                 nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (nas_reference_has_values(writer->reference)) {
        status = write_gradients(writer, values, err);
        if (!status) status = write_metrics(writer, values, err);
        if (!status) status = write_outputs(writer, values, err);
    }
    if (!status && writer->reference->n_steps > 0) status = write_losses(writer, values, err);
    return status;
}

static nas_status_t replace(const char *path, hid_t file, nas_error_t *err)
{
    char *image = NULL, *target = NULL;
    size_t size = 0;
    nas_status_t status = nas_h5_image(file, &image, &size, err);
    const nas_span_t span = {image, size};
    if (!status) status = nas_file_follow(path, &target, err);
    if (!status) status = nas_file_replace(target, &span, 1, false, err);
    free(target);
    free(image);
    return status;
}

nas_status_t nas_reference_write(const char *path, const nas_reference_t *reference,
                                 const nas_reference_values_t *values, nas_error_t *err)
{
    writer_t writer = {.reference = reference};
    nas_status_t status = nas_h5_create(&writer.file, err);
    if (status) return status;
    writer.links = H5Pcreate(H5P_LINK_CREATE);
    writer.creation = H5Pcreate(H5P_DATASET_CREATE);
    (void)H5Pset_create_intermediate_group(writer.links, 1);
    (void)H5Pset_obj_track_times(writer.creation, false);
    status = write_attributes(&writer, err);
    if (!status) status = write_input(&writer, err);
    if (!status) status = write_parameters(&writer, err);
    if (!status) status = write_values(&writer, values, err);
    (void)H5Pclose(writer.creation);
    (void)H5Pclose(writer.links);
    if (!status) status = replace(path, writer.file, err);
    nas_h5_close(writer.file);
    return status;
}
