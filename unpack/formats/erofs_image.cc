// Superblock, inodes and extended attributes of EROFS; see erofs.cc for the layout.
#include "core/hash.h"
#include "unpack/formats/erofs.h"

namespace assay::unpack::erofs {
namespace {

constexpr uint32_t kMagic = 0xe0f5e1e2, kReadable = 0x7f;
constexpr uint32_t kLongestName = 255, kMostShared = 4096;

std::string_view prefix_of(uint8_t index) {
  constexpr std::string_view kPrefixes[] = {
      "", "user.", "system.posix_acl_access", "system.posix_acl_default", "trusted.", "lustre.", "security."};
  return index < std::size(kPrefixes) ? kPrefixes[index] : "";
}

// Settings of the codecs stand behind the superblock, a 16-bit length before each, in the order of their bits.
void read_codec_settings(Bytes image, uint16_t algorithms, Super& s) {
  if (!s.has(kCompressionSettings)) return;
  uint64_t at = kSuperAt + 128 + s.slots * 16;
  for (int bit = 0; bit < 4; ++bit) {
    if (!(algorithms >> bit & 1)) continue;
    const auto size = image.le<uint16_t>(at, "codec settings");
    if (!size) return;
    if (bit == 1)
      if (const auto dictionary = image.le<uint32_t>(at + 2, "dictionary"); dictionary && *dictionary >= 4096)
        s.lzma_dictionary = std::min<uint32_t>(*dictionary, 64 << 20);
    at += 2 + *size;
    s.fixed_size = at - kSuperAt;
  }
}

Result<void> check(const Super& s, Bytes image) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, image.base() + kSuperAt); };
  if (s.block_bits < 9 || s.block_bits > 16) return bad("block size of 2^" + std::to_string(s.block_bits));
  if (s.directory_bits > 20) return bad("directory block size of 2^" + std::to_string(s.directory_bits));
  if (s.incompatible & ~kReadable)
    return fail(Fault::kUnsupported, "incompatible features " + std::to_string(s.incompatible),
                image.base() + kSuperAt + 80);
  if (s.blocks == 0 || s.length() > image.size())
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.blocks) + " blocks", image.base() + kSuperAt);
  return {};
}

}  // namespace

Result<Super> read_super(Bytes image) {
  const Bytes b = TRY(image.slice(kSuperAt, 128, "superblock"));
  if (TRY(b.le<uint32_t>(0, "magic")) != kMagic) return fail(Fault::kMalformed, "magic", b.base());
  Super s;
  s.checksum = *b.le<uint32_t>(4, "");
  s.compatible = *b.le<uint32_t>(8, "");
  s.block_bits = b[12];
  s.slots = b[13];
  s.root = *b.le<uint16_t>(14, "");
  s.inodes = *b.le<uint64_t>(16, "");
  s.build_time = *b.le<uint64_t>(24, "");
  s.blocks = *b.le<uint32_t>(36, "");
  s.meta_block = *b.le<uint32_t>(40, "");
  s.attribute_block = *b.le<uint32_t>(44, "");
  s.label = TRY(b.text_field(64, 16, "volume name"));
  s.incompatible = *b.le<uint32_t>(80, "");
  const uint16_t algorithms = *b.le<uint16_t>(84, "");
  s.extra_devices = *b.le<uint16_t>(86, "");
  s.directory_bits = s.block_bits + b[90];
  s.prefix_count = b[91];
  s.prefix_start = *b.le<uint32_t>(92, "");
  s.packed = *b.le<uint64_t>(96, "");
  s.fixed_size = 128 + s.slots * 16;
  TRY_VOID(check(s, image));
  read_codec_settings(image, algorithms, s);
  return s;
}

// From the superblock to the end of its block, the checksum itself taken as zero.
std::optional<bool> super_checksum_holds(Bytes image, const Super& s) {
  if (!(s.compatible & 1)) return std::nullopt;
  const uint64_t length = s.block_size() > kSuperAt ? s.block_size() - kSuperAt : s.block_size();
  const Bytes b = image.head(length, kSuperAt);
  static constexpr std::byte kZeros[4] = {};
  uint32_t crc = crc32c(b.head(4));
  crc = crc32c(Bytes(std::span<const std::byte>(kZeros)), crc);
  return checksum_holds(crc32c(b.head(b.size(), 8), crc), s.checksum);
}

