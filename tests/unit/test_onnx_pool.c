/* Pools of files: what is looked at, what identifies them, and what a network begins with. */
#include "worker/onnx/pool/pool.h"
#include "worker/onnx/read/read.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const FILES[] = {"network-cells.onnx", "absent.onnx", "network-cells.onnx"};
enum { N = 3 };

static nas_comm_t *alone;
static char path[256];

static const char *path_of(int i)
{
    (void)snprintf(path, sizeof path, "%s/tests/data/%s", getenv("ROBOTNAS_SOURCE"), FILES[i]);
    return path;
}

/* The extents that the first file says. */
static nas_network_t images(void)
{
    nas_onnx_network_t network = {0};
    const nas_onnx_expected_t any = {0};
    cr_assert_eq(nas_onnx_read(path_of(0), &any, &network, NULL), NAS_OK);
    const nas_network_t found = network.graph->network;
    nas_onnx_network_fini(&network);
    return found;
}

static nas_networks_t *make_pool(nas_weights_t weights, const char *last, nas_onnx_seen_t *seen)
{
    nas_networks_t *networks = NULL;
    nas_onnx_files_t files = {.weights = weights, .images = images(), .most = INT64_MAX};
    for (int i = 0; i < N; i++) {
        const char *name = i < N - 1 ? FILES[i] : last;
        cr_assert_eq(nas_strings_add(&files.arch, name, strlen(name), NULL), NAS_OK);
        cr_assert_eq(nas_strings_add(&files.path, path_of(i), strlen(path_of(i)), NULL), NAS_OK);
    }
    cr_assert_eq(nas_onnx_pool_create(alone, &files, NULL, seen, &networks, NULL), NAS_OK);
    cr_assert_eq(files.arch.n, 0);
    return networks;
}

static void set_up(void)
{
    cr_assert_eq(nas_comm_self(&alone, NULL), NAS_OK);
}

static void tear_down(void)
{
    nas_comm_destroy(alone);
}

TestSuite(onnx_pool, .init = set_up, .fini = tear_down);

/* One that cannot be read is told of and no error; the others are counted as their graphs are. */
Test(onnx_pool, files_are_looked_at)
{
    nas_onnx_seen_t seen;
    nas_error_t err = {0};
    nas_cost_t all, live, of_graph;
    nas_fresh_network_t fresh = {0};
    const nas_network_t extents = images();
    nas_networks_t *pool = make_pool(NAS_WEIGHTS_KAIMING, "again", &seen);
    cr_assert_eq(seen.n_looked, N);
    cr_assert(seen.n_failed == 1 && seen.n_told == 1 && seen.failure[0].arch == 1);
    cr_assert_not_null(strstr(seen.failure[0].reason.text, "absent.onnx"));
    cr_assert_eq(pool->make(pool, 1, &extents, &fresh, &err), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "absent.onnx"));
    cr_assert_eq(pool->cost(pool, 1, &extents, &all, &live, &err), NAS_EINPUT);
    cr_assert_eq(pool->make(pool, 2, &extents, &fresh, &err), NAS_OK, "%s", err.text);
    cr_assert_str_eq(fresh.name, "again");
    cr_assert_eq(pool->cost(pool, 2, &extents, &all, &live, &err), NAS_OK);
    cr_assert_eq(nas_graph_cost(fresh.graph, &of_graph, NULL, &err), NAS_OK);
    cr_assert_eq(memcmp(&all, &of_graph, sizeof all), 0);
    cr_assert_eq(pool->operations(pool, 2, &extents), (double)live.operations);
    cr_assert_eq(pool->operations(pool, 1, &extents), 1);
    nas_fresh_network_fini(&fresh);
    nas_networks_destroy(pool);
}

/* The same of the same, another where a name is another. */
Test(onnx_pool, content_has_names_and_files)
{
    nas_onnx_seen_t one, same, other;
    nas_networks_destroy(make_pool(NAS_WEIGHTS_KAIMING, "again", &one));
    nas_networks_destroy(make_pool(NAS_WEIGHTS_KAIMING, "again", &same));
    nas_networks_destroy(make_pool(NAS_WEIGHTS_KAIMING, "else", &other));
    cr_assert(nas_digest_is_known(&one.content) && nas_digest_equal(&one.content, &same.content));
    cr_assert(!nas_digest_equal(&one.content, &other.content));
}

/* Drawn ones depend on the name of the architecture, the file's do not. */
Test(onnx_pool, weights_are_drawn_by_name_or_the_files)
{
    const nas_network_t extents = images();
    for (int kind = NAS_WEIGHTS_KAIMING; kind <= NAS_WEIGHTS_FILE; kind++) {
        nas_onnx_seen_t seen;
        double first[8], second[8];
        nas_networks_t *pool = make_pool((nas_weights_t)kind, "again", &seen);
        for (int i = 0; i < N; i += 2) {
            nas_fresh_network_t fresh = {0};
            cr_assert_eq(pool->make(pool, i, &extents, &fresh, NULL), NAS_OK);
            cr_assert_eq(fresh.parameters != NULL, kind == NAS_WEIGHTS_FILE);
            cr_assert_eq(fresh.statistics != NULL, kind == NAS_WEIGHTS_FILE);
            double *values = calloc((size_t)fresh.graph->n_values, sizeof *values);
            nas_fresh_network_fill(&fresh, 3, values);
            memcpy(i == 0 ? first : second, values, sizeof first);
            free(values);
            nas_fresh_network_fini(&fresh);
        }
        cr_assert_eq(memcmp(first, second, sizeof first) == 0, kind == NAS_WEIGHTS_FILE);
        nas_networks_destroy(pool);
    }
}

/* What a command has to say, and may not. */
Test(onnx_pool, commands_are_checked)
{
    static const struct {
        const char *argument, *expected;
    } cases[] = {{"{onnx}", ""},
                 {"{arch}", "has no {onnx}"},
                 {"{seed}{onnx}", "unknown placeholder {seed}"},
                 {"{onnx", "unpaired {"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_strings_t command = {0};
        nas_error_t err = {0};
        cr_assert_eq(nas_strings_add(&command, "sh", 2, NULL), NAS_OK);
        cr_assert_eq(nas_strings_add(&command, cases[i].argument, strlen(cases[i].argument), NULL),
                     NAS_OK);
        const nas_status_t status = nas_onnx_command_check(&command, ".", &err);
        cr_assert_eq(status, *cases[i].expected ? NAS_EINPUT : NAS_OK, "%s", err.text);
        cr_assert_not_null(strstr(err.text, cases[i].expected), "%s", err.text);
        nas_strings_fini(&command);
    }
}
