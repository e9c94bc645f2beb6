/* What an edit does, by its first byte modulo N_ACTIONS; a and b are its numbers, content its 8
 * bytes:
 *
 *     POKE      the content goes over the bytes from 256 a + b on, of numbers or texts
 *     NUMBER    number a becomes the special number b
 *     FILL      all of them do
 *     RESHAPE   a dimensions (0: a scalar) with the sizes that are bytes of the content
 *     RETYPE    type a, with b for its width where it has one; the content, repeated
 *     LAYOUT    another way of storage, or none, with sizes that are powers of two
 *     DELETE    the object or attribute goes
 *     LINK      the object's name stands for object b
 *     SOFT      likewise by a soft link, which may lead nowhere or round in a circle
 *     SIBLING   the object gets a second name, a number, beside the first
 */
#include "tests/fuzz/h5_edit.h"

#include "common/state/h5.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 128,
    MOST_PLACES = 256,
    MOST_BYTES = 1 << 16,
    CONTENT_SIZE = 8,
    MOST_RANK = 3,
    GROWTH = 1 << 16
};

enum { POKE = 0, NUMBER, FILL, RESHAPE, RETYPE, LAYOUT, DELETE, LINK, SOFT, SIBLING, N_ACTIONS };

typedef struct edit {
    uint8_t action, place, a, b;
    uint8_t content[CONTENT_SIZE];
} edit_t;

/* An object, or an attribute of one. */
typedef struct place {
    char object[NAME_SIZE];
    char attribute[NAME_SIZE]; /* "": the object itself */
} place_t;

typedef struct places {
    place_t at[MOST_PLACES];
    size_t n;
    const char *object; /* whose attributes are being listed */
} places_t;

/* ----------------------------------------------------------------------------------- places */

static void add_place(places_t *places, const char *object, const char *attribute)
{
    if (places->n == MOST_PLACES) return;
    place_t *place = &places->at[places->n++];
    (void)snprintf(place->object, sizeof place->object, "%s", object);
    (void)snprintf(place->attribute, sizeof place->attribute, "%s", attribute);
}

static herr_t add_attribute(hid_t at, const char *name, const H5A_info_t *info, void *places)
{
    (void)at;
    (void)info;
    add_place(places, ((places_t *)places)->object, name);
    return 0;
}

static void add_attributes(hid_t file, places_t *places, const char *object)
{
    places->object = object;
    (void)H5Aiterate_by_name(file, object, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, places,
                             H5P_DEFAULT);
}

static herr_t add_link(hid_t file, const char *name, const H5L_info_t *info, void *places)
{
    add_place(places, name, "");
    if (info->type == H5L_TYPE_HARD) add_attributes(file, places, name);
    return 0;
}

static void list_places(hid_t file, places_t *places)
{
    places->n = 0;
    add_attributes(file, places, ".");
    (void)H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, add_link, places);
}

/* ----------------------------------------------------------------------------------- values */

/* A dataset or attribute. */
typedef struct value {
    hid_t file;
    const place_t *place;
    hid_t id;
    hid_t type;
    hid_t space;
    uint8_t *bytes; /* [n_bytes], NULL where it cannot be read as plain bytes */
    size_t n_bytes;
} value_t;

static bool is_attribute(const place_t *place)
{
    return *place->attribute;
}

static void release(hid_t id)
{
    if (id >= 0) (void)H5Idec_ref(id);
}

/* Whether values of this type lie in memory as they are, without pointers. */
static bool is_plain(hid_t type)
{
    return H5Tis_variable_str(type) == 0 && H5Tdetect_class(type, H5T_VLEN) == 0 &&
           H5Tdetect_class(type, H5T_REFERENCE) == 0;
}

static void read_value(value_t *value)
{
    const hssize_t n = H5Sget_simple_extent_npoints(value->space);
    const size_t width = H5Tget_size(value->type);
    if (!is_plain(value->type) || n < 0 || n > MOST_BYTES || (size_t)n * width > MOST_BYTES) return;
    value->n_bytes = (size_t)n * width;
    value->bytes = calloc(value->n_bytes + 1, 1);
    NAS_ASSERT(value->bytes);
    if (is_attribute(value->place))
        (void)H5Aread(value->id, value->type, value->bytes);
    else
        (void)H5Dread(value->id, value->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value->bytes);
}

