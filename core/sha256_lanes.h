// SHA-256 of many contents: two at a time on processors with instructions for it, whose units one message cannot fill.
#pragma once
#include "core/hash.h"

namespace assay {

// out[i] is the digest of in[i]; the result is that of sha256() one by one.
void sha256_each(std::span<const Bytes> in, std::span<Digest> out);

}  // namespace assay
