#include "common/base/digest.h"

#include <criterion/criterion.h>
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
