/* The child's side: HDF5, one item after the other. What it opens ends with the process: to close a
 * damaged file properly may be more than the library can do. */
#include "worker/data/untrusted/untrusted_internal.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An item, opened. */
typedef struct found {
    const nas_untrusted_item_t *item;
    hid_t id;
    hid_t stored; /* type */
    hid_t space;
} found_t;

enum { TYPE_TEXT_SIZE = 64 };

static hid_t open_file(const char *path, nas_untrusted_message_t *message)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* Some cluster file systems have no locks, and HDF5 before 1.10.7 insists on one. */
    (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file >= 0) return file;
    if (H5Fis_hdf5(path) > 0)
        message->status = nas_error_set(
            &message->error, NAS_EINPUT,
            "%s: HDF5 %d.%d.%d cannot open it; it is damaged, cut short, not closed by the program that writes it, or of a newer HDF5",
            path, H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    else
        message->status = nas_error_set(&message->error, NAS_EINPUT, "%s: not an HDF5 file", path);
    return file;
}

/* "int32", "float64": what the file holds, for messages. */
static void describe_stored(hid_t stored, char text[TYPE_TEXT_SIZE])
{
    const size_t n_bits = 8 * H5Tget_size(stored);
    switch (H5Tget_class(stored)) {
    case H5T_INTEGER:
        (void)snprintf(text, TYPE_TEXT_SIZE, "%sint%zu",
                       H5Tget_sign(stored) == H5T_SGN_NONE ? "u" : "", n_bits);
        break;
    case H5T_FLOAT:
        (void)snprintf(text, TYPE_TEXT_SIZE, "float%zu", n_bits);
        break;
    case H5T_STRING:
        (void)snprintf(text, TYPE_TEXT_SIZE, "text");
        break;
    default:
        (void)snprintf(text, TYPE_TEXT_SIZE, "of another type");
    }
}

/* A set of accepted types, for messages. */
static void describe_accepted(unsigned types, char text[TYPE_TEXT_SIZE])
{
    static const struct {
        unsigned types;
        const char *name;
    } kind[] = {{NAS_UNTRUSTED_U8, "uint8"},
                {NAS_UNTRUSTED_I64, "an integer type"},
                {NAS_UNTRUSTED_F32 | NAS_UNTRUSTED_F64, "a float type"},
                {NAS_UNTRUSTED_TEXT, "text"}};
    size_t used = 0;
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        if (types & kind[i].types)
            used += (size_t)snprintf(text + used, TYPE_TEXT_SIZE - used, "%s%s",
                                     used > 0 ? " or " : "", kind[i].name);
}

/* The types in memory that a stored type can become. */
static unsigned convertible(hid_t stored)
{
    switch (H5Tget_class(stored)) {
    case H5T_INTEGER:
        return H5Tget_size(stored) == 1 && H5Tget_sign(stored) == H5T_SGN_NONE
                   ? NAS_UNTRUSTED_U8 | NAS_UNTRUSTED_I64
                   : NAS_UNTRUSTED_I64;
    case H5T_FLOAT:
        return NAS_UNTRUSTED_F32 | NAS_UNTRUSTED_F64;
    case H5T_STRING:
        return NAS_UNTRUSTED_TEXT;
    default:
        return 0;
    }
}

static nas_status_t refuse(const char *path, const nas_untrusted_item_t *item, const char *reason,
                           nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "%s: %s '%s' %s", path,
                         item->attribute ? "attribute" : "dataset", item->name, reason);
}

static nas_status_t choose_type(const char *path, const found_t *found, nas_untrusted_type_t *type,
                                nas_error_t *err)
{
    const unsigned fitting = convertible(found->stored) & found->item->types;
    for (unsigned bit = NAS_UNTRUSTED_U8; bit <= NAS_UNTRUSTED_TEXT; bit <<= 1)
        if (fitting & bit) {
            *type = (nas_untrusted_type_t)bit;
            return NAS_OK;
        }
    char stored[TYPE_TEXT_SIZE], accepted[TYPE_TEXT_SIZE], reason[3 * TYPE_TEXT_SIZE];
    describe_stored(found->stored, stored);
    describe_accepted(found->item->types, accepted);
    (void)snprintf(reason, sizeof reason, "is %s; expected %s", stored, accepted);
    return refuse(path, found->item, reason, err);
}

/* Fill in rank and size. */
static nas_status_t measure(const char *path, const found_t *found,
                            nas_untrusted_message_t *message, nas_error_t *err)
{
    hsize_t size[H5S_MAX_RANK] = {0};
    const int rank = H5Sget_simple_extent_dims(found->space, size, NULL);
    if (rank < 0 || H5Sget_simple_extent_type(found->space) == H5S_NULL)
        return refuse(path, found->item, "holds nothing", err);
    if (rank > NAS_UNTRUSTED_MAX_RANK)
        return refuse(path, found->item, "has too many dimensions", err);
    message->rank = rank;
    for (int i = 0; i < rank; i++) message->size[i] = (int64_t)size[i];
    return NAS_OK;
}

