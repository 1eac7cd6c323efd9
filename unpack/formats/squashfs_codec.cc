// How a compressed block of a SquashFS image is packed.
//
// The compression id of version 4 is what the standard tools obey. Vendors put LZMA into images of every version, with
// or without saying so, in several wrappings; versions 1 to 3 have no id at all:
//   13 bytes  properties, dictionary, decoded size (lzma-alone): squashfs-tools, OpenWrt, sqlzma (which mixes in zlib)
//    5 bytes  properties, dictionary: D-Link, Broadcom; also behind a 4-byte size ("7z") or other 4 bytes
//    4 bytes  pb, lc, lp, fast bytes, anew in each block: DD-WRT
//    4 bytes  "7zip", or nothing at all: lc, lp, pb are compiled into the vendor's kernel
// What an image uses is found by trying: the packing under which the root directory reads. An LZMA stream starts with
// a zero byte, so wrong wrappings fail at once. Facts from devttys0/sasquatch and the images themselves.
#include "unpack/codecs.h"
#include "unpack/formats/squashfs.h"

#include <algorithm>

namespace assay::unpack::squashfs {
namespace {

// Passes on at most `most` bytes; what comes beyond is an error and is remembered.
class Capped final : public Output {
 public:
  Capped(Output& into, uint64_t most) : into_(into), left_(most) {}
  Result<void> write(std::span<const std::byte> piece) override {
    const auto fitting = piece.first(std::min<uint64_t>(piece.size(), left_));
    if (!fitting.empty()) TRY_VOID(into_.write(fitting));
    left_ -= fitting.size();
    written_ += fitting.size();
    if (fitting.size() == piece.size()) return {};
    overflowed_ = true;
    return fail(Fault::kMalformed, "block decodes to more than it may hold");
  }
  uint64_t written() const override { return written_; }
  bool overflowed() const { return overflowed_; }

