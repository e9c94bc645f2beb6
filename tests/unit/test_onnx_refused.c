/* Models that are refused: damaged and hostile files, and networks that cannot be computed. Each in
 * one line that says where and why. */
#include "onnx_text.h"
#include "worker/onnx/read/read.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static nas_status_t read_bytes(const char *path, onnx_bytes_t model, nas_error_t *err)
{
    nas_onnx_network_t network = {0};
    const nas_onnx_expected_t expected = {.with_values = true};
    const nas_status_t status =
        nas_onnx_read_bytes(path, (char *)model.at, model.n, &expected, &network, err);
    nas_onnx_network_fini(&network);
    return status;
}

static void expect_refused(const char *path, onnx_bytes_t model, const char *reason)
{
    nas_error_t err = {0};
    const nas_status_t status = read_bytes(path, model, &err);
    cr_assert_eq(status, NAS_EINPUT, "%s: %d: %s", reason, (int)status, err.text);
    cr_assert_eq(strncmp(err.text, path, strlen(path)), 0, "%s", err.text);
    cr_assert_not_null(strstr(err.text, reason), "%s: %s", reason, err.text);
    cr_assert_null(strchr(err.text, '\n'));
}

/* --------------------------------------------------------------------------- what is not computed */

/* Lines in the middle of a network of images x [n, 3, 8, 8] and logits y; NULL in middle: the lines
 * are all of it. */
typedef struct refused {
    const char *lines;
    const char *reason;
} refused_t;

