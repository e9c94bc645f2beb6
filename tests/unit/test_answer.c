/* What a trainer's output says. */
#include "common/base/rng.h"
#include "worker/objectives/command/answer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The outcome of a text that arrives in pieces; two columns, "a" and "b". */
static nas_outcome_t read_pieces(const char *text, size_t size, size_t piece)
{
    nas_answer_t answer = {0};
    nas_strings_t columns = {.at = (char *[]){"a", "b"}, .n = 2};
    nas_outcome_t outcome = {0};
    for (size_t i = 0; i < size; i += piece) {
        const size_t n = size - i < piece ? size - i : piece;
        cr_assert_eq(nas_answer_feed(&answer, text + i, n, NULL), NAS_OK);
    }
    nas_answer_end(&answer);
    cr_assert_eq(nas_answer_read(&answer, &columns, &outcome, NULL), NAS_OK);
    nas_answer_fini(&answer);
    return outcome;
}

static bool same(double x, double y)
{
    return x == y || (isnan(x) && isnan(y));
}

/* The outcome of a text, which must not depend on how it arrives. */
static nas_outcome_t read_bytes(const char *text, size_t size)
{
    nas_outcome_t whole = read_pieces(text, size, size + 1);
    for (size_t piece = 1; piece <= 3; piece++) {
        nas_outcome_t other = read_pieces(text, size, piece);
        cr_assert_eq(other.status, whole.status);
        cr_assert(same(other.value[0], whole.value[0]) && same(other.cost, whole.cost));
        cr_assert(same(other.columns[0], whole.columns[0]));
        cr_assert(same(other.columns[1], whole.columns[1]));
        cr_assert_str_eq(other.reason, whole.reason);
        nas_outcome_fini(&other);
    }
    return whole;
}

static void assert_answer(const char *text, const double expected[4])
{
    nas_outcome_t outcome = read_bytes(text, strlen(text));
    cr_assert_eq(outcome.status, NAS_EVAL_OK, "%s: %s", text, outcome.reason);
    cr_assert_str_eq(outcome.reason, "");
    cr_assert(same(outcome.value[0], expected[0]), "%s", text);
    cr_assert(same(outcome.cost, expected[1]), "%s", text);
    cr_assert(same(outcome.columns[0], expected[2]), "%s", text);
    cr_assert(same(outcome.columns[1], expected[3]), "%s", text);
    nas_outcome_fini(&outcome);
}

/* A failure tells nothing but its reason, which begins with `reason`. */
static void assert_failure_of(const char *text, size_t size, const char *reason)
{
    nas_outcome_t outcome = read_bytes(text, size);
    cr_assert_eq(outcome.status, NAS_EVAL_FAILED, "%s", text);
    cr_assert(isnan(outcome.value[0]) && isnan(outcome.cost));
    cr_assert(isnan(outcome.columns[0]) && isnan(outcome.columns[1]));
    cr_assert_eq(strncmp(outcome.reason, reason, strlen(reason)), 0, "%s: %s", text,
                 outcome.reason);
    nas_outcome_fini(&outcome);
}

static void assert_failure(const char *text, const char *reason)
{
    assert_failure_of(text, strlen(text), reason);
}

Test(answer, score_cost_and_columns_are_read)
{
    assert_answer("{\"score\": 0.5, \"cost\": 12, \"columns\": {\"b\": 2, \"a\": 1}}\n",
                  (double[]){0.5, 12, 1, 2});
    assert_answer("{\"score\": 91}", (double[]){91, NAN, NAN, NAN});
    assert_answer("{\"score\": -1e-300, \"cost\": 0}\r\n", (double[]){-1e-300, 0, NAN, NAN});
}

Test(answer, what_is_missing_or_null_is_nan)
{
    assert_answer("{\"score\": 1, \"cost\": null, \"columns\": null}",
                  (double[]){1, NAN, NAN, NAN});
    assert_answer("{\"score\": 1, \"columns\": {\"b\": null, \"a\": 3}}",
                  (double[]){1, NAN, 3, NAN});
}

Test(answer, other_keys_columns_and_lines_are_ignored)
{
    assert_answer("epoch 1\n\n {\"score\": 7}\n[{]\n{\"note\": \"x\", \"score\": 1, \"columns\": "
                  "{\"c\": \"text\", \"a\": 2}}\ndone {\n",
                  (double[]){1, NAN, 2, NAN});
}

Test(answer, integers_of_any_length_are_numbers)
{
    assert_answer("{\"score\": 100000000000000000000000000000}", (double[]){1e29, NAN, NAN, NAN});
}