static value_t open_value(hid_t file, const place_t *place)
{
    value_t value = {.file = file, .place = place, .type = -1, .space = -1};
    if (is_attribute(place)) {
        value.id = H5Aopen_by_name(file, place->object, place->attribute, H5P_DEFAULT, H5P_DEFAULT);
        if (value.id >= 0) value.type = H5Aget_type(value.id);
        if (value.id >= 0) value.space = H5Aget_space(value.id);
    } else {
        value.id = H5Dopen2(file, place->object, H5P_DEFAULT);
        if (value.id >= 0) value.type = H5Dget_type(value.id);
        if (value.id >= 0) value.space = H5Dget_space(value.id);
    }
    if (value.id >= 0) read_value(&value);
    return value;
}

static void close_value(value_t *value)
{
    release(value->space);
    release(value->type);
    release(value->id);
    free(value->bytes);
}

static void write_value(const value_t *value)
{
    if (is_attribute(value->place))
        (void)H5Awrite(value->id, value->type, value->bytes);
    else
        (void)H5Dwrite(value->id, value->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value->bytes);
}

static void delete_place(hid_t file, const place_t *place)
{
    if (is_attribute(place))
        (void)H5Adelete_by_name(file, place->object, place->attribute, H5P_DEFAULT);
    else
        (void)H5Ldelete(file, place->object, H5P_DEFAULT);
}

/* Another value in its place.  bytes: repeated; n_bytes 0: none is written. */
static void replace(const value_t *value, hid_t type, hid_t space, hid_t creation,
                    fuzz_bytes_t bytes)
{
    const place_t *place = value->place;
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    const size_t width = H5Tget_size(type);
    const bool fits = n >= 0 && n <= MOST_BYTES && (size_t)n * width <= MOST_BYTES;
    value_t fresh = {.place = place};
    if (is_attribute(place) && !fits) return; /* an attribute is stored whole, written or not */
    delete_place(value->file, place);
    if (is_attribute(place))
        fresh.id = H5Acreate_by_name(value->file, place->object, place->attribute, type, space,
                                     H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    else
        fresh.id =
            H5Dcreate2(value->file, place->object, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (fresh.id >= 0 && fits && bytes.n > 0 && is_plain(type)) {
        fresh.bytes = calloc((size_t)n * width + 1, 1);
        NAS_ASSERT(fresh.bytes);
        for (size_t i = 0; i < (size_t)n * width; i++) fresh.bytes[i] = bytes.at[i % bytes.n];
        fresh.type = type;
        write_value(&fresh);
        free(fresh.bytes);
    }
    release(fresh.id);
}

/* ------------------------------------------------------------------------ numbers and texts */

static void poke(const value_t *value, const edit_t *edit)
{
    if (value->n_bytes == 0) return;
    for (size_t i = 0; i < CONTENT_SIZE; i++) {
        const size_t at = 256u * edit->a + edit->b + i;
        value->bytes[at % value->n_bytes] = edit->content[i];
    }
    write_value(value);
}

static void put_number(hid_t type, uint8_t *at, uint8_t which)
{
    static const double special[] = {0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.5,
                                     2,
                                     3,
                                     4,
                                     1e6,
                                     -1e6,
                                     1e18,
                                     -9e18,
                                     1e300,
                                     -1e300,
                                     1e-9,
                                     100,
                                     1e40,
                                     (double)NAN,
                                     (double)INFINITY,
                                     -(double)INFINITY};
    static const int64_t whole[] = {0,         1,         -1,         2,         3,
                                    4,         8,         64,         255,       65535,
                                    INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN,
                                    1LL << 60, 1LL << 61, 1LL << 40};
    const size_t width = H5Tget_size(type);
    const bool is_float = H5Tget_class(type) == H5T_FLOAT;
    const double x = special[which % (sizeof special / sizeof *special)];
    const int64_t i = whole[which % (sizeof whole / sizeof *whole)];
    const float single = (float)x;
    if (is_float && width == sizeof x)
        memcpy(at, &x, width);
    else if (is_float && width == sizeof single)
        memcpy(at, &single, width);
    else
        memcpy(at, &i, width < sizeof i ? width : sizeof i);
}

static void set_numbers(const value_t *value, const edit_t *edit)
{
    const size_t width = H5Tget_size(value->type), n = value->n_bytes / width;
    if (n == 0) return;
    const size_t first = edit->action == FILL ? 0 : edit->a % n;
    const size_t end = edit->action == FILL ? n : first + 1;
    for (size_t i = first; i < end; i++) put_number(value->type, value->bytes + i * width, edit->b);
    write_value(value);
}

/* ------------------------------------------------------------------ shapes, types, storage */

static hid_t make_space(int rank, const hsize_t *size)
{
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, size, NULL);
}

static void reshape(const value_t *value, const edit_t *edit)
{
    hsize_t size[MOST_RANK];
    for (int i = 0; i < MOST_RANK; i++) size[i] = edit->content[i];
    const hid_t space = make_space(edit->a % (MOST_RANK + 1), size);
    replace(value, value->type, space, H5P_DEFAULT, (fuzz_bytes_t){value->bytes, value->n_bytes});
    release(space);
}

static hid_t make_text_type(uint8_t a, size_t width)
{
    static const H5T_str_t padding[] = {H5T_STR_NULLTERM, H5T_STR_NULLPAD, H5T_STR_SPACEPAD};
    const hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, width);
    (void)H5Tset_strpad(type, padding[a % 3]);
    return type;
}

