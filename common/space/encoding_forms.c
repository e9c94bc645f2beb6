/* How architecture strings become positions: a function a form, and their list. */
#include "common/space/encoding.h"

#include <stdbool.h>
#include <string.h>

/* In the order of the NAS-Bench-201 authors' search space. */
static const char *const nb201_op[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3",
                                       "avg_pool_3x3"};
enum { NB201_OPS = sizeof nb201_op / sizeof nb201_op[0], NB201_NODES = 4 };

/* Code of the operation that text begins with and the text after it, or -1. No operation begins
 * another. */
static int take_op(const char **text)
{
    for (int op = 0; op < NB201_OPS; op++) {
        const size_t length = strlen(nb201_op[op]);
        if (strncmp(*text, nb201_op[op], length) == 0) {
            *text += length;
            return op;
        }
    }
    return -1;
}

static bool parse_nb201(const char *text, uint8_t *code, int *n_position)
{
    int n = 0;
    for (int node = 1; node < NB201_NODES; node++) {
        if (node > 1 && *text++ != '+') return false;
        if (*text++ != '|') return false;
        for (int from = 0; from < node; from++) {
            const int op = take_op(&text);
            if (op < 0 || *text++ != '~' || *text++ != '0' + from || *text++ != '|') return false;
            code[n++] = (uint8_t)op;
        }
    }
    *n_position = n;
    return *text == '\0';
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* A number of 0 ..= 63 and the text after it, or -1. */
static int take_choice(const char **text)
{
    const char *c = *text;
    int choice = 0;
    for (; *c >= '0' && *c <= '9'; c++) {
        choice = 10 * choice + (*c - '0');
        if (choice >= NAS_ENCODING_MAX_CHOICES) return -1;
    }
    if (c == *text) return -1;
    *text = c;
    return choice;
}

static bool parse_digits(const char *text, uint8_t *code, int *n_position)
{
    int n = 0;
    text = skip_blanks(text);
    if (*text != '(') return false;
    do {
        text = skip_blanks(text + 1);
        const int choice = take_choice(&text);
        if (choice < 0 || n == NAS_ENCODING_MAX_POSITIONS) return false;
        code[n++] = (uint8_t)choice;
        text = skip_blanks(text);
    } while (*text == ',');
    *n_position = n;
    return *text == ')' && *skip_blanks(text + 1) == '\0';
}

/* A form: its name, its parser (false: the text is not of it; code [out] up to
 * NAS_ENCODING_MAX_POSITIONS choices), and what a text that is not of it is refused as. */
static const struct {
    const char *name;
    bool (*parse)(const char *text, uint8_t *code, int *n_position);
    const char *expected;
} list[] = {
    [NAS_ENCODING_NONE] = {"none", NULL, NULL},
    [NAS_ENCODING_NB201] =
        {"nas-bench-201", parse_nb201,
         "NAS-Bench-201 cell; expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2| where op is none, skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3"},
    [NAS_ENCODING_DIGITS] =
        {"digits", parse_digits,
         "tuple of digits; expected the form (1, 0, 0, 2): at most 64 numbers from 0 to 63"},
};

enum { N_FORMS = sizeof list / sizeof list[0] };

const char *nas_encoding_name(size_t kind)
{
    return kind < N_FORMS ? list[kind].name : NULL;
}

nas_status_t nas_encode(nas_encoding_kind_t kind, const char *arch, uint8_t *code, int *n_position,
                        nas_error_t *err)
{
    uint8_t parsed[NAS_ENCODING_MAX_POSITIONS];
    int n = 0;
    NAS_ASSERT(kind != NAS_ENCODING_NONE && (size_t)kind < N_FORMS);
    if (!list[kind].parse(arch, parsed, &n))
        return nas_error_set(err, NAS_EINPUT, "architecture '%.120s' is no %s", arch,
                             list[kind].expected);
    memcpy(code, parsed, (size_t)n);
    *n_position = n;
    return NAS_OK;
}
