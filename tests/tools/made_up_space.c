/* The program with a made-up space in place of NAS-Bench-201's and metrics that cost nothing: what is
 * left of scoring is its own. The linker's --wrap puts what is here where the program looks for the
 * real things.
 *
 * MADE_UP_COUNT=N  architectures of the space, 1 to 10^7; they are called 0000000, 0000001 and so on
 * MADE_UP_TALLY=F  each rank writes into F.RANK, at its end, its peak memory in KiB, the most bytes
 *                  that the program itself held, without its libraries, and the bytes of the
 *                  largest message that it sent or received
 */
#include "common/space/space_nb201.h"
#include "tests/tools/own_memory.h"
#include "worker/engine/graph/cost.h"
#include "worker/engine/scorer.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { N_POSITION = NAS_CELL_EDGES, BASE = 16, N_DIGITS = 7, MAX_COUNT = 10000000 };

/* ---------------------------------------------------------------------------------------- space */

static int64_t index_of(const uint8_t *code)
{
    int64_t index = 0;
    for (int i = 0; i < N_POSITION; i++) index = index * BASE + code[i];
    return index;
}

static void code_of(int64_t index, uint8_t *code)
{
    for (int i = N_POSITION - 1; i >= 0; i--, index /= BASE) code[i] = (uint8_t)(index % BASE);
}

static void print(const uint8_t *code, char *name)
{
    int64_t index = index_of(code);
    name[N_DIGITS] = '\0';
    for (int i = N_DIGITS - 1; i >= 0; i--, index /= 10) name[i] = (char)('0' + index % 10);
}

static bool parse(const char *text, uint8_t *code)
{
    if (strlen(text) != N_DIGITS || strspn(text, "0123456789") != N_DIGITS) return false;
    code_of(strtol(text, NULL, 10), code);
    return true;
}

/* There are networks, as far as anybody asks; costs and scores need none. */
static nas_status_t build(const nas_arch_t *arch, const nas_network_t *options,
                          nas_builder_t *builder, nas_error_t *err)
{
    (void)options;
    (void)builder;
    return nas_error_set(err, NAS_EARG, "%s is made up", arch->name);
}

nas_space_t __wrap_nas_space_nb201 = {.name = "nas-bench-201",
                                      .summary = "made up",
                                      .forms = "0000000",
                                      .count = MAX_COUNT,
                                      .n_position = N_POSITION,
                                      .name_size = N_DIGITS + 1,
                                      .parse = parse,
                                      .print = print,
                                      .index = index_of,
                                      .code = code_of,
                                      .build = build};

__attribute__((constructor)) static void set_count(void)
{
    const char *count = getenv("MADE_UP_COUNT");
    if (count) __wrap_nas_space_nb201.count = strtol(count, NULL, 10);
}

nas_status_t __wrap_nas_arch_cost(const nas_arch_t *arch, const nas_network_t *network,
                                  nas_cost_t *cost, nas_cost_t *live, nas_error_t *err)
{
    (void)network;
    (void)err;
    *cost = (nas_cost_t){.operations = 1000 + 10 * arch->code[N_POSITION - 1]};
    if (live) *live = *cost;
    return NAS_OK;
}

/* -------------------------------------------------------------------------------------- metrics */

struct nas_scorer {
    int n_metric;
    int64_t arch; /* of an engine that takes one at once */
};

nas_status_t __wrap_nas_scorer_create(const nas_scorer_options_t *options, nas_scorer_t **scorer_p,
                                      nas_error_t *err)
{
    nas_scorer_t *scorer = malloc(sizeof *scorer);
    if (!scorer) return nas_error_nomem(err, "a scorer");
    scorer->n_metric = options->n_metric;
    *scorer_p = scorer;
    return NAS_OK;
}

void __wrap_nas_scorer_add(nas_scorer_t *scorer, int64_t number)
{
    scorer->arch = number;
}

void __wrap_nas_scorer_start(nas_scorer_t *scorer)
{
    (void)scorer;
}

nas_status_t __wrap_nas_scorer_finish(nas_scorer_t *scorer, double *const *value,
                                      nas_scorer_result_t *result, nas_error_t *err)
{
    (void)err;
    for (int m = 0; m < scorer->n_metric; m++) value[0][m] = (double)scorer->arch / 7 + m;
    *result = (nas_scorer_result_t){0};
    return NAS_OK;
}

void __wrap_nas_scorer_destroy(nas_scorer_t *scorer)
{
    free(scorer);
}

/* ------------------------------------------------------------------------------------- messages */

static long long largest;

static void count(int n, MPI_Datatype type)
{
    int size = 0;
    PMPI_Type_size(type, &size);
    const long long n_bytes = (long long)n * size;
    if (n_bytes > largest) largest = n_bytes;
}

int MPI_Isend(const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    count(n, type);
    return PMPI_Isend(data, n, type, to, tag, comm, request);
}

int MPI_Irecv(void *data, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    count(n, type);
    return PMPI_Irecv(data, n, type, from, tag, comm, request);
}

int MPI_Ibcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request)
{
    count(n, type);
    return PMPI_Ibcast(data, n, type, root, comm, request);
}

int MPI_Igather(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                MPI_Datatype to_type, int root, MPI_Comm comm, MPI_Request *request)
{
    count(n_from, from_type);
    return PMPI_Igather(from, n_from, from_type, to, n_to, to_type, root, comm, request);
}

int MPI_Iscatter(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                 MPI_Datatype to_type, int root, MPI_Comm comm, MPI_Request *request)
{
    count(n_to, to_type);
    return PMPI_Iscatter(from, n_from, from_type, to, n_to, to_type, root, comm, request);
}

int MPI_Iallgather(const void *from, int n_from, MPI_Datatype from_type, void *to, int n_to,
                   MPI_Datatype to_type, MPI_Comm comm, MPI_Request *request)
{
    count(n_to, to_type);
    return PMPI_Iallgather(from, n_from, from_type, to, n_to, to_type, comm, request);
}

int MPI_Iallreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request *request)
{
    count(n, type);
    return PMPI_Iallreduce(from, to, n, type, op, comm, request);
}

static void write_tally(int rank)
{
    char path[1024];
    struct rusage usage = {0};
    const char *tally = getenv("MADE_UP_TALLY");
    if (!tally || getrusage(RUSAGE_SELF, &usage)) return;
    (void)snprintf(path, sizeof path, "%s.%d", tally, rank);
    FILE *file = fopen(path, "w");
    if (!file) return;
    (void)fprintf(file, "%ld %lld %lld\n", usage.ru_maxrss, own_memory_peak(), largest);
    (void)fclose(file);
}

int MPI_Finalize(void)
{
    int rank = 0;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    write_tally(rank);
    return PMPI_Finalize();
}
