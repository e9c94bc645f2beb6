#include "coordinator/search/methods/choices.h"

#include <stdbool.h>

void nas_choices_collect(nas_choices_t *choices, const nas_encoding_t *encoding)
{
    bool occurs[NAS_ENCODING_MAX_POSITIONS][NAS_ENCODING_MAX_CHOICES] = {{false}};
    const int n_position = nas_encoding_positions(encoding);
    for (int64_t i = 0; i < nas_encoding_count(encoding); i++) {
        const uint8_t *code = nas_encoding_at(encoding, i);
        for (int p = 0; p < n_position; p++) occurs[p][code[p]] = true;
    }
    *choices = (nas_choices_t){.n_position = n_position};
    int n = 0;
    for (int p = 0; p < n_position; p++) {
        for (int c = 0; c < NAS_ENCODING_MAX_CHOICES; c++)
            if (occurs[p][c]) choices->code[n++] = (uint8_t)c;
        choices->first[p + 1] = n;
    }
}
