// Nodes, addresses, attributes and contents of F2FS; see f2fs.h for the layout.
#include "unpack/codecs.h"
#include "unpack/formats/f2fs.h"

#include <algorithm>

namespace assay::unpack::f2fs {
namespace {

constexpr uint64_t kFooter = 4072, kAddresses = 360, kAddressCount = 923, kPerNode = 1018, kNatEntries = 455;
constexpr uint32_t kAttributeMagic = 0xf2f52011;
constexpr uint64_t kClusterHeader = 24;

std::string_view prefix_of(uint8_t index) {
  constexpr std::string_view kPrefixes[] = {
      "",          "user.",        "system.posix_acl_access", "system.posix_acl_default", "trusted.", "lustre.",
      "security.", "system.advise"};
  return index < std::size(kPrefixes) ? kPrefixes[index] : "";
}

}  // namespace

Result<Bytes> Image::block(uint32_t address) {
  if (address < super_.main || address >= super_.blocks)
    return fail(Fault::kMalformed, "block address " + std::to_string(address) + " lies outside the main area");
  return whole_.slice(address * kBlock, kBlock, "block");
}

Result<Bytes> Image::data(uint32_t address, uint64_t size) {
  TRY(block(address));
  return whole_.slice(address * kBlock, size, "data");
}

Result<uint32_t> Image::address_of(uint32_t number) {
  if (const auto newer = journal_.find(number); newer != journal_.end()) return newer->second;
  const uint64_t block = number / kNatEntries;
  if (block / 8 >= checkpoint_.nat_bitmap.size())
    return fail(Fault::kMalformed, "node " + std::to_string(number) + " lies behind the NAT");
  uint64_t at = super_.nat + block / super_.segment * 2 * super_.segment + block % super_.segment;
  if (checkpoint_.nat_bitmap[block / 8] >> (7 - block % 8) & 1) at += super_.segment;
  if (at >= super_.main) return fail(Fault::kMalformed, "node " + std::to_string(number) + " lies behind the NAT");
  return whole_.le<uint32_t>(at * kBlock + number % kNatEntries * 9 + 5, "NAT entry");
}

Result<Bytes> Image::node(uint32_t number, uint32_t inode) {
  TRY_VOID(step(1));
  const uint32_t address = TRY(address_of(number));
  if (address == kHole || address == kReserved)
    return fail(Fault::kMalformed, "node " + std::to_string(number) + " is not there");
  const Bytes b = TRY(block(address));
  if (*b.le<uint32_t>(kFooter, "") != number || *b.le<uint32_t>(kFooter + 4, "") != inode)
    return fail(Fault::kMalformed, "node " + std::to_string(number) + " says it is another one", b.base() + kFooter);
  if (into_) into_->range(Range::kHeader, b.base() - whole_.base(), kBlock);
  return b;
}

Result<Inode> Image::inode(uint32_t number) {
  const Bytes b = TRY(node(number, number));
  Inode i;
  i.number = number;
  i.block = b;
  i.at = b.base() - whole_.base();
  i.mode = *b.le<uint16_t>(0, "");
  i.advice = b[2];
  i.inside = b[3];
  i.uid = *b.le<uint32_t>(4, "");
  i.gid = *b.le<uint32_t>(8, "");
  i.links = *b.le<uint32_t>(12, "");
  i.size = *b.le<uint64_t>(16, "");
  i.mtime = static_cast<int64_t>(*b.le<uint64_t>(48, ""));
  i.attributes_node = *b.le<uint32_t>(76, "");
  i.flags = *b.le<uint32_t>(80, "");
  i.attribute_words = i.inside & 5 ? 50 : 0;
  if (i.inside & 0x20) {
    const uint32_t extra = *b.le<uint16_t>(kAddresses, "");
    if (extra % 4 || extra > 256) return fail(Fault::kMalformed, "extra fields of " + std::to_string(extra), b.base());
    i.extra = extra / 4;
    if (super_.features & kFlexibleAttributes) i.attribute_words = *b.le<uint16_t>(kAddresses + 2, "");
    if (extra >= 36) i.algorithm = b[kAddresses + 32], i.cluster_bits = b[kAddresses + 33];
  }
  if (i.attribute_words > kAddressCount - i.extra - 1)
    return fail(Fault::kMalformed, "attributes of " + std::to_string(4 * i.attribute_words) + " bytes", b.base());
  if (i.compressed() && (i.cluster_bits < 2 || i.cluster_bits > 8))
    return fail(Fault::kMalformed, "cluster of 2^" + std::to_string(i.cluster_bits) + " blocks", b.base());
  return i;
}

Bytes Image::inside(const Inode& inode) const {
  const uint64_t words = kAddressCount - inode.extra - inode.attribute_words - 1;
  return inode.block.head(4 * words, kAddresses + 4 * (inode.extra + uint64_t{1}));
}

struct Image::Walk {
  uint32_t inode = 0;
  uint64_t left = 0;      // blocks that the size still asks for
  uint64_t per_node = 0;  // addresses of a node in use
  uint64_t stored = 0;    // blocks of data
  std::vector<Run> runs;

