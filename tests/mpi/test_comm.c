/* Every collective of comm.h against what it promises, at any number of ranks. */
#include "check.h"
#include "common/base/rng.h"

#include <stdlib.h>
#include <string.h>

static void test_bcast(nas_comm_t *world)
{
    for (int root = 0; root < nas_comm_size(world); root++) {
        char data[100] = {0};
        if (nas_comm_rank(world) == root) memset(data, root + 1, sizeof data);
        nas_comm_bcast(world, root, data, sizeof data);
        for (size_t i = 0; i < sizeof data; i++) CHECK(data[i] == root + 1);
    }
}

static void test_agree(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    nas_error_t err = {0};
    CHECK(nas_comm_agree(world, NAS_OK, &err) == NAS_OK);
    for (int bad = 0; bad < size; bad++) {
        nas_status_t status = NAS_OK;
        if (rank == bad) status = nas_error_set(&err, NAS_EIO, "from rank %d", bad);
        if (rank > bad) status = nas_error_set(&err, NAS_EINPUT, "less severe, from rank %d", rank);
        CHECK(nas_comm_agree(world, status, &err) == NAS_EIO);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "from rank %d", bad);
        CHECK(strcmp(err.text, expected) == 0);
    }
    const nas_status_t all = nas_error_set(&err, NAS_EINPUT, "rank %d of all", rank);
    CHECK(nas_comm_agree(world, all, &err) == NAS_EINPUT);
    CHECK(strcmp(err.text, "rank 0 of all") == 0);
}

static void test_extremes(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    double low[2] = {rank, -rank}, high[2] = {rank, -rank};
    nas_comm_min(world, low, 2);
    nas_comm_max(world, high, 2);
    CHECK(low[0] == 0 && low[1] == -(size - 1));
    CHECK(high[0] == size - 1 && high[1] == 0);
    int64_t sum[2] = {rank, -1};
    nas_comm_sum(world, sum, 2);
    CHECK(sum[0] == size * (size - 1) / 2 && sum[1] == -size);
}

/* The rows that a rank has, or wants, when the cuts of n_rows are turned round: others than its own. */
static nas_comm_rows_t turned(nas_comm_t *world, int64_t n_rows, int turn)
{
    const int size = nas_comm_size(world);
    nas_comm_rows_t rows = {0};
    nas_comm_shard(n_rows, (nas_comm_rank(world) + turn) % size, size, &rows.first, &rows.n);
    return rows;
}

static void check_moved(nas_comm_t *world, nas_comm_rows_t held, nas_comm_rows_t wanted)
{
    double value[16], moved[16];
    for (int64_t i = 0; i < held.n; i++) value[i] = (double)(held.first + i) * 1.5;
    nas_comm_move_rows(world, held, value, wanted, moved);
    for (int64_t i = 0; i < wanted.n; i++) CHECK(moved[i] == (double)(wanted.first + i) * 1.5);
}

/* From shards, from rank 0 alone, to other shards, to all ranks, and to none. */
static void test_move_rows(nas_comm_t *world)
{
    int64_t end = 0;
    for (int64_t n_rows = 0; n_rows < 12; n_rows++) {
        for (int r = 0; r < nas_comm_size(world); r++) {
            int64_t first = 0, n = 0;
            nas_comm_shard(n_rows, r, nas_comm_size(world), &first, &n);
            CHECK(first == (r ? end : 0) && n >= 0);
            end = first + n;
        }
        CHECK(end == n_rows);
        const nas_comm_rows_t own = turned(world, n_rows, 0), all = {.n = n_rows}, none = {0};
        const nas_comm_rows_t alone = nas_comm_rank(world) == 0 ? all : none;
        const nas_comm_rows_t middle = {.first = n_rows / 3, .n = n_rows / 2};
        for (int turn = 0; turn < 3; turn++) {
            check_moved(world, own, turned(world, n_rows, turn));
            check_moved(world, turned(world, n_rows, turn), middle);
        }
        check_moved(world, own, all);
        check_moved(world, alone, own);
        check_moved(world, own, alone);
        check_moved(world, own, none);
    }
}

/* Rank r has for rank s a message of r + 2 s bytes, so that one is empty. */
static void test_exchange(nas_comm_t *world)
{
    enum { MAX_RANKS = 8, MOST = 3 * MAX_RANKS };
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    char out[MAX_RANKS * MOST], in[MAX_RANKS * MOST];
    int ranks[MAX_RANKS];
    nas_comm_range_t sent[MAX_RANKS], received[MAX_RANKS];
    CHECK(size <= MAX_RANKS);
    for (int r = 0; r < size; r++) {
        sent[r] = (nas_comm_range_t){.begin = (size_t)r * MOST, .size = (size_t)(rank + 2 * r)};
        received[r] = (nas_comm_range_t){.begin = (size_t)r * MOST, .size = (size_t)(r + 2 * rank)};
        memset(out + r * MOST, 10 * rank + r, MOST);
    }
    nas_comm_exchange(world, out, sent, in, received);
    for (int r = 0; r < size; r++)
        for (int i = 0; i < r + 2 * rank; i++) CHECK(in[r * MOST + i] == 10 * r + rank);
    nas_comm_all_gather(world, &rank, sizeof rank, ranks);
    for (int r = 0; r < size; r++) CHECK(ranks[r] == r);
}

/* Message r has 3 r bytes, so that rank 0 and (with an empty round) everybody sends nothing at
 * times. */
