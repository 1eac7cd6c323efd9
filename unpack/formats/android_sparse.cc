// Android sparse image: a partition without its empty blocks, as fastboot sends it. Little-endian.
//
//   0   0xed26ff3a  4 major version (16 bits): 1  6 minor  8 size of this header  10 size of a chunk's header
//   12  block size  16 blocks of the partition  20 chunks  24 crc32 of the partition, 0 if absent
//   chunk: 0 type (16 bits)  2 reserved  4 blocks it stands for  8 its bytes here, header included
//     0xcac1 the blocks themselves, 0xcac2 four bytes that fill them, 0xcac3 nothing (zeros), 0xcac4 crc32 so far
//
// Source: AOSP system/core, libsparse/sparse_format.h, sparse_read.cpp.
#include "core/hash.h"
#include "unpack/describe.h"

#include <algorithm>
#include <array>

namespace assay::unpack::android_sparse {
namespace {

constexpr Magic kMagics[] = {{"\x3a\xff\x26\xed"}};
constexpr uint16_t kRaw = 0xcac1, kFill = 0xcac2, kSkip = 0xcac3, kCrc = 0xcac4;

struct Header {
  uint32_t size = 0, chunk_header = 0, block = 0, blocks = 0, chunks = 0, crc = 0;
};

struct Chunk {
  uint16_t type = 0;
  uint64_t at = 0, data = 0, data_size = 0, length = 0;  // length: in the partition
  uint32_t value = 0;                                    // of a fill, or a checksum
};

Result<Header> read_header(Bytes b) {
  Header h;
  const uint16_t major = TRY(b.le<uint16_t>(4, "major version"));
  if (major != 1) return fail(Fault::kUnsupported, "version " + std::to_string(major), b.base() + 4);
  h.size = TRY(b.le<uint16_t>(8, "header size"));
  h.chunk_header = TRY(b.le<uint16_t>(10, "chunk header size"));
  h.block = TRY(b.le<uint32_t>(12, "block size"));
  h.blocks = TRY(b.le<uint32_t>(16, "blocks"));
  h.chunks = TRY(b.le<uint32_t>(20, "chunks"));
  h.crc = TRY(b.le<uint32_t>(24, "crc32"));
  if (h.size < 28 || h.chunk_header < 12)
    return fail(Fault::kMalformed, "header sizes " + std::to_string(h.size) + ", " + std::to_string(h.chunk_header),
                b.base() + 8);
  TRY(b.slice(0, h.size, "header"));  // there may be no chunk behind it that would say so
  if (h.block == 0 || h.block % 4 || h.block > (64u << 20))
    return fail(Fault::kMalformed, "block size " + std::to_string(h.block), b.base() + 12);
  return h;
}

Result<Chunk> read_chunk(Bytes b, const Header& h, uint64_t at) {
  Chunk c;
  c.at = at;
  c.type = TRY(b.le<uint16_t>(at, "chunk type"));
  c.length = uint64_t{TRY(b.le<uint32_t>(at + 4, "chunk blocks"))} * h.block;
  const uint32_t total = TRY(b.le<uint32_t>(at + 8, "chunk size"));
  if (total < h.chunk_header)
    return fail(Fault::kMalformed, "chunk of " + std::to_string(total) + " bytes", b.base() + at + 8);
  c.data = at + h.chunk_header;
  c.data_size = total - h.chunk_header;
  TRY(b.slice(c.data, c.data_size, "chunk"));
  const bool known = c.type >= kRaw && c.type <= kCrc;
  const uint64_t wanted = c.type == kRaw ? c.length : c.type == kSkip ? 0 : 4;
  if (!known || c.data_size != wanted)
    return fail(Fault::kMalformed,
                "chunk type " + hex_number(c.type) + " with " + std::to_string(c.data_size) + " bytes", b.base() + at);
  if (c.type == kFill || c.type == kCrc) c.value = TRY(b.le<uint32_t>(c.data, "chunk value"));
  return c;
}

// Calls `each` for every chunk in order; yields the end of the last.
template <class Each>
Result<uint64_t> walk(Bytes b, const Header& h, Each each) {
  uint64_t at = h.size, blocks = 0;
  if (h.chunks > b.size() / 12) return fail(Fault::kTruncated, "more chunks than bytes", b.base() + 20);
  for (uint32_t i = 0; i < h.chunks; ++i) {
    const Chunk c = TRY(read_chunk(b, h, at));
    TRY_VOID(each(c));
    if (c.type != kCrc) blocks += c.length / h.block;
    at = c.data + c.data_size;
  }
  if (blocks != h.blocks)
    return fail(Fault::kMalformed,
                "chunks stand for " + std::to_string(blocks) + " blocks of " + std::to_string(h.blocks), b.base() + 16);
  return at;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const uint64_t length = TRY(walk(from, h, [](const Chunk&) { return Result<void>{}; }));
  return Measured{length, true};
}

Result<void> write_fill(uint32_t value, uint64_t length, Output& into) {
  if (value == 0) return into.zeros(length);
  std::array<std::byte, 4096> piece;
  for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<std::byte>(value >> 8 * (i % 4));
  for (uint64_t left = length; left > 0; left -= std::min<uint64_t>(left, piece.size()))
    TRY_VOID(into.write(std::span(piece).first(std::min<uint64_t>(left, piece.size()))));
  return {};
}

// Passes on what is written, with its checksum when one is needed.
class Checked final : public Output {
 public:
  Checked(Output& into, bool wanted) : into_(into), wanted_(wanted) {}
  Result<void> write(std::span<const std::byte> piece) override {
    if (wanted_) crc_ = crc32(Bytes(piece), crc_);
    return into_.write(piece);
  }
  uint64_t written() const override { return into_.written(); }
  uint32_t crc() const { return crc_; }

 private:
  Output& into_;
  bool wanted_;
  uint32_t crc_ = 0;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  into.note("partition", std::to_string(uint64_t{h.blocks} * h.block) + " bytes", 16);
  bool has_crc = h.crc != 0;
  TRY(walk(whole, h, [&](const Chunk& c) {
    has_crc |= c.type == kCrc;
    return Result<void>{};
  }));
  Checked out(into.output(), has_crc);
  Content content{{}, "sparse"};
  const auto walked = walk(whole, h, [&](const Chunk& c) -> Result<void> {
    TRY_VOID(into.step(1));
    into.range(Range::kHeader, c.at, c.data - c.at + (c.type == kRaw ? 0 : c.data_size));
    if (c.type == kSkip) return out.zeros(c.length);
    if (c.type == kFill) return write_fill(c.value, c.length, out);
    if (c.type == kCrc) {
      into.integrity(checksum("chunk crc", "crc32", checksum_holds(out.crc(), c.value), c.data));
      return {};
    }
    const Bytes data = TRY(whole.slice(c.data, c.data_size, "chunk"));
    content.extents.push_back(data);
    return out.write(data.span());
  });
  if (!walked) return std::unexpected(walked.error());
  if (h.crc) into.integrity(checksum("image crc", "crc32", checksum_holds(out.crc(), h.crc), 24));
  return into.child("partition", std::move(content));
}

}  // namespace

extern const Format kAndroidSparse;
const Format kAndroidSparse = {.id = "android-sparse",
                               .title = "Android sparse image",
                               .version = 2,
                               .magics = kMagics,
                               .measure = measure,
                               .unpack = unpack,
                               .reads = "raw, fill, skip and crc32 chunks",
                               .source = "AOSP system/core libsparse/sparse_format.h",
                               .checked = "real image; foreign tool: img2simg"};

}  // namespace assay::unpack::android_sparse
