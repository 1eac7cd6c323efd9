// ext2, ext3 and ext4.
//
//   1024  superblock, magic 0xef53 at its byte 56; then group descriptors, bitmaps, inode tables, file blocks
//
// A directory is a chain of entries: inode (32 bits), length of the entry (16), length of the name, type, name; hash
// trees hide inside entries that look unused, so reading straight through finds every name. Where the file system was
// not unmounted, its journal is replayed (ext_journal.h). Source: Linux, Documentation/filesystems/ext4/.
#include "unpack/formats/ext.h"
#include "core/hash.h"

#include <algorithm>
#include <tuple>

namespace assay::unpack::ext {
namespace {

using namespace ext;

constexpr Magic kMagics[] = {{"\x53\xef", 0x438}};
constexpr uint32_t kRoot = 2, kResize = 7;
constexpr size_t kMostDepth = 512, kLongestPath = 4096;
constexpr uint64_t kLargestWithHoles = uint64_t{4} << 30, kLargestDirectory = 1 << 30;
constexpr uint32_t kLongestTarget = 65536;

std::optional<Kind> kind_of(uint16_t mode) {
  switch (mode >> 12) {
    case 1:
      return Kind::kFifo;
    case 2:
      return Kind::kCharDevice;
    case 4:
      return Kind::kDirectory;
    case 6:
      return Kind::kBlockDevice;
    case 8:
      return Kind::kFile;
    case 10:
      return Kind::kSymlink;
    case 12:
      return Kind::kSocket;
    default:
      return std::nullopt;
  }
}

// Old numbers are 8:8 bits in the first word of the map, new ones 12:20 in the second.
uint64_t device_of(const Inode& inode) {
  const uint64_t old = inode.map().le<uint32_t>(0, "device").value_or(0);
  const uint64_t wide = inode.map().le<uint32_t>(4, "device").value_or(0);
  if (old != 0) return (old >> 8 & 0xff) << 32 | (old & 0xff);
  return (wide >> 8 & 0xfff) << 32 | (wide & 0xff) | (wide >> 12 & 0xfff00);
}

struct Listing {  // of a directory, read entry by entry
  std::vector<Bytes> pieces;
  size_t piece = 0;
  uint64_t at = 0;
  uint64_t block = 0;  // entries do not cross multiples of this; 0: the piece is one block
};

struct Name {
  uint32_t inode = 0;
  std::string_view text;
};

Result<Listing> open_listing(Image& image, const Inode& inode) {
  Listing listing;
  if (inode.flags & kInline) {
    listing.pieces = TRY(image.inline_pieces(inode));
    // The first word is the parent's number; "." and ".." are not stored.
    listing.pieces[0] = TRY(listing.pieces[0].from(4, "inline directory"));
    return listing;
  }
  if (inode.size > kLargestDirectory)
    return fail(Fault::kMalformed, "directory of " + std::to_string(inode.size) + " bytes", inode.raw.base());
  bool sparse = false;
  listing.pieces = TRY(image.pieces(inode, sparse));
  listing.block = image.super().block_size;
  for (const Bytes& piece : listing.pieces) {
    image.claim(piece.base(), piece.size());
    image.verify_directory(inode, piece);
  }
  if (sparse)
    image.complain(
        {Fault::kMalformed, "directory with a hole, inode " + std::to_string(inode.number), inode.raw.base()});
  return listing;
}

// The next entry in use, or none at the end.
Result<std::optional<Name>> next(Image& image, Listing& listing) {
  while (listing.piece < listing.pieces.size()) {
    const Bytes piece = listing.pieces[listing.piece];
    if (listing.at + 8 > piece.size()) {
      ++listing.piece;
      listing.at = 0;
      continue;
    }
    TRY_VOID(image.charge(1));
    const Bytes head = TRY(piece.slice(listing.at, 8, "directory entry"));
    const uint32_t inode = TRY(head.le<uint32_t>(0, "inode"));
    uint64_t length = TRY(head.le<uint16_t>(4, "entry length"));
    const uint64_t end = listing.block ? (listing.at / listing.block + 1) * listing.block : piece.size();
    if (listing.block >= 65536 && (length == 0 || length == 65535)) length = end - listing.at;
    const uint64_t name = image.super().has(kFileType) ? head[6] : TRY(head.le<uint16_t>(6, "name length"));
    if (length < 8 || length % 4 != 0 || length > end - listing.at || name + 8 > length)
      return fail(Fault::kMalformed, "directory entry of " + std::to_string(length) + " bytes", head.base());
    const Bytes text = TRY(piece.slice(listing.at + 8, name, "name"));
    listing.at += length;
    if (inode != 0 && name > 0) return Name{inode, text.text()};
  }
  return std::nullopt;
}

class Walk {
 public:
  Walk(Image& image, Sink& into) : image_(image), into_(into) {}

