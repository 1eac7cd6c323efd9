// romfs, the smallest file system of Linux: big-endian, read only, names and contents one behind the other.
//
//   0   "-rom1fs-"    8   size of the image    12  checksum    16  name of the volume, padded to 16
//   then one header per entry, at multiples of 16:
//   0   where the next entry of the directory is; the low 4 bits: type (3 bits), executable (8)
//   4   of a directory: its first entry; of a hard link: the entry it names; of a device: major, minor (16 bits each)
//   8   size    12  checksum    16  name, padded to 16    then the content
//
// A checksum makes the sum of 32-bit words zero: over the first 512 bytes, and over each header with its name.
// romfs stores no mode, no owner and no time; only whether a file may be executed.
// Source: Linux Documentation/filesystems/romfs.rst.
#include "core/hash.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/vendor.h"

#include <set>

namespace assay::unpack::romfs {
namespace {

constexpr Magic kMagics[] = {{"-rom1fs-"}};
constexpr uint64_t kChecked = 512;
constexpr uint64_t kLongestName = 256;  // with its padding; more is no name of Linux
constexpr uint32_t kDeepest = 128;
constexpr uint32_t kExecutable = 8;

enum Type : uint8_t { kLink, kFolder, kRegular, kSymbolic, kBlock, kCharacter, kSocketEntry, kPipe };

struct Super {
  uint32_t size;
  std::string name;
  uint64_t first;  // where the entries begin
};

struct Header {
  uint32_t next, spec, size;
  Type type;
  bool executable;
  std::string name;
  uint64_t at, content;
};

Result<std::string> read_name(Bytes whole, uint64_t at) {
  const std::string_view text = whole.head(kLongestName, at).text();
  const size_t end = text.find('\0');
  if (end == text.npos) return fail(Fault::kMalformed, "name does not end", whole.base() + at);
  return std::string(text.substr(0, end));
}
uint64_t padded(const std::string& name) { return (name.size() + 16) & ~uint64_t{15}; }

Result<Super> read_super(Bytes b) {
  if (!b.starts_with("-rom1fs-")) return fail(Fault::kMalformed, "magic is not -rom1fs-", b.base());
  Super super = {TRY(b.be<uint32_t>(8, "size")), TRY(read_name(b, 16)), 0};
  super.first = 16 + padded(super.name);
  if (super.size < super.first + 16) return fail(Fault::kMalformed, "size is below the headers'", b.base() + 8);
  const Bytes image = TRY(b.slice(0, super.size, "image"));
  if (!checksum_holds(word_sum(image.head(kChecked), Order::kBig), 0u))
    return fail(Fault::kMalformed, "checksum does not match", b.base() + 12);
  return super;
}

Result<Header> read_header(Bytes whole, uint64_t at) {
  const Bytes b = TRY(whole.slice(at, 16, "file header"));
  Header h{};
  const uint32_t next = *b.be<uint32_t>(0, "next");
  h.next = next & ~15u;
  h.type = static_cast<Type>(next & 7);
  h.executable = next & kExecutable;
  h.spec = *b.be<uint32_t>(4, "spec.info");
  h.size = *b.be<uint32_t>(8, "size");
  h.name = TRY(read_name(whole, at + 16));
  h.at = at;
  h.content = at + 16 + padded(h.name);
  const Bytes checked = TRY(whole.slice(at, h.content - at, "file header"));
  if (!checksum_holds(word_sum(checked, Order::kBig), 0u))
    return fail(Fault::kMalformed, "checksum of a file header does not match", at + 12);
  return h;
}

Result<Measured> measure(Bytes from) {
  const Super super = TRY(read_super(from));
  TRY(read_header(from, super.first));
  return Measured{super.size, true};
}

class Reader {
 public:
  Reader(Bytes whole, Sink& into) : whole_(whole), into_(into) {}

  Result<void> run(uint64_t first) {
    left_.push_back({first, "", 0});
    while (!left_.empty()) {
      const Folder folder = std::move(left_.back());
      left_.pop_back();
      TRY_VOID(list(folder));
    }
    return emit_links();
  }

 private:
  struct Folder {
    uint64_t first;
    std::string path;
    uint32_t depth;
  };
  struct Link {
    std::string path;
    uint64_t at, target;
  };

