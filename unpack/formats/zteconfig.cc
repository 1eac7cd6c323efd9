// ZTE's stored configurations (config.bin, db_user_cfg.xml), compressed or encrypted.
//
//   0   04030201, 0, length, the device's name ("signature"); absent in inner layers
//       01020304, kind, length of the plain bytes, length with headers, length of a chunk, CRC-32 of the chunks,
//       CRC-32 of the 24 bytes before; filled up to 60 bytes
//   60  chunks: length of the plain bytes, length stored, place of the next or 0; the bytes
//
//   kind 0, 1  each chunk is zlib
//   kind 2     AES-128-ECB; the key, 16 characters, belongs to the device's name
//   kind 3-6   AES-256-CBC; key and vector are SHA-256 of texts: fixed ones, or made of the device's name, or (5, 6 and
//              newer devices) of its serial number and address, which the file does not hold
//
// What kinds 2 to 6 hold is a layer of kind 0 again. Numbers are big endian.
// Source: mkst/zte-config-utility, zcu/{zte,compression,xcryptors,known_keys}.py.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/crypt.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::zteconfig {
namespace {

constexpr std::string_view kSignatureMagic = "\4\3\2\1", kPayloadMagic = "\1\2\3\4";
constexpr Magic kMagics[] = {{std::string_view("\4\3\2\1\0\0\0\0\0\0\0", 11)}, {std::string_view("\1\2\3\4\0\0\0", 7)}};
constexpr uint64_t kPayload = 60, kChunk = 12, kLongestName = 64;
constexpr size_t kMostChunks = 65536;

struct Key {
  std::string_view name;         // how the device's name begins; empty: any
  std::string_view key, vector;  // kind 2: key alone
  bool with_name = false;        // both texts follow the name, its spaces left out
};

constexpr Key kEcbKeys[] = {
    {"ZXHN H118N E", "MIK@0STzKpB%qJZe", ""},
    {"ZXHN H118N V", "MIK@0STzKpB%qJZf", ""},
    {"ZXHN H267A", "402c38de39bed665", ""},
    {"ZXHN H168N V2", "Q#Zxn*x3kVLc", ""},
    {"ZXHN H298N", "Wj", ""},
    {"ZXHN H298A", "m8@96&ZG3Nm7N&Iz", ""},
    {"ZXHN H108N", "GrWM2Hz&LTvz&f^5", ""},
    {"ZXHN H168N V3", "GrWM3Hz&LTvz&f^9", ""},
    {"ZXHN H168N H", "GrWM3Hz&LTvz&f^9", ""},
    {"ZXHN H208N", "Renjx%2$CjM", ""},
    {"ZXV10 H201L", "Renjx%2$CjM", ""},
    {"ZXHN H267N", "tHG@Ti&GVh@ql3XN", ""},
    {"", "SDEwOE5WMi41Uk9T", ""},
};
constexpr Key kCbcKeys[] = {
    {"ZXHN H168N V3.5", "Key02721401", "Iv02721401", true},
    {"ZXHN H298Q", "Key02710010", "Iv02710010", true},
    {"ZXHN H268Q", "Key02710010", "Iv02710010", true},
    {"H188A", "Key02710001", "Iv02710001", true},
    {"H288A", "Key02710001", "Iv02710001", true},
    {"H196Q", "Key02660004", "Iv02660004", true},
    {"ZXHN F450(EPON ONU)", "8cc72b05705d5c46f412af8cbed55aa", "667b02a85c61c786def4521b060265e", true},
    {"", "8cc72b05705d5c46f412af8cbed55aad", "667b02a85c61c786def4521b060265e8"},
    {"", "H267AV1_CZkey", "H267AV1_CZIV"},
    {"", "H268Q", "H268Q"},
    {"", "H298Q", "H298Q"},
    {"", "H188A", "H188A"},
    {"", "H288A", "H288A"},
    {"", "H267AV1_CZ", "H267AV1_CZ"},
    {"", "Key02721401", "Iv02721401", true},
    {"", "Key02710010", "Iv02710010", true},
    {"", "Key02710001", "Iv02710001", true},
    {"", "Key02660004", "Iv02660004", true},
};

struct Chunk {
  uint64_t at = 0, plain = 0, stored = 0;
};

struct Layer {
  std::string name;
  uint64_t payload = 0, end = 0;
  uint32_t kind = 0;
  bool header_holds = false, holds = false;
  std::vector<Chunk> chunks;
};

Result<void> read_name(Bytes from, Layer& layer) {
  if (!from.starts_with(kSignatureMagic)) return {};
  const uint64_t length = TRY(from.be<uint32_t>(8, "name length"));
  if (length > kLongestName) return fail(Fault::kMalformed, "name length", from.base() + 8);
  layer.name = TRY(from.text_field(12, length, "name"));
  layer.payload = 12 + length;
  return {};
}

Result<void> read_chunks(Bytes from, Layer& layer) {
  for (uint64_t at = layer.payload + kPayload; layer.chunks.size() < kMostChunks;) {
    Chunk c{at + kChunk, TRY(from.be<uint32_t>(at, "plain length")), TRY(from.be<uint32_t>(at + 4, "stored length"))};
    if (c.stored == 0) return fail(Fault::kMalformed, "stored length is 0", from.base() + at + 4);
    TRY(from.slice(c.at, c.stored, "chunk"));
    layer.chunks.push_back(c);
    layer.end = c.at + c.stored;
    if (TRY(from.be<uint32_t>(at + 8, "place of the next chunk")) == 0) return {};
    at = layer.end;
  }
  return fail(Fault::kMalformed, "too many chunks", from.base());
}

Result<Layer> read_layer(Bytes from) {
  Layer layer;
  TRY_VOID(read_name(from, layer));
  if (!from.starts_with(kPayloadMagic, layer.payload))
    return fail(Fault::kMalformed, "no payload", from.base() + layer.payload);
  layer.kind = TRY(from.be<uint32_t>(layer.payload + 4, "kind"));
  if (layer.kind > 6)
    return fail(Fault::kUnsupported, "kind " + std::to_string(layer.kind), from.base() + layer.payload + 4);
  TRY_VOID(read_chunks(from, layer));
  uint32_t crc = 0;
  for (const Chunk& c : layer.chunks) crc = crc32(from.head(c.stored, c.at), crc);
  layer.holds = checksum_holds(crc, TRY(from.be<uint32_t>(layer.payload + 20, "crc32")));
  layer.header_holds =
      checksum_holds(crc32(from.head(24, layer.payload)), TRY(from.be<uint32_t>(layer.payload + 24, "header crc32")));
  return layer;
}

Result<Measured> measure(Bytes from) {
  const Layer layer = TRY(read_layer(from));
  return Measured{layer.end, layer.kind < 2 ? layer.holds : !layer.name.empty()};
}

std::string stored_bytes(Bytes whole, const Layer& layer) {
  std::string all;
  for (const Chunk& c : layer.chunks) all += whole.head(c.stored, c.at).text();
  return all;
}

std::string hashed(std::string_view text, size_t size) {
  const Digest digest = sha256(Bytes(text));
  return {reinterpret_cast<const char*>(digest.bytes.data()), size};
}

std::optional<std::string> decrypt_with(const Key& key, uint32_t kind, std::string_view bytes, std::string name) {
  if (kind == 2) {
    std::string padded(key.key);
    padded.resize(16);
    return aes_ecb_decrypt(bytes, padded);
  }
  std::erase(name, ' ');
  const std::string before = key.with_name ? name : "";
  return aes_cbc_decrypt(bytes, hashed(before + std::string(key.key), 32),
                         hashed(before + std::string(key.vector), 16));
}

// Keys are tried that fit the device's name, then the others; a layer's magic says which one is right.
std::optional<std::string> decrypt(Bytes whole, const Layer& layer) {
  const std::string bytes = stored_bytes(whole, layer);
  const std::span<const Key> keys = layer.kind == 2 ? std::span<const Key>(kEcbKeys) : std::span<const Key>(kCbcKeys);
  for (const Key& key : keys) {
    const auto first = decrypt_with(key, layer.kind, std::string_view(bytes).substr(0, 16), layer.name);
    if (!first || !first->starts_with(std::string_view("\1\2\3\4\0\0\0", 7))) continue;
    return decrypt_with(key, layer.kind, std::string_view(bytes).substr(0, bytes.size() / 16 * 16), layer.name);
  }
  return std::nullopt;
}

std::vector<Bytes> extents_of(Bytes whole, const Layer& layer) {
  std::vector<Bytes> extents;
  for (const Chunk& c : layer.chunks) extents.push_back(whole.head(c.stored, c.at));
  return extents;
}

void note_layer(const Layer& layer, Sink& into) {
  into.range(Range::kHeader, 0, layer.payload + kPayload);
  if (!layer.name.empty()) into.note("device", layer.name, 12);
  into.note("kind", std::to_string(layer.kind), layer.payload + 4);
  for (const Chunk& c : layer.chunks) into.range(Range::kHeader, c.at - kChunk, kChunk);
  if (layer.kind >= 2) return;
  state_checksum("header crc32", "crc32", layer.header_holds, layer.payload + 24, into);
  state_checksum("crc32 of the chunks", "crc32", layer.holds, layer.payload + 20, into);
}

Result<void> put_compressed(Bytes whole, const Layer& layer, Sink& into) {
  for (const Chunk& c : layer.chunks) {
    TRY_VOID(into.step());
    const auto used = inflate_zlib(whole.head(c.stored, c.at), into.output());
    if (used) continue;
    into.discard();
    return std::unexpected(used.error());
  }
  return into.child("config", {extents_of(whole, layer), "zlib"});
}

Result<void> put_encrypted(Bytes whole, const Layer& layer, Sink& into) {
  const std::string_view scheme = layer.kind == 2 ? "aes-128-ecb" : "aes-256-cbc";
  const auto extents = extents_of(whole, layer);
  const auto plain = decrypt(whole, layer);
  if (!plain) {
    for (const Bytes& extent : extents)
      leave_encrypted(extent, "encrypted with " + std::string(scheme) + "; none of the documented keys opens it", into);
    return {};
  }
  TRY_VOID(into.output().write(Bytes(*plain).span()));
  into.opened({std::string(scheme), "the key of this device's kind, in zte-config-utility", extents[0].base(),
               extents[0].size()});
  return into.child("layer", {extents, std::string(scheme)});
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Layer layer = TRY(read_layer(whole));
  note_layer(layer, into);
  return layer.kind < 2 ? put_compressed(whole, layer, into) : put_encrypted(whole, layer, into);
}

}  // namespace

extern const Format kZteConfig;
const Format kZteConfig = {
    .id = "zteconfig",
    .title = "ZTE configuration, compressed or encrypted",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "kinds 0 to 6, those encrypted with the documented keys",
    .limits = "keys made of a device's serial number or address are not tried: the file lacks both",
    .source = "mkst/zte-config-utility zcu/*.py",
    .checked = "the configurations of zte-config-utility; own builder in the tests"};

}  // namespace assay::unpack::zteconfig
