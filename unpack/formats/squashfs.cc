// SquashFS 1.x to 4.0 in both byte orders, with the compressions of the standard tools and of vendors.
//
//   superblock | file data | fragments | inode table | directory table | fragment table | exports | ids | xattrs
//
// Data blocks and fragments (ends of files, several to a block) are compressed one by one; tables are chains of
// metadata blocks of 8 KiB. The walk follows the listings from the root, so what no listing names is not reached.
// Source: Linux, Documentation/filesystems/squashfs.rst; squashfs-tools (layout facts only); devttys0/sasquatch (facts
// on vendors' LZMA); the parts of this reader are listed in squashfs.h.
#include "unpack/formats/squashfs.h"

#include "unpack/formats/squashfs_ahead.h"

#include <algorithm>
#include <set>

namespace assay::unpack::squashfs {
namespace {

using namespace squashfs;

constexpr Magic kMagics[] = {{"hsqs"}, {"sqsh"}, {"shsq"}, {"qshs"}, {"tqsh"}, {"hsqt"}, {"sqlz"}, {"zlqs"}};
constexpr size_t kMostDepth = 512, kLongestPath = 4096;
constexpr uint64_t kLargestFile = uint64_t{4} << 30;
constexpr uint64_t kFragmentCache = 4 << 20;

// Decoded fragment blocks, the last few. A block that does not decode is remembered too.
class Fragments {
 public:
  Fragments(Image& image, Decoder& decoder) : image_(image), decoder_(decoder) {}

  struct Piece {
    Bytes block;          // where it lies in the image
    Bytes bytes;          // the file's bytes; valid until the next call
    bool stored = false;  // then `bytes` lies in the image
  };
  Result<Piece> find(uint32_t index, uint32_t offset, uint64_t length, uint64_t position) {
    const Fragment fragment = TRY(image_.fragment(index));
    const Bytes block = TRY(image_.whole().slice(fragment.start, fragment.size, "fragment"));
    if (fragment.stored) return Piece{block, TRY(block.slice(offset, length, "end of file in fragment")), true};
    const Entry& entry = TRY(decoded(index, block, position)).get();
    if (entry.error) return std::unexpected(*entry.error);
    const Bytes whole(std::span<const std::byte>(entry.data));
    return Piece{block, TRY(whole.slice(offset, length, "end of file in fragment")), false};
  }

 private:
  struct Entry {
    std::vector<std::byte> data;
    std::optional<Error> error;
    uint64_t last_use = 0;
  };

  Result<std::reference_wrapper<Entry>> decoded(uint32_t index, Bytes block, uint64_t position) {
    if (const auto found = entries_.find(index); found != entries_.end()) {
      found->second.last_use = ++uses_;
      return std::ref(found->second);
    }
    const uint64_t size = image_.super().block_size;
    while (!entries_.empty() && (entries_.size() + 1) * size > kFragmentCache)
      entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.last_use; }));
    TRY_VOID(image_.charge(1 + size / 16));
    MemoryOutput out(size);
    out.vector().reserve(size);
    auto done = decoder_.decode(block, size, std::nullopt, position, out);
    Entry& kept = entries_[index];
    kept.last_use = ++uses_;
    if (done)
      kept.data = std::move(out.vector());
    else
      kept.error = std::move(done).error();
    return std::ref(kept);
  }

  Image& image_;
  Decoder& decoder_;
  std::map<uint32_t, Entry> entries_;
  uint64_t uses_ = 0;
};

// One file: its blocks lie one behind the other; a size of 0 is a hole, bit 24 says stored as is.
class File {
 public:
  // `position`: bytes of files before it in the walk.
  File(Image& image, Fragments& fragments, Decoder& decoder, const Inode& node, uint64_t position, Sink& into)
      : image_(image), fragments_(fragments), decoder_(decoder), node_(node), position_(position), into_(into) {}

  Result<Content> read() {
    if (node_.size == 0) return nothing();
    if (node_.size > kLargestFile)
      return fail(Fault::kMalformed, "size " + std::to_string(node_.size) + " is beyond what is read");
    const uint64_t block = image_.super().block_size;
    const bool tail = node_.fragment != kNone32;
    const uint64_t count = tail ? node_.size / block : (node_.size + block - 1) / block;
    TRY_VOID(read_sizes(count));
    if (all_stored()) return as_stored(count * block);
    uint64_t at = node_.start;
    for (uint64_t i = 0; i < count; ++i) TRY_VOID(one_block(sizes_[i], at, i * block));
    if (tail) TRY_VOID(end_of_file(count * block));
    if (at > node_.start)
      content_.extents.insert(content_.extents.begin(), image_.whole().head(at - node_.start, node_.start));
    content_.codec = codec_of(image_.packing());
    return std::move(content_);
  }

