/* Names that stand in two rows of a table whose rows the ranks share.
 *
 * Equal names have equal hashes, so each rank takes a range of the hashes and looks through those
 * that all ranks have there. */
#include "worker/tables/shared_table_internal.h"

#include <stdlib.h>
#include <string.h>

/* Hashes of one exchange, sorted by whom they are for. */
typedef struct letters {
    int size;
    uint64_t *out, *in;
    nas_comm_range_t *sent, *received; /* [size] of `out` and `in`, in bytes */
    size_t n_in;
} letters_t;

/* The range that a hash lies in. */
static int reader_of(uint64_t hash, int size)
{
    return (int)((hash >> 32) * (uint64_t)size >> 32);
}

static nas_status_t make_room(letters_t *letters, int size, size_t n, nas_error_t *err)
{
    letters->size = size;
    letters->out = malloc(n * sizeof *letters->out + 1);
    letters->sent = calloc((size_t)size, sizeof *letters->sent);
    letters->received = calloc((size_t)size, sizeof *letters->received);
    if (letters->out && letters->sent && letters->received) return NAS_OK;
    return nas_error_nomem(err, "hashes of architecture names");
}

static void drop(letters_t *letters)
{
    free(letters->out);
    free(letters->in);
    free(letters->sent);
    free(letters->received);
}

/* Where each rank's part of a buffer begins, one after the other. Returns the bytes of all. */
static size_t line_up(nas_comm_range_t *range, int size)
{
    size_t used = 0;
    for (int r = 0; r < size; r++) {
        range[r].begin = used;
        used += range[r].size;
    }
    return used;
}

/* Count, then place. */
static void write_letters(letters_t *letters, const nas_names_t *names)
{
    const int64_t n = names ? nas_names_count(names) : 0;
    for (int64_t i = 0; i < n; i++)
        letters->sent[reader_of(nas_name_hash(nas_names_at(names, i)), letters->size)].size +=
            sizeof(uint64_t);
    (void)line_up(letters->sent, letters->size);
    for (int r = 0; r < letters->size; r++) letters->sent[r].size = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t hash = nas_name_hash(nas_names_at(names, i));
        nas_comm_range_t *to = &letters->sent[reader_of(hash, letters->size)];
        letters->out[(to->begin + to->size) / sizeof hash] = hash;
        to->size += sizeof hash;
    }
}

/* How much each rank has for every other. */
static void exchange_sizes(nas_comm_t *comm, letters_t *letters)
{
    nas_comm_range_t *at = malloc((size_t)letters->size * sizeof *at);
    if (!at) nas_comm_abort("out of memory for a message");
    for (int r = 0; r < letters->size; r++)
        at[r] = (nas_comm_range_t){.begin = (size_t)r * sizeof *letters->sent,
                                   .size = sizeof *letters->sent};
    nas_comm_exchange(comm, letters->sent, at, letters->received, at);
    letters->n_in = line_up(letters->received, letters->size) / sizeof(uint64_t);
    free(at);
}

static nas_status_t exchange_letters(nas_comm_t *comm, letters_t *letters, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    exchange_sizes(comm, letters);
    letters->in = malloc(letters->n_in * sizeof *letters->in + 1);
    if (!letters->in) status = nas_error_nomem(err, "hashes of architecture names");
    status = nas_comm_agree(comm, status, err);
    if (status) return status;
    nas_comm_exchange(comm, letters->out, letters->sent, letters->in, letters->received);
    free(letters->out);
    letters->out = NULL;
    return NAS_OK;
}

/* Whether a number stands twice in a list: a hash table of places in it, half full at most. */
static nas_status_t look_for_twins(const uint64_t *hash, size_t n, bool *found, nas_error_t *err)
{
    size_t n_slot = 1;
    if (n >= UINT32_MAX)
        return nas_error_set(err, NAS_EINPUT, "more than %zu architectures for one rank", n);
    while (n_slot < 2 * n + 1) n_slot *= 2;
    uint32_t *slot = calloc(n_slot, sizeof *slot); /* 1 + the place; 0: empty */
    if (!slot) return nas_error_nomem(err, "the index of architecture names");
    *found = false;
    for (size_t i = 0; i < n && !*found; i++) {
        size_t s = (size_t)hash[i] & (n_slot - 1);
        while (slot[s] && hash[slot[s] - 1] != hash[i]) s = (s + 1) & (n_slot - 1);
        *found = slot[s] != 0;
        slot[s] = (uint32_t)i + 1;
    }
    free(slot);
    return NAS_OK;
}

nas_status_t nas_shared_table_repeats(nas_comm_t *comm, const nas_names_t *names, bool *seems_so,
                                      nas_error_t *err)
{
    letters_t letters = {0};
    bool found = false;
    const size_t n = names ? (size_t)nas_names_count(names) : 0;
    nas_status_t status = make_room(&letters, nas_comm_size(comm), n, err);
    status = nas_comm_agree(comm, status, err);
    if (!status) {
        write_letters(&letters, names);
        status = exchange_letters(comm, &letters, err);
    }
    if (!status) status = look_for_twins(letters.in, letters.n_in, &found, err);
    drop(&letters);
    status = nas_comm_agree(comm, status, err);
    double any = found;
    if (!status) nas_comm_max(comm, &any, 1);
    *seems_so = any > 0;
    return status;
}
