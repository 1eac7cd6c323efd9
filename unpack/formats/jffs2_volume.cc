#include "unpack/formats/jffs2_volume.h"

#include "core/hash.h"

#include <algorithm>

namespace assay::unpack {
namespace {

struct Dirent {
  uint32_t version = 0, inode = 0;
  Kind kind = Kind::kFile;
  uint64_t at = 0;
};

struct Xattr {
  uint32_t version = 0;
  std::string name, value;
  bool deleted = false;
};

Kind kind_of_entry(uint8_t type) {  // Linux's DT_ values: st_mode's type bits shifted down
  return kind_of_mode(uint32_t{type} << 12).value_or(Kind::kFile);
}

std::string_view prefix_of(uint8_t prefix) {
  switch (prefix) {
    case 1:
      return "user.";
    case 2:
      return "security.";
    case 3:
      return "system.posix_acl_access";
    case 4:
      return "system.posix_acl_default";
    case 5:
      return "trusted.";
    default:
      return "";
  }
}

class Jffs2Reader {
 public:
  Jffs2Reader(Bytes whole, const Jffs2Nodes& nodes, Sink& into) : whole_(whole), nodes_(nodes), into_(into) {}

  Result<Jffs2Volume> run() {
    for (const Jffs2Node& node : nodes_.nodes) {
      TRY_VOID(into_.step());
      if (auto read = this->read(node); !read) into_.problem(std::move(read).error());
    }
    name_entries();
    attach_xattrs();
    return std::move(volume_);
  }

 private:
  // Views and offsets below are relative to the node; its length covers its fixed fields.
  uint32_t word(const Jffs2Node& node, uint64_t at) const {
    return whole_.get<uint32_t>(node.at + at, nodes_.order, "field").value_or(0);
  }
  uint32_t half(const Jffs2Node& node, uint64_t at) const {
    return whole_.get<uint16_t>(node.at + at, nodes_.order, "field").value_or(0);
  }