 private:
  static constexpr uint32_t kStored = 1 << 24;

  Result<void> read_sizes(uint64_t count) {
    Position at = node_.at;
    for (uint64_t i = 0; i < count; ++i) {
      TRY_VOID(image_.charge(1));
      sizes_.push_back(TRY(image_.block_size_entry(at)));
    }
    return {};
  }

  bool all_stored() {
    if (!std::ranges::all_of(sizes_, [](uint32_t size) { return (size & kStored) && (size & (kStored - 1)); }))
      return false;
    if (node_.fragment == kNone32) return true;
    const auto fragment = image_.fragment(node_.fragment);
    return fragment && fragment->stored;
  }

  // Nothing was compressed: the content is views into the image.
  Result<Content> as_stored(uint64_t blocks) {
    uint64_t length = 0;
    for (const uint32_t size : sizes_) length += size & (kStored - 1);
    const bool tail = node_.fragment != kNone32;
    if (length != (tail ? blocks : node_.size))
      return fail(Fault::kMalformed, "stored blocks do not add up to the size", node_.start);
    if (length > 0) content_.extents.push_back(TRY(image_.whole().slice(node_.start, length, "file blocks")));
    if (tail && node_.size > blocks)
      content_.extents.push_back(
          TRY(fragments_.find(node_.fragment, node_.fragment_offset, node_.size - blocks, position_)).bytes);
    return std::move(content_);
  }

  // `before`: bytes of the file before the block.
  Result<void> one_block(uint32_t size, uint64_t& at, uint64_t before) {
    const uint64_t block = image_.super().block_size, length = std::min(block, node_.size - before);
    TRY_VOID(image_.charge(1 + length / 16));
    if (size == 0) return into_.output().zeros(length);
    const Bytes raw = TRY(image_.whole().slice(at, size & (kStored - 1), "file block"));
    at += raw.size();
    if (!(size & kStored)) return decoder_.decode(raw, block, length, position_ + before, into_.output());
    if (raw.size() != length)
      return fail(Fault::kMalformed, "stored block of " + std::to_string(raw.size()) + " bytes", raw.base());
    return into_.output().write(raw.span());
  }

  Result<void> end_of_file(uint64_t before) {
    const uint64_t length = node_.size - before;
    if (length == 0) return {};
    const auto piece = TRY(fragments_.find(node_.fragment, node_.fragment_offset, length, position_ + before));
    content_.extents.push_back(piece.stored ? piece.bytes : piece.block);
    return into_.output().write(piece.bytes.span());
  }

  Image& image_;
  Fragments& fragments_;
  Decoder& decoder_;
  const Inode& node_;
  const uint64_t position_;
  Sink& into_;
  std::vector<uint32_t> sizes_;
  Content content_;
};

class Walk {
 public:
  Walk(Image& image, Sink& into, Decoder& decoder)
      : image_(image), into_(into), decoder_(decoder), fragments_(image, decoder) {}

  Result<void> run() {
    const Inode root = TRY(image_.inode(image_.super().root));
    TRY_VOID(give(root, image_.super().root, ""));
    while (!open_.empty()) {
      if (open_.back().listing.left == 0) {
        open_.pop_back();
        continue;
      }
      const auto entry = image_.next(open_.back().listing);
      if (!entry) {
        TRY_VOID(complain(open_.back().path, entry.error()));
        open_.pop_back();
        continue;
      }
      TRY_VOID(visit(*entry));
    }
    return {};
  }
  uint64_t inodes() const { return inodes_; }
  bool whole() const { return whole_; }

 private:
  struct Open {
    std::string path;
    Listing listing;
  };

  Result<void> complain(const std::string& path, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_.problem({error.fault, (path.empty() ? "/" : path) + ": " + error.what, error.offset});
    whole_ = false;
    return {};
  }

  Result<void> visit(const DirectoryEntry& entry) {
    const std::string& above = open_.back().path;
    const std::string path = above.empty() ? entry.name : above + "/" + entry.name;
    TRY_VOID(into_.step(1 + path.size()));
    if (path.size() > kLongestPath) return complain(path, {Fault::kMalformed, "path is too long", 0});
    if (entry.name.find('/') != std::string::npos || entry.name.find('\0') != std::string::npos)
      TRY_VOID(complain(path, {Fault::kMalformed, "name holds a '/' or a zero byte", 0}));
    const auto node = image_.inode(entry.inode);
    if (!node) return complain(path, node.error());
    return give(*node, entry.inode, path);
  }

  Node describe(const Inode& inode, const std::string& path) {
    Node node;
    node.kind = inode.kind;
    node.path = path;
    node.mode = inode.mode;
    node.uid = inode.uid;
    node.gid = inode.gid;
    node.links = inode.links;
    node.mtime = inode.mtime;
    node.device = inode.device;
    node.target = inode.target;
    return node;
  }

