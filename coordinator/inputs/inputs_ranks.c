#include "coordinator/inputs/inputs_ranks.h"

#include "common/comm/buffer.h"

#include <stdlib.h>
#include <string.h>

/* What the other ranks are told to do with rank 0. */
typedef enum task { DISMISS, READ, RANK, ENCODE, LOOK, NETWORKS } task_t;

typedef struct order {
    int64_t task;
    int64_t what; /* a column, a kind of encoding, or a space; -1: networks are files */
    int64_t how;  /* whether lower is better, a transform, or a kind of weights */
    int64_t n;    /* how many count as the best */
} order_t;

static void tell(nas_comm_t *comm, order_t order)
{
    nas_comm_bcast(comm, 0, &order, sizeof order);
}

/* ------------------------------------------------------------------------ what to read, on its
 * way */

static nas_status_t put_text(nas_buffer_t *buffer, const char *text, nas_error_t *err)
{
    const int64_t n = text ? (int64_t)strlen(text) + 1 : 0; /* with the NUL; 0: there is none */
    const nas_status_t status = nas_buffer_put(buffer, &n, sizeof n, err);
    return status ? status : nas_buffer_put(buffer, text, (size_t)n, err);
}

static nas_status_t put_list(nas_buffer_t *buffer, const nas_strings_t *list, nas_error_t *err)
{
    const int64_t n = list ? (int64_t)list->n : 0;
    nas_status_t status = nas_buffer_put(buffer, &n, sizeof n, err);
    for (int64_t i = 0; !status && i < n; i++) status = put_text(buffer, list->at[i], err);
    return status;
}

static nas_status_t pack(const nas_shared_table_options_t *options, nas_buffer_t *buffer,
                         nas_error_t *err)
{
    const nas_table_options_t *table = &options->table;
    const int64_t size[] = {options->n_bytes, options->least};
    nas_status_t status = nas_buffer_put(buffer, size, sizeof size, err);
    if (!status) status = put_text(buffer, table->path, err);
    if (!status) status = put_text(buffer, table->arch_column, err);
    if (!status) status = put_text(buffer, table->missing_key, err);
    if (!status) status = put_list(buffer, table->columns, err);
    return status ? status : put_list(buffer, table->missing, err);
}

static const char *take_text(const char **at)
{
    const int64_t *n = nas_buffer_take(at, sizeof *n);
    return *n ? nas_buffer_take(at, (size_t)*n) : NULL;
}

static nas_status_t take_list(const char **at, nas_strings_t *list, nas_error_t *err)
{
    const int64_t *n = nas_buffer_take(at, sizeof *n);
    nas_status_t status = NAS_OK;
    for (int64_t i = 0; i < *n; i++) {
        const char *text = take_text(at);
        if (!status) status = nas_strings_add(list, text, strlen(text), err);
    }
    return status;
}

/* Numbers of a list of files. */
typedef struct numbers {
    double timeout_s;
    int64_t weights;
    int64_t most;
    nas_network_t images;
} numbers_t;

static nas_status_t pack_files(const nas_onnx_files_t *files, nas_buffer_t *buffer,
                               nas_error_t *err)
{
    const numbers_t numbers = {.timeout_s = files->timeout_s,
                               .weights = files->weights,
                               .most = files->most,
                               .images = files->images};
    nas_status_t status = nas_buffer_put(buffer, &numbers, sizeof numbers, err);
    if (!status) status = put_text(buffer, files->job_folder, err);
    if (!status) status = put_text(buffer, files->folder, err);
    if (!status) status = put_list(buffer, &files->arch, err);
    if (!status) status = put_list(buffer, &files->path, err);
    return status ? status : put_list(buffer, &files->command, err);
}

