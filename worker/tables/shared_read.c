/* Reading a table by all ranks.
 *
 * The file is cut at its blocks into ranges of about equal sizes, and each reader takes the rows
 * that begin in its own (csv.h says how it finds the first). Then all compare what they found:
 * whether the file could be cut at all, whose error is the first in the file, and how many lines
 * and rows stand before those of each. A reader that has the first error reads its range again up
 * to it, now that it knows its lines. Where anything is in doubt, rank 0 reads the file alone, and
 * what it says holds. */
#include "common/base/log.h"
#include "common/io/file.h"
#include "worker/tables/shared_table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a rank found in its range. */
typedef struct report {
    int64_t status;
    int64_t n_rows;
    int64_t n_lines;
    int64_t is_uncuttable;
} report_t;

typedef struct reading {
    nas_shared_table_t *table;
    const nas_shared_table_options_t *options;
    int n_readers;
    report_t *report; /* [size] */
} reading_t;

/* Why one reader has to read, for the log; NULL: that need not be said. */
typedef struct doubt {
    bool exists;
    const char *reason;
} doubt_t;

static int64_t count_blocks(int64_t n_bytes)
{
    return (n_bytes + NAS_DIGEST_BLOCK_SIZE - 1) / NAS_DIGEST_BLOCK_SIZE;
}

int nas_shared_table_readers(int64_t n_bytes, int64_t least, int n_ranks)
{
    const int64_t n_worth = n_bytes / least, n_blocks = count_blocks(n_bytes);
    const int64_t n = n_worth < n_blocks ? n_worth : n_blocks;
    if (n < 1) return 1;
    return n < n_ranks ? (int)n : n_ranks;
}

/* The first byte of a reader's range. */
static int64_t begin_of(const reading_t *reading, int reader)
{
    return count_blocks(reading->options->n_bytes) * reader / reading->n_readers *
           NAS_DIGEST_BLOCK_SIZE;
}

static nas_csv_range_t range_of(const reading_t *reading, int reader, int64_t line)
{
    const bool is_last = reader == reading->n_readers - 1;
    return (nas_csv_range_t){.begin = begin_of(reading, reader),
                             .end = is_last ? INT64_MAX : begin_of(reading, reader + 1),
                             .line = line};
}

static bool is_same_file(const nas_shared_table_options_t *options)
{
    nas_file_stamp_t stamp;
    return nas_file_stamp(options->table.path, &stamp) && stamp.size == options->n_bytes;
}

/* ------------------------------------------------------------------------------- together */

static nas_status_t read_range(reading_t *reading, nas_error_t *err)
{
    nas_shared_table_t *table = reading->table;
    const int rank = nas_comm_rank(table->comm);
    nas_table_seen_t seen = {0};
    nas_status_t status = NAS_OK;
    if (rank < reading->n_readers)
        status = nas_table_read_range(&reading->options->table, range_of(reading, rank, 1), &seen,
                                      &table->mine, err);
    const report_t mine = {.status = status,
                           .n_rows = table->mine ? nas_table_rows(table->mine) : 0,
                           .n_lines = seen.n_lines,
                           .is_uncuttable = seen.is_uncuttable};
    nas_comm_all_gather(table->comm, &mine, sizeof mine, reading->report);
    return status;
}

/* Of a file that can be cut, the errors before mine make mine one that nobody asks for; if it is
 * the first, its lines are known now. */
static nas_status_t place_error(reading_t *reading, nas_status_t status, nas_error_t *err)
{
    const int rank = nas_comm_rank(reading->table->comm);
    int64_t n_lines = 0;
    if (status != NAS_EINPUT) return status;
    if (reading->report[rank].is_uncuttable) return NAS_OK; /* another one's status is the worse */
    for (int r = 0; r < rank; r++) {
        if (reading->report[r].status) return NAS_OK;
        n_lines += reading->report[r].n_lines;
    }
    if (rank == 0) return status;
    nas_table_seen_t seen = {0};
    nas_table_t *again = NULL;
    status = nas_table_read_range(&reading->options->table, range_of(reading, rank, 1 + n_lines),
                                  &seen, &again, err);
    nas_table_destroy(again);
    if (!status)
        return nas_error_set(err, NAS_EIO, "%s changed while it was read",
                             reading->options->table.path);
    return status;
}

/* Whether lines end within quotes; one who was stopped, or has failed, leaves that open. */
static bool is_uncuttable(const reading_t *reading)
{
    bool is = false;
    for (int r = 0; r < nas_comm_size(reading->table->comm); r++) {
        const report_t *report = &reading->report[r];
        if (report->status != NAS_OK && report->status != NAS_EINPUT) return false;
        is = is || report->is_uncuttable;
    }
    return is;
}

/* Where each rank's rows and lines begin. */
static nas_status_t number_rows(reading_t *reading, nas_error_t *err)
{
    nas_shared_table_t *table = reading->table;
    const int rank = nas_comm_rank(table->comm), size = nas_comm_size(table->comm);
    int64_t n_lines = 0;
    for (int r = 0; r < size; r++) {
        table->first[r + 1] = table->first[r] + reading->report[r].n_rows;
        if (r < rank) n_lines += reading->report[r].n_lines;
    }
    if (table->first[size] == 0) return nas_table_refuse_empty(reading->options->table.path, err);
    if (table->mine) nas_table_move_lines(table->mine, n_lines);
    return NAS_OK;
}

