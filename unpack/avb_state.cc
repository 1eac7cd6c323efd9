// See avb.h: what a vbmeta structure states, as notes and facts.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/avb.h"
#include "unpack/vendor.h"

namespace assay::unpack {
namespace {

std::string in_hex(Bytes bytes) { return hex(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())); }

std::string key_text(Bytes key) {
  const std::string id = avb_key_id(key);
  const std::string_view published = known_test_key(id);
  if (published.empty()) return "sha1 " + id;
  return "sha1 " + id + ", AOSP's " + std::string(published) + ", whose private half is public";
}

std::string flags_text(uint32_t flags) {
  std::string text;
  if (flags & 1) text = "hash trees are disabled";
  if (flags & 2) text += std::string(text.empty() ? "" : ", ") + "verification is disabled";
  if (flags & ~3u) text += std::string(text.empty() ? "" : ", ") + "further ones: " + std::to_string(flags & ~3u);
  return text;
}

void note_descriptor(const AvbDescriptor& d, uint64_t at, Sink& into) {
  const std::string name = escape(d.name);
  switch (d.tag) {
    case AvbTag::kProperty:
      return into.note("property " + name, escape(d.value.substr(0, 512)), at);
    case AvbTag::kHashTree:
      return into.note("hash tree of " + name,
                       escape(d.algorithm) + " root " + in_hex(d.digest) + " of " + std::to_string(d.image_size) +
                           " bytes" + (d.flags & 1 ? ", the same in both slots" : ""),
                       at);
    case AvbTag::kHash:
      return into.note("hash of " + name,
                       escape(d.algorithm) + " " + in_hex(d.digest) + " of " + std::to_string(d.image_size) + " bytes" +
                           (d.flags & 1 ? ", the same in both slots" : ""),
                       at);
    case AvbTag::kCommandLine:
      return into.note("kernel command line", escape(d.value.substr(0, 2048)), at);
    case AvbTag::kChain:
      return into.note("chained partition " + name,
                       "key " + key_text(d.key) + ", rollback index location " + std::to_string(d.rollback_location),
                       at);
    case AvbTag::kOther:
      return into.note("descriptor", "of an unknown kind", at);
  }
}

void state_seal(std::string_view kind, std::string_view name, AvbState state, const AvbImage& image, uint64_t offset,
                Sink& into) {
  if (state == AvbState::kUnsigned) return;
  const bool open = state == AvbState::kNotCheckable;
  const std::string algorithm = avb_algorithm(image);
  state_integrity({.kind = std::string(kind),
                   .name = std::string(name),
                   .algorithm = kind == "signature" ? algorithm : algorithm.substr(algorithm.find('-') + 1),
                   .state = open                        ? "not-checkable"
                            : state == AvbState::kValid ? "valid"
                                                        : "invalid",
                   .detail = open ? "the algorithm is not known" : "",
                   .key = kind == "signature" ? avb_key_id(image.key) : "",
                   .offset = offset},
                  into);
}

}  // namespace

void state_avb(const AvbImage& image, uint64_t base, Sink& into) {
  const uint64_t at = image.header.base() - base;
  into.note("algorithm", avb_algorithm(image), at + 28);
  into.note("rollback index", std::to_string(image.rollback_index), at + 112);
  if (image.flags) into.note("flags", flags_text(image.flags), at + 120);
  if (!image.release.empty()) into.note("release", escape(image.release), at + 128);
  if (!image.key.empty()) into.note("public key", key_text(image.key), image.key.base() - base);
  state_seal("checksum", "vbmeta hash", check_avb_hash(image), image, image.hash.base() - base, into);
  state_seal("signature", "vbmeta signature", check_avb_signature(image), image, image.signature.base() - base, into);
  for (const AvbDescriptor& d : image.descriptors) note_descriptor(d, d.all.base() - base, into);
}

}  // namespace assay::unpack