  Result<void> run() {
    TRY_VOID(give(TRY(image_.inode(kRoot)), ""));
    while (!open_.empty()) {
      const auto name = next(image_, open_.back().listing);
      if (!name) TRY_VOID(complain(open_.back().path, name.error()));
      if (!name || !*name) {
        open_.pop_back();
        continue;
      }
      if ((*name)->text != "." && (*name)->text != "..") TRY_VOID(visit(**name));
    }
    return {};
  }

 private:
  struct Open {
    std::string path;
    Listing listing;
  };

  Result<void> complain(const std::string& path, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_.problem({error.fault, (path.empty() ? "/" : path) + ": " + error.what, error.offset});
    return {};
  }

  Result<void> visit(const Name& name) {
    const std::string& above = open_.back().path;
    const std::string path = above.empty() ? std::string(name.text) : above + "/" + std::string(name.text);
    TRY_VOID(into_.step(1 + path.size()));
    if (path.size() > kLongestPath) return complain(path, {Fault::kMalformed, "path is too long", 0});
    if (name.text.find('/') != std::string::npos || name.text.find('\0') != std::string::npos)
      TRY_VOID(complain(path, {Fault::kMalformed, "name holds a '/' or a zero byte", 0}));
    const auto inode = image_.inode(name.inode);
    if (!inode) return complain(path, inode.error());
    return give(*inode, path);
  }

  Result<void> give(const Inode& inode, const std::string& path) {
    const auto kind = kind_of(inode.mode);
    if (!kind)
      return complain(
          path, {Fault::kMalformed, "mode " + std::to_string(inode.mode) + " of inode " + std::to_string(inode.number),
                 inode.raw.base()});
    Node node;
    node.kind = *kind;
    node.path = path;
    node.mode = inode.mode & 07777;
    node.uid = inode.uid;
    node.gid = inode.gid;
    node.links = inode.links;
    node.mtime = inode.mtime;
    if (node.kind != Kind::kDirectory && inode.links != 1) {
      const auto [first, fresh] = names_.try_emplace(inode.number, path);
      if (!fresh) {
        node.kind = Kind::kHardLink;
        node.target = first->second;
        return into_.node(std::move(node), nothing());
      }
    }
    if (auto attributes = image_.attributes(inode))
      node.xattrs = *std::move(attributes);
    else
      TRY_VOID(complain(path, attributes.error()));
    return give_content(inode, std::move(node));
  }

  Result<void> give_content(const Inode& inode, Node node) {
    const std::string path = node.path;
    if (node.kind == Kind::kDirectory) return give_directory(inode, std::move(node));
    if (node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice) node.device = device_of(inode);
    if (node.kind == Kind::kSymlink) {
      auto target = target_of(inode);
      if (target)
        node.target = *std::move(target);
      else
        TRY_VOID(complain(path, target.error()));
    }
    if (node.kind != Kind::kFile) return into_.node(std::move(node), nothing());
    auto content = content_of(inode);
    if (!content) {
      into_.discard();
      TRY_VOID(complain(path, content.error()));
      content = unreadable();
    }
    return into_.node(std::move(node), *std::move(content));
  }

