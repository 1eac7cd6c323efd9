// Encrypted images of Alpha Networks for D-Link's DIR and DAP devices ("encimg", first kind).
//
// The whole file is AES-256 in CBC mode; its plain text is a SEAMA image whose first entity holds
// "signature=NAME". Key and vector depend on that name (unpack/alpha_keys.h), so each device's images begin with one
// known block, which is the magic here. For eight devices the key is documented; of six more only the block is known.
// Source: onekey-sec/unblob handlers/archive/dlink/alpha_encimg.py.
#include "unpack/alpha_keys.h"
#include "unpack/vendor.h"

namespace assay::unpack::alphaenc {
namespace {

constexpr std::string_view kFirst[] = {
    {"\x35\x66\x6f\x68\xef\x1a\xfe\x1f\x34\xef\x4f\x11\x21\x05\x4e\xbe", 16},
    {"\x68\x01\xcc\xfb\xad\x6b\xa0\xba\x33\x04\xb0\x9c\xbb\x48\xb0\x27", 16},
    {"\xdf\x8c\x39\x0d\x22\xb4\xdc\x29\xfb\x4e\xbf\xdb\xe8\xe1\x8b\xfb", 16},
    {"\xf5\x2a\xa0\xb4\x92\x53\xbf\xef\xf8\x21\xa6\x2e\x28\xa7\x39\x8b", 16},
    {"\x21\xdd\xda\x00\x99\xd8\x87\xa9\xd5\x2d\x7e\xff\x3b\x58\x70\xa6", 16},
    {"\xe3\x13\x00\x5b\x76\xdf\x0b\xe8\x83\x24\x5a\x42\xff\x91\x2d\x3d", 16},
    {"\x0a\x14\xe4\x24\xff\x0f\xb4\xd7\x53\x66\xa0\xb0\x72\xfe\xab\xdf", 16},
    {"\x4c\x1b\x95\xaf\x93\x72\x5f\x81\x03\x03\x96\x4d\xdd\x76\x01\x74", 16},
    {"\x98\x9c\x3c\x2c\x6b\x19\x1b\x25\x6e\x03\xee\x0f\x72\x5c\x6c\xa0", 16},
    {"\x3d\xe6\x02\x63\x3f\xc1\x85\xe7\xd2\xbf\x64\xaf\x29\x57\x3a\xbd", 16},
    {"\x8e\x69\x57\xe7\x76\x09\xd7\x94\x47\x75\x78\xa2\x4a\x1f\xc9\xb2", 16},
    {"\x92\x61\x58\x58\x14\xdb\xbb\x3b\xe5\xa5\xf3\xe7\x10\x9c\xa2\x0b", 16},
    {"\xcb\xc3\xa7\x4c\x50\x0f\x42\x43\xa5\xd9\x7c\xa5\x25\x6b\xcd\xba", 16},
    {"\x91\x5a\xc9\xa2\x11\xff\xaa\x6d\xb0\x12\xe8\x8d\x2c\x3c\x23\xcb", 16},
};
constexpr Magic kMagics[] = {{kFirst[0]},  {kFirst[1]},  {kFirst[2]},  {kFirst[3]}, {kFirst[4]},
                             {kFirst[5]},  {kFirst[6]},  {kFirst[7]},  {kFirst[8]}, {kFirst[9]},
                             {kFirst[10]}, {kFirst[11]}, {kFirst[12]}, {kFirst[13]}};

constexpr std::string_view kNames[] = {
    "wapac25_dlink.2015_dap1665",    "wapac28_dlink.2015_dap1720",   "wrgac43s_dlink.2015_dir822c1",
    "wrgac65_dlink.2015_dir842",     "wrgac65_dlink.2015_dir842EU",  "wrgac05_dlob.hans_dir850l",
    "wrgac25_dlink.2013gui_dir850l", "wrgac37_dlink.2013gui_dir859",
};
constexpr uint64_t kLook = 128, kBlock = 16;

struct Opened {
  std::string_view name;
  const AlphaKey* key = nullptr;
};

Opened find_key(Bytes from) {
  for (const std::string_view name : kNames) {
    const AlphaKey* key = find_alpha_key(from, name);
    const auto text = key ? alpha_decrypt(from.head(kLook).text(), *key, name) : std::nullopt;
    if (text && text->substr(12).starts_with("signature=" + std::string(name))) return {name, key};
  }
  return {};
}

// Of the two SEAMA entities at the front: where the second one's image ends, filled up to whole blocks.
Result<uint64_t> length_of(Bytes from, const Opened& opened) {
  const auto text = alpha_decrypt(from.head(kLook).text(), *opened.key, opened.name);
  if (!text) return fail(Fault::kTruncated, "encrypted header", from.base());
  const Bytes plain(*text);
  const uint64_t second = 12 + TRY(plain.be<uint16_t>(6, "metadata size"));
  const uint64_t metadata = TRY(plain.be<uint16_t>(second + 6, "metadata size of the image"));
  const uint64_t end = second + 28 + metadata + TRY(plain.be<uint32_t>(second + 8, "image size"));
  TRY(from.slice(0, (end + kBlock - 1) / kBlock * kBlock, "encrypted image"));
  return (end + kBlock - 1) / kBlock * kBlock;
}

Result<Measured> measure(Bytes from) {
  TRY(from.slice(0, kLook, "encrypted header"));
  const Opened opened = find_key(from);
  if (!opened.key) return Measured{from.size(), false};
  return Measured{TRY(length_of(from, opened)), true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Opened opened = find_key(whole);
  if (!opened.key) {
    leave_encrypted(whole, "encrypted as images of Alpha Networks are (AES-256-CBC); this device's key is not public",
                    into);
    return {};
  }
  into.note("name", std::string(opened.name), 0);
  const auto plain = alpha_decrypt(whole.head(whole.size() / kBlock * kBlock).text(), *opened.key, opened.name);
  if (!plain) return fail(Fault::kMalformed, "decryption failed", 0);
  return opened_child("image", whole, *plain, "aes-256-cbc", "made from the device's name, in unblob and delink", into);
}

}  // namespace

extern const Format kAlphaEnc;
const Format kAlphaEnc = {.id = "alphaenc",
                          .title = "Encrypted Alpha Networks firmware image",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .carve = false,
                          .reads = "DAP-1665, DAP-1720, DIR-822, DIR-842, DIR-850L, DIR-859",
                          .limits = "DIR-865L to DIR-895L are named as encrypted: no key is public",
                          .source = "unblob handlers/archive/dlink/alpha_encimg.py; delink src/encimg.rs",
                          .checked = "first blocks of eight real images; own builder in the tests"};

}  // namespace assay::unpack::alphaenc
