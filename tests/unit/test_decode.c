#include "image_sample.h"
#include "worker/data/folders/decode.h"

enum { SIDE = 11, N_PIXELS = SIDE * SIDE, MOST_BYTES = 8 * N_PIXELS };

/* A file to read, by value. */
typedef struct decode_fixture {
    temp_path_t folder, path;
    nas_picture_t picture;
    nas_error_t err;
} decode_fixture_t;

static decode_fixture_t fixture_make(void)
{
    decode_fixture_t f = {.folder = temp_folder_make()};
    f.path = temp_file(&f.folder, "image");
    return f;
}

static void fixture_drop(decode_fixture_t *f)
{
    nas_picture_fini(&f->picture);
    temp_folder_remove(&f->folder);
}

static nas_status_t read_bytes(decode_fixture_t *f, const void *data, size_t n)
{
    nas_picture_fini(&f->picture);
    f->err = (nas_error_t){0};
    put_bytes(&f->path, data, n);
    return nas_picture_read(f->path.text, &f->picture, &f->err);
}

/* A good file, and what it is. */
static void read_good(decode_fixture_t *f, bytes_t bytes, int channels)
{
    cr_assert_eq(read_bytes(f, bytes.at, bytes.n), NAS_OK, "%s", f->err.text);
    cr_assert(f->picture.height == SIDE && f->picture.width == SIDE);
    cr_assert_eq(f->picture.channels, channels);
    free(bytes.at);
}

static void fill(uint8_t *rows)
{
    for (size_t i = 0; i < MOST_BYTES; i++) rows[i] = sample_value(i / 97, i);
}

/* --------------------------------------------------------------------------------- PNG */

/* Value number i of a row of `depth` bits a value. */
static unsigned packed(const uint8_t *row, int depth, int i)
{
    if (depth == 16) return 256u * row[2 * i] + row[2 * i + 1];
    return (unsigned)(row[i * depth / 8] >> (8 - depth - i * depth % 8)) & ((1u << depth) - 1);
}

/* To 8 bits, to the nearest. */
static unsigned in_8_bits(unsigned value, int depth)
{
    const unsigned most = (1u << depth) - 1;
    return (2 * 255 * value + most) / (2 * most);
}

/* What a file of colour type and depth without a palette must become. */
static void assert_stored(const nas_picture_t *picture, const png_sample_t *sample)
{
    const int type = sample->colour_type, depth = sample->depth;
    const int n_colours = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
    const bool has_alpha = type & PNG_COLOR_MASK_ALPHA;
    const int n_stored = n_colours + has_alpha;
    for (int i = 0; i < N_PIXELS; i++) {
        const uint8_t *row = sample->rows + (size_t)(i / SIDE) * sample->stride;
        const int first = i % SIDE * n_stored;
        const unsigned alpha =
            has_alpha ? in_8_bits(packed(row, depth, first + n_colours), depth) : 255;
        for (int c = 0; c < n_colours; c++) {
            const unsigned value = in_8_bits(packed(row, depth, first + c), depth);
            cr_assert_eq(picture->pixel[i * n_colours + c], (2 * value * alpha + 255) / 510);
        }
    }
}

Test(decode, every_kind_of_png_comes_back_exactly)
{
    static const int kind[][2] = {
        {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},
        {PNG_COLOR_TYPE_GRAY, 4},        {PNG_COLOR_TYPE_GRAY, 8},
        {PNG_COLOR_TYPE_GRAY, 16},       {PNG_COLOR_TYPE_RGB, 8},
        {PNG_COLOR_TYPE_RGB, 16},        {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8},
        {PNG_COLOR_TYPE_RGB_ALPHA, 16},
    };
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    fill(rows);
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            const int type = kind[i][0], depth = kind[i][1];
            const int n_colours = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
            const int n_stored = n_colours + (type & PNG_COLOR_MASK_ALPHA ? 1 : 0);
            const png_sample_t sample = {.height = SIDE,
                                         .width = SIDE,
                                         .colour_type = type,
                                         .depth = depth,
                                         .interlaced = interlaced,
                                         .rows = rows,
                                         .stride = (size_t)(SIDE * n_stored * depth + 7) / 8};
            read_good(&f, png_bytes(&sample), n_colours);
            assert_stored(&f.picture, &sample);
        }
    fixture_drop(&f);
}

