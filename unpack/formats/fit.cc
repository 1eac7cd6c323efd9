// FIT, the image of U-Boot that is a device tree: images with their hashes, configurations with their signatures.
//
//   /images/NAME            data | data-size with data-offset (from the end of the tree, which is filled up to a
//                           multiple of 4) or data-position (from the start)
//   /images/NAME/hash…      algo, value: over the data
//   /images/NAME/signature… algo, key-name-hint, value
//   /configurations/NAME    which kernel, ramdisk, fdt belong together; signature…: over their hashes
//
// Source: U-Boot, doc/usage/fit/source_file_format.rst; the Flat Image Tree specification 0.8.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/fdt.h"

#include <openssl/evp.h>

#include <algorithm>

namespace assay::unpack::fit {
namespace {

constexpr Magic kMagics[] = {{"\xd0\x0d\xfe\xed"}};
constexpr size_t kMostHashes = 4;  // of one image: each costs a pass over its data

struct Image {
  size_t node = 0;
  std::string name;
  Bytes data;  // empty: none was found
  bool external = false;
  std::string fault;  // why there are no data
};

struct Fit {
  Fdt tree;
  std::vector<Image> images;
  uint64_t end = 0;  // of the tree and of the external data that are there
};

Image read_image(const Fdt& tree, Bytes from, size_t node) {
  Image image{.node = node, .name = std::string(tree.nodes[node].name)};
  if (const FdtProperty* data = tree.property(node, "data")) {
    image.data = data->value;
    return image;
  }
  const auto size = tree.number(node, "data-size");
  const auto position = tree.number(node, "data-position"), offset = tree.number(node, "data-offset");
  if (!size || (!position && !offset)) {
    image.fault = "has no data";
    return image;
  }
  image.external = true;
  const uint64_t at = position ? *position : (tree.size + 3) / 4 * 4 + *offset;
  if (auto data = from.slice(at, *size, "external data"))
    image.data = *data;
  else
    image.fault = "external data run past the end";
  return image;
}

Result<Fit> read_fit(Bytes from) {
  Fit fit;
  fit.tree = TRY(read_fdt(from));
  const auto images = fit.tree.child(0, "images");
  if (!images) return fail(Fault::kMalformed, "no node /images", from.base());
  fit.end = fit.tree.size;
  uint64_t allowance = from.size();  // images share no bytes, so together they have no more than the file
  for (const size_t node : fit.tree.children(*images)) {
    Image image = read_image(fit.tree, from, node);
    if (image.data.size() > allowance) image.data = {}, image.fault = "overlaps other images";
    allowance -= image.data.size();
    if (image.external && !image.data.empty())
      fit.end = std::max(fit.end, image.data.base() - from.base() + image.data.size());
    fit.images.push_back(std::move(image));
  }
  return fit;
}

std::string digest_of(std::string_view algorithm, Bytes data) {
  if (algorithm == "crc32") {
    const uint32_t crc = crc32(data);
    const uint8_t big[4] = {uint8_t(crc >> 24), uint8_t(crc >> 16), uint8_t(crc >> 8), uint8_t(crc)};
    return std::string(reinterpret_cast<const char*>(big), sizeof big);
  }
  const EVP_MD* kind = algorithm == "md5"      ? EVP_md5()
                       : algorithm == "sha1"   ? EVP_sha1()
                       : algorithm == "sha256" ? EVP_sha256()
                       : algorithm == "sha384" ? EVP_sha384()
                       : algorithm == "sha512" ? EVP_sha512()
                                               : nullptr;
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!kind || EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr) != 1) return {};
  return std::string(reinterpret_cast<const char*>(out), size);
}

bool named(std::string_view name, std::string_view prefix) {
  return name == prefix || (name.starts_with(prefix) && (name[prefix.size()] == '@' || name[prefix.size()] == '-'));
}

enum class Hash : uint8_t { kValid, kInvalid, kUnread };

struct HashCount {
  size_t valid = 0, invalid = 0;
};

Hash check_hash(const Fdt& tree, size_t node, Bytes data) {
  const FdtProperty* value = tree.property(node, "value");
  const std::string computed = digest_of(tree.text(node, "algo"), data);
  if (!value || computed.empty()) return Hash::kUnread;
  return checksum_holds(std::string_view(computed), value->value.text()) ? Hash::kValid : Hash::kInvalid;
}

std::vector<size_t> hashes_of(const Fdt& tree, size_t image) {
  std::vector<size_t> found;
  for (const size_t node : tree.children(image))
    if (named(tree.nodes[node].name, "hash") && found.size() < kMostHashes) found.push_back(node);
  return found;
}

HashCount count_hashes(const Fit& fit) {
  HashCount count;
  for (const Image& image : fit.images) {
    if (!image.fault.empty()) continue;
    for (const size_t node : hashes_of(fit.tree, image.node)) {
      const Hash hash = check_hash(fit.tree, node, image.data);
      count.valid += hash == Hash::kValid;
      count.invalid += hash == Hash::kInvalid;
    }
  }
  return count;
}