static const refused_t MIDDLE[] = {
    {"node LeakyRelu z x", "node z: LeakyRelu cannot be computed: accepted are Conv"},
    {"node Sigmoid s x\nnode Mul z x,s", "node s: Sigmoid cannot be computed"},
    {"node HardSwish z x", "node z: HardSwish cannot be computed"},
    {"node Mul z x,x", "node z: Mul cannot be computed"},
    {"float k 1 2\nnode Mul z x,k", "node z: Mul cannot be computed"},
    {"node If z x", "node z: If cannot be computed"},
    {"float k 1 2\nnode Add z x,k", "node z: Add: a sum with constants"},
    {"node AveragePool h x kernel_shape=[2,2]\nnode Add z x,h", "node z: Add: sums are of tensors"},
    {"node Conv z x,-", "node z: Conv: input 1 is no initialiser"},
    {"node Conv z x,x", "node z: Conv: input 1 is no initialiser"},
    {"float w 4,3,9,9 0\nnode Conv z x,w", "node z: Conv: its window does not fit"},
    {"float w 4,2,3,3 0\nnode Conv z x,w", "node z: Conv: its weight is for 2 channels"},
    {"float w 4,3,3,3 0\nnode Conv z x,w group=2", "its channels are no multiples of its 2 groups"},
    {"float w 4,3,3,3 0\nnode Conv z x,w group=-1", "no multiples of its -1 groups"},
    {"float w 4,3,3,3 0\nnode Conv z x,w strides=[0,1]", "its strides are out of range"},
    {"float w 4,3,3,3 0\nnode Conv z x,w pads=[-1,0,0,0]", "its pads are out of range"},
    {"float w 4,3,3,3 0\nnode Conv z x,w dilations=[2147483648,1]", "its dilations are out of"},
    {"float w 4,3,3,3 0\nnode Conv z x,w strides=[1]", "its strides are 1 numbers: 2 are computed"},
    {"float w 4,3,3,3 0\nnode Conv z x,w kernel_shape=[2,2]", "is not that of its weight"},
    {"float w 4,3,3,3 0\nfloat b 5 0\nnode Conv z x,w,b", "input 2 has 5 elements for 4 channels"},
    {"float w 4,3,3 0\nnode Conv z x,w", "input 1 has 3 dimensions, not 4"},
    {"float g 4 1\nnode BatchNormalization z x,g,g,g,g", "has 4 elements for 3 channels"},
    {"float g 3 1\nnode BatchNormalization z x,g,g,g,g epsilon=f0", "its epsilon or momentum"},
    {"float g 3 1\nnode BatchNormalization z x,g,g,g,g momentum=fnan", "its epsilon or momentum"},
    {"float g 3 1\nnode BatchNormalization q,z x,g,g,g,g", "which is not the first output of node"},
    {"node MaxPool q,z x kernel_shape=[2,2]", "it reads z, which is not the first output"},
    {"node MaxPool z x kernel_shape=[2,2] dilations=[2,2]", "dilations of 1 and padding below"},
    {"node MaxPool z x kernel_shape=[2,2] pads=[2,2,2,2]", "dilations of 1 and padding below"},
    {"node MaxPool z x", "node z: MaxPool: it has no kernel_shape"},
    {"node Clip z x min=f0 max=f1", "bounds of 0 and 6, or of 0 alone, are computed"},
    {"node Clip z x,x,x", "its min is not one number"},
    {"node Pad z x pads=[0,0,1,1,0,0,1,1] mode=sreflect", "padding with zeros is computed"},
    {"node Pad z x pads=[0,0,1,1,0,0,1,1] value=f1", "padding with zeros is computed"},
    {"node Pad z x pads=[0,1,0,0,0,0,0,0]", "padding of H and W is computed"},
    {"node Pad z x pads=[0,0,1]", "its pads are not two numbers an axis"},
    {"node Pad z x pads=[0,0,-8,0,0,0,0,0]", "nothing is left of its image"},
    {"node Pad z x pads=[0,0,99999,0,0,0,0,0]", "its pads or axes are out of range"},
    {"node Slice z x starts=[0] ends=[2] axes=[1]", "slices of H and W are computed"},
    {"node Slice z x starts=[3] ends=[3] axes=[2]", "nothing is left of its image"},
    {"node Slice z x starts=[3] ends=[3,4] axes=[2]", "are not as many"},
    {"int s 1 0\nint e 1 9\nint a 1 2\nint p 1 2\nnode Slice z x,s,e,a,p", "steps of 1"},
    {"node Concat z x,x axis=2", "concatenations of channels"},
    {"node Concat z x,x axis=7", "concatenations of channels"},
    {"node ReduceMean z x axes=[1]", "the mean over axes 2 and 3"},
    {"node ReduceMean z x", "the mean over axes 2 and 3"},
    {"node Transpose z x perm=[0,2,3,1]", "images stay [N, C, H, W]"},
    {"int s 5 0,1,3,8,8\nnode Reshape z x,s", "a shape of [N, C H W] is computed"},
    {"node Shape s x\nnode Reshape z x,s\nnode Reshape q x,z",
     "node q: Reshape: its shape are not"},
    {"node Unsqueeze z x axes=[0]", "constants alone get more dimensions"},
    {"node Squeeze z x axes=[2,3]", "axis 2 is not of size 1"},
    {"node Relu z nowhere", "it reads nowhere, which nothing before it makes"},
    {"node Relu q z\nnode Relu z q", "it reads z, which nothing before it makes"},
    {"node Relu z x\nnode Relu z x", "value z is made by two nodes"},
    {"node Relu z -", "node z: Relu: input 0 is not made of the images"},
    {"float z 1 1", "input 0 is not made of the images"},
    {"node Shape s x\nint i - 9\nnode Gather g s,i\nnode Reshape z x,g",
     "there is no such element"},
    {"node Shape s x\nint t 1 2\nnode Mul d s,t\nnode Reshape z x,d",
     "it takes the number of images for a number"},
    {"int a 1 1\nint b 1 0\nnode Div d a,b\nnode Reshape z x,d", "divides by 0"},
    {"int a 1 9223372036854775807\nnode Add d a,a\nnode Reshape z x,d", "or is too large"},
    {"int a 2 4096,4096\nnode ConstantOfShape d a value=I1:1\nnode Reshape z x,d",
     "a constant of too many integers"},
    {"int a 2 0,4611686018427387904\nnode ConstantOfShape e a value=I1:1\n"
     "node Concat d e,e,e axis=1\nnode Reshape z x,d",
     "a constant of too many integers"},
};

Test(onnx_refused, networks_that_cannot_be_computed)
{
    for (size_t i = 0; i < sizeof MIDDLE / sizeof *MIDDLE; i++) {
        char text[4096];
        const char *z = strstr(MIDDLE[i].lines, "node Reshape q") ? "q" : "z";
        (void)snprintf(
            text, sizeof text,
            "opset 13\ninput x 0,3,8,8\noutput y 0,3\n%s\nnode GlobalAveragePool gap %s\n"
            "node Flatten y gap",
            MIDDLE[i].lines, z);
        expect_refused("dir/model.onnx", onnx_from_text(text), MIDDLE[i].reason);
    }
}