/* n colours of a palette, some of them transparent in part. */
static png_sample_t palette_sample(int depth, png_color palette[256], uint8_t alpha[256])
{
    const int n = 1 << depth;
    for (int i = 0; i < n; i++) {
        palette[i] = (png_color){(png_byte)(255 - i), (png_byte)(7 * i), (png_byte)(i * i)};
        alpha[i] = (uint8_t)(255 - 3 * i);
    }
    return (png_sample_t){.height = SIDE,
                          .width = SIDE,
                          .colour_type = PNG_COLOR_TYPE_PALETTE,
                          .depth = depth,
                          .stride = (size_t)(SIDE * depth + 7) / 8,
                          .palette = palette,
                          .n_palette = n};
}

Test(decode, palettes_become_their_colours)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES], alpha[256];
    png_color palette[256];
    fill(rows);
    for (int depth = 1; depth <= 8; depth *= 2)
        for (int transparent = 0; transparent < 2; transparent++) {
            png_sample_t sample = palette_sample(depth, palette, alpha);
            sample.rows = rows;
            sample.alpha = transparent ? alpha : NULL;
            sample.n_alpha = transparent ? sample.n_palette : 0;
            read_good(&f, png_bytes(&sample), 3);
            for (int i = 0; i < N_PIXELS; i++) {
                const uint8_t *row = rows + (size_t)(i / SIDE) * sample.stride;
                const unsigned index = packed(row, depth, i % SIDE);
                const unsigned seen = transparent ? alpha[index] : 255;
                const unsigned colour[3] = {palette[index].red, palette[index].green,
                                            palette[index].blue};
                for (int c = 0; c < 3; c++)
                    cr_assert_eq(f.picture.pixel[3 * i + c], (2 * colour[c] * seen + 255) / 510);
            }
        }
    fixture_drop(&f);
}

Test(decode, a_transparent_colour_becomes_black)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[N_PIXELS];
    const png_color_16 key = {.gray = 77};
    for (int i = 0; i < N_PIXELS; i++) rows[i] = (uint8_t)(70 + i % 20);
    read_good(&f,
              png_bytes(&(png_sample_t){.height = SIDE,
                                        .width = SIDE,
                                        .colour_type = PNG_COLOR_TYPE_GRAY,
                                        .depth = 8,
                                        .rows = rows,
                                        .stride = SIDE,
                                        .key = &key}),
              1);
    for (int i = 0; i < N_PIXELS; i++)
        cr_assert_eq(f.picture.pixel[i], rows[i] == 77 ? 0 : rows[i]);
    fixture_drop(&f);
}

/* -------------------------------------------------------------------------------- JPEG */

/* Smooth, as JPEG likes it. */
static void fill_smooth(uint8_t *rows, int n_channels)
{
    for (int i = 0; i < N_PIXELS; i++)
        for (int c = 0; c < n_channels; c++)
            rows[i * n_channels + c] =
                (uint8_t)(40 + 15 * (i / SIDE) * (c != 1) + 12 * (i % SIDE) * (c != 2));
}

static jpeg_sample_t jpeg_of(const uint8_t *rows, J_COLOR_SPACE space)
{
    return (jpeg_sample_t){
        .height = SIDE, .width = SIDE, .space = space, .quality = 100, .rows = rows};
}

static void assert_near(const nas_picture_t *picture, const uint8_t *rows)
{
    const int tolerance = 4;
    for (int i = 0; i < N_PIXELS * picture->channels; i++)
        cr_assert_leq(abs(picture->pixel[i] - rows[i]), tolerance);
}

Test(decode, jpeg_comes_back_nearly)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    for (int colours = 0; colours < 2; colours++)
        for (int progressive = 0; progressive < 2; progressive++) {
            jpeg_sample_t sample = jpeg_of(rows, colours ? JCS_RGB : JCS_GRAYSCALE);
            sample.progressive = progressive;
            fill_smooth(rows, colours ? 3 : 1);
            read_good(&f, jpeg_bytes(&sample), colours ? 3 : 1);
            assert_near(&f.picture, rows);
        }
    fixture_drop(&f);
}

Test(decode, cmyk_becomes_what_the_ink_leaves)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES], expected[3 * N_PIXELS];
    fill_smooth(rows, 4);
    for (int adobe = 0; adobe < 2; adobe++) {
        jpeg_sample_t sample = jpeg_of(rows, JCS_CMYK);
        sample.adobe = adobe;
        for (int i = 0; i < N_PIXELS; i++)
            for (int c = 0; c < 3; c++) {
                const int left = adobe ? rows[4 * i + c] : 255 - rows[4 * i + c];
                const int white = adobe ? rows[4 * i + 3] : 255 - rows[4 * i + 3];
                expected[3 * i + c] = (uint8_t)(left * white / 255);
            }
        read_good(&f, jpeg_bytes(&sample), 3);
        assert_near(&f.picture, expected);
    }
    fixture_drop(&f);
}

