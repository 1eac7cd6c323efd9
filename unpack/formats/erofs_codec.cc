// One compressed cluster of EROFS: LZ4 block, LZMA without its header ("MicroLZMA"), raw deflate or a Zstandard frame,
// at the end of its blocks: zeros stand before it. A file may use fewer bytes than the cluster holds.
// Source: Linux fs/erofs/decompressor*.c; liblzma lzma/container.h (lzma_microlzma_decoder).
#include "unpack/codecs.h"
#include "unpack/formats/erofs.h"

#include <lz4.h>
#include <lzma.h>

#include <algorithm>
#include <memory>
#include <span>

namespace assay::unpack::erofs {
namespace {

// Keeps the first bytes, up to its size; refuses what is beyond.
class First final : public Output {
 public:
  explicit First(std::span<std::byte> into) : into_(into) {}
  Result<void> write(std::span<const std::byte> piece) override {
    const size_t now = std::min(piece.size(), into_.size() - done_);
    std::copy_n(piece.begin(), now, into_.begin() + static_cast<ptrdiff_t>(done_));
    done_ += now;
    if (now < piece.size()) return fail(Fault::kLimit, "enough");
    return {};
  }
  uint64_t written() const override { return done_; }

 private:
  std::span<std::byte> into_;
  size_t done_ = 0;
};

Result<void> lz4(Bytes from, std::span<std::byte> out) {
  const int size = static_cast<int>(out.size());
  const int given =
      LZ4_decompress_safe_partial(reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(out.data()),
                                  static_cast<int>(from.size()), size, size);
  if (given != size) return fail(Fault::kMalformed, "lz4 cluster is damaged", from.base());
  return {};
}

Result<void> micro_lzma(Bytes from, uint32_t dictionary, std::span<std::byte> out) {
  lzma_stream z = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> owner(&z, lzma_end);
  if (lzma_microlzma_decoder(&z, from.size(), out.size(), false, dictionary) != LZMA_OK)
    return fail(Fault::kLimit, "lzma decoder found no memory", from.base());
  z.next_in = reinterpret_cast<const uint8_t*>(from.data());
  z.avail_in = from.size();
  z.next_out = reinterpret_cast<uint8_t*>(out.data());
  z.avail_out = out.size();
  const lzma_ret status = lzma_code(&z, LZMA_FINISH);
  if ((status != LZMA_STREAM_END && status != LZMA_OK) || z.avail_out != 0)
    return fail(Fault::kMalformed, "lzma cluster is damaged", from.base());
  return {};
}

template <class Decode>
Result<void> streamed(Decode decode, Bytes from, std::span<std::byte> out) {
  First first(out);
  const auto used = decode(from, first);
  if (first.written() == out.size()) return {};
  if (!used) return std::unexpected(used.error());
  return fail(Fault::kMalformed, "cluster holds fewer bytes than its file needs", from.base());
}

}  // namespace

Result<void> decode_cluster(uint8_t algorithm, Bytes from, uint64_t size, const Super& super, Output& into) {
  if (super.has(kZeroPadding)) {
    uint64_t zeros = 0;
    while (zeros < from.size() && from[zeros] == 0) ++zeros;
    from = from.head(from.size(), zeros);
  }
  if (from.empty()) return fail(Fault::kMalformed, "compressed cluster holds zeros only", from.base());
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(size);
  const std::span out(buffer.get(), size);
  if (algorithm == 0)
    TRY_VOID(lz4(from, out));
  else if (algorithm == 1)
    TRY_VOID(micro_lzma(from, super.lzma_dictionary, out));
  else if (algorithm == 2)
    TRY_VOID(streamed(inflate_raw, from, out));
  else if (algorithm == 3)
    TRY_VOID(streamed(decode_zstd, from, out));
  else
    return fail(Fault::kUnsupported, "compression algorithm " + std::to_string(algorithm), from.base());
  return into.write(out);
}

}  // namespace assay::unpack::erofs
