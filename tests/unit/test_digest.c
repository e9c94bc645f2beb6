#include "common/base/digest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void assert_digest(const char *text, const char *expected)
{
    nas_digest_t digest;
    char hex[NAS_DIGEST_HEX_SIZE];
    cr_assert_eq(nas_digest_of(text, strlen(text), &digest, NULL), NAS_OK);
    nas_digest_hex(&digest, hex);
    cr_assert_str_eq(hex, expected);
}

/* FIPS 180-4, as published with the standard's examples. */
Test(digest, known_answers)
{
    assert_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(digest, million_in_pieces)
{
    char piece[1000], hex[NAS_DIGEST_HEX_SIZE];
    nas_hasher_t *hasher = NULL;
    memset(piece, 'a', sizeof piece);
    cr_assert_eq(nas_hasher_create(&hasher, NULL), NAS_OK);
    for (int i = 0; i < 1000; i++) nas_hasher_update(hasher, piece, sizeof piece);
    const nas_digest_t digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    nas_digest_hex(&digest, hex);
    cr_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(digest, pieces_do_not_matter)
{
    char data[257];
    nas_digest_t whole;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 31);
    cr_assert_eq(nas_digest_of(data, sizeof data, &whole, NULL), NAS_OK);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        nas_hasher_t *hasher = NULL;
        cr_assert_eq(nas_hasher_create(&hasher, NULL), NAS_OK);
        nas_hasher_update(hasher, data, cut);
        nas_hasher_update(hasher, data + cut, sizeof data - cut);
        const nas_digest_t digest = nas_hasher_finish(hasher);
        nas_hasher_destroy(hasher);
        cr_assert_eq(memcmp(&digest, &whole, sizeof whole), 0);
    }
}

Test(digest, destroy_accepts_null_and_an_unfinished_one)
{
    nas_hasher_t *hasher = NULL;
    cr_assert_eq(nas_hasher_create(&hasher, NULL), NAS_OK);
    nas_hasher_update(hasher, "abc", 3);
    nas_hasher_destroy(hasher);
    nas_hasher_destroy(NULL);
}

/* What the header says: the digest of the blocks' digests. */
static nas_digest_t plain_block_digest(const char *data, size_t n)
{
    nas_digest_t block[8], digest;
    int64_t n_blocks = 0;
    for (size_t at = 0; at < n; at += NAS_DIGEST_BLOCK_SIZE) {
        const size_t left = n - at,
                     size = left < NAS_DIGEST_BLOCK_SIZE ? left : NAS_DIGEST_BLOCK_SIZE;
        cr_assert_eq(nas_digest_of(data + at, size, &block[n_blocks++], NULL), NAS_OK);
    }
    cr_assert_eq(nas_digest_of(block, (size_t)n_blocks * sizeof *block, &digest, NULL), NAS_OK);
    return digest;
}

/* Append the digests of a range's blocks, which comes in pieces of `piece` bytes. */
static int64_t add_range(const char *data, size_t n, size_t piece, nas_digest_t *block)
{
    nas_block_digest_t *blocks = NULL;
    int64_t n_blocks = 0;
    cr_assert_eq(nas_block_digest_create(&blocks, NULL), NAS_OK);
    for (size_t at = 0; at < n; at += piece)
        cr_assert_eq(
            nas_block_digest_update(blocks, data + at, n - at < piece ? n - at : piece, NULL),
            NAS_OK);
    const nas_digest_t *found = nas_block_digest_finish(blocks, &n_blocks);
    if (n_blocks > 0) memcpy(block, found, (size_t)n_blocks * sizeof *block);
    nas_block_digest_destroy(blocks);
    return n_blocks;
}

Test(digest, of_blocks_is_the_same_whoever_reads_which_range)
{
    enum { B = NAS_DIGEST_BLOCK_SIZE };
    static const size_t sizes[] = {0, 1, B - 1, B, B + 1, 3 * B, 4 * B + 77};
    static const size_t pieces[] = {4099, B, 3 * B};
    char *data = malloc(5 * (size_t)B);
    cr_assert_not_null(data);
    for (size_t i = 0; i < 5 * (size_t)B; i++) data[i] = (char)(i * i >> 7);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            for (size_t cut = 0; cut <= sizes[s]; cut += B) {
                const size_t n = sizes[s];
                const nas_digest_t expected = plain_block_digest(data, n);
                nas_digest_t block[8], digest;
                int64_t n_blocks = add_range(data, cut, pieces[p], block);
                n_blocks += add_range(data + cut, n - cut, pieces[p], block + n_blocks);
                cr_assert_eq(nas_block_digest_combine(block, n_blocks, &digest, NULL), NAS_OK);
                cr_assert_eq(memcmp(&digest, &expected, sizeof digest), 0, "%zu bytes", n);
            }
    free(data);
    nas_block_digest_destroy(NULL);
}
