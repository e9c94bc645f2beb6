/* What the spaces share. */
#ifndef NAS_COMMON_SPACE_SPACE_INTERNAL_H
#define NAS_COMMON_SPACE_SPACE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/** Whether text begins as a tuple does. */
bool nas_space_is_tuple(const char *text);

/** Parse a tuple of n_min ..= n_max numbers 0 ..= max, with zeros for those left out at the end.
 *  digit [out] n_max numbers, untouched where the text is anything else. */
bool nas_space_parse_tuple(const char *text, int n_min, int n_max, int max, uint8_t *digit);

/** The number whose n digits, the most significant first, are code; and back. */
int64_t nas_space_number(const uint8_t *code, int n, int base);
void nas_space_digits(int64_t number, int n, int base, uint8_t *code);

#endif