static bool read_found(const found_t *found, hid_t memory, void *data)
{
    return found->item->attribute
               ? H5Aread(found->id, memory, data) >= 0
               : H5Dread(found->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
}

/* A text of fixed length, or NULL. */
static char *read_fixed_text(const found_t *found, hid_t memory)
{
    const size_t width = H5Tget_size(found->stored) + 1;
    char *text = calloc(width, 1);
    if (text && H5Tset_size(memory, width) >= 0 && H5Tset_strpad(memory, H5T_STR_NULLTERM) >= 0 &&
        read_found(found, memory, text))
        return text;
    free(text);
    return NULL;
}

/* The text of an item, or NULL. */
static char *read_text(const found_t *found)
{
    char *text = NULL;
    if (H5Sget_simple_extent_npoints(found->space) != 1) return NULL;
    const hid_t memory = H5Tcopy(found->stored);
    if (H5Tis_variable_str(found->stored) == 0) return read_fixed_text(found, memory);
    return read_found(found, memory, &text) ? text : NULL; /* made by HDF5, with malloc */
}

static hid_t memory_type(nas_untrusted_type_t type)
{
    switch (type) {
    case NAS_UNTRUSTED_U8:
        return H5T_NATIVE_UINT8;
    case NAS_UNTRUSTED_I64:
        return H5T_NATIVE_INT64;
    case NAS_UNTRUSTED_F32:
        return H5T_NATIVE_FLOAT;
    default:
        return H5T_NATIVE_DOUBLE;
    }
}

/* The values of an open item, *n_bytes of them in bytes; *data_p is to be freed in any case. */
static nas_status_t read_item(const nas_untrusted_request_t *request, const found_t *found,
                              nas_untrusted_message_t *message, void **data_p, size_t *n_bytes)
{
    size_t n = 0;
    nas_error_t *err = &message->error;
    const char *path = request->path;
    nas_status_t status = choose_type(path, found, &message->type, err);
    if (!status) status = measure(path, found, message, err);
    if (status) return status;
    if (message->type == NAS_UNTRUSTED_TEXT) {
        *data_p = read_text(found);
        if (!*data_p) return refuse(path, found->item, "is not one text that can be read", err);
        message->rank = 1;
        message->size[0] = (int64_t)strlen(*data_p);
    }
    if (!nas_untrusted_extent(message, request->max_bytes, &n, n_bytes))
        return nas_error_set(err, NAS_EINPUT, "%s: '%s' takes more than %lld bytes", path,
                             found->item->name, (long long)request->max_bytes);
    if (message->type == NAS_UNTRUSTED_TEXT) return NAS_OK;
    *data_p = calloc(*n_bytes + 1, 1);
    if (!*data_p) return nas_error_nomem(err, path);
    if (n == 0 || read_found(found, memory_type(message->type), *data_p)) return NAS_OK;
    char reason[NAS_UNTRUSTED_REASON_SIZE];
    nas_untrusted_explain(found->id, reason);
    return refuse(path, found->item, reason, err);
}

/* Whether the file has the name, all groups on the way included. */
static bool is_present(hid_t file, const nas_untrusted_item_t *item)
{
    return item->attribute ? H5Aexists(file, item->name) > 0
                           : H5Lexists(file, item->name, H5P_DEFAULT) > 0;
}

static nas_status_t open_item(hid_t file, const char *path, found_t *found, nas_error_t *err)
{
    const nas_untrusted_item_t *item = found->item;
    if (item->attribute) {
        found->id = H5Aopen(file, item->name, H5P_DEFAULT);
        found->stored = H5Aget_type(found->id);
        found->space = H5Aget_space(found->id);
    } else {
        found->id = H5Dopen2(file, item->name, H5P_DEFAULT);
        found->stored = H5Dget_type(found->id);
        found->space = H5Dget_space(found->id);
    }
    const bool good = found->id >= 0 && found->stored >= 0 && found->space >= 0;
    return good ? NAS_OK : refuse(path, item, "cannot be opened by HDF5", err);
}

/* Answer for one item. Returns false after an error, sent or not. */
static bool answer_item(int fd, hid_t file, const nas_untrusted_request_t *request,
                        const nas_untrusted_item_t *item)
{
    nas_untrusted_message_t message = {.present = is_present(file, item)};
    found_t found = {.item = item};
    void *data = NULL;
    size_t n_bytes = 0;
    if (!message.present && !item->optional)
        message.status = refuse(request->path, item, "is not there", &message.error);
    if (message.present) message.status = open_item(file, request->path, &found, &message.error);
    if (message.present && !message.status)
        message.status = read_item(request, &found, &message, &data, &n_bytes);
    const bool sent = nas_sandbox_send(fd, &message, sizeof message) && !message.status &&
                      nas_sandbox_send(fd, data, n_bytes);
    free(data);
    return sent;
}

bool nas_untrusted_answer(int fd, const void *context)
{
    const nas_untrusted_request_t *request = context;
    nas_untrusted_message_t refused = {0};
    const hid_t file = open_file(request->path, &refused);
    if (file < 0) return nas_sandbox_send(fd, &refused, sizeof refused);
    for (size_t i = 0; i < request->n; i++)
        if (!answer_item(fd, file, request, &request->item[i])) break;
    return true;
}