Result<Measured> measure(Bytes from) {
  const Fit fit = TRY(read_fit(from));
  const HashCount count = count_hashes(fit);
  return Measured{fit.end, count.valid > 0 && count.invalid == 0};
}

void note_signature(const Fdt& tree, size_t node, const std::string& owner, Sink& into) {
  const std::string hint = tree.text(node, "key-name-hint");
  into.note(owner + " " + std::string(tree.nodes[node].name),
            "not checked: key " + (hint.empty() ? "without a name" : hint) + ", " + tree.text(node, "algo"),
            tree.nodes[node].offset);
}

void note_image(const Fit& fit, const Image& image, Sink& into) {
  const Fdt& tree = fit.tree;
  const uint64_t offset = tree.nodes[image.node].offset;
  for (const std::string_view name : {"description", "type", "arch", "os", "compression"})
    if (tree.property(image.node, name))
      into.note(image.name + " " + std::string(name), tree.text(image.node, name), offset);
  for (const std::string_view name : {"load", "entry"})
    if (const auto value = tree.number(image.node, name))
      into.note(image.name + " " + std::string(name), hex_number(*value), offset);
  for (const size_t node : tree.children(image.node))
    if (named(tree.nodes[node].name, "signature")) note_signature(tree, node, image.name, into);
  if (!image.fault.empty()) return;
  for (const size_t node : hashes_of(tree, image.node)) {
    const std::string_view name = tree.nodes[node].name;
    const Hash hash = check_hash(tree, node, image.data);
    const std::string algorithm = tree.text(node, "algo");
    into.note(image.name + " " + std::string(name) + " " + algorithm,
              hash == Hash::kValid     ? "valid"
              : hash == Hash::kInvalid ? "invalid"
                                       : "not checked",
              tree.nodes[node].offset);
    if (hash == Hash::kInvalid)
      into.problem(
          {Fault::kMalformed, algorithm + " of image " + image.name + " does not match", tree.nodes[node].offset});
  }
}

void note_configurations(const Fdt& tree, Sink& into) {
  const auto root = tree.child(0, "configurations");
  if (!root) return;
  if (tree.property(*root, "default"))
    into.note("default configuration", tree.text(*root, "default"), tree.nodes[*root].offset);
  for (const size_t node : tree.children(*root)) {
    const std::string name = "configuration " + std::string(tree.nodes[node].name);
    std::string members;
    for (const FdtProperty& p : tree.nodes[node].properties)
      for (const std::string& text : tree.texts(node, p.name))
        members += (members.empty() ? "" : ", ") + std::string(p.name) + "=" + text;
    into.note(name, members, tree.nodes[node].offset);
    for (const size_t child : tree.children(node))
      if (named(tree.nodes[child].name, "signature")) note_signature(tree, child, name, into);
  }
}

// The tree's own bytes are header, except the data of images inside it.
void range_headers(const Fit& fit, Bytes whole, Sink& into) {
  std::vector<std::pair<uint64_t, uint64_t>> inside;
  for (const Image& image : fit.images)
    if (!image.external && !image.data.empty())
      inside.emplace_back(image.data.base() - whole.base(), image.data.size());
  std::ranges::sort(inside);
  uint64_t at = 0;
  for (const auto& [offset, length] : inside) {
    if (offset > at) into.range(Range::kHeader, at, offset - at);
    at = std::max(at, offset + length);
  }
  if (at < fit.tree.size) into.range(Range::kHeader, at, fit.tree.size - at);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Fit fit = TRY(read_fit(whole));
  range_headers(fit, whole, into);
  if (fit.tree.property(0, "description")) into.note("description", fit.tree.text(0, "description"), 0);
  if (const auto time = fit.tree.number(0, "timestamp")) into.note("time", utc_time(*time), 0);
  note_configurations(fit.tree, into);
  uint64_t end = fit.tree.size;
  for (const Image& image : fit.images) {
    TRY_VOID(into.step(1 + image.data.size() / 4096));
    note_image(fit, image, into);
    if (!image.fault.empty())
      into.problem({Fault::kTruncated, "image " + image.name + " " + image.fault, fit.tree.nodes[image.node].offset});
    if (image.data.empty()) continue;
    const uint64_t at = image.data.base() - whole.base();
    if (image.external && at > end && is_run(whole.head(at - end, end))) into.range(Range::kPadding, end, at - end);
    if (image.external) end = std::max(end, at + image.data.size());
    TRY_VOID(into.child(image.name, stored(image.data)));
  }
  return {};
}

}  // namespace

extern const Format kFit;
const Format kFit = {.id = "fit",
                     .title = "U-Boot flattened image tree (FIT)",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "images inside the tree and as external data; crc32, md5, sha1, sha256, sha512",
                     .limits = "signatures are not checked: their public keys are not part of the image",
                     .source = "U-Boot doc/usage/fit/source_file_format.rst",
                     .checked = "foreign tool: mkimage"};

}  // namespace assay::unpack::fit