Test(answer, the_last_line_with_a_score_counts)
{
    assert_answer("{\"score\": 1}\n{\"score\": 2}\n", (double[]){2, NAN, NAN, NAN});
    assert_answer("{\"score\": 1, \"cost\": 3}\n{\"score\": 2, \"columns\": {\"a\": 4}}\nbye\n",
                  (double[]){2, NAN, 4, NAN});
    assert_answer("{\"score\": NaN}\n{\"score\": 2}", (double[]){2, NAN, NAN, NAN});
    assert_failure("{\"score\": 2}\n{\"score\": NaN}", "its answer is not JSON: ");
    assert_failure("{\"score\": 2}\n{\"score\": null}\n", "its answer has no finite number");
}

Test(answer, other_lines_with_braces_are_no_answers)
{
    const double expected[] = {7, NAN, NAN, NAN};
    assert_answer("{\"epoch\": 1, \"loss\": 2.3}\n{\"score\": 7}\n", expected);
    assert_answer("{\"score\": 7}\n{\"event\": \"saved\", \"path\": \"x\"}\n", expected);
    assert_answer("{'lr': 0.1}\n{\"score\": 7}\n{'score': 9}\n{}\n{\n", expected);
    assert_answer("{\"score\": 7}\n{\"last\": {\"score\": 9}}\n{\"a\": [\"score\"]}\n", expected);
    assert_answer("{\"score\": 7}\n{\"scores\": NaN}\n{'message': 'no \"score\" today'}\n",
                  expected);
    assert_answer("{\"score\": 7}\n[{\"score\": 9}]\n\"score\": 9\n", expected);
}

Test(answer, carriage_returns_end_lines_and_blanks_begin_them)
{
    const double expected[] = {7, NAN, NAN, NAN};
    assert_answer("10 %|#   |\r 100 %|####|\r{\"score\": 7}\n", expected);
    assert_answer("{\"score\": 7}\r100 %|####|\r\r\n", expected);
    assert_answer("{\"loss\": 1}\r\t {\"score\": 7} \r\n", expected);
    assert_answer("{\"loss\": 1}\r{\"score\" : 7}", expected);
    assert_failure("{\"score\": 1}\r{\"score\" \t: nan}\r", "its answer is not JSON: ");
}

Test(answer, byte_order_marks_begin_lines)
{
    const double expected[] = {7, NAN, NAN, NAN};
    assert_answer("\xef\xbb\xbf{\"score\": 7}\n", expected);
    assert_answer("epoch 1\n\xef\xbb\xbf {\"score\": 7}\r\n\xef\xbb\xbf\n", expected);
    assert_answer("{\"score\": 7}\n\xef\xbb{\"score\": 9}\n", expected);
    assert_failure("\xef\xbb\xbf\n", "no answer: it printed nothing on standard output");
    assert_failure("\xef\xbbscore\n", "no answer: no line with \"score\" among 1 line, the last: ");
}

/* A text as some shells write it, with or without the mark, in either order. */
static void assert_wide(const char *text, bool mark, bool big)
{
    char wide[256];
    size_t n = 0;
    if (mark) {
        wide[n++] = big ? '\xfe' : '\xff';
        wide[n++] = big ? '\xff' : '\xfe';
    }
    for (const char *c = text; *c; c++) {
        wide[n++] = big ? '\0' : *c;
        wide[n++] = big ? *c : '\0';
    }
    assert_failure_of(wide, n,
                      "no answer: what it printed is UTF-16, a NUL beside each "
                      "character; let it print UTF-8");
}

Test(answer, utf_16_is_named)
{
    for (int i = 0; i < 4; i++) {
        assert_wide("{\"score\": 7}\r\n", i & 1, i & 2);
        assert_wide("loss 1\n{\"loss\": 2, \"sscore\": 3, \"score\": 7}", i & 1, i & 2);
    }
    assert_answer("{\"score\": 7}\n", (double[]){7, NAN, NAN, NAN});
}

Test(answer, what_was_seen_is_said)
{
    assert_failure("", "no answer: it printed nothing on standard output");
    assert_failure(" \r\n\n", "no answer: it printed nothing on standard output");
    assert_failure("score 0.5\n\n", "no answer: no line with \"score\" among 1 line, the last: "
                                    "score 0.5");
    assert_failure("a\n{'score': 1}\n{\"loss\": 2}\nb\n",
                   "no answer: no line with \"score\" among 4 lines, the last that begins with "
                   "'{': {\"loss\": 2}");
    assert_failure("{\n{\n{", "no answer: no line with \"score\" among 3 lines, the last that "
                              "begins with '{': {");
}