  Result<void> list(const Folder& folder) {
    for (uint64_t at = folder.first; at != 0;) {
      TRY_VOID(into_.step());
      if (!seen_.insert(at).second) {
        into_.problem({Fault::kMalformed, "directory \"" + folder.path + "\" leads to an entry listed before", at});
        return {};
      }
      const auto header = read_header(whole_, at);
      if (!header) {
        into_.problem(header.error());
        return {};  // without a header nobody knows what comes next
      }
      into_.range(Range::kHeader, at, header->content - at);
      TRY_VOID(take(folder, *header));
      at = header->next;
    }
    return {};
  }

  Result<void> take(const Folder& folder, const Header& h) {
    if (h.name == "." || h.name == "..") return {};
    if (!is_component(h.name)) {
      into_.problem({Fault::kMalformed, "a name in directory \"" + folder.path + "\" is no file name", h.at + 16});
      return {};
    }
    Node node;
    node.path = folder.path.empty() ? h.name : folder.path + "/" + h.name;
    if (h.executable && h.type == kRegular) node.mode = 0111;
    if (h.type == kLink) {
      links_.push_back({node.path, h.at, h.spec & ~15u});
      return {};
    }
    names_.emplace(h.at, node.path);
    if (h.type == kRegular || h.type == kSymbolic) return take_content(std::move(node), h);
    node.kind = kind_of(h.type);
    if (h.type == kBlock || h.type == kCharacter) node.device = uint64_t{h.spec >> 16} << 32 | (h.spec & 0xffff);
    if (h.type == kFolder && h.spec != 0) enter(node.path, h, folder.depth + 1);
    return into_.node(std::move(node), nothing());
  }
  void enter(const std::string& path, const Header& h, uint32_t depth) {
    if (depth > kDeepest)
      into_.problem({Fault::kLimit, "directory " + path + " lies too deep", h.at});
    else
      left_.push_back({h.spec & ~15u, path, depth});
  }
  Result<void> take_content(Node node, const Header& h) {
    const auto content = whole_.slice(h.content, h.size, "content");
    if (!content) {
      into_.problem({Fault::kTruncated, node.path + ": content runs past the end", h.at + 8});
      return {};
    }
    if (h.type == kRegular) return into_.node(std::move(node), stored(*content));
    node.kind = Kind::kSymlink;
    node.target = content->text();
    into_.range(Range::kHeader, h.content, h.size);
    return into_.node(std::move(node), nothing());
  }
  static Kind kind_of(Type type) {
    switch (type) {
      case kFolder:
        return Kind::kDirectory;
      case kBlock:
        return Kind::kBlockDevice;
      case kCharacter:
        return Kind::kCharDevice;
      case kSocketEntry:
        return Kind::kSocket;
      case kPipe:
        return Kind::kFifo;
      default:
        return Kind::kFile;
    }
  }

  Result<void> emit_links() {
    for (const Link& link : links_) {
      const auto target = names_.find(link.target);
      if (target == names_.end()) {
        into_.problem({Fault::kMalformed, link.path + ": hard link to no entry", link.at + 4});
        continue;
      }
      Node node;
      node.kind = Kind::kHardLink;
      node.path = link.path;
      node.target = target->second;
      TRY_VOID(into_.node(std::move(node), nothing()));
    }
    return {};
  }

  Bytes whole_;
  Sink& into_;
  std::vector<Folder> left_;
  std::vector<Link> links_;
  std::set<uint64_t> seen_;
  std::map<uint64_t, std::string> names_;  // of an entry's header: its path
};

Result<void> unpack(Bytes whole, Sink& into) {
  const Super super = TRY(read_super(whole));
  into.range(Range::kHeader, 0, super.first);
  if (!super.name.empty()) into.note("name", super.name, 16);
  return Reader(whole, into).run(super.first);
}

}  // namespace

extern const Format kRomfs;
const Format kRomfs = {.id = "romfs",
                       .title = "romfs file system",
                       .version = 1,
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .reads = "directories, links, devices, header checksums",
                       .limits =
                           "It stores no mode, owner or time: the mode of an executable file is its execute bits, "
                           "all that is stored.",
                       .source = "Linux Documentation/filesystems/romfs.rst",
                       .checked = "foreign tool: genromfs; real image: sample of another project"};

}  // namespace assay::unpack::romfs
