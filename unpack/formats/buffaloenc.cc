// Buffalo's encrypted images.
//
//   0   "start" or "asar1", NUL
//   6   a byte that begins the key of the product's name
//   7   length of the product's name with its NUL, the name, encrypted
//       length of the version with its NUL, the version, encrypted
//       length of the data, the data, encrypted
//       checksum of the data: CRC-32's register, begun at the length, bytes taken as signed; then up to 4 bytes
//   In front may stand a header of 20 bytes that begins with "bgn" and NUL.
//
// Numbers are big endian. The cipher is RC4's, keyed with one byte and "Buffalo"; the byte is the first encrypted one
// of the field before. Its state has 256 entries, or as many as there are bytes ("long state"). The checksum tells
// which. Source: openwrt/firmware-utils, src/buffalo-lib.c and src/buffalo-enc.c; fkie-cad/fact_extractor,
// buffalo_bgn.py.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <numeric>

namespace assay::unpack::buffaloenc {
namespace {

constexpr Magic kMagics[] = {
    {std::string_view("start\0", 6)}, {std::string_view("asar1\0", 6)}, {std::string_view("bgn\0", 4)}};
constexpr uint64_t kWrapper = 20, kLongestProduct = 32, kLongestVersion = 8, kShortState = 256;

struct Layout {
  uint64_t start = 0, product = 0, product_size = 0, version = 0, version_size = 0, data = 0, size = 0;
  uint64_t checksum() const { return data + size; }
};

std::string crypt(std::string_view bytes, uint8_t seed, uint64_t state_size) {
  const std::string key = std::string(1, static_cast<char>(seed)) + "Buffalo";
  std::vector<uint8_t> state(state_size);
  std::iota(state.begin(), state.end(), uint8_t{0});
  uint64_t k = 0;
  for (uint64_t i = 0; i < state_size; ++i) {
    k = (k + static_cast<uint8_t>(key[i % key.size()]) + state[i]) % state_size;
    std::swap(state[i], state[k]);
  }
  std::string out(bytes);
  uint8_t i = 0, j = 0;  // eight bits wide in the original too, however long the state is
  for (char& c : out) {
    i = static_cast<uint8_t>((i + 1) % state_size);
    j = static_cast<uint8_t>((j + state[i]) % state_size);
    std::swap(state[i], state[j]);
    c = static_cast<char>(c ^ static_cast<char>(state[(state[i] + state[j]) % state_size]));
  }
  return out;
}

// CRC-32's register over signed bytes: the upper 24 bits of a byte from 0x80 on are ones.
uint32_t checksum_of(std::string_view bytes) {
  auto sum = static_cast<uint32_t>(bytes.size());
  for (const char c : bytes) {
    sum ^= static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(c)));
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
  }
  return sum;
}

Result<uint64_t> read_field(Bytes from, uint64_t at, uint64_t most, std::string_view name, uint64_t& size) {
  size = TRY(from.be<uint32_t>(at, name));
  if (size == 0 || size > most) return fail(Fault::kMalformed, std::string(name) + " length", from.base() + at);
  TRY(from.slice(at + 4, size, name));
  return at + 4;
}

Result<Layout> read_layout(Bytes from) {
  Layout l{.start = from.starts_with("bgn") ? kWrapper : 0};
  if (!from.starts_with(kMagics[0].bytes, l.start) && !from.starts_with(kMagics[1].bytes, l.start))
    return fail(Fault::kMalformed, "neither start nor asar1", from.base() + l.start);
  l.product = TRY(read_field(from, l.start + 7, kLongestProduct, "product", l.product_size));
  l.version = TRY(read_field(from, l.product + l.product_size, kLongestVersion, "version", l.version_size));
  l.data = TRY(read_field(from, l.version + l.version_size, from.size(), "data", l.size));
  TRY(from.slice(l.checksum(), 4, "checksum"));
  return l;
}

uint64_t end_of(Bytes from, const Layout& l) {
  uint64_t end = l.checksum() + 4;
  while (end < from.size() && end < l.checksum() + 8 && from[end] == 0) ++end;
  return end;
}

struct Plain {
  std::string data;
  bool is_long = false;
};

std::optional<Plain> decrypt(Bytes from, const Layout& l) {
  const auto stored_sum = from.be<uint32_t>(l.checksum(), "checksum");
  for (const bool is_long : {false, true}) {
    const uint64_t state = is_long ? l.size : kShortState;
    if (state < 2 || !stored_sum) continue;
    std::string plain = crypt(from.head(l.size, l.data).text(), from[l.version], state);
    if (checksum_holds(checksum_of(plain), *stored_sum)) return Plain{std::move(plain), is_long};
  }
  return std::nullopt;
}

Result<Measured> measure(Bytes from) {
  const Layout l = TRY(read_layout(from));
  return Measured{end_of(from, l), false};
}

void note_name(std::string_view name, Bytes field, uint8_t seed, bool is_long, Sink& into) {
  const std::string text = crypt(field.text(), seed, is_long ? field.size() : kShortState);
  into.note(name, text.substr(0, text.find('\0')), field.base());
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Layout l = TRY(read_layout(whole));
  TRY_VOID(into.step(1 + l.size / 64));
  into.range(Range::kHeader, 0, l.data);
  into.range(Range::kHeader, l.checksum(), whole.size() - l.checksum());
  const Bytes data = whole.head(l.size, l.data);
  const auto plain = decrypt(whole, l);
  if (!plain) {
    into.integrity(checksum("checksum of the data", "crc32-signed", false, l.checksum()));
    leave_encrypted(data, "encrypted with RC4; the documented key does not yield the stored checksum", into);
    return {};
  }
  note_name("product", whole.head(l.product_size, l.product), whole[l.start + 6], plain->is_long, into);
  note_name("version", whole.head(l.version_size, l.version), whole[l.product], plain->is_long, into);
  into.integrity(checksum("checksum of the data", "crc32-signed", true, l.checksum()));
  return opened_child("image", data, plain->data, "rc4", "the key of all images of the maker, in openwrt's buffalo-enc",
                      into);
}

}  // namespace

extern const Format kBuffaloEnc;
const Format kBuffaloEnc = {.id = "buffaloenc",
                            .title = "Buffalo encrypted firmware image",
                            .magics = kMagics,
                            .measure = measure,
                            .unpack = unpack,
                            .carve = false,
                            .source = "openwrt/firmware-utils src/buffalo-lib.c; fact_extractor buffalo_bgn.py",
                            .checked = "output of openwrt's buffalo-enc; a sample of fact_extractor; own builder"};

}  // namespace assay::unpack::buffaloenc
