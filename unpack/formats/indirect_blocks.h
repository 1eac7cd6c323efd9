// A file's blocks as UNIX file systems have named them from the first on: some in the inode, further ones in a block of
// numbers, then in blocks of numbers of such blocks, and so on; 0: a hole. Shared by UFS and Minix.
#pragma once
#include "unpack/formats/file_map.h"

#include <algorithm>

namespace assay::unpack {

struct IndirectBlocks {
  Bytes whole;
  Sink* into = nullptr;          // none: blocks of numbers are not claimed, nor is the work charged
  uint64_t unit = 0, block = 0;  // bytes: of what a number counts, and of a block
  uint64_t width = 0, end = 0;   // bytes of a number; the first that is none of a file's
  Order order = Order::kLittle;

  uint64_t number(Bytes from, uint64_t index) const {
    if (width == 8) return *from.get<uint64_t>(index * 8, order, "");
    return width == 4 ? *from.get<uint32_t>(index * 4, order, "") : *from.get<uint16_t>(index * 2, order, "");
  }

  // `numbers`: those in the inode, the first `direct` of blocks of the file, then one of each depth. An error: one of
  // them is no place of a file, or they do not come to `size` bytes.
  Result<FileMap> map(Bytes numbers, uint64_t direct, uint64_t size) const {
    FileMap out(whole);
    for (uint64_t n = 0; n < numbers.size() / width; ++n)
      TRY_VOID(add(number(numbers, n), n < direct ? 0 : n - direct + 1, size, out));
    if (out.size() < size) return fail(Fault::kMalformed, "size " + std::to_string(size), numbers.base());
    return out;
  }

 private:
  // `depth`: 0 a block of the file, above it blocks of numbers.
  Result<void> add(uint64_t at, uint64_t depth, uint64_t size, FileMap& out) const {
    if (out.size() >= size) return {};
    uint64_t covers = block;
    for (uint64_t i = 0; i < depth; ++i) covers *= block / width;
    if (at == 0) return out.hole(std::min(size - out.size(), covers)), Result<void>{};
    if (at >= end) return fail(Fault::kMalformed, "block " + std::to_string(at) + " is none of a file's");
    if (depth == 0) return out.stored(at * unit, std::min(size - out.size(), covers));
    if (into) TRY_VOID(into->step(1 + block / width / 16));
    const Bytes b = TRY(whole.slice(at * unit, block, "block of numbers"));
    if (into) into->range(Range::kHeader, b.base() - whole.base(), block);
    for (uint64_t i = 0; i < block / width; ++i) TRY_VOID(add(number(b, i), depth - 1, size, out));
    return {};
  }
};

}  // namespace assay::unpack
