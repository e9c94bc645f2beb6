/* The two spaces of TransNAS-Bench-101 (Duan et al., CVPR 2021): `transnas-micro` and
 * `transnas-macro`, in the texts of its own tool.
 *
 *   micro  64-41414-1_02_333: 64 base channels, a skeleton of 5 modules, and the cell: for each of
 *          nodes 1, 2, 3 one digit an edge, from node 0 on. 0 none, 1 skip, 2 convolution 1x1,
 *          3 convolution 3x3. A code is the 6 digits.
 *   macro  64-1234-basic: 64 base channels and 4, 5 or 6 modules of residual blocks, a digit each:
 *          1 plain, 2 doubles the channels, 3 halves the resolution, 4 does both. Of a skeleton 1
 *          to 4 modules halve and 1 to 3 double. A code is the digits, 0 where there is no module.
 *
 * NASLib's tuples have the same digits in the same order: its get_op_indices, from which it makes
 * the texts above to query the benchmark; those of macro end in zeros. (Its own micro network reads
 * them as NAS-Bench-201's; the parameters of published tables tell that these go by the texts.)
 */
#include "common/space/space_transnas.h"

#include "common/space/arch.h"
#include "common/space/space_internal.h"

#include <stdio.h>
#include <string.h>

enum { MICRO_EDGES = 6, MICRO_OPERATIONS = 4, MICRO_MODULES = 5 };

/* Modules of a skeleton, and how many of them may halve or double. */
enum {
    MIN_MODULES = 4,
    MAX_MODULES = 6,
    MIN_HALVINGS = 1,
    MAX_HALVINGS = 4,
    MIN_DOUBLINGS = 1,
    MAX_DOUBLINGS = 3,
    MODULE_KINDS = 4
};

/* Read digits of low ..= high where pattern has '.', and pattern's own characters elsewhere;
 * false where text is anything else. */
static bool match(const char *text, const char *pattern, int low, int high, uint8_t *digit)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern != '.') {
            if (*text != *pattern) return false;
            continue;
        }
        if (*text < '0' + low || *text > '0' + high) return false;
        *digit++ = (uint8_t)(*text - '0');
    }
    return *text == '\0';
}

/* pattern with digits where it has '.'. */
static void print(const char *pattern, const uint8_t *digit, char *name)
{
    for (; *pattern; pattern++)
        if (*pattern == '.')
            *name++ = (char)('0' + *digit++);
        else
            *name++ = *pattern;
    *name = '\0';
}

static const char MICRO_PATTERN[] = "64-41414-._.._...";

static bool micro_parse(const char *text, uint8_t *code)
{
    uint8_t digit[MICRO_EDGES];
    if (nas_space_is_tuple(text))
        return nas_space_parse_tuple(text, MICRO_EDGES, MICRO_EDGES, MICRO_OPERATIONS - 1, code);
    if (!match(text, MICRO_PATTERN, 0, MICRO_OPERATIONS - 1, digit)) return false;
    memcpy(code, digit, sizeof digit);
    return true;
}

static void micro_print(const uint8_t *code, char *name)
{
    print(MICRO_PATTERN, code, name);
}

static int64_t micro_index(const uint8_t *code)
{
    return nas_space_number(code, MICRO_EDGES, MICRO_OPERATIONS);
}

static void micro_code(int64_t index, uint8_t *code)
{
    nas_space_digits(index, MICRO_EDGES, MICRO_OPERATIONS, code);
}

static const uint8_t MICRO_SKELETON[MICRO_MODULES] = {4, 1, 4, 1, 4};

static nas_status_t micro_build(const nas_arch_t *arch, const nas_network_t *options,
                                nas_builder_t *builder, nas_error_t *err)
{
    const nas_transnas_t skeleton = {
        .module = MICRO_SKELETON, .n_modules = MICRO_MODULES, .cell = arch->code};
    return nas_transnas_build(&skeleton, options, builder, err);
}

/* Read a text of any skeleton; false where it is anything else. */
static bool match_skeleton(const char *text, uint8_t *module, int *n_modules, uint8_t *cell)
{
    uint8_t digit[NAS_TRANSNAS_MAX_MODULES + MICRO_EDGES];
    char pattern[sizeof MICRO_PATTERN + NAS_TRANSNAS_MAX_MODULES];
    int n = 0;
    do {
        if (++n > NAS_TRANSNAS_MAX_MODULES) return false;
        (void)snprintf(pattern, sizeof pattern, "64-%.*s-._.._...", n, "........");
    } while (!match(text, pattern, 0, MODULE_KINDS, digit));
    for (int i = 0; i < n; i++)
        if (digit[i] == 0) return false;
    for (int i = n; i < n + MICRO_EDGES; i++)
        if (digit[i] >= MICRO_OPERATIONS) return false;
    memcpy(module, digit, (size_t)n);
    memcpy(cell, digit + n, MICRO_EDGES);
    *n_modules = n;
    return true;
}

/* The skeleton may be another than the space's. */
static nas_status_t micro_build_text(const char *text, const nas_network_t *options,
                                     nas_builder_t *builder, nas_error_t *err)
{
    uint8_t module[NAS_TRANSNAS_MAX_MODULES], cell[MICRO_EDGES];
    nas_transnas_t skeleton = {.module = module, .cell = cell};
    if (!match_skeleton(text, module, &skeleton.n_modules, cell))
        return nas_error_set(err, NAS_EINPUT,
                             "'%.120s' is no network of transnas-micro; expected 64-41414-1_02_333",
                             text);
    return nas_transnas_build(&skeleton, options, builder, err);
}