Result<Inode> Image::inode(uint64_t number) {
  if (number > super_.length() / 32)
    return fail(Fault::kMalformed, "inode number " + std::to_string(number) + " lies past the end");
  Inode i;
  i.number = number;
  i.at = (super_.meta_block << super_.block_bits) + number * 32;
  const uint16_t format = TRY(whole_.le<uint16_t>(i.at, "inode"));
  i.fixed_size = format & 1 ? 64 : 32;
  const Bytes b = TRY(whole_.slice(i.at, i.fixed_size, "inode"));
  if ((format >> 1 & 7) > 4 || format >> 4)
    return fail(Fault::kUnsupported, "inode format " + std::to_string(format), b.base());
  i.layout = static_cast<Layout>(format >> 1 & 7);
  const uint16_t words = *b.le<uint16_t>(2, "");
  i.attribute_size = words ? 12 + (words - 1u) * 4 : 0;
  i.mode = *b.le<uint16_t>(4, "");
  i.place = *b.le<uint32_t>(16, "");
  if (format & 1) {
    i.size = *b.le<uint64_t>(8, "");
    i.uid = *b.le<uint32_t>(24, "");
    i.gid = *b.le<uint32_t>(28, "");
    i.mtime = static_cast<int64_t>(*b.le<uint64_t>(32, ""));
    i.links = *b.le<uint32_t>(44, "");
  } else {
    i.links = *b.le<uint16_t>(6, "");
    i.size = *b.le<uint32_t>(8, "");
    i.uid = *b.le<uint16_t>(24, "");
    i.gid = *b.le<uint16_t>(26, "");
    i.mtime = static_cast<int64_t>(super_.build_time);
  }
  claim(i.at, i.fixed_size + i.attribute_size);
  return i;
}

// Prefixes longer than the fixed ones: a length, the fixed prefix, the rest; where fragments are kept, or in the open.
Result<void> Image::load_prefixes() {
  prefixes_loaded_ = true;
  if (!super_.has(kLongPrefixes)) return {};
  uint64_t at = uint64_t{super_.prefix_start} * 4;
  for (uint32_t i = 0; i < super_.prefix_count; ++i) {
    const bool inside = super_.has(kFragments) && super_.packed != 0;
    const auto piece = [&](uint64_t from, uint64_t size) {
      return inside ? packed(from, size) : whole_.slice(from, size, "attribute prefix");
    };
    const Bytes stored_size = TRY(piece(at, 2));
    const uint16_t size = *stored_size.le<uint16_t>(0, "");
    if (size == 0 || size > 1 + kLongestName) return fail(Fault::kMalformed, "attribute prefix's length", at);
    const Bytes text = TRY(piece(at + 2, size));
    prefixes_.push_back(std::string(prefix_of(text[0])) + std::string(text.head(size, 1).text()));
    if (!inside) claim(at, 2 + size);
    at = (at + 2 + size + 3) / 4 * 4;
  }
  return {};
}

Result<std::string> Image::attribute_prefix(uint8_t index) {
  if (!(index & 0x80)) return std::string(prefix_of(index));
  if (!prefixes_loaded_) TRY_VOID(load_prefixes());
  if ((index & 0x7fu) >= prefixes_.size())
    return fail(Fault::kMalformed, "attribute prefix " + std::to_string(index & 0x7f));
  return prefixes_[index & 0x7f];
}

Result<void> Image::attribute_entry(Bytes area, uint64_t& at, Attributes& out) {
  const Bytes head = TRY(area.slice(at, 4, "attribute"));
  const uint8_t name = head[0];
  const uint16_t value = *head.le<uint16_t>(2, "");
  TRY_VOID(step(1 + value / 64u));
  const Bytes text = TRY(area.slice(at + 4, uint64_t{name} + value, "attribute"));
  out.emplace_back(TRY(attribute_prefix(head[1])) + std::string(text.head(name).text()),
                   std::string(text.head(value, name).text()));
  at = (at + 4 + name + value + 3) / 4 * 4;
  return {};
}

// A header of 12 bytes (filter, number of shared ones), numbers of shared attributes, then entries of its own.
Result<Image::Attributes> Image::attributes(const Inode& inode) {
  Attributes out;
  if (inode.attribute_size == 0) return out;
  const Bytes area = TRY(whole_.slice(inode.at + inode.fixed_size, inode.attribute_size, "attributes"));
  const uint32_t shared = TRY(area.le<uint8_t>(4, "shared attributes"));
  for (uint32_t i = 0; i < shared && i < kMostShared; ++i) {
    const uint64_t number = TRY(area.le<uint32_t>(12 + 4 * i, "shared attribute"));
    const uint64_t start = (super_.attribute_block << super_.block_bits) + number * 4;
    uint64_t at = start;
    TRY_VOID(attribute_entry(whole_, at, out));
    claim(start, at - start);
  }
  for (uint64_t at = 12 + uint64_t{4} * shared; at + 4 <= area.size();) {
    if (*area.le<uint32_t>(at, "attribute") == 0) break;  // padding
    TRY_VOID(attribute_entry(area, at, out));
  }
  return out;
}

}  // namespace assay::unpack::erofs
