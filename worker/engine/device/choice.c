#include "worker/engine/device/choice.h"

#include "worker/engine/gpu/layers/layer.h"

#include <stdio.h>
#include <string.h>

/* What a choice can begin with, and how many numbers may follow. */
typedef struct word {
    const char *name;
    nas_device_kind_t kind;
    bool is_layer;
    int n_numbers;
} word_t;

static const word_t words[] = {
    {"auto", NAS_DEVICE_AUTO, false, 0}, {"cpu", NAS_DEVICE_CPU, false, 0},
    {"gpu", NAS_DEVICE_GPU, false, 0},   {"cuda", NAS_DEVICE_GPU, true, 1},
    {"hip", NAS_DEVICE_GPU, true, 1},    {"opencl", NAS_DEVICE_GPU, true, 2},
    {"threads", NAS_DEVICE_GPU, true, 0}};

static const word_t *find_word(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].name) == length && strncmp(words[i].name, text, length) == 0)
            return &words[i];
    return NULL;
}

/* The number behind a colon, of four digits at most; moves *at behind it. */
static bool take_number(const char **at, int64_t *number)
{
    const char *digits = *at + 1;
    const size_t n = strspn(digits, "0123456789");
    if (**at != ':' || n < 1 || n > 4) return false;
    *number = 0;
    for (size_t i = 0; i < n; i++) *number = 10 * *number + (digits[i] - '0');
    *at = digits + n;
    return true;
}

static bool parse(const char *text, nas_device_choice_t *choice)
{
    const char *at = text + strcspn(text, ":");
    const word_t *word = find_word(text, (size_t)(at - text));
    int64_t number[2] = {-1, -1};
    if (!word || (word->is_layer && !nas_gpu_layer_named(word->name))) return false;
    for (int i = 0; *at; i++)
        if (i == word->n_numbers || !take_number(&at, &number[i])) return false;
    *choice = (nas_device_choice_t){.kind = word->kind, .platform = -1, .index = number[0]};
    if (word->is_layer) (void)snprintf(choice->layer, sizeof choice->layer, "%s", word->name);
    if (word->n_numbers < 2) return true;
    choice->platform = number[0];
    choice->index = number[1];
    return true;
}

nas_status_t nas_device_choice_parse(const char *text, nas_device_choice_t *choice,
                                     nas_error_t *err)
{
    if (parse(text, choice)) return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "there is no device '%s'; auto, cpu, gpu, cuda[:N], hip[:N] and opencl[:PLATFORM[:N]] are, with the numbers of robotnas devices",
        text);
}

const char *nas_device_kind_name(nas_device_kind_t kind)
{
    return kind == NAS_DEVICE_GPU ? "gpu" : "cpu";
}
