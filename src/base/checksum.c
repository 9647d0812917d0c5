#include "base/checksum.h"

#include <nettle/base64.h>
#include <nettle/md5.h>
#include <stdint.h>

void checksum_md5(struct str bytes, char text_out[CHECKSUM_MD5_BYTES])
{
    const void *data = bytes.bytes;
    struct md5_ctx context;
    uint8_t hash[MD5_DIGEST_SIZE];

    md5_init(&context);
    md5_update(&context, bytes.length, data);
    md5_digest(&context, sizeof(hash), hash);
    base64_encode_raw(text_out, sizeof(hash), hash);
    text_out[CHECKSUM_MD5_BYTES - 1] = '\0';
}