  void add(uint32_t address, uint64_t count) {
    count = std::min(count, left);
    left -= count;
    if (count == 0) return;
    const bool data = address != kHole && address != kReserved && address != kCluster;
    if (data) stored += count;
    if (address == kReserved) address = kHole;
    if (!runs.empty() && data && runs.back().address + runs.back().count == address && runs.back().address != kHole)
      runs.back().count += count;
    else if (!runs.empty() && address == kHole && runs.back().address == kHole)
      runs.back().count += count;
    else
      runs.push_back({address, count});
  }
};

Result<void> Image::add_addresses(Bytes b, uint64_t from, uint64_t count, Walk& walk) {
  TRY_VOID(step(1 + count / 16));
  for (uint64_t i = 0; i < count && walk.left > 0; ++i) walk.add(*b.le<uint32_t>(from + 4 * i, ""), 1);
  // Each block belongs to one file: more of them than there are means that nodes are used twice.
  if (walk.stored > super_.blocks)
    return fail(Fault::kMalformed, "a file has more blocks than the file system", b.base());
  return {};
}

// `depth`: 0 a node of addresses, above it nodes of nodes.
Result<void> Image::add_node(uint32_t number, int depth, Walk& walk) {
  if (walk.left == 0) return {};
  if (number == 0) {
    uint64_t count = walk.per_node;
    for (int i = 0; i < depth; ++i) count *= kPerNode;
    walk.add(kHole, count);
    return {};
  }
  const Bytes b = TRY(node(number, walk.inode));
  if (depth == 0) return add_addresses(b, 0, walk.per_node, walk);
  for (uint64_t i = 0; i < kPerNode && walk.left > 0; ++i)
    TRY_VOID(add_node(*b.le<uint32_t>(4 * i, ""), depth - 1, walk));
  return {};
}

Result<std::vector<Run>> Image::runs(const Inode& inode) {
  Walk walk;
  walk.inode = inode.number;
  walk.left = inode.size / kBlock + (inode.size % kBlock != 0);
  const uint64_t cluster = inode.compressed() ? uint64_t{1} << inode.cluster_bits : 1;
  walk.left = (walk.left + cluster - 1) / cluster * cluster;  // a last cluster is stored whole
  walk.per_node = kPerNode / cluster * cluster;
  const uint64_t own = (kAddressCount - inode.extra - inode.attribute_words) / cluster * cluster;
  TRY_VOID(add_addresses(inode.block, kAddresses + uint64_t{4} * inode.extra, own, walk));
  constexpr int kDepths[] = {0, 0, 1, 1, 2};
  for (uint64_t i = 0; i < 5; ++i) TRY_VOID(add_node(*inode.block.le<uint32_t>(4052 + 4 * i, ""), kDepths[i], walk));
  if (walk.left > 0) return fail(Fault::kMalformed, "a size of " + std::to_string(inode.size), inode.at + 16);
  return std::move(walk.runs);
}

Result<void> Image::read(const Inode& inode, Output& into, std::vector<Bytes>* from) {
  if (inode.encrypted()) return fail(Fault::kEncrypted, "content is encrypted", inode.at + 2);
  if (inode.inside & 2) return into.write(TRY(this->inside(inode).slice(0, inode.size, "data in the inode")).span());
  const auto all = TRY(runs(inode));
  if (inode.compressed()) return read_compressed(inode, all, into, from);
  uint64_t left = inode.size;
  for (const Run& run : all) {
    const uint64_t size = std::min(left, run.count * kBlock);
    left -= size;
    if (run.address == kHole) {
      TRY_VOID(into.zeros(size));
      continue;
    }
    const Bytes piece = TRY(data(run.address, size));
    if (from) from->push_back(piece);
    TRY_VOID(into.write(piece.span()));
  }
  return {};
}

// Runs are cut into clusters; a cluster that begins with its mark is compressed, any other is stored.
Result<void> Image::read_compressed(const Inode& inode, const std::vector<Run>& runs, Output& into,
                                    std::vector<Bytes>* from) {
  const size_t cluster = size_t{1} << inode.cluster_bits;
  std::vector<uint32_t> addresses;
  uint64_t left = inode.size;
  for (const Run& run : runs)
    for (uint64_t i = 0; i < run.count && left > 0; ++i) {
      const bool special = run.address == kHole || run.address == kCluster;
      addresses.push_back(special ? run.address : static_cast<uint32_t>(run.address + i));
      if (addresses.size() < cluster) continue;
      const uint64_t size = std::min<uint64_t>(left, cluster * kBlock);
      TRY_VOID(step(1 + cluster / 16));
      TRY_VOID(read_cluster(inode, addresses, size, into, from));
      left -= size;
      addresses.clear();
    }
  return {};
}

Result<void> Image::read_cluster(const Inode& inode, const std::vector<uint32_t>& addresses, uint64_t size,
                                 Output& into, std::vector<Bytes>* from) {
  std::string packed;
  const bool compressed = addresses[0] == kCluster;
  for (size_t i = compressed ? 1 : 0; i < addresses.size(); ++i) {
    if (addresses[i] == kHole) {
      if (!compressed) packed.append(kBlock, '\0');
      continue;
    }
    const Bytes b = TRY(block(addresses[i]));
    if (from) from->push_back(b);
    packed += b.text();
  }
  if (!compressed) return into.write(Bytes(packed).head(size).span());
  const Bytes all(packed);
  const auto length = TRY(all.le<uint32_t>(0, "cluster's length"));
  const Bytes data = TRY(all.slice(kClusterHeader, length, "compressed cluster"));
  const uint64_t whole = addresses.size() * kBlock;
  MemoryOutput out(whole);
  if (inode.algorithm == 0)
    TRY_VOID(decode_lzo1x(data, whole, out));
  else if (inode.algorithm == 1)
    TRY_VOID(decode_lz4_block(data, whole, out));
  else if (inode.algorithm == 2)
    TRY(decode_zstd(data, out));
  else
    return fail(Fault::kUnsupported, "compression " + std::to_string(inode.algorithm), inode.at);
  if (out.written() < size) return fail(Fault::kMalformed, "a cluster decodes to too little", inode.at);
  return into.write(out.bytes().head(size).span());
}

Result<std::string> Image::read_small(const Inode& inode, uint64_t most) {
  if (inode.size > most) return fail(Fault::kMalformed, "size " + std::to_string(inode.size), inode.at + 16);
  MemoryOutput out(most);
  std::vector<Bytes> from;
  TRY_VOID(read(inode, out, &from));
  if (into_)
    for (const Bytes& piece : from) into_->range(Range::kHeader, piece.base() - whole_.base(), piece.size());
  return std::string(out.bytes().text());
}

// What stands inside the inode and what stands in a node of its own are one list behind one header of 24 bytes.
Result<std::vector<std::pair<std::string, std::string>>> Image::attributes(const Inode& inode) {
  std::vector<std::pair<std::string, std::string>> out;
  std::string all;
  if (inode.inside & 1)
    all =
        inode.block.head(4 * uint64_t{inode.attribute_words}, kAddresses + 4 * (kAddressCount - inode.attribute_words))
            .text();
  if (inode.attributes_node) all += TRY(node(inode.attributes_node, inode.number)).head(kFooter).text();
  const Bytes b(all);
  if (b.size() < 24 || *b.le<uint32_t>(0, "") != kAttributeMagic) return out;
  for (uint64_t at = 24; at + 4 <= b.size() && *b.le<uint32_t>(at, "") != 0;) {
    const uint64_t name = b[at + 1], value = *b.le<uint16_t>(at + 2, "");
    TRY_VOID(step(1 + value / 64));
    const Bytes text = TRY(b.slice(at + 4, name + value, "attribute"));
    if (b[at] == 9 || b[at] == 11)  // the contexts of encryption and verity
      out.emplace_back(b[at] == 9 ? "encryption" : "verity", std::string(text.head(value, name).text()));
    else
      out.emplace_back(std::string(prefix_of(b[at])) + std::string(text.head(name).text()),
                       std::string(text.head(value, name).text()));
    at += (4 + name + value + 3) / 4 * 4;
  }
  return out;
}

}  // namespace assay::unpack::f2fs
