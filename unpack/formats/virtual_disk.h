// A virtual machine's disk as its image tells it: stored pieces, decoded pieces and holes, one behind the other, cut
// off where the disk ends. Shared by the formats that virtual network functions are shipped in.
#pragma once
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack {

class VirtualDisk {
 public:
  VirtualDisk(Sink& into, uint64_t size, std::string codec) : into_(into), left_(size), codec_(std::move(codec)) {}

  bool complete() const { return left_ == 0; }
  uint64_t left() const { return left_; }  // bytes of the disk that are still to come

  // `piece` of the image, then zeros up to `length`.
  Result<void> stored(Bytes piece, uint64_t length) { return decoded(piece, piece.span(), length); }
  // The same for what `from` was decoded to.
  Result<void> decoded(Bytes from, std::span<const std::byte> bytes, uint64_t length) {
    length = std::min(length, left_);
    bytes = bytes.first(std::min<uint64_t>(bytes.size(), length));
    extents_.push_back(from);
    left_ -= bytes.size();
    TRY_VOID(into_.output().write(bytes));
    return hole(length - bytes.size());
  }
  Result<void> hole(uint64_t length) {
    length = std::min(length, left_);
    left_ -= length;
    return into_.output().zeros(length);
  }
  // A piece that cannot be read stands as zeros; the first is a problem, all are counted.
  Result<void> lost(const Error& error, uint64_t length) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    if (lost_++ == 0) into_.problem(error);
    return hole(length);
  }

  Result<void> finish() {
    TRY_VOID(hole(left_));
    if (lost_ > 1)
      into_.problem(
          {Fault::kMalformed, std::to_string(lost_) + " pieces of the disk could not be read; they are zeros", 0});
    return into_.child("disk", {std::move(extents_), codec_});
  }

 private:
  Sink& into_;
  uint64_t left_, lost_ = 0;
  std::string codec_;
  std::vector<Bytes> extents_;
};

}  // namespace assay::unpack