/* Messages of more than one piece, of other lengths for every rank. */
static void test_pieces(nas_comm_t *world)
{
    enum { N = 9 << 20 };
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    size_t *offset = calloc((size_t)size + 1, sizeof *offset), n_back = 0;
    unsigned char *data = malloc(N);
    const char *all = NULL, *back = NULL;
    CHECK(offset && data);
    for (size_t i = 0; i < N; i++) data[i] = (unsigned char)(rank ? 0 : i % 251);
    nas_comm_bcast(world, 0, data, N);
    for (size_t i = 0; i < N; i++) CHECK(data[i] == i % 251);
    nas_comm_gather(world, data, N - (size_t)rank, &all, rank ? NULL : offset);
    for (int r = 0; rank == 0 && r < size; r++)
        CHECK(memcmp(all + offset[r], data, N - (size_t)r) == 0);
    nas_comm_scatter(world, all, offset, &back, &n_back);
    CHECK(n_back == N - (size_t)rank && memcmp(back, data, n_back) == 0);
    free(data);
    free(offset);
}

static void test_gather_scatter(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    size_t *offset = calloc((size_t)size + 1, sizeof *offset);
    CHECK(offset);
    for (int round = 0; round < 3; round++) {
        char mine[64];
        memset(mine, 'a' + rank, sizeof mine);
        const char *all = NULL;
        nas_comm_gather(world, mine, round ? 3 * (size_t)rank : 0, &all, rank ? NULL : offset);
        for (int r = 0; rank == 0 && r < size; r++) {
            CHECK(offset[r + 1] - offset[r] == (round ? 3 * (size_t)r : 0));
            for (size_t i = offset[r]; i < offset[r + 1]; i++) CHECK(all[i] == 'a' + r);
        }
        const char *back = NULL;
        size_t n_back = 0;
        nas_comm_scatter(world, all, offset, &back, &n_back);
        CHECK(n_back == (round ? 3 * (size_t)rank : 0));
        for (size_t i = 0; i < n_back; i++) CHECK(back[i] == 'a' + rank);
    }
    free(offset);
}

static int compare_entries(const void *a, const void *b)
{
    const nas_top_entry_t *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The k best of this rank's rows of a pool whose scores take few values, so that ties abound. */
static void local_top(const nas_top_entry_t *pool, int64_t n_pool, nas_comm_t *world,
                      nas_top_entry_t *top, int64_t k)
{
    int64_t first = 0, n = 0;
    nas_comm_shard(n_pool, nas_comm_rank(world), nas_comm_size(world), &first, &n);
    nas_top_entry_t *part = calloc((size_t)n + 1, sizeof *part);
    CHECK(part);
    memcpy(part, pool + first, (size_t)n * sizeof *part);
    qsort(part, (size_t)n, sizeof *part, compare_entries);
    for (int64_t i = 0; i < k; i++) top[i] = i < n ? part[i] : (nas_top_entry_t){.index = -1};
    free(part);
}

static void test_reduce_top(nas_comm_t *world)
{
    enum { N_POOL = 50, N_LISTS = 3, K_MAX = 60 };
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    for (int64_t k = 1; k <= K_MAX; k = k * 3 + 1) {
        nas_top_entry_t pool[N_LISTS][N_POOL], list[N_LISTS * K_MAX];
        for (int l = 0; l < N_LISTS; l++) {
            nas_rng_t rng;
            nas_rng_init(&rng, 7, NAS_STREAM_BENCH, (uint64_t)l);
            for (int i = 0; i < N_POOL; i++)
                pool[l][i] =
                    (nas_top_entry_t){.score = (double)nas_rng_below(&rng, 5) - 2, .index = i};
            local_top(pool[l], N_POOL, world, list + l * k, k);
        }
        int flag = rank == size - 1 ? 15 : 0;
        nas_comm_reduce_top(world, list, N_LISTS, k, &flag);
        for (int l = 0; rank == 0 && l < N_LISTS; l++) {
            qsort(pool[l], N_POOL, sizeof pool[l][0], compare_entries);
            for (int64_t i = 0; i < k; i++) {
                const nas_top_entry_t *got = &list[l * k + i];
                if (i >= N_POOL)
                    CHECK(got->index == -1);
                else
                    CHECK(got->index == pool[l][i].index && got->score == pool[l][i].score);
            }
        }
        if (rank == 0) CHECK(flag == 15);
    }
}

static void test_split(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    nas_comm_t *half = NULL, *leaders = NULL;
    nas_comm_split(world, rank % 2, &half);
    CHECK(nas_comm_size(half) == (size + 1 - rank % 2) / 2);
    CHECK(nas_comm_rank(half) == rank / 2);
    nas_comm_split(world, nas_comm_rank(half) == 0 ? 0 : -1, &leaders);
    CHECK((leaders != NULL) == (rank < 2));
    if (leaders) CHECK(nas_comm_size(leaders) == (size < 2 ? size : 2));
    nas_comm_destroy(leaders);
    nas_comm_destroy(half);
    const int local_rank = nas_comm_local_rank(world), local_size = nas_comm_local_size(world);
    CHECK(0 <= local_rank && local_rank < local_size && local_size <= size);
}

static void test_self(nas_comm_t *world)
{
    (void)world;
    nas_comm_t *self = NULL;
    nas_error_t err = {0};
    CHECK(nas_comm_self(&self, &err) == NAS_OK);
    test_bcast(self);
    test_agree(self);
    test_extremes(self);
    test_move_rows(self);
    test_exchange(self);
    test_gather_scatter(self);
    test_reduce_top(self);
    nas_comm_destroy(self);
}

static void all_tests(nas_comm_t *world)
{
    test_bcast(world);
    test_agree(world);
    test_extremes(world);
    test_move_rows(world);
    test_exchange(world);
    test_gather_scatter(world);
    test_pieces(world);
    test_reduce_top(world);
    test_split(world);
    test_self(world);
}

int main(void)
{
    return run_mpi_test(all_tests);
}
