#include "worker/engine/backends/ref/ref_internal.h"

/* Rows of B (of some 64 elements, 16 KiB) that stay in the first-level cache while all rows of C
 * go by. */
enum { K_BLOCK = 32 };

/* Row m of C += A[m, first .. end) B. Four rows of B at a time, so that C is read and written once
 * for eight operations an element. */
static void add_rows(const nas_ref_product_t *product, int m, int first, int end)
{
    const int n = product->n;
    const int64_t next = product->a_column;
    const double *a = product->a + m * product->a_row + first * next;
    double *restrict c = product->c + m * product->c_row;
    int k = first;
    for (; k + 4 <= end; k += 4, a += 4 * next) {
        const double *b0 = product->b + k * product->b_row;
        const double *b1 = b0 + product->b_row;
        const double *b2 = b1 + product->b_row;
        const double *b3 = b2 + product->b_row;
        const double a0 = a[0], a1 = a[next], a2 = a[2 * next], a3 = a[3 * next];
        for (int i = 0; i < n; i++) c[i] += (a0 * b0[i] + a1 * b1[i]) + (a2 * b2[i] + a3 * b3[i]);
    }
    for (; k < end; k++, a += next) {
        const double *b = product->b + k * product->b_row;
        const double factor = *a;
        for (int i = 0; i < n; i++) c[i] += factor * b[i];
    }
}

void nas_ref_multiply_add(const nas_ref_product_t *product)
{
    for (int k = 0; k < product->k; k += K_BLOCK) {
        const int end = k + K_BLOCK < product->k ? k + K_BLOCK : product->k;
        for (int m = 0; m < product->m; m++) add_rows(product, m, k, end);
    }
}