  Result<void> give_directory(const Inode& inode, Node node) {
    const std::string path = node.path;
    TRY_VOID(into_.node(std::move(node), nothing()));
    if (!directories_.insert(inode.number).second)
      return complain(path, {Fault::kMalformed, "directory is listed a second time", inode.raw.base()});
    if (open_.size() >= kMostDepth)
      return complain(path, {Fault::kMalformed, "directories are nested too deep", inode.raw.base()});
    if (inode.flags & kEncrypted) return complain(path, {Fault::kEncrypted, "names are encrypted", inode.raw.base()});
    auto listing = open_listing(image_, inode);
    if (!listing) return complain(path, listing.error());
    open_.push_back({path, *std::move(listing)});
    return {};
  }

  Result<std::string> target_of(const Inode& inode) {
    if (inode.flags & kEncrypted) return fail(Fault::kEncrypted, "link target is encrypted", inode.raw.base());
    if (inode.size > kLongestTarget)
      return fail(Fault::kMalformed, "link target of " + std::to_string(inode.size) + " bytes", inode.raw.base());
    if (!(inode.flags & (kUsesExtents | kInline)) && inode.size < 60)
      return std::string(inode.map().head(inode.size).text());
    bool sparse = false;
    const auto pieces = TRY(inode.flags & kInline ? image_.inline_pieces(inode) : image_.pieces(inode, sparse));
    std::string target;
    for (const Bytes& piece : pieces) {
      image_.claim(piece.base(), piece.size());
      target += piece.text();
    }
    return target;
  }

  Result<Content> content_of(const Inode& inode) {
    if (inode.size == 0) return nothing();
    if (inode.flags & kEncrypted) return fail(Fault::kEncrypted, "content is encrypted", inode.raw.base());
    if (inode.flags & 0x4) return fail(Fault::kUnsupported, "content is compressed", inode.raw.base());
    if (inode.flags & kInline) return content_from(TRY(image_.inline_pieces(inode)));
    bool sparse = false;
    auto pieces = TRY(image_.pieces(inode, sparse));
    if (!sparse) return content_from(std::move(pieces));
    if (inode.size > kLargestWithHoles)
      return fail(Fault::kUnsupported,
                  "a file with holes of " + std::to_string(inode.size) + " bytes is not written out", inode.raw.base());
    uint64_t at = 0;
    size_t piece = 0;
    for (const Run& run : TRY(image_.runs(inode))) {
      const uint64_t start = run.logical * image_.super().block_size;
      const uint64_t end = std::min(inode.size, start + run.count * image_.super().block_size);
      TRY_VOID(into_.output().zeros(start - at));
      for (at = start; at < end; at += pieces[piece++].size()) TRY_VOID(into_.output().write(pieces[piece].span()));
    }
    TRY_VOID(into_.output().zeros(inode.size - at));
    return Content{places_of(pieces), "sparse"};
  }

  std::vector<Bytes> places_of(const std::vector<Bytes>& pieces) const {  // in the image, also of restored blocks
    std::vector<Bytes> places;
    for (const Bytes& piece : pieces) places.push_back(image_.whole().head(piece.size(), piece.base()));
    return places;
  }

  // As it is stored, or written out where a block of it had to be restored.
  Result<Content> content_from(std::vector<Bytes> pieces) {
    auto places = places_of(pieces);
    if (std::ranges::equal(pieces, places, {}, &Bytes::data, &Bytes::data)) return Content{std::move(places), {}};
    for (const Bytes& piece : pieces) TRY_VOID(into_.output().write(piece.span()));
    return Content{std::move(places), "journal"};
  }

