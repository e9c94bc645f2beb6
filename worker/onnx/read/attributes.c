#include "worker/onnx/file/elements.h"
#include "worker/onnx/read/maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const nas_onnx_attribute_t *nas_onnx_find(const nas_onnx_op_t *op, const char *name)
{
    for (int i = 0; i < op->n_attributes; i++)
        if (strcmp(op->attribute[i].name, name) == 0) return &op->attribute[i];
    return NULL;
}

int64_t nas_onnx_integer(const nas_onnx_op_t *op, const char *name, int64_t otherwise)
{
    const nas_onnx_attribute_t *a = nas_onnx_find(op, name);
    return a && a->has_i ? a->i : otherwise;
}

/* The decimal of fewest digits that is read as this float: what somebody wrote who meant 1e-5. */
static double shortest(float value)
{
    enum { MOST_DIGITS = 9 };
    char text[64];
    for (int digits = 1; digits < MOST_DIGITS; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) return strtod(text, NULL);
    }
    return (double)value;
}

double nas_onnx_float(const nas_onnx_op_t *op, const char *name, double otherwise)
{
    const nas_onnx_attribute_t *a = nas_onnx_find(op, name);
    return a && a->has_f ? shortest(a->f) : otherwise;
}

bool nas_onnx_text_is(const nas_onnx_op_t *op, const char *name, const char *text)
{
    const nas_onnx_attribute_t *a = nas_onnx_find(op, name);
    return a && a->has_s && a->s.n == strlen(text) && memcmp(a->s.at, text, a->s.n) == 0;
}

nas_status_t nas_onnx_integers(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *name,
                               int i, nas_onnx_list_t *list)
{
    const nas_onnx_attribute_t *a = nas_onnx_find(op, name);
    const nas_onnx_value_t *input = i >= 0 ? nas_onnx_input(m, op, i) : NULL;
    static const int64_t none = 0;
    *list = (nas_onnx_list_t){0};
    if (a) *list = (nas_onnx_list_t){a->ints ? a->ints : &none, (int)a->n_ints};
    if (!input) return NAS_OK;
    if (input->kind != NAS_ONNX_WHOLE)
        return nas_onnx_refuse(m, op, "its %s are not known before it is run", name);
    *list = (nas_onnx_list_t){input->whole, (int)nas_onnx_count(&input->shape)};
    return NAS_OK;
}

nas_status_t nas_onnx_number(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *name, int i,
                             double *number)
{
    const nas_onnx_value_t *input = nas_onnx_input(m, op, i);
    *number = nas_onnx_float(op, name, *number);
    if (!input) return NAS_OK;
    if (input->kind == NAS_ONNX_WHOLE && nas_onnx_count(&input->shape) == 1) {
        *number = (double)input->whole[0];
        return NAS_OK;
    }
    if (input->kind != NAS_ONNX_REAL || nas_onnx_count(&input->shape) != 1)
        return nas_onnx_refuse(m, op, "its %s is not one number that is known before it is run",
                               name);
    const nas_status_t status = nas_onnx_elements_find(m->file, input->array, m->err);
    if (!status) *number = nas_onnx_element(input->array, 0);
    return status;
}
