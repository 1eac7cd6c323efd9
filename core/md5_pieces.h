// MD5 of several ranges one behind the other, without a copy of them: formats lay a salt over part of an image.
#pragma once
#include "core/hash.h"

namespace assay {

std::array<uint8_t, 16> md5_together(std::span<const Bytes> pieces);

}  // namespace assay