  Image& image_;
  Sink& into_;
  std::vector<Open> open_;
  std::set<uint32_t> directories_;
  std::map<uint32_t, std::string> names_;  // of inodes with several: the first
};

// Whether the root directory starts with "." and reads to its end.
Result<void> check_root(Image& image) {
  const Inode root = TRY(image.inode(kRoot));
  if (!root.is_directory()) return fail(Fault::kMalformed, "root inode is no directory", root.raw.base());
  Listing listing = TRY(open_listing(image, root));
  auto name = TRY(next(image, listing));
  if (!(root.flags & kInline) && (!name || name->text != "." || name->inode != kRoot))
    return fail(Fault::kMalformed, "root directory does not start with itself", root.raw.base());
  for (int i = 0; name && i < 256; ++i) name = TRY(next(image, listing));
  return {};
}

Result<Measured> measure(Bytes from) {
  Image image = TRY(Image::open(from, nullptr));
  const bool good = check_root(image).has_value();
  return Measured{image.super().length(), good};
}

// Journal and resize inodes: metadata that lies in inodes.
void claim_hidden(Image& image, uint32_t number) {
  const auto inode = image.inode(number);
  if (!inode || inode->mode == 0) return;
  bool sparse = false;
  const auto pieces = image.pieces(*inode, sparse);
  if (!pieces) return;
  for (const Bytes& piece : *pieces) image.claim(piece.base(), piece.size());
}

void give_notes(const Super& super, Sink& into) {
  const bool four = super.has(kExtents | k64Bit | kFlexibleGroups | kInlineData) || (super.read_only & 0x478) != 0;
  into.note("version", four ? "ext4" : super.journal ? "ext3" : "ext2", super.at + 92);
  into.note("block size", std::to_string(super.block_size), super.at + 24);
  if (!super.label.empty()) into.note("label", super.label, super.at + 120);
}

std::string hex_of(const std::string& uuid) {
  return hex({reinterpret_cast<const uint8_t*>(uuid.data()), uuid.size()});
}

void note_journal(const Image& image, Sink& into) {
  if (const std::string& outer = image.super().outer_journal; !outer.empty())
    into.note("journal", "on another device, of uuid " + hex_of(outer) + "; it is not followed", 1024 + 208);
  if (!image.needs_replay()) return;
  const Replay& newer = image.newer();
  const std::string what = std::to_string(newer.transactions) + " transactions, " +
                           std::to_string(newer.blocks.size()) + " blocks newer than the file system's own: applied";
  into.note("journal", image.replayed() ? what : "holds changes that are not applied here", 1024 + 96);
}

Result<void> unpack(Bytes whole, Sink& into) {
  Image image = TRY(Image::open(whole, &into));
  give_notes(image.super(), into);
  note_journal(image, into);
  image.claim_groups();
  for (uint32_t i = 1; i < image.super().first_inode && i < 64; ++i)
    std::ignore = image.inode(i);  // reserved: claims them
  if (image.super().journal) claim_hidden(image, image.super().journal);
  if (image.super().compatible & 0x10) claim_hidden(image, kResize);
  image.claim_written();
  auto done = Walk(image, into).run();
  for (const auto& [from, to] : image.claimed()) into.range(Range::kHeader, from, to - from);
  return done;
}

}  // namespace

extern const Format kExt;
const Format kExt = {
    .id = "ext",
    .title = "ext2/ext3/ext4 file system",
    .version = 5,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "ext2, ext3 and ext4: block maps, extents, inline data, 64-bit, metadata checksums, xattrs, devices; "
        "the journal of one that was not unmounted",
    .limits =
        "journals on another device and fast commits are not replayed; a new size that only the journal has; more than "
        "16 MiB of blocks that the journal stores altered (JBD2_FLAG_ESCAPE); bigalloc; encrypted files; files with "
        "holes above 4 GiB; deleted files",
    .source = "Linux Documentation/filesystems/ext4",
    .checked = "foreign tool: mke2fs, debugfs"};

}  // namespace assay::unpack::ext
