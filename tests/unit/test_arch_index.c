#include "common/base/arch_index.h"

#include <criterion/criterion.h>

/* The architecture of number i: far apart, in no order, the largest of all among them. */
static int64_t arch_of(int64_t i)
{
    return i == 7 ? INT64_MAX : (i * INT64_C(104729)) % 100003 * INT64_C(1000000007);
}

Test(arch_index, numbers_count_in_the_order_of_adding)
{
    enum { N = 50000 };
    nas_arch_index_t index = {0};
    cr_assert_eq(nas_arch_index_find(&index, 0), -1);
    for (int64_t i = 0; i < N; i++) {
        cr_assert_eq(nas_arch_index_reserve(&index, i + 1, NULL), NAS_OK);
        cr_assert_eq(nas_arch_index_find(&index, arch_of(i)), -1);
        cr_assert(nas_arch_index_add(&index, arch_of(i)));
    }
    cr_assert_eq(index.n, N);
    for (int64_t i = 0; i < N; i++) {
        cr_assert_eq(nas_arch_index_find(&index, arch_of(i)), i);
        cr_assert_eq(nas_arch_index_find(&index, arch_of(i) - 1), -1);
    }
    nas_arch_index_fini(&index);
    cr_assert_eq(nas_arch_index_find(&index, arch_of(0)), -1);
}

Test(arch_index, who_has_a_number_keeps_it)
{
    nas_arch_index_t index = {0};
    cr_assert_eq(nas_arch_index_reserve(&index, 3, NULL), NAS_OK);
    cr_assert(nas_arch_index_add(&index, 5) && nas_arch_index_add(&index, 0));
    cr_assert(!nas_arch_index_add(&index, 5) && index.n == 2);
    cr_assert(nas_arch_index_add(&index, 6));
    cr_assert_eq(nas_arch_index_reserve(&index, 100, NULL), NAS_OK);
    cr_assert(nas_arch_index_find(&index, 5) == 0 && nas_arch_index_find(&index, 0) == 1 &&
              nas_arch_index_find(&index, 6) == 2);
    nas_arch_index_fini(&index);
}