static nas_status_t take_copy(const char **at, char **text_p, nas_error_t *err)
{
    const char *text = take_text(at);
    if (!text) return NAS_OK;
    *text_p = nas_string_copy(text, err);
    return *text_p ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t unpack_files(const char *at, nas_onnx_files_t *files, nas_error_t *err)
{
    const numbers_t *numbers = nas_buffer_take(&at, sizeof *numbers);
    *files = (nas_onnx_files_t){.timeout_s = numbers->timeout_s,
                                .weights = (nas_weights_t)numbers->weights,
                                .most = numbers->most,
                                .images = numbers->images};
    nas_status_t status = take_copy(&at, &files->job_folder, err);
    if (!status) status = take_copy(&at, &files->folder, err);
    if (!status) status = take_list(&at, &files->arch, err);
    if (!status) status = take_list(&at, &files->path, err);
    return status ? status : take_list(&at, &files->command, err);
}

/* ----------------------------------------------------------------------------- the other ranks */

/* Those of files: the list comes from rank 0. */
static nas_status_t list_with_0(nas_comm_t *world, const nas_interrupt_t *interrupt,
                                nas_networks_t **networks_p, nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_onnx_files_t files = {0};
    nas_status_t status = nas_buffer_share(world, &buffer, err);
    if (status) return status;
    status = nas_comm_agree(world, unpack_files(buffer.data, &files, err), err);
    free(buffer.data);
    if (!status) return nas_onnx_pool_create(world, &files, interrupt, NULL, networks_p, err);
    nas_onnx_files_fini(&files);
    return status;
}

static nas_status_t make_of_space(nas_comm_t *world, const order_t *order,
                                  nas_networks_t **networks_p, nas_error_t *err)
{
    const nas_status_t status = nas_networks_of_space(nas_space_at(order->what),
                                                      (nas_weights_t)order->how, networks_p, err);
    return nas_comm_agree(world, status, err);
}

static nas_status_t read_with_0(nas_comm_t *world, const nas_interrupt_t *interrupt,
                                nas_shared_table_t **table_p, nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_strings_t columns = {0}, missing = {0};
    nas_shared_table_options_t options = {
        .table = {.columns = &columns, .missing = &missing, .interrupt = interrupt}};
    nas_status_t status = nas_buffer_share(world, &buffer, err);
    if (status) return status;
    const char *at = buffer.data;
    const int64_t *size = nas_buffer_take(&at, 2 * sizeof *size);
    options.n_bytes = size[0];
    options.least = size[1];
    options.table.path = take_text(&at);
    options.table.arch_column = take_text(&at);
    options.table.missing_key = take_text(&at);
    status = take_list(&at, &columns, err);
    if (!status) status = take_list(&at, &missing, err);
    status = nas_comm_agree(world, status, err);
    if (!status) status = nas_shared_table_read(world, &options, table_p, err);
    nas_strings_fini(&columns);
    nas_strings_fini(&missing);
    free(buffer.data);
    return status;
}

static nas_status_t look(nas_shared_table_t *table, int column, nas_transform_t transform,
                         nas_metric_facts_t *facts, nas_error_t *err)
{
    nas_comm_t *comm = nas_shared_table_comm(table);
    const int64_t n = nas_shared_table_held(table).n;
    double *value = malloc((size_t)n * sizeof *value + 1);
    nas_status_t status = value ? NAS_OK : nas_error_nomem(err, "a metric column");
    status = nas_comm_agree(comm, status, err);
    if (!status) {
        if (n > 0) memcpy(value, nas_shared_table_column(table, column), (size_t)n * sizeof *value);
        *facts = nas_normalise_look(comm, transform, value, n);
    }
    free(value);
    return status;
}

static nas_table_order_t table_order(const order_t *order, const nas_interrupt_t *interrupt)
{
    return (nas_table_order_t){.column = (int)order->what,
                               .minimise = order->how != 0,
                               .n_best = order->n,
                               .interrupt = interrupt};
}

/* Errors are the same on all ranks, and rank 0 tells them. */
static void obey(const order_t *order, const nas_inputs_served_t *served)
{
    nas_comm_t *world = served->world;
    const nas_interrupt_t *interrupt = served->interrupt;
    nas_shared_table_t **table_p = served->table_p;
    nas_error_t err = {0};
    nas_metric_facts_t facts;
    nas_encoding_t *none = NULL;
    const nas_table_order_t by = table_order(order, interrupt);
    switch ((task_t)order->task) {
    case READ:
        (void)read_with_0(world, interrupt, table_p, &err);
        break;
    case RANK:
        (void)nas_shared_table_rank(*table_p, &by, &err);
        break;
    case ENCODE:
        (void)nas_shared_table_encode(*table_p, (nas_encoding_kind_t)order->what, &none, &err);
        break;
    case LOOK:
        (void)look(*table_p, (int)order->what, (nas_transform_t)order->how, &facts, &err);
        break;
    case NETWORKS:
        (void)(order->what < 0 ? list_with_0(world, interrupt, served->networks_p, &err)
                               : make_of_space(world, order, served->networks_p, &err));
        break;
    case DISMISS:
        break;
    }
}

void nas_inputs_serve(const nas_inputs_served_t *served)
{
    order_t order = {.task = READ};
    while (order.task != DISMISS) {
        nas_comm_bcast(served->world, 0, &order, sizeof order);
        obey(&order, served);
    }
}

/* --------------------------------------------------------------------------------------- rank 0 */

void nas_inputs_dismiss(nas_comm_t *world)
{
    tell(world, (order_t){.task = DISMISS});
}

nas_status_t nas_inputs_share_table(nas_comm_t *comm, const nas_shared_table_options_t *options,
                                    nas_shared_table_t **table_p, nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_status_t status = pack(options, &buffer, err);
    if (!status && nas_comm_size(comm) > 1) {
        tell(comm, (order_t){.task = READ});
        status = nas_buffer_share(comm, &buffer, err);
        if (!status) status = nas_comm_agree(comm, NAS_OK, err);
    }
    free(buffer.data);
    return status ? status : nas_shared_table_read(comm, options, table_p, err);
}

nas_status_t nas_inputs_rank_table(nas_shared_table_t *table, const nas_table_order_t *order,
                                   nas_error_t *err)
{
    tell(
        nas_shared_table_comm(table),
        (order_t){.task = RANK, .what = order->column, .how = order->minimise, .n = order->n_best});
    return nas_shared_table_rank(table, order, err);
}

nas_status_t nas_inputs_encode_table(nas_shared_table_t *table, nas_encoding_kind_t kind,
                                     nas_encoding_t **encoding_p, nas_error_t *err)
{
    tell(nas_shared_table_comm(table), (order_t){.task = ENCODE, .what = kind});
    return nas_shared_table_encode(table, kind, encoding_p, err);
}

nas_status_t nas_inputs_look_at_column(nas_shared_table_t *table, int column,
                                       nas_transform_t transform, nas_metric_facts_t *facts,
                                       nas_error_t *err)
{
    tell(nas_shared_table_comm(table), (order_t){.task = LOOK, .what = column, .how = transform});
    return look(table, column, transform, facts, err);
}

nas_status_t nas_inputs_share_space(nas_comm_t *comm, const nas_space_t *space,
                                    nas_weights_t weights, nas_networks_t **networks_p,
                                    nas_error_t *err)
{
    const order_t order = {.task = NETWORKS, .what = nas_space_place(space), .how = weights};
    tell(comm, order);
    return make_of_space(comm, &order, networks_p, err);
}

nas_status_t nas_inputs_share_files(nas_comm_t *comm, nas_onnx_files_t *files,
                                    const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                    nas_networks_t **networks_p, nas_error_t *err)
{
    nas_buffer_t buffer = {0};
    nas_status_t status = pack_files(files, &buffer, err);
    if (!status && nas_comm_size(comm) > 1) {
        tell(comm, (order_t){.task = NETWORKS, .what = -1});
        status = nas_buffer_share(comm, &buffer, err);
        if (!status) status = nas_comm_agree(comm, NAS_OK, err);
    }
    free(buffer.data);
    if (!status) return nas_onnx_pool_create(comm, files, interrupt, seen, networks_p, err);
    nas_onnx_files_fini(files);
    return status;
}
