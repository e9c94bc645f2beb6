#include "worker/onnx/read/window.h"

static const int64_t MOST = INT16_MAX;

/* n integers of an attribute; `otherwise` each, where it is not there. */
static nas_status_t take(nas_onnx_maker_t *m, const nas_onnx_op_t *op, const char *name, int n,
                         const int64_t *otherwise, int64_t *value)
{
    const int64_t least = otherwise ? otherwise[0] : 1;
    nas_onnx_list_t list;
    const nas_status_t status = nas_onnx_integers(m, op, name, -1, &list);
    if (status) return status;
    if (list.at && list.n != n)
        return nas_onnx_refuse(m, op, "its %s are %d numbers: %d are computed", name, list.n, n);
    if (!list.at && !otherwise) return nas_onnx_refuse(m, op, "it has no %s", name);
    for (int i = 0; i < n; i++) {
        value[i] = list.at ? list.at[i] : otherwise[i];
        if (value[i] < (least < 1 ? 0 : 1) || value[i] > MOST)
            return nas_onnx_refuse(m, op, "its %s are out of range", name);
    }
    return NAS_OK;
}

/* Padding of one axis so that a window of this reach makes ceil(extent / stride). */
static void pad_same(int64_t extent, int64_t reach, int64_t stride, bool is_upper, int *before,
                     int *after)
{
    const int64_t n = (extent + stride - 1) / stride;
    const int64_t needed = (n - 1) * stride + reach - extent, all = needed > 0 ? needed : 0;
    const int64_t less = all / 2, more = all - less;
    *before = (int)(is_upper ? less : more);
    *after = (int)(is_upper ? more : less);
}

static int64_t reach(int64_t k, int64_t dilation)
{
    return dilation * (k - 1) + 1;
}

static nas_status_t set_padding(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_extents_t e,
                                nas_window_t *w)
{
    static const int64_t none[4] = {0};
    const bool is_upper = nas_onnx_text_is(op, "auto_pad", "SAME_UPPER");
    const bool is_same = is_upper || nas_onnx_text_is(op, "auto_pad", "SAME_LOWER");
    int64_t pads[4] = {0};
    if (is_same) {
        pad_same(e.h, reach(w->k_h, w->dilation_h), w->stride_h, is_upper, &w->top, &w->bottom);
        pad_same(e.w, reach(w->k_w, w->dilation_w), w->stride_w, is_upper, &w->left, &w->right);
        return NAS_OK;
    }
    if (nas_onnx_text_is(op, "auto_pad", "VALID")) return NAS_OK;
    const nas_status_t status = take(m, op, "pads", 4, none, pads);
    w->top = (int)pads[0];
    w->left = (int)pads[1];
    w->bottom = (int)pads[2];
    w->right = (int)pads[3];
    return status;
}

static bool fits(int64_t extent, int64_t k, int64_t dilation, int64_t padding)
{
    return extent + padding >= reach(k, dilation);
}

nas_status_t nas_onnx_window(nas_onnx_maker_t *m, const nas_onnx_op_t *op, nas_extents_t e,
                             const int64_t *kernel, nas_window_t *window)
{
    static const int64_t one[2] = {1, 1};
    int64_t k[2] = {0}, stride[2] = {0}, dilation[2] = {0};
    nas_status_t status = take(m, op, "kernel_shape", 2, kernel, k);
    if (!status) status = take(m, op, "strides", 2, one, stride);
    if (!status) status = take(m, op, "dilations", 2, one, dilation);
    *window = (nas_window_t){.k_h = (int)k[0],
                             .k_w = (int)k[1],
                             .stride_h = (int)stride[0],
                             .stride_w = (int)stride[1],
                             .dilation_h = (int)dilation[0],
                             .dilation_w = (int)dilation[1]};
    if (!status) status = set_padding(m, op, e, window);
    if (status) return status;
    if (kernel && (k[0] != kernel[0] || k[1] != kernel[1]))
        return nas_onnx_refuse(m, op, "its kernel_shape is not that of its weight");
    if (!fits(e.h, k[0], dilation[0], (int64_t)window->top + window->bottom) ||
        !fits(e.w, k[1], dilation[1], (int64_t)window->left + window->right))
        return nas_onnx_refuse(m, op,
                               "its window does not fit on an image of %d x %d: nothing is "
                               "left",
                               e.h, e.w);
    return NAS_OK;
}

bool nas_onnx_take_padding(const nas_onnx_value_t *value, nas_window_t *window)
{
    const nas_extents_t e = nas_onnx_extents(value);
    const int64_t below = (int64_t)value->top + e.h - value->base.h;
    const int64_t behind = (int64_t)value->left + e.w - value->base.w;
    if (value->top > 0 || value->left > 0 || below < 0 || behind < 0) return false;
    if (window->top - (int64_t)value->top > MOST || window->left - (int64_t)value->left > MOST ||
        window->bottom + below > MOST || window->right + behind > MOST)
        return false;
    window->top -= value->top;
    window->left -= value->left;
    window->bottom += (int)below;
    window->right += (int)behind;
    return true;
}