static hid_t make_type(uint8_t a, uint8_t b)
{
    const hid_t number[] = {H5T_STD_U8LE,   H5T_STD_I8LE,   H5T_STD_I16LE,  H5T_STD_I32LE,
                            H5T_STD_U32LE,  H5T_STD_I64LE,  H5T_STD_U64LE,  H5T_STD_I64BE,
                            H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_B8LE,
                            H5T_STD_REF_OBJ};
    const size_t n = sizeof number / sizeof *number;
    const hsize_t four = 4;
    hid_t type;
    if (a % 32 < n) return H5Tcopy(number[a % 32]);
    switch (a % 32 - n) {
    case 0:
        return make_text_type(0, H5T_VARIABLE);
    case 1:
        return H5Tcreate(H5T_OPAQUE, (size_t)b + 1);
    case 2:
        return H5Tarray_create2(H5T_IEEE_F64LE, 1, &four);
    case 3:
        return H5Tvlen_create(H5T_STD_I64LE);
    case 4:
        type = H5Tcreate(H5T_COMPOUND, sizeof(int64_t));
        (void)H5Tinsert(type, "x", 0, H5T_STD_I64LE);
        return type;
    case 5:
        return H5Tenum_create(H5T_STD_I32LE);
    default:
        return make_text_type(a, (size_t)b + 1);
    }
}

static void retype(const value_t *value, const edit_t *edit)
{
    const hid_t type = make_type(edit->a, edit->b);
    replace(value, type, value->space, H5P_DEFAULT, (fuzz_bytes_t){edit->content, CONTENT_SIZE});
    release(type);
}

/* Chunks of one value, compressed with `a` for a level; or nothing at all is stored. */
static void store_otherwise(const value_t *value, const edit_t *edit)
{
    enum { MOST_BITS = 62 };
    const hsize_t chunk[MOST_RANK] = {1, 1, 1};
    const int rank = H5Sget_simple_extent_ndims(value->space);
    const bool is_empty = edit->a % 2;
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t size[MOST_RANK];
    if (rank < 1 || rank > MOST_RANK || is_attribute(value->place)) goto out;
    (void)H5Sget_simple_extent_dims(value->space, size, NULL);
    for (int i = 0; is_empty && i < rank; i++)
        if (edit->content[i] > 0) size[i] = (hsize_t)1 << edit->content[i] % MOST_BITS;
    if (edit->b % 4 > 0) (void)H5Pset_chunk(creation, rank, chunk);
    if (edit->b % 4 > 1) (void)H5Pset_deflate(creation, edit->b % 9);
    const hid_t space = make_space(rank, size);
    replace(value, value->type, space, creation,
            (fuzz_bytes_t){value->bytes, is_empty ? 0 : value->n_bytes});
    release(space);
out:
    release(creation);
}