Test(decode, the_orientation_in_exif_is_passed_over)
{
    static const uint8_t turned[] = "Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    jpeg_sample_t sample = jpeg_of(rows, JCS_RGB);
    sample.exif = turned;
    sample.n_exif = sizeof turned - 1;
    fill_smooth(rows, 3);
    read_good(&f, jpeg_bytes(&sample), 3);
    assert_near(&f.picture, rows);
    fixture_drop(&f);
}

/* Padding between the last pixel and the end is no damage. */
Test(decode, bytes_before_the_end_of_a_jpeg_are_passed_over)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    fill_smooth(rows, 3);
    const jpeg_sample_t sample = jpeg_of(rows, JCS_RGB);
    bytes_t bytes = jpeg_bytes(&sample);
    bytes.n -= 2;
    bytes_add(&bytes, "\0\0\0\0\xff\xd9", 6);
    read_good(&f, bytes, 3);
    assert_near(&f.picture, rows);
    fixture_drop(&f);
}

/* ----------------------------------------------------------------------------- refusals */

Test(decode, what_is_no_image_is_refused)
{
    decode_fixture_t f = fixture_make();
    const char *path = f.path.text;
    assert_refused(nas_picture_read(path, &f.picture, &f.err), &f.err,
                   "cannot open %s: No such file or directory", path);
    assert_refused(read_bytes(&f, "", 0), &f.err,
                   "%s: it is empty; a JPEG or PNG image was expected, whatever its name", path);
    static const struct {
        const char *bytes, *text;
    } other[] = {{"GIF89a", "a GIF image"},    {"RIFF\1\1\1\1WEBP", "a WebP image"},
                 {"BM6", "a BMP image"},       {"II*\x08", "a TIFF image"},
                 {"<!doctype", "a web page"},  {"text", "neither JPEG nor PNG"},
                 {"G", "neither JPEG nor PNG"}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_refused(read_bytes(&f, other[i].bytes, strlen(other[i].bytes)), &f.err,
                       "%s: %s; a JPEG or PNG image was expected, whatever its name", path,
                       other[i].text);
    assert_refused(read_bytes(&f, "\x89PNG\r\n\x1a\n", 8), &f.err,
                   "%s: damaged PNG: it is cut short", path);
    assert_refused(read_bytes(&f, "\xff\xd8\xff", 3), &f.err,
                   "%s: damaged JPEG: Premature end of JPEG file", path);
    fixture_drop(&f);
}

/* Sizes are checked before memory is taken for them. */
Test(decode, too_many_pixels_are_refused)
{
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    enum { IHDR = 12, IHDR_BYTES = 17, PNG_SIZE = 16, SOF_SIZE = 5 };
    fill_smooth(rows, 3);
    bytes_t png = png_constant(SIDE, SIDE, (uint8_t[]){1, 2, 3});
    memcpy(png.at + PNG_SIZE, (uint8_t[]){0, 1, 0, 0, 0, 0, 0x40, 0}, 8); /* 65536 x 16384 */
    const uint32_t crc = (uint32_t)crc32(0, png.at + IHDR, IHDR_BYTES);
    for (int i = 0; i < 4; i++) png.at[IHDR + IHDR_BYTES + i] = (uint8_t)(crc >> (24 - 8 * i));
    assert_refused(read_bytes(&f, png.at, png.n), &f.err,
                   "%s: 65536 x 16384 pixels; expected 1 to 268435456 in all", f.path.text);
    free(png.at);
    const jpeg_sample_t sample = jpeg_of(rows, JCS_RGB);
    bytes_t jpeg = jpeg_bytes(&sample);
    size_t at = 0;
    while (jpeg.at[at] != 0xff || jpeg.at[at + 1] != 0xc0) at++; /* the frame's header */
    memset(jpeg.at + at + SOF_SIZE, 0xfd, 4);
    assert_refused(read_bytes(&f, jpeg.at, jpeg.n), &f.err,
                   "%s: 65021 x 65021 pixels; expected 1 to 268435456 in all", f.path.text);
    free(jpeg.at);
    fixture_drop(&f);
}

/* Every bit of every coefficient in a scan of its own. */
Test(decode, a_jpeg_of_too_many_scans_is_refused)
{
    enum { N_COEFFICIENTS = 64, N_BITS = 10, N_SCANS = 1 + (N_COEFFICIENTS - 1) * N_BITS };
    decode_fixture_t f = fixture_make();
    uint8_t rows[MOST_BYTES];
    jpeg_scan_info scan[N_SCANS] = {{.comps_in_scan = 1}};
    fill_smooth(rows, 1);
    for (int i = 1; i < N_SCANS; i++) {
        const int k = 1 + (i - 1) / N_BITS, low = N_BITS - 1 - (i - 1) % N_BITS;
        scan[i] = (jpeg_scan_info){
            .comps_in_scan = 1, .Ss = k, .Se = k, .Ah = low == N_BITS - 1 ? 0 : low + 1, .Al = low};
    }
    jpeg_sample_t sample = jpeg_of(rows, JCS_GRAYSCALE);
    sample.scan = scan;
    sample.n_scans = N_SCANS;
    const bytes_t bytes = jpeg_bytes(&sample);
    assert_refused(read_bytes(&f, bytes.at, bytes.n), &f.err, "%s: a JPEG of more than 500 scans",
                   f.path.text);
    free(bytes.at);
    fixture_drop(&f);
}

/* Good files of both formats, to be damaged. */
enum { N_GOOD = 5 };

static bytes_t good_file(int i)
{
    uint8_t rows[MOST_BYTES];
    uint8_t alpha[256];
    png_color palette[256];
    fill(rows);
    png_sample_t colours = palette_sample(4, palette, alpha);
    colours.rows = rows;
    colours.alpha = alpha;
    colours.n_alpha = colours.n_palette;
    if (i == 0) return png_constant(SIDE, SIDE, (uint8_t[]){1, 2, 3});
    if (i == 1) return png_bytes(&colours);
    fill_smooth(rows, 4);
    jpeg_sample_t sample = jpeg_of(rows, i == 4 ? JCS_CMYK : JCS_RGB);
    sample.progressive = i == 3;
    return jpeg_bytes(&sample);
}

/* One line that names the file and nothing else. */
static void assert_one_line(const decode_fixture_t *f, nas_status_t status)
{
    cr_assert_eq(status, NAS_EINPUT, "%s", f->err.text);
    cr_assert_not_null(strstr(f->err.text, f->path.text));
    cr_assert_null(f->picture.pixel);
}

Test(decode, a_file_cut_short_is_refused)
{
    decode_fixture_t f = fixture_make();
    for (int i = 0; i < N_GOOD; i++) {
        const bytes_t good = good_file(i);
        for (size_t n = 0; n < good.n; n += n + 40 < good.n ? 7 : 1)
            assert_one_line(&f, read_bytes(&f, good.at, n));
        cr_assert_eq(read_bytes(&f, good.at, good.n), NAS_OK, "%s", f.err.text);
        free(good.at);
    }
    fixture_drop(&f);
}

Test(decode, no_changed_byte_brings_a_decoder_down)
{
    decode_fixture_t f = fixture_make();
    int n_read = 0, n_refused = 0;
    for (int i = 0; i < N_GOOD; i++) {
        const bytes_t good = good_file(i);
        for (size_t at = 0; at < good.n; at += 7)
            for (int bit = 0; bit < 8; bit += 3) {
                good.at[at] ^= (uint8_t)(1 << bit);
                const nas_status_t status = read_bytes(&f, good.at, good.n);
                if (status) assert_one_line(&f, status);
                n_refused += status != NAS_OK;
                n_read += status == NAS_OK;
                good.at[at] ^= (uint8_t)(1 << bit);
            }
        free(good.at);
    }
    cr_assert(n_read > 0 && n_refused > 0);
    fixture_drop(&f);
}

/* A checksum covers every byte of a PNG. */
Test(decode, every_changed_byte_of_a_png_is_seen)
{
    decode_fixture_t f = fixture_make();
    for (int i = 0; i < 2; i++) {
        const bytes_t good = good_file(i);
        for (size_t at = 0; at < good.n; at++) {
            good.at[at] ^= 1;
            assert_one_line(&f, read_bytes(&f, good.at, good.n));
            good.at[at] ^= 1;
        }
        free(good.at);
    }
    fixture_drop(&f);
}
