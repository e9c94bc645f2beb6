#include "coordinator/report/json_stream.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A value of all kinds, of which much is empty or needs escapes. */
static json_t *sample(void)
{
    return json_pack("{s:[], s:{}, s:f, s:f, s:s, s:n, s:[i, [b], {s:i}]}", "none", "empty", "real",
                     1.0 / 3.0, "large", 1e300, "text", "a \"quoted\"\n\tline \xc3\xa9 \\", "null",
                     "list", 1, 1, "inner", 7);
}

/* An object with the sample and an array of n of it, piece by piece. */
static char *piecewise(size_t n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    nas_json_stream_t stream = {.out = out};
    cr_assert_not_null(out);
    nas_json_begin(&stream, NULL, '{');
    nas_json_put(&stream, "sample", sample());
    nas_json_begin(&stream, "list", '[');
    for (size_t i = 0; i < n; i++) {
        nas_json_begin(&stream, NULL, '{');
        nas_json_put(&stream, "sample", sample());
        nas_json_begin(&stream, "nothing", '[');
        nas_json_end(&stream, ']');
        nas_json_end(&stream, '}');
    }
    nas_json_end(&stream, ']');
    nas_json_put(&stream, "after", json_true());
    nas_json_end(&stream, '}');
    cr_assert_eq(nas_json_finish(&stream, NULL), NAS_OK);
    cr_assert_eq(fclose(out), 0);
    return text;
}

/* The same as one value. */
static char *at_once(size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(
            json_array_append_new(list, json_pack("{s:o, s:[]}", "sample", sample(), "nothing")),
            0);
    json_t *value = json_pack("{s:o, s:o, s:b}", "sample", sample(), "list", list, "after", 1);
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(value);
    return text;
}

Test(json_stream, pieces_give_the_bytes_of_the_whole)
{
    static const size_t sizes[] = {0, 1, 2, 1000 /* more than the buffer holds */};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *found = piecewise(sizes[i]), *expected = at_once(sizes[i]);
        const size_t length = strlen(expected);
        cr_assert_eq(strlen(found), length + 1);
        cr_assert(memcmp(found, expected, length) == 0 && found[length] == '\n');
        free(found);
        free(expected);
    }
}

Test(json_stream, a_text_longer_than_the_buffer_is_whole)
{
    const size_t length = 3 * (size_t)NAS_JSON_STREAM_BUFFER;
    char *text = malloc(length + 1), *written = NULL;
    size_t size = 0;
    cr_assert_not_null(text);
    memset(text, 'x', length);
    text[length] = '\0';
    FILE *out = open_memstream(&written, &size);
    nas_json_stream_t stream = {.out = out};
    nas_json_begin(&stream, NULL, '[');
    nas_json_put(&stream, NULL, json_string(text));
    nas_json_end(&stream, ']');
    cr_assert_eq(nas_json_finish(&stream, NULL), NAS_OK);
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(size, length + strlen("[\n  \"\"\n]\n"));
    free(text);
    free(written);
}

Test(json_stream, failures_show_at_the_end)
{
    nas_json_stream_t stream = {.out = fopen("/dev/full", "w")};
    cr_assert_not_null(stream.out);
    nas_json_put(&stream, NULL, json_true());
    cr_assert_eq(nas_json_finish(&stream, NULL), NAS_EIO);
    (void)fclose(stream.out);
    stream = (nas_json_stream_t){.out = fopen("/dev/null", "w")};
    cr_assert_not_null(stream.out);
    nas_json_put(&stream, NULL, NULL);
    cr_assert_eq(nas_json_finish(&stream, NULL), NAS_ENOMEM);
    (void)fclose(stream.out);
}