 private:
  Output& into_;
  uint64_t left_, written_ = 0;
  bool overflowed_ = false;
};

// A raw stream without a size may seem to go on for a few symbols: what counts ends with the block.
Result<void> decode_raw_lzma(Bytes stream, LzmaProperties properties, uint64_t most, std::optional<uint64_t> exact,
                             Output& into) {
  // No block refers back beyond its own start, so the window need not be larger, whatever the header asks for.
  properties.dictionary = static_cast<uint32_t>(most);
  Capped capped(into, most);
  auto done = decode_lzma_raw(stream, properties, exact, capped);
  if (!done && !(capped.overflowed() && !exact)) return std::unexpected(std::move(done).error());
  if (capped.written() == 0) return fail(Fault::kMalformed, "lzma block is empty", stream.base());
  return {};
}

Result<LzmaProperties> stored_properties(uint8_t byte, uint64_t offset) {
  const auto properties = lzma_properties(byte, 0);
  if (!properties) return fail(Fault::kMalformed, "lzma properties " + std::to_string(byte), offset);
  return *properties;
}

Result<void> decode_lzma(const Packing& packing, Bytes block, uint64_t most, std::optional<uint64_t> exact,
                         Output& into) {
  if (packing.kind == Packing::kLzmaAlone) {
    const auto first = TRY(block.le<uint8_t>(0, "lzma properties"));
    const auto size = TRY(block.le<uint64_t>(5, "lzma decoded size"));
    const bool known = size <= most;
    if (!known && size != kNone64) return fail(Fault::kMalformed, "lzma decoded size", block.base() + 5);
    if (known && exact && size != *exact) return fail(Fault::kMalformed, "lzma decoded size", block.base() + 5);
    return decode_raw_lzma(TRY(block.from(13, "lzma stream")), TRY(stored_properties(first, block.base())), most,
                           known ? std::optional(size) : exact, into);
  }
  LzmaProperties properties{packing.lc, packing.lp, packing.pb, 0};
  uint64_t start = packing.at;
  if (packing.kind == Packing::kLzmaProperties) {
    const auto first = TRY(block.le<uint8_t>(packing.at, "lzma properties"));
    properties = TRY(stored_properties(first, block.base()));
    start = packing.at + 5u;
  } else if (packing.kind == Packing::kLzmaDdwrt) {
    const Bytes header = TRY(block.slice(0, 4, "lzma parameters"));
    if (header[0] > 4 || header[1] > 4 || header[2] > 4)
      return fail(Fault::kMalformed, "lzma parameters", block.base());
    properties = {header[1], header[2], header[0], 0};
    start = 4;
  }
  return decode_raw_lzma(TRY(block.from(start, "lzma stream")), properties, most, exact, into);
}

Result<void> nothing_of(Result<uint64_t> used) {
  if (!used) return std::unexpected(std::move(used).error());
  return {};
}

Result<void> decode_by(const Packing& packing, Bytes block, uint64_t most, std::optional<uint64_t> exact,
                       Output& into) {
  switch (packing.kind) {
    case Packing::kZlib:
      return nothing_of(inflate_zlib(block, into));
    case Packing::kDeflate:
      return nothing_of(inflate_raw(block, into));
    case Packing::kXz:
      return nothing_of(decode_xz(block, into));
    case Packing::kZstd:
      return nothing_of(decode_zstd(block, into));
    case Packing::kLzo:
      return decode_lzo1x(block, most, into);
    case Packing::kLz4:
      return decode_lz4_block(block, most, into);
    default:
      return decode_lzma(packing, block, most, exact, into);
  }
}

void add_declared(const Super& super, std::vector<Packing>& out) {
  constexpr Packing::Kind kIds[] = {Packing::kZlib, Packing::kLzmaAlone, Packing::kLzo,
                                    Packing::kXz,   Packing::kLz4,       Packing::kZstd};
  if (super.major == 4 && super.compression >= 1 && super.compression <= 6)
    out.push_back({.kind = kIds[super.compression - 1]});
  else
    out.push_back({.kind = Packing::kZlib});
}

// Raw streams at `at`, with the usual parameters first.
void add_raw(uint8_t at, std::vector<Packing>& out) {
  out.push_back({.kind = Packing::kLzmaRaw, .at = at, .lc = 3, .lp = 0, .pb = 2});
  out.push_back({.kind = Packing::kLzmaRaw, .at = at, .lc = 0, .lp = 0, .pb = 2});
  for (uint8_t pb = 0; pb <= 4; ++pb)
    for (uint8_t lp = 0; lp <= 4; ++lp)
      for (uint8_t lc = 0; lc + lp <= 4; ++lc)
        out.push_back({.kind = Packing::kLzmaRaw, .at = at, .lc = lc, .lp = lp, .pb = pb});
}

}  // namespace

std::string_view codec_of(const Packing& packing) {
  switch (packing.kind) {
    case Packing::kZlib:
      return "zlib";
    case Packing::kDeflate:
      return "deflate";
    case Packing::kXz:
      return "xz";
    case Packing::kZstd:
      return "zstd";
    case Packing::kLzo:
      return "lzo";
    case Packing::kLz4:
      return "lz4";
    default:
      return "lzma";
  }
}

std::string describe(const Packing& p) {
  std::string text(codec_of(p));
  const std::string at = p.at ? " behind " + std::to_string(p.at) + " bytes" : "";
  const std::string parameters =
      "lc " + std::to_string(p.lc) + " lp " + std::to_string(p.lp) + " pb " + std::to_string(p.pb);
  if (p.kind == Packing::kLzmaAlone) text += p.mixed ? ", 13-byte header, blocks of zlib between" : ", 13-byte header";
  if (p.kind == Packing::kLzmaProperties) text += ", 5-byte properties" + at;
  if (p.kind == Packing::kLzmaDdwrt) text += ", 4-byte parameters";
  if (p.kind == Packing::kLzmaRaw) text += ", no header, " + parameters + at;
  return text;
}

Result<void> decode_block(const Packing& packing, Bytes block, uint64_t most, std::optional<uint64_t> exact,
                          Output& into) {
  Packing here = packing;
  if (packing.mixed && block.size() > 0 && block[0] == 0x78) here.kind = Packing::kZlib;
  Capped capped(into, exact ? *exact : most);
  TRY_VOID(decode_by(here, block, most, exact, capped));
  if (exact && capped.written() != *exact)
    return fail(Fault::kMalformed,
                "block decodes to " + std::to_string(capped.written()) + " of " + std::to_string(*exact) + " bytes",
                block.base());
  return {};
}

std::vector<Packing> candidates(const Super& super, Bytes block) {
  std::vector<Packing> out;
  if (super.mixed_lzma) return {{.kind = Packing::kLzmaAlone, .mixed = true}};
  add_declared(super, out);
  const auto starts_at = [&](uint64_t at) { return block.size() > at && block[at] == 0; };
  out.push_back({.kind = Packing::kZlib});
  if (block.starts_with("\xfd"
                        "7zXZ"))
    out.push_back({.kind = Packing::kXz});
  if (block.starts_with("\x28\xb5\x2f\xfd")) out.push_back({.kind = Packing::kZstd});
  if (starts_at(13)) out.push_back({.kind = Packing::kLzmaAlone});
  if (starts_at(5)) out.push_back({.kind = Packing::kLzmaProperties});
  if (starts_at(9)) out.push_back({.kind = Packing::kLzmaProperties, .at = 4});
  if (starts_at(4)) out.push_back({.kind = Packing::kLzmaDdwrt});
  for (const uint8_t at : {0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 10})
    if (starts_at(at)) add_raw(at, out);
  out.push_back({.kind = Packing::kDeflate});
  out.push_back({.kind = Packing::kLzo});
  return out;
}

}  // namespace assay::unpack::squashfs