  Result<void> read(const Jffs2Node& node) {
    if (node.obsolete) {
      into_.range(Range::kHeader, node.at, node.end() - node.at);
      return {};
    }
    if (node.type == kJffs2Padding) {
      into_.range(Range::kHeader, node.at, kJffs2HeaderSize);
      return {};
    }
    if (!jffs2_node_holds(whole_, nodes_.order, node))
      return fail(Fault::kMalformed, "node_crc does not match; the node is left out", node.at);
    switch (node.type) {
      case kJffs2Dirent:
        return read_dirent(node);
      case kJffs2Inode:
        return read_inode(node);
      case kJffs2Xattr:
        return read_xattr(node);
      case kJffs2Xref:
        return read_xref(node);
      case kJffs2Summary:
        return read_summary(node);
      case kJffs2CleanMarker:
        into_.range(Range::kHeader, node.at, node.end() - node.at);
        return {};
      default:
        break;
    }
    into_.range(Range::kHeader, node.at, kJffs2HeaderSize);
    return fail(Fault::kUnsupported, "nodetype 0x" + hex_of(node.type) + " is not known", node.at + 2);
  }
  static std::string hex_of(uint16_t value) {
    const uint8_t bytes[] = {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
    return hex(bytes);
  }
  Result<Bytes> payload(const Jffs2Node& node, uint32_t fixed, uint32_t length, uint32_t stored) {
    if (length > node.length - fixed) return fail(Fault::kMalformed, "data runs past its node", node.at);
    const Bytes data = TRY(whole_.slice(node.at + fixed, length, "node data"));
    if (!checksum_holds(crc32_raw(data, 0), stored))
      return fail(Fault::kMalformed, "data does not match its checksum; the node is left out", node.at);
    return data;
  }
  void claim(const Jffs2Node& node) { into_.range(Range::kHeader, node.at, node.end() - node.at); }

  Result<void> read_dirent(const Jffs2Node& node) {
    const Bytes name = TRY(payload(node, kJffs2DirentSize, whole_[node.at + 28], word(node, 36)));
    claim(node);
    const uint32_t version = word(node, 16);
    Dirent& entry = dirents_[word(node, 12)][std::string(name.text())];
    if (entry.at != 0 && version < entry.version) return {};
    entry = {version, word(node, 20), kind_of_entry(whole_[node.at + 29]), node.at + 1};
    return {};
  }

  Result<void> read_inode(const Jffs2Node& node) {
    Jffs2File& file = volume_.files[word(node, 12)];
    auto data = payload(node, kJffs2InodeSize, word(node, 48), word(node, 60));
    if (!data) {
      file.damaged.push_back(node.at);
      return std::unexpected(std::move(data).error());
    }
    claim(node);
    const uint32_t version = word(node, 16), size = word(node, 52);
    if (version >= file.version) {
      file.version = version;
      file.mode = word(node, 20);
      file.uid = half(node, 24);
      file.gid = half(node, 26);
      file.size = word(node, 28);
      file.mtime = word(node, 36);
    }
    if (size > 0) file.data.push_back({version, word(node, 44), size, whole_[node.at + 56], *data});
    return {};
  }

  Result<void> read_xattr(const Jffs2Node& node) {
    const uint32_t version = word(node, 16);
    const uint8_t name_length = whole_[node.at + 21];
    Xattr xattr = {version, std::string(prefix_of(whole_[node.at + 20])), {}, version == ~0u};
    if (!xattr.deleted) {
      const uint32_t value_length = half(node, 22);
      const Bytes data = TRY(payload(node, kJffs2XattrSize, name_length + 1 + value_length, word(node, 24)));
      xattr.name += data.text().substr(0, name_length);
      xattr.value = data.text().substr(name_length + 1);
    }
    claim(node);
    Xattr& newest = xattrs_[word(node, 12)];
    if (version >= newest.version) newest = std::move(xattr);
    return {};
  }

  Result<void> read_xref(const Jffs2Node& node) {
    claim(node);
    uint32_t& sequence = references_[word(node, 12)][word(node, 16)];
    sequence = std::max(sequence, word(node, 20));
    return {};
  }

  Result<void> read_summary(const Jffs2Node& node) {
    TRY(payload(node, kJffs2SummarySize, node.length - kJffs2SummarySize, word(node, 24)));
    claim(node);
    return {};
  }

  void name_entries() {
    for (auto& [directory, names] : dirents_)
      for (auto& [name, entry] : names) {
        if (entry.inode == 0)
          ++volume_.unlinked;
        else
          volume_.directories[directory][name] = {entry.inode, entry.kind, entry.at - 1};
      }
  }

  // The lowest bit of a reference's sequence number says that it was removed.
  void attach_xattrs() {
    for (const auto& [inode, attributes] : references_)
      for (const auto& [id, sequence] : attributes) {
        const auto file = volume_.files.find(inode);
        const auto xattr = xattrs_.find(id);
        if ((sequence & 1) || file == volume_.files.end()) continue;
        if (xattr == xattrs_.end())
          into_.problem(
              {Fault::kMalformed,
               "attribute " + std::to_string(id) + " of inode " + std::to_string(inode) + " is not in the image", 0});
        else if (!xattr->second.deleted)
          file->second.xattrs.emplace_back(xattr->second.name, xattr->second.value);
      }
    for (auto& [inode, file] : volume_.files) std::ranges::sort(file.xattrs);
  }

  Bytes whole_;
  const Jffs2Nodes& nodes_;
  Sink& into_;
  Jffs2Volume volume_;
  std::map<uint32_t, std::map<std::string, Dirent>> dirents_;
  std::map<uint32_t, Xattr> xattrs_;
  std::map<uint32_t, std::map<uint32_t, uint32_t>> references_;
};

}  // namespace

Result<Jffs2Volume> read_jffs2_volume(Bytes whole, const Jffs2Nodes& nodes, Sink& into) {
  return Jffs2Reader(whole, nodes, into).run();
}

}  // namespace assay::unpack