  Result<void> give(const Inode& inode, uint64_t reference, const std::string& path) {
    Node node = describe(inode, path);
    if (inode.kind == Kind::kDirectory) return give_directory(inode, reference, std::move(node));
    if (!inode.links || *inode.links != 1) {
      const auto [first, fresh] = names_.try_emplace(reference, path);
      if (!fresh) {
        node.kind = Kind::kHardLink;
        node.target = first->second;
        return into_.node(std::move(node), nothing());
      }
    }
    ++inodes_;
    TRY_VOID(add_xattrs(inode, node));
    if (inode.kind != Kind::kFile) return into_.node(std::move(node), nothing());
    auto content = File(image_, fragments_, decoder_, inode, position_, into_).read();
    position_ += inode.size;
    if (!content) {
      into_.discard();
      TRY_VOID(complain(path, content.error()));
      content = unreadable();
    }
    return into_.node(std::move(node), *std::move(content));
  }

  Result<void> give_directory(const Inode& inode, uint64_t reference, Node node) {
    const std::string path = node.path;
    TRY_VOID(add_xattrs(inode, node));
    TRY_VOID(into_.node(std::move(node), nothing()));
    if (!directories_.insert(reference).second)
      return complain(path, {Fault::kMalformed, "directory is listed a second time", 0});
    ++inodes_;
    if (open_.size() >= kMostDepth) return complain(path, {Fault::kMalformed, "directories are nested too deep", 0});
    open_.push_back({path, image_.list(inode)});
    return {};
  }

  Result<void> add_xattrs(const Inode& inode, Node& node) {
    if (inode.xattrs == kNone32 || image_.super().xattr_table == kNone64) return {};
    auto xattrs = image_.xattrs(inode.xattrs);
    if (!xattrs) return complain(node.path, xattrs.error());
    node.xattrs = *std::move(xattrs);
    return {};
  }

  Image& image_;
  Sink& into_;
  Decoder& decoder_;
  Fragments fragments_;
  uint64_t position_ = 0;  // bytes of the files so far
  std::vector<Open> open_;
  std::set<uint64_t> directories_;
  std::map<uint64_t, std::string> names_;  // of inodes that may have several: the first
  uint64_t inodes_ = 0;
  bool whole_ = true;  // nothing was left out
};

Result<Measured> measure(Bytes from) {
  const Super super = TRY(read_super(from));
  return Measured{super.bytes_used, Image::open(from, nullptr).has_value()};
}

void give_notes(const Image& image, Sink& into) {
  const Super& super = image.super();
  const std::string order = super.order == Order::kLittle ? "little endian" : "big endian";
  into.note("version", std::to_string(super.major) + "." + std::to_string(super.minor) + ", " + order, 28);
  into.note("compression", squashfs::describe(image.packing()), super.major == 4 ? 20 : 0);
  into.note("block size", std::to_string(super.block_size), super.major == 4 ? 12 : 32);
  into.note("created", std::to_string(super.created), super.major == 4 ? 8 : 39);
}

Result<void> unpack(Bytes whole, Sink& into) {
  Image image = TRY(Image::open(whole, &into));
  give_notes(image, into);
  Ahead ahead(image, [](Image copy, Sink& nowhere, Decoder& scout) { return Walk(copy, nowhere, scout).run(); });
  Walk walk(image, into, ahead);
  auto done = walk.run();
  if (done) {
    const auto tables = image.read_tables();
    if (!tables && tables.error().fault == Fault::kLimit)
      done = tables;
    else if (!tables)
      into.problem(tables.error());
  }
  for (const auto& [from, to] : image.used()) into.range(Range::kHeader, from, to - from);
  if (done && walk.whole() && walk.inodes() != image.super().inodes)
    into.note(
        "inodes",
        std::to_string(image.super().inodes) + " by the superblock, " + std::to_string(walk.inodes()) + " in the tree",
        4);
  return done;
}

}  // namespace

extern const Format kSquashfs;
const Format kSquashfs = {
    .id = "squashfs",
    .title = "SquashFS file system",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "versions 1 to 4, both byte orders, vendors' magics; gzip, LZMA in vendors' forms, LZO, XZ, LZ4, zstd; xattrs, "
        "devices",
    .limits = "files above 4 GiB; inodes that no directory lists",
    .source = "Linux Documentation/filesystems/squashfs.rst; squashfs-tools squashfs_compat.h",
    .checked = "foreign tool: mksquashfs, unsquashfs; real images: shared/firmware; own builder for versions 1 to 3"};

}  // namespace assay::unpack::squashfs