const nas_space_t nas_space_transnas_micro = {
    .name = "transnas-micro",
    .summary = "4,096 cells of 4 nodes, an operation of 4 on each of 6 edges",
    .forms = "64-41414-1_02_333 and (1, 0, 2, 3, 3, 3), NASLib's 6 numbers of 0 ..= 3",
    .count = 4096,
    .n_position = MICRO_EDGES,
    .name_size = sizeof MICRO_PATTERN,
    .parse = micro_parse,
    .print = micro_print,
    .index = micro_index,
    .code = micro_code,
    .build = micro_build,
    .build_text = micro_build_text,
    .costliest = 4095, /* all operations convolve 3x3 */
    .typical = {"64-41414-3_12_123", "64-41414-1_02_121", "64-41414-3_33_333"},
};

/* A skeleton so far: what is left to choose, and what the modules before did. */
typedef struct prefix {
    int n_left;
    int n_halving;
    int n_doubling;
} prefix_t;

static prefix_t with_module(prefix_t prefix, int module)
{
    return (prefix_t){prefix.n_left - 1, prefix.n_halving + nas_transnas_halves(module),
                      prefix.n_doubling + nas_transnas_doubles(module)};
}

/* Ways to choose between low and high of n things. */
static int64_t subsets(int n, int low, int high)
{
    int64_t total = 0, binomial = 1;
    for (int k = 0; k <= n; k++) {
        if (k >= low && k <= high) total += binomial;
        binomial = binomial * (n - k) / (k + 1);
    }
    return total;
}

/* Skeletons that begin so. Which modules halve and which double are independent choices. */
static int64_t completions(prefix_t prefix)
{
    return subsets(prefix.n_left, MIN_HALVINGS - prefix.n_halving,
                   MAX_HALVINGS - prefix.n_halving) *
           subsets(prefix.n_left, MIN_DOUBLINGS - prefix.n_doubling,
                   MAX_DOUBLINGS - prefix.n_doubling);
}

static int count_modules(const uint8_t *code)
{
    int n = 0;
    while (n < MAX_MODULES && code[n] != 0) n++;
    return n;
}

/* Whether digits, zeros behind the last module included, are a skeleton of the space. */
static bool is_skeleton(const uint8_t *digit)
{
    const int n = count_modules(digit);
    prefix_t prefix = {.n_left = n};
    for (int i = n; i < MAX_MODULES; i++)
        if (digit[i] != 0) return false;
    for (int i = 0; i < n; i++) prefix = with_module(prefix, digit[i]);
    return n >= MIN_MODULES && completions(prefix) == 1;
}

static const char *const MACRO_PATTERN[] = {"64-....-basic", "64-.....-basic", "64-......-basic"};

static bool macro_parse(const char *text, uint8_t *code)
{
    uint8_t digit[MAX_MODULES] = {0};
    bool matches = false;
    if (nas_space_is_tuple(text))
        matches = nas_space_parse_tuple(text, MIN_MODULES, MAX_MODULES, MODULE_KINDS, digit);
    else
        for (int n = MIN_MODULES; !matches && n <= MAX_MODULES; n++) {
            memset(digit, 0, sizeof digit);
            matches = match(text, MACRO_PATTERN[n - MIN_MODULES], 1, MODULE_KINDS, digit);
        }
    if (!matches || !is_skeleton(digit)) return false;
    memcpy(code, digit, sizeof digit);
    return true;
}

static void macro_print(const uint8_t *code, char *name)
{
    print(MACRO_PATTERN[count_modules(code) - MIN_MODULES], code, name);
}

/* The enumeration: fewer modules first, then by digits, the first the most significant. */
static int64_t macro_index(const uint8_t *code)
{
    const int n = count_modules(code);
    int64_t index = 0;
    for (int fewer = MIN_MODULES; fewer < n; fewer++)
        index += completions((prefix_t){.n_left = fewer});
    prefix_t prefix = {.n_left = n};
    for (int i = 0; i < n; i++) {
        for (int module = 1; module < code[i]; module++)
            index += completions(with_module(prefix, module));
        prefix = with_module(prefix, code[i]);
    }
    return index;
}

static void macro_code(int64_t index, uint8_t *code)
{
    prefix_t prefix = {.n_left = MIN_MODULES};
    for (; index >= completions(prefix); prefix.n_left++) index -= completions(prefix);
    memset(code, 0, MAX_MODULES);
    for (int i = 0; prefix.n_left > 0; i++) {
        int module = 1;
        for (; index >= completions(with_module(prefix, module)); module++)
            index -= completions(with_module(prefix, module));
        code[i] = (uint8_t)module;
        prefix = with_module(prefix, module);
    }
}

static nas_status_t macro_build(const nas_arch_t *arch, const nas_network_t *options,
                                nas_builder_t *builder, nas_error_t *err)
{
    const nas_transnas_t skeleton = {.module = arch->code, .n_modules = count_modules(arch->code)};
    return nas_transnas_build(&skeleton, options, builder, err);
}

#define MACRO_HEAVIEST "64-222113-basic"
enum { MACRO_COSTLIEST = 1903 };

const nas_space_t nas_space_transnas_macro = {
    .name = "transnas-macro",
    .summary = "3,256 skeletons of 4 to 6 modules of residual blocks",
    .forms =
        "64-1234-basic, 4 to 6 digits of 1 ..= 4, and (1, 2, 3, 4, 0, 0), NASLib's 6 numbers; 1 to 4 of them halve the resolution (3, 4), 1 to 3 double the channels (2, 4)",
    .count = 3256,
    .n_position = MAX_MODULES,
    .name_size = sizeof "64-......-basic",
    .parse = macro_parse,
    .print = macro_print,
    .index = macro_index,
    .code = macro_code,
    .build = macro_build,
    .costliest = MACRO_COSTLIEST,
    .typical = {"64-1234-basic", "64-4111-basic", MACRO_HEAVIEST},
};
