// See avb.h: the reader.
#include "unpack/avb.h"

namespace assay::unpack {
namespace {

constexpr uint64_t kAvbHeaderSize = 256, kFooterSize = 64;
constexpr uint64_t kMostBlock = 4 << 20;  // of authentication and auxiliary block; real ones have kilobytes
constexpr size_t kMostDescriptors = 4096;

// A range that the header states as offset and size inside `block`.
Result<Bytes> part(Bytes header, uint64_t at, Bytes block, std::string_view field) {
  const auto offset = TRY(header.be<uint64_t>(at, field));
  const auto size = TRY(header.be<uint64_t>(at + 8, field));
  return block.slice(offset, size, field);
}

struct Lengths {
  uint32_t name = 0, salt = 0, digest = 0;
};

// The variable part behind a descriptor's fixed fields: name, salt, digest.
Result<void> read_tail(AvbDescriptor& d, uint64_t at, Lengths lengths) {
  d.name = TRY(d.all.slice(at, lengths.name, "partition's name")).text();
  d.salt = TRY(d.all.slice(at + lengths.name, lengths.salt, "salt"));
  d.digest = TRY(d.all.slice(at + lengths.name + lengths.salt, lengths.digest, "digest"));
  return {};
}

Result<void> read_property(AvbDescriptor& d) {
  const auto key = TRY(d.all.be<uint64_t>(16, "property's key size"));
  const auto value = TRY(d.all.be<uint64_t>(24, "property's value size"));
  d.name = TRY(d.all.slice(32, key, "property's key")).text();
  const Bytes rest = TRY(d.all.from(32 + key, "property's value"));
  d.value = TRY(rest.slice(1, value, "property's value")).text();
  return {};
}

Result<void> read_hash_tree(AvbDescriptor& d) {
  const Bytes b = TRY(d.all.slice(0, 180, "hash tree descriptor"));
  d.verity_version = *b.be<uint32_t>(16, "");
  d.image_size = *b.be<uint64_t>(20, "");
  d.tree_offset = *b.be<uint64_t>(28, "");
  d.tree_size = *b.be<uint64_t>(36, "");
  d.data_block = *b.be<uint32_t>(44, "");
  d.hash_block = *b.be<uint32_t>(48, "");
  d.fec_offset = *b.be<uint64_t>(56, "");
  d.fec_size = *b.be<uint64_t>(64, "");
  d.algorithm = *b.text_field(72, 32, "");
  d.flags = *b.be<uint32_t>(116, "");
  return read_tail(d, 180, {*b.be<uint32_t>(104, ""), *b.be<uint32_t>(108, ""), *b.be<uint32_t>(112, "")});
}

Result<void> read_hash(AvbDescriptor& d) {
  const Bytes b = TRY(d.all.slice(0, 132, "hash descriptor"));
  d.image_size = *b.be<uint64_t>(16, "");
  d.algorithm = *b.text_field(24, 32, "");
  d.flags = *b.be<uint32_t>(68, "");
  return read_tail(d, 132, {*b.be<uint32_t>(56, ""), *b.be<uint32_t>(60, ""), *b.be<uint32_t>(64, "")});
}

Result<void> read_command_line(AvbDescriptor& d) {
  d.flags = TRY(d.all.be<uint32_t>(16, "command line's flags"));
  const auto length = TRY(d.all.be<uint32_t>(20, "command line's length"));
  d.value = TRY(d.all.slice(24, length, "command line")).text();
  return {};
}

Result<void> read_chain(AvbDescriptor& d) {
  const Bytes b = TRY(d.all.slice(0, 92, "chain descriptor"));
  d.rollback_location = *b.be<uint32_t>(16, "");
  const uint32_t name = *b.be<uint32_t>(20, ""), key = *b.be<uint32_t>(24, "");
  d.name = TRY(d.all.slice(92, name, "partition's name")).text();
  d.key = TRY(d.all.slice(uint64_t{92} + name, key, "partition's key"));
  return {};
}

Result<void> read_fields(AvbDescriptor& d) {
  if (d.tag == AvbTag::kProperty) return read_property(d);
  if (d.tag == AvbTag::kHashTree) return read_hash_tree(d);
  if (d.tag == AvbTag::kHash) return read_hash(d);
  if (d.tag == AvbTag::kCommandLine) return read_command_line(d);
  return d.tag == AvbTag::kChain ? read_chain(d) : Result<void>{};
}

Result<void> read_descriptors(Bytes from, AvbImage& image) {
  for (uint64_t at = 0; at < from.size();) {
    if (image.descriptors.size() >= kMostDescriptors)
      return fail(Fault::kLimit, "more than 4096 descriptors", from.base() + at);
    const auto tag = TRY(from.be<uint64_t>(at, "descriptor's tag"));
    const auto follow = TRY(from.be<uint64_t>(at + 8, "descriptor's size"));
    if (follow % 8 || follow > from.size())
      return fail(Fault::kMalformed, "descriptor of " + std::to_string(follow) + " bytes", from.base() + at + 8);
    AvbDescriptor d;
    d.tag = tag < 5 ? static_cast<AvbTag>(tag) : AvbTag::kOther;
    d.all = TRY(from.slice(at, 16 + follow, "descriptor"));
    TRY_VOID(read_fields(d));
    at += 16 + follow;
    image.descriptors.push_back(std::move(d));
  }
  return {};
}

Result<void> read_blocks(Bytes from, AvbImage& image) {
  const Bytes h = image.header;
  const uint64_t authentication_size = *h.be<uint64_t>(12, ""), auxiliary_size = *h.be<uint64_t>(20, "");
  if (authentication_size % 64 || auxiliary_size % 64 || authentication_size > kMostBlock ||
      auxiliary_size > kMostBlock)
    return fail(
        Fault::kMalformed,
        "blocks of " + std::to_string(authentication_size) + " and " + std::to_string(auxiliary_size) + " bytes",
        h.base() + 12);
  const Bytes authentication = TRY(from.slice(kAvbHeaderSize, authentication_size, "authentication block"));
  image.auxiliary = TRY(from.slice(kAvbHeaderSize + authentication_size, auxiliary_size, "auxiliary block"));
  image.size = kAvbHeaderSize + authentication_size + auxiliary_size;
  image.hash = TRY(part(h, 32, authentication, "hash"));
  image.signature = TRY(part(h, 48, authentication, "signature"));
  image.key = TRY(part(h, 64, image.auxiliary, "public key"));
  TRY(part(h, 80, image.auxiliary, "public key's metadata"));
  return read_descriptors(TRY(part(h, 96, image.auxiliary, "descriptors")), image);
}

}  // namespace

Result<AvbImage> read_avb(Bytes from) {
  AvbImage image;
  image.header = TRY(from.slice(0, kAvbHeaderSize, "vbmeta header"));
  const Bytes h = image.header;
  if (!h.starts_with("AVB0")) return fail(Fault::kMalformed, "magic is not AVB0", h.base());
  if (*h.be<uint32_t>(4, "") != 1)
    return fail(Fault::kUnsupported, "version " + std::to_string(*h.be<uint32_t>(4, "")), h.base() + 4);
  image.algorithm = *h.be<uint32_t>(28, "");
  image.rollback_index = *h.be<uint64_t>(112, "");
  image.flags = *h.be<uint32_t>(120, "");
  image.rollback_location = *h.be<uint32_t>(124, "");
  image.release = *h.text_field(128, 48, "");
  TRY_VOID(read_blocks(from, image));
  return image;
}

Result<AvbFooter> read_avb_footer(Bytes partition) {
  if (partition.size() < kFooterSize) return fail(Fault::kForeign, "no room for a footer", partition.base());
  const Bytes b = partition.head(kFooterSize, partition.size() - kFooterSize);
  if (!b.starts_with("AVBf")) return fail(Fault::kForeign, "no footer", b.base());
  if (*b.be<uint32_t>(4, "") != 1)
    return fail(Fault::kUnsupported, "footer's version " + std::to_string(*b.be<uint32_t>(4, "")), b.base() + 4);
  const AvbFooter f = {*b.be<uint64_t>(12, ""), *b.be<uint64_t>(20, ""), *b.be<uint64_t>(28, "")};
  const uint64_t room = partition.size() - kFooterSize;
  if (f.offset > room || f.size > room - f.offset || f.image_size > f.offset)
    return fail(Fault::kMalformed,
                "footer: image of " + std::to_string(f.image_size) + " bytes, vbmeta at " + std::to_string(f.offset),
                b.base() + 12);
  return f;
}

}  // namespace assay::unpack