static const refused_t WHOLE[] = {
    {"opset 8\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten y x", "of opset 8: 9 to 21 are read"},
    {"opset 22\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten y x", "of opset 22"},
    {"input x 0,3,8,8\noutput y 0,5\nnode Flatten y x", "of opset 0"},
    {"opset 13\noutput y 0,5\nnode Flatten y x", "it has 0 inputs"},
    {"opset 13\ninput x 0,3,8,8\ninput m 0,3\noutput y 0,5\nnode Flatten y x", "it has 2 inputs"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\noutput z 0,5\nnode Flatten y x", "it has 2 outputs"},
    {"opset 13\ninput x 0,3,8,8\nnode Flatten y x", "it has 0 outputs"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten z x", "output y is not made of the im"},
    {"opset 13\ninput x 0,3,8,8\noutput x 0,5", "output x has 4 dimensions"},
    {"opset 13\ninput x 0,192\noutput y 0,5\nnode Relu y x", "its input has 2 dimensions"},
    {"opset 13\ninput x 0,3,0,8\noutput y 0,5\nnode Flatten y x", "does not say the height"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nnode GlobalAveragePool g x\nnode Flatten f g\n"
     "node Softmax y f",
     "node y: Softmax cannot be computed"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten f x\nfloat l 5,191 0\n"
     "node Gemm y f,l transB=1",
     "its weight is for 191 numbers; there are 192"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten f x\nfloat l 5,192 0\n"
     "node Gemm y f,l transB=1 alpha=f2",
     "alpha and beta of 1"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nnode Flatten f x\nfloat l 192,192 0\n"
     "node MatMul g f,l\nnode Gemm y g,l transB=1",
     "another node reads its weight in another shape, or transposed"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nfloat l 5,3 0\nnode MatMul y x,l",
     "input 0 has 4 dimensions, not 2"},
    {"opset 13\ninput x 0,3,8,8\noutput y 0,5\nfloat y 1 1\nnode Flatten y x",
     "initialiser y is there twice"},
};

Test(onnx_refused, files_that_are_no_such_network)
{
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++)
        expect_refused("model.onnx", onnx_from_text(WHOLE[i].lines), WHOLE[i].reason);
}

static const char GOOD[] =
    "opset 13\ninput x 0,3,8,8\noutput y 0,5\nfloat w 4,3,3,3 0.5\nfloat l 5,4 ramp\n"
    "node Conv c x,w pads=[1,1,1,1]\nnode GlobalAveragePool g c\nnode Flatten f g\n"
    "node Gemm y f,l transB=1 alpha=f1";

Test(onnx_refused, the_data_are_other_images_or_classes)
{
    static const struct {
        nas_onnx_expected_t expected;
        const char *reason;
    } wrong[] = {{{.image_channels = 1}, "have a channel count of 3, the data 1"},
                 {{.height = 9}, "have a height of 8, the data 9"},
                 {{.width = 7}, "have a width of 8, the data 7"},
                 {{.classes = 10}, "it has 5 classes, the data 10"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nas_onnx_network_t network = {0};
        nas_error_t err = {0};
        onnx_bytes_t model = onnx_from_text(GOOD);
        cr_assert_eq(nas_onnx_read_bytes("m.onnx", (char *)model.at, model.n, &wrong[i].expected,
                                         &network, &err),
                     NAS_EINPUT);
        cr_assert_not_null(strstr(err.text, wrong[i].reason), "%s", err.text);
        cr_assert_null(network.graph);
    }
}

/* -------------------------------------------------------------------------------------- damage */

/* Cut anywhere, it is refused or, behind its last message, whole. */
Test(onnx_refused, cut_files)
{
    onnx_bytes_t model = onnx_from_text(GOOD);
    for (size_t n = 0; n < model.n; n++) {
        onnx_bytes_t cut = {malloc(n + 1), n};
        nas_error_t err = {0};
        cr_assert_not_null(cut.at);
        memcpy(cut.at, model.at, n);
        cr_assert_eq(read_bytes("cut.onnx", cut, &err), NAS_EINPUT, "%zu bytes", n);
    }
    free(model.at);
}

/* Any byte may be another one: what is read then is a network, or refused. */
Test(onnx_refused, changed_bytes)
{
    onnx_bytes_t model = onnx_from_text(GOOD);
    for (size_t i = 0; i < 8 * model.n; i++) {
        onnx_bytes_t changed = {malloc(model.n), model.n};
        nas_error_t err = {0};
        cr_assert_not_null(changed.at);
        memcpy(changed.at, model.at, model.n);
        changed.at[i / 8] ^= (unsigned char)(1u << i % 8);
        const nas_status_t status = read_bytes("changed.onnx", changed, &err);
        cr_assert(status == NAS_OK || status == NAS_EINPUT, "bit %zu: %s", i, err.text);
    }
    free(model.at);
}

/* A model that has n times this part, as field `field` of its graph. */
static onnx_bytes_t repeat(unsigned field, const void *part, size_t size, size_t n)
{
    onnx_bytes_t model = {malloc(64 + n * (size + 6)), 0};
    size_t length = size < 128 ? size + 2 : size + 3;
    put_varint(&model, 7 << 3 | 2);
    put_varint(&model, n * length);
    for (size_t i = 0; i < n; i++) {
        model.at[model.n++] = (unsigned char)(field << 3 | 2);
        for (size_t rest = size;; rest >>= 7) {
            model.at[model.n++] = (unsigned char)((rest & 127) | (rest > 127 ? 128 : 0));
            if (rest < 128) break;
        }
        if (size > 0) memcpy(model.at + model.n, part, size);
        model.n += size;
    }
    return model;
}

/* Millions of empty nodes, initialisers and inputs. */
Test(onnx_refused, files_of_many_parts)
{
    expect_refused("many.onnx", repeat(1, "", 0, 2000000), "more than 65,536 nodes");
    expect_refused("many.onnx", repeat(5, "", 0, 2000000), "more than 65,536 arrays");
    expect_refused("many.onnx", repeat(11, "", 0, 2000000), "more than 65,536 inputs");
    unsigned char node[100];
    for (size_t i = 0; i < sizeof node; i += 2) memcpy(node + i, "\x0a\x00", 2);
    expect_refused("many.onnx", repeat(1, node, sizeof node, 60000), "262,144 inputs");
    for (size_t i = 0; i < sizeof node; i += 2) memcpy(node + i, "\x2a\x00", 2);
    expect_refused("many.onnx", repeat(1, node, sizeof node, 10), "of opset 0");
}

/* Graphs in attributes of nodes of graphs, 100,000 deep: nobody goes there. */
Test(onnx_refused, files_that_are_deep)
{
    enum { SIZE = 700000 };
    unsigned char *at = malloc(SIZE);
    cr_assert_not_null(at);
    onnx_bytes_t inner = {at + SIZE, 0};
    for (;;) {
        onnx_bytes_t head = {0};
        static const unsigned field[] = {6, 5, 1};
        put_varint(&head, field[inner.n % 3] << 3 | 2);
        put_varint(&head, inner.n);
        if (inner.n + head.n + 16 > SIZE) {
            free(head.at);
            break;
        }
        inner.at -= head.n;
        memcpy(inner.at, head.at, head.n);
        inner.n += head.n;
        free(head.at);
    }
    expect_refused("deep.onnx", repeat(1, inner.at, inner.n < 127 ? inner.n : 127, 3), "");
    onnx_bytes_t model = {malloc(SIZE + 16), 0}, node = {0};
    put_varint(&node, 7 << 3 | 2);
    put_varint(&node, inner.n);
    memcpy(model.at, node.at, node.n);
    memcpy(model.at + node.n, inner.at, inner.n);
    model.n = node.n + inner.n;
    expect_refused("deep.onnx", model, "");
    free(node.at);
    free(at);
}

/* An initialiser w, its fields as they are here, of a network that is whole otherwise. */
static onnx_bytes_t with_initialiser(onnx_bytes_t *tensor)
{
    onnx_bytes_t model = onnx_from_text(
        "opset 13\ninput x 0,3,8,8\noutput y 0,4\nnode Conv c x,w\nnode GlobalAveragePool g c\n"
        "node Flatten y g");
    onnx_bytes_t graph = {0};
    put_text(tensor, 8, "w");
    put_message(&graph, 5, tensor);
    put_message(&model, 7, &graph);
    return model;
}

static onnx_bytes_t weight(int type)
{
    onnx_bytes_t tensor = {0};
    (void)put_dims(&tensor, "4,3,1,1");
    put_integer(&tensor, 2, type);
    return tensor;
}

Test(onnx_refused, arrays_that_are_not_what_they_say)
{
    static const unsigned char zeros[96] = {0};
    onnx_bytes_t w = weight(1);
    expect_refused("a.onnx", with_initialiser(&w), "it has 0 bytes of elements, its shape 48");
    w = weight(1);
    put_data(&w, 9, zeros, 47);
    expect_refused("a.onnx", with_initialiser(&w), "it has 47 bytes of elements, its shape 48");
    w = weight(10);
    put_data(&w, 9, zeros, 24);
    expect_refused("a.onnx", with_initialiser(&w), "elements are of a type that is not read");
    w = weight(7);
    put_data(&w, 7, zeros, 11);
    expect_refused("a.onnx", with_initialiser(&w), "it has 11 bytes of elements");
    w = weight(1);
    put_data(&w, 9, zeros, 24);
    put_data(&w, 9, zeros, 24);
    expect_refused("a.onnx", with_initialiser(&w), "whose elements are in pieces");
    w = weight(1);
    put_integer(&w, 1, -1);
    expect_refused("a.onnx", with_initialiser(&w), "an array of a shape that cannot be");
    w = (onnx_bytes_t){0};
    (void)put_dims(&w, "3037000500,3037000500,2");
    expect_refused("a.onnx", with_initialiser(&w), "an array of a shape that cannot be");
    w = (onnx_bytes_t){0};
    (void)put_dims(&w, "0,4611686018427387904,4611686018427387904");
    expect_refused("a.onnx", with_initialiser(&w), "an array of a shape that cannot be");
    w = (onnx_bytes_t){0};
    (void)put_dims(&w, "1,1,1,1,1,1,1,1,1");
    expect_refused("a.onnx", with_initialiser(&w), "an array of more than 8 dimensions");
    w = weight(1);
    put_data(&w, 9, zeros, 48);
    put_text(&w, 8, "\xff\xfe");
    expect_refused("a.onnx", with_initialiser(&w), "a name that is no text");
    w = weight(1);
    put_data(&w, 9, zeros, 48);
    put_text(&w, 8, "two\nlines");
    expect_refused("a.onnx", with_initialiser(&w), "a name that is no text");
}

/* ------------------------------------------------------------------------------- external data */

static void put_external(onnx_bytes_t *tensor, const char *key, const char *value)
{
    onnx_bytes_t entry = {0};
    if (!value) return;
    put_text(&entry, 1, key);
    put_text(&entry, 2, value);
    put_message(tensor, 13, &entry);
}

static onnx_bytes_t with_external(const char *location, const char *offset, const char *length)
{
    onnx_bytes_t w = weight(1);
    put_external(&w, "location", location);
    put_external(&w, "offset", offset);
    put_external(&w, "length", length);
    put_integer(&w, 14, 1);
    return with_initialiser(&w);
}

static void write_zeros(const char *folder, const char *name, size_t n)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    for (size_t i = 0; i < n; i++) cr_assert_eq(fputc(0, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void remove_all(const char *folder)
{
    static const char *const name[] = {
        "models/w.bin", "models/link", "models/inner", "models/dir", "models", "out.bin", ""};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder, name[i]);
        (void)remove(path);
    }
}

Test(onnx_refused, external_data_are_in_the_folder_of_the_model)
{
    char folder[] = "/tmp/robotnas-onnx-XXXXXX", path[512], link[512];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/models", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    write_zeros(folder, "models/w.bin", 50);
    write_zeros(folder, "out.bin", 50);
    (void)snprintf(link, sizeof link, "%s/models/link", folder);
    cr_assert_eq(symlink("../out.bin", link), 0);
    (void)snprintf(link, sizeof link, "%s/models/inner", folder);
    cr_assert_eq(symlink("w.bin", link), 0);
    (void)snprintf(link, sizeof link, "%s/models/dir", folder);
    cr_assert_eq(mkdir(link, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/models/m.onnx", folder);
    nas_error_t err = {0};
    cr_assert_eq(read_bytes(path, with_external("w.bin", "2", "48"), &err), NAS_OK, "%s", err.text);
    cr_assert_eq(read_bytes(path, with_external("inner", NULL, NULL), &err), NAS_OK, "%s",
                 err.text);
    static const struct {
        const char *location, *offset, *length, *reason;
    } wrong[] = {
        {"../out.bin", "0", "48", "below the model's folder"},
        {"dir/../w.bin", "0", "48", "below the model's folder"},
        {"/etc/passwd", "0", "48", "below the model's folder"},
        {"", "0", "48", "below the model's folder"},
        {"..", "0", "48", "below the model's folder"},
        {"link", "0", "48", "a link leads out of the model's folder"},
        {"gone.bin", "0", "48", "no such file"},
        {"w.bin", "3", "48", "it ends before the array does"},
        {"w.bin", "9223372036854775807", "48", "it ends before the array does"},
        {"w.bin", "0", "47", "its length is not what the shape takes"},
        {"w.bin", "-1", "48", "is no number"},
        {"w.bin", "99999999999999999999", "48", "is no number"},
        {"w.bin", "0", "x", "is no number"},
        {NULL, "0", "48", "external data without a location"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_refused(path, with_external(wrong[i].location, wrong[i].offset, wrong[i].length),
                       wrong[i].reason);
    cr_assert_eq(read_bytes(path, with_external("dir", "0", "48"), &err), NAS_EINPUT);
    remove_all(folder);
}
