#include "common/space/encoding.h"
#include "common/space/space_internal.h"

#include <string.h>

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
