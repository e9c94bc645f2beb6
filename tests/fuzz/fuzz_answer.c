/* What a trainer prints. The first byte says into which pieces the text is cut, which makes no
 * difference. */
#include "tests/fuzz/fuzz.h"
#include "worker/objectives/command/answer.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Read the answer of a text that comes in pieces of n bytes. */
static nas_outcome_t read_pieces(fuzz_bytes_t text, size_t n, const nas_strings_t *columns)
{
    nas_answer_t answer = {0};
    nas_outcome_t outcome = {0};
    while (text.n > 0) {
        const fuzz_bytes_t piece = fuzz_bytes(&text, n);
        NAS_ASSERT(nas_answer_feed(&answer, (const char *)piece.at, piece.n, NULL) == NAS_OK);
    }
    nas_answer_end(&answer);
    NAS_ASSERT(nas_answer_read(&answer, columns, &outcome, NULL) == NAS_OK);
    nas_answer_fini(&answer);
    return outcome;
}

static void check_reason(const char *reason)
{
    NAS_ASSERT(memchr(reason, '\0', NAS_REASON_SIZE) && *reason);
    for (; *reason; reason++) NAS_ASSERT(*reason >= 32 && *reason <= 126);
}

static void check_outcome(const nas_outcome_t *outcome, size_t n_columns)
{
    const bool ok = outcome->status == NAS_EVAL_OK;
    NAS_ASSERT(ok || outcome->status == NAS_EVAL_FAILED);
    NAS_ASSERT(ok ? isfinite(outcome->value[0]) : isnan(outcome->value[0]));
    NAS_ASSERT(isnan(outcome->cost) || (ok && isfinite(outcome->cost) && outcome->cost >= 0));
    NAS_ASSERT(!outcome->curve);
    for (size_t i = 0; i < n_columns; i++)
        NAS_ASSERT(isnan(outcome->columns[i]) || (ok && isfinite(outcome->columns[i])));
    if (ok)
        NAS_ASSERT(!*outcome->reason);
    else
        check_reason(outcome->reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const name[] = {(char[]){"loss"}, (char[]){"\xc3\xa9"}, (char[]){""}};
    const nas_strings_t columns = {.at = (char **)(uintptr_t)name, .n = 3};
    fuzz_bytes_t input = {data, size};
    const size_t n = (size_t)fuzz_byte(&input) + 1;
    nas_outcome_t whole = read_pieces(input, input.n, &columns);
    nas_outcome_t pieces = read_pieces(input, n, &columns);
    check_outcome(&whole, columns.n);
    NAS_ASSERT(whole.status == pieces.status && strcmp(whole.reason, pieces.reason) == 0);
    NAS_ASSERT(memcmp(&whole.value, &pieces.value, sizeof whole.value) == 0);
    NAS_ASSERT(memcmp(&whole.cost, &pieces.cost, sizeof whole.cost) == 0);
    NAS_ASSERT(memcmp(whole.columns, pieces.columns, columns.n * sizeof *whole.columns) == 0);
    nas_outcome_fini(&whole);
    nas_outcome_fini(&pieces);
    return 0;
}
