// What UPX did to the calls and jumps of a program so that it packs better, undone.
#pragma once
#include <cstdint>
#include <span>

namespace assay::unpack {

// Undoes filter `id` with its parameter over one block; false where the filter is not known.
bool undo_upx_filter(uint8_t id, uint8_t parameter, std::span<uint8_t> block);

}  // namespace assay::unpack
