#include "common/space/space.h"

#include "common/base/error.h"
#include "common/space/encoding.h"
#include "common/space/space_internal.h"

#include <string.h>

/* The list: space NAME is the nas_space_NAME that a file space_*.c defines. */
#define SPACES(SPACE)                                                                              \
    SPACE(nb201)                                                                                   \
    SPACE(transnas_micro)                                                                          \
    SPACE(transnas_macro)

#define DECLARE(name) extern const nas_space_t nas_space_##name;
#define ADDRESS(name) &nas_space_##name,

SPACES(DECLARE)

static const nas_space_t *const SPACE_LIST[] = {SPACES(ADDRESS)};

enum { N_SPACE = sizeof SPACE_LIST / sizeof SPACE_LIST[0] };

const nas_space_t *nas_space_find(const char *name)
{
    for (int i = 0; i < N_SPACE; i++)
        if (strcmp(SPACE_LIST[i]->name, name) == 0) return SPACE_LIST[i];
    return NULL;
}

const nas_space_t *const *nas_space_list(int *n)
{
    *n = N_SPACE;
    return SPACE_LIST;
}

int nas_space_place(const nas_space_t *space)
{
    int i = 0;
    while (i < N_SPACE && SPACE_LIST[i] != space) i++;
    NAS_ASSERT(i < N_SPACE);
    return i;
}

const nas_space_t *nas_space_with_networks(void)
{
    int i = 0;
    while (i < N_SPACE - 1 && !SPACE_LIST[i]->build) i++;
    NAS_ASSERT(SPACE_LIST[i]->build);
    return SPACE_LIST[i];
}

bool nas_space_is_tuple(const char *text)
{
    return text[0] == '(';
}

bool nas_space_parse_tuple(const char *text, int n_min, int n_max, int max, uint8_t *digit)
{
    uint8_t number[NAS_ENCODING_MAX_POSITIONS];
    int n = 0;
    if (nas_encode(NAS_ENCODING_DIGITS, text, number, &n, NULL)) return false;
    if (n < n_min || n > n_max) return false;
    for (int i = 0; i < n; i++)
        if (number[i] > max) return false;
    memset(digit, 0, (size_t)n_max);
    memcpy(digit, number, (size_t)n);
    return true;
}

int64_t nas_space_number(const uint8_t *code, int n, int base)
{
    int64_t number = 0;
    for (int i = 0; i < n; i++) number = number * base + code[i];
    return number;
}

void nas_space_digits(int64_t number, int n, int base, uint8_t *code)
{
    for (int i = n - 1; i >= 0; i--, number /= base) code[i] = (uint8_t)(number % base);
}