Test(answer, what_is_not_json_is_no_answer)
{
    assert_failure("{", "no answer");
    assert_failure("{'score': 1}", "no answer");
    assert_failure("{\"score\": NaN}", "its answer is not JSON: ");
    assert_failure("{\"score\": -Infinity}", "its answer is not JSON: ");
    assert_failure("{\"score\": 1e999}", "its answer is not JSON: ");
    assert_failure("{\"score\": 1} {\"score\": 1}", "its answer is not JSON: ");
    assert_failure("{\"score\": 1, \"score\": 2}", "its answer is not JSON: ");
    assert_failure("{\"score\": 1, \"note\": \"\xff\"}", "its answer is not JSON: ");
    assert_failure_of("{\0\0\0}", 5, "no answer");
    assert_failure_of("{\"score\": 1}\0", 13, "its answer is not JSON: ");
}

Test(answer, what_is_no_finite_score_is_no_answer)
{
    assert_failure("{}", "no answer");
    assert_failure("{\"score\": \"0.5\"}", "its answer has no finite number as score");
    assert_failure("{\"score\": null, \"cost\": 1}", "its answer has no finite number as score");
    assert_failure("{\"score\": true}", "its answer has no finite number as score");
    assert_failure("{\"score\": [1]}", "its answer has no finite number as score");
}

Test(answer, a_wrong_cost_or_column_is_no_answer)
{
    assert_failure("{\"score\": 1, \"cost\": -1}", "its answer's cost is no");
    assert_failure("{\"score\": 1, \"cost\": \"3\"}", "its answer's cost is no");
    assert_failure("{\"score\": 1, \"columns\": [1]}", "its answer's columns are no");
    assert_failure("{\"score\": 1, \"columns\": {\"a\": 1, \"b\": \"2\"}}",
                   "its answer's column 'b' is no");
}

/* begin, count times fill, end. The caller frees it. */
static char *repeat(const char *begin, char fill, size_t count, const char *end)
{
    char *text = malloc(strlen(begin) + count + strlen(end) + 1);
    cr_assert_not_null(text);
    strcpy(text, begin);
    memset(text + strlen(begin), fill, count);
    strcpy(text + strlen(begin) + count, end);
    return text;
}

Test(answer, huge_nesting_is_no_answer)
{
    char *text = repeat("{\"score\": 1, \"x\": ", '[', 1000000, "\n");
    assert_failure(text, "its answer is not JSON: ");
    free(text);
}

Test(answer, an_answer_may_have_a_mebibyte_and_no_more)
{
    const char *begin = "{\"score\": 1}";
    const size_t most = NAS_ANSWER_SIZE - strlen(begin);
    char *text = repeat(begin, ' ', most, "\n");
    assert_answer(text, (double[]){1, NAN, NAN, NAN});
    free(text);
    text = repeat(begin, ' ', most + 1, "\n");
    assert_failure(text, "its answer is longer than 1048576 bytes");
    free(text);
}

/* Whatever is printed, an outcome is one that can be stored. */
static void assert_storable(const nas_outcome_t *outcome)
{
    cr_assert(outcome->status == NAS_EVAL_OK || outcome->status == NAS_EVAL_FAILED);
    cr_assert_eq(outcome->status == NAS_EVAL_OK, (bool)isfinite(outcome->value[0]));
    cr_assert_eq(outcome->status == NAS_EVAL_OK, outcome->reason[0] == '\0');
    cr_assert(isnan(outcome->cost) || (isfinite(outcome->cost) && outcome->cost >= 0));
    for (const char *c = outcome->reason; *c; c++) cr_assert(*c >= 32 && *c < 127);
}

Test(answer, mutations_give_an_answer_or_a_reason)
{
    static const char alphabet[] = "{}[]\",:0159e+-.\n\r\\u null\x80\xc3\xff";
    const char *sample =
        "epoch\n{\"score\": 0.5, \"cost\": 3, \"columns\": {\"a\": 1, \"b\": 2}}\n";
    nas_rng_t rng;
    char text[128];
    for (uint64_t round = 0; round < 20000; round++) {
        size_t size = strlen(sample);
        memcpy(text, sample, size);
        nas_rng_init(&rng, 1, NAS_STREAM_RANDOM, round);
        for (uint64_t n = 1 + nas_rng_below(&rng, 4); n > 0; n--)
            text[nas_rng_below(&rng, size)] = alphabet[nas_rng_below(&rng, sizeof alphabet)];
        if (round % 4 == 0) size = (size_t)nas_rng_below(&rng, size);
        nas_outcome_t outcome = read_pieces(text, size, 1 + (size_t)nas_rng_below(&rng, size + 1));
        assert_storable(&outcome);
        nas_outcome_fini(&outcome);
    }
}