static void edit_value(hid_t file, const place_t *place, const edit_t *edit)
{
    value_t value = open_value(file, place);
    if (value.bytes && edit->action == POKE) poke(&value, edit);
    if (value.bytes && (edit->action == NUMBER || edit->action == FILL)) set_numbers(&value, edit);
    if (value.id >= 0 && edit->action == RESHAPE) reshape(&value, edit);
    if (value.id >= 0 && edit->action == RETYPE) retype(&value, edit);
    if (value.id >= 0 && edit->action == LAYOUT) store_otherwise(&value, edit);
    close_value(&value);
}

/* ------------------------------------------------------------------------------------ links */

static void link_to(hid_t file, const place_t *from, const place_t *to, bool soft)
{
    char target[NAME_SIZE + 1];
    (void)snprintf(target, sizeof target, "/%s", to->object);
    if (soft) {
        delete_place(file, from);
        (void)H5Lcreate_soft(target, file, from->object, H5P_DEFAULT, H5P_DEFAULT);
        return;
    }
    /* The object must outlive its own name, where it is the one that is replaced. */
    const hid_t object = H5Oopen(file, to->object, H5P_DEFAULT);
    delete_place(file, from);
    if (object >= 0) (void)H5Olink(object, file, from->object, H5P_DEFAULT, H5P_DEFAULT);
    release(object);
}

static void name_sibling(hid_t file, const place_t *place, uint8_t number)
{
    char name[NAME_SIZE + 8];
    const char *slash = strrchr(place->object, '/');
    const int n_parent = slash ? (int)(slash - place->object) + 1 : 0;
    (void)snprintf(name, sizeof name, "%.*s%d", n_parent, place->object, number % 16);
    (void)H5Lcreate_hard(file, place->object, file, name, H5P_DEFAULT, H5P_DEFAULT);
}

/* ------------------------------------------------------------------------------------ edits */

static void apply(hid_t file, const edit_t *edit)
{
    static places_t places; /* too large for a stack; listed anew every time */
    list_places(file, &places);
    if (places.n == 0) return;
    const place_t *place = &places.at[edit->place % places.n];
    const place_t *other = &places.at[edit->b % places.n];
    switch (edit->action) {
    case DELETE:
        delete_place(file, place);
        break;
    case LINK:
    case SOFT:
        if (!is_attribute(place)) link_to(file, place, other, edit->action == SOFT);
        break;
    case SIBLING:
        if (!is_attribute(place)) name_sibling(file, place, edit->a);
        break;
    default:
        edit_value(file, place, edit);
    }
}

static hid_t open_image(fuzz_bytes_t image)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(access, GROWTH, false);
    (void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    (void)H5Pset_file_image(access, (void *)(uintptr_t)image.at, image.n);
    const hid_t file = H5Fopen("edited", H5F_ACC_RDWR, access);
    NAS_ASSERT(file >= 0);
    release(access);
    return file;
}

fuzz_bytes_t fuzz_h5_edit(fuzz_bytes_t image, fuzz_bytes_t edits)
{
    const hid_t file = open_image(image);
    char *edited = NULL;
    size_t size = 0;
    for (int i = 0; i < FUZZ_H5_MOST_EDITS && edits.n >= FUZZ_H5_EDIT_SIZE; i++) {
        const fuzz_bytes_t bytes = fuzz_bytes(&edits, FUZZ_H5_EDIT_SIZE);
        edit_t edit = {bytes.at[0] % N_ACTIONS, bytes.at[1], bytes.at[2], bytes.at[3], {0}};
        memcpy(edit.content, bytes.at + 4, CONTENT_SIZE);
        apply(file, &edit);
    }
    NAS_ASSERT(nas_h5_image(file, &edited, &size, NULL) == NAS_OK);
    nas_h5_close(file); /* asserts that everything else was closed */
    return (fuzz_bytes_t){.at = (const uint8_t *)edited, .n = size};
}