/* The digests of all blocks to rank 0. */
static nas_status_t combine_digests(nas_shared_table_t *table, nas_error_t *err)
{
    const char *all = NULL;
    int64_t n = 0;
    const nas_digest_t *mine = table->mine ? nas_table_blocks(table->mine, &n) : NULL;
    size_t *offset = calloc((size_t)nas_comm_size(table->comm) + 1, sizeof *offset);
    if (!offset) nas_comm_abort("out of memory for a message");
    nas_comm_gather(table->comm, mine, (size_t)n * sizeof *mine, &all, offset);
    const int64_t n_all = (int64_t)(offset[nas_comm_size(table->comm)] / sizeof(nas_digest_t));
    free(offset);
    if (nas_comm_rank(table->comm) != 0) return NAS_OK;
    return nas_block_digest_combine((const nas_digest_t *)(const void *)all, n_all, &table->digest,
                                    err);
}

static nas_status_t read_together(reading_t *reading, doubt_t *doubt, nas_error_t *err)
{
    nas_shared_table_t *table = reading->table;
    bool repeats = false;
    double is_same = is_same_file(reading->options);
    nas_comm_min(table->comm, &is_same, 1);
    if (is_same < 1) {
        *doubt = (doubt_t){true, "is not the same file on all ranks"};
        return NAS_OK;
    }
    nas_status_t status = read_range(reading, err);
    if (is_uncuttable(reading)) {
        *doubt = (doubt_t){true, "has a line that ends within quotes"};
        return NAS_OK;
    }
    status = nas_comm_agree(table->comm, place_error(reading, status, err), err);
    if (!status) status = nas_comm_agree(table->comm, number_rows(reading, err), err);
    if (!status)
        status =
            nas_shared_table_repeats(table->comm, nas_shared_table_names(table), &repeats, err);
    if (status) return status;
    doubt->exists = repeats;
    return repeats ? NAS_OK : nas_comm_agree(table->comm, combine_digests(table, err), err);
}

/* ----------------------------------------------------------------------------------- alone */

static nas_status_t read_alone(reading_t *reading, nas_error_t *err)
{
    nas_shared_table_t *table = reading->table;
    const bool reads = nas_comm_rank(table->comm) == 0;
    nas_status_t status = NAS_OK;
    nas_table_destroy(table->mine);
    table->mine = NULL;
    if (reads) status = nas_table_read(&reading->options->table, &table->mine, err);
    if (reads && !status) {
        int64_t n = 0;
        const nas_digest_t *block = nas_table_blocks(table->mine, &n);
        status = nas_block_digest_combine(block, n, &table->digest, err);
    }
    status = nas_comm_agree(table->comm, status, err);
    if (status) return status;
    int64_t n_rows = reads ? nas_table_rows(table->mine) : 0;
    nas_comm_bcast(table->comm, 0, &n_rows, sizeof n_rows);
    for (int r = 0; r < nas_comm_size(table->comm); r++) table->first[r + 1] = n_rows;
    return NAS_OK;
}

static nas_status_t begin(reading_t *reading, nas_error_t *err)
{
    nas_shared_table_t *table = reading->table;
    const nas_strings_t *columns = reading->options->table.columns;
    const size_t size = (size_t)nas_comm_size(table->comm);
    table->first = calloc(size + 1, sizeof *table->first);
    reading->report = calloc(size, sizeof *reading->report);
    table->path = nas_string_copy(reading->options->table.path, err);
    if (!table->path) return NAS_ENOMEM;
    if (!table->first || !reading->report) return nas_error_nomem(err, "a table");
    for (size_t c = 0; c < columns->n; c++) {
        const nas_status_t status =
            nas_strings_add(&table->columns, columns->at[c], strlen(columns->at[c]), err);
        if (status) return status;
    }
    return NAS_OK;
}

/* What is in doubt is said of a table that can be read; another's refusal says enough. */
static nas_status_t read_rows(reading_t *reading, nas_error_t *err)
{
    doubt_t doubt = {.exists = reading->n_readers < 2};
    nas_status_t status = NAS_OK;
    if (!doubt.exists) status = read_together(reading, &doubt, err);
    if (status || !doubt.exists) return status;
    status = read_alone(reading, err);
    if (!status && doubt.reason && nas_comm_rank(reading->table->comm) == 0)
        nas_log_line("the table %s %s; one rank has read it", reading->options->table.path,
                     doubt.reason);
    return status;
}

nas_status_t nas_shared_table_read(nas_comm_t *comm, const nas_shared_table_options_t *options,
                                   nas_shared_table_t **table_p, nas_error_t *err)
{
    reading_t reading = {.options = options,
                         .n_readers = nas_shared_table_readers(options->n_bytes, options->least,
                                                               nas_comm_size(comm))};
    nas_status_t status = NAS_OK;
    reading.table = calloc(1, sizeof *reading.table);
    if (!reading.table) nas_comm_abort("out of memory for a table");
    reading.table->comm = comm;
    reading.table->last_best = NAN;
    status = nas_comm_agree(comm, begin(&reading, err), err);
    if (!status) status = read_rows(&reading, err);
    free(reading.report);
    if (status)
        nas_shared_table_destroy(reading.table);
    else
        *table_p = reading.table;
    return status;
}
