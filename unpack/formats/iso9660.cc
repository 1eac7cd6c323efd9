// ISO 9660 file systems with Rock Ridge, Joliet, zisofs and the boot images of El Torito.
//
//   16*2048  volume descriptors of 2048 bytes: type (1), "CD001", version 1
//            type 1 is the primary one, 2 a supplementary one (Joliet where its escape sequence at 88 is %/@, %/C or
//            %/E), 0 a boot record, 255 ends
//     40 volume id (32)  80 size in blocks  128 block size  132 size of the path table  140, 148 its places
//     156 directory record of the root  318 publisher, 574 application (128 each)  813 creation date
//   directory record:  0 length  2 first block  10 size  18 date (7)  25 flags: 2 directory, 0x80 more extents follow
//            32 name length, name, padding to even; then Rock Ridge's fields: signature (2), length, version 1
//
// Numbers are stored in both byte orders; the little one is read, and the big one has to agree where it confirms.
// Source: ECMA-119; IEEE P1282 (Rock Ridge); IEEE P1281 (SUSP); Joliet specification; El Torito 1.0; Linux
// Documentation/filesystems/isofs.rst and fs/isofs/rock.h, compress.c (zisofs).
#include "unpack/formats/iso9660.h"

#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <set>

namespace assay::unpack::iso9660 {
namespace {

constexpr Magic kMagics[] = {{"\1CD001\1", kIsoSystemArea}};
constexpr int kDeepest = 64;
constexpr std::string_view kTorito = "EL TORITO SPECIFICATION";

Result<IsoVolume> read_volume(Bytes b) {
  IsoVolume v;
  bool primary = false;
  for (uint64_t at = kIsoSystemArea; !v.end_of_descriptors; at += kIsoSector) {
    const Bytes d = TRY(b.slice(at, kIsoSector, "volume descriptor"));
    if (!d.starts_with("CD001", 1)) return fail(Fault::kMalformed, "volume descriptor", d.base());
    if (d[0] == 255) v.end_of_descriptors = at + kIsoSector;
    if (d[0] == 0 && d.starts_with(kTorito, 7)) v.boot_catalog = TRY(d.le<uint32_t>(71, "boot catalog"));
    if (d[0] == 1 && !primary) {
      primary = true;
      v.blocks = TRY(d.le<uint32_t>(80, "size in blocks"));
      v.block = TRY(d.le<uint16_t>(128, "block size"));
      const bool agree = TRY(d.be<uint32_t>(84, "size in blocks")) == v.blocks;
      v.confirmed = agree && TRY(d.be<uint16_t>(130, "block size")) == v.block;
      v.primary = d;
    }
    if (d[0] == 2 && d.starts_with("%/", 88) && std::string_view("@CE").find(d.text()[90]) != std::string_view::npos)
      v.joliet = d;
    if (at > kIsoSystemArea + 64 * kIsoSector)
      return fail(Fault::kMalformed, "volume descriptors do not end", b.base() + at);
  }
  if (!primary) return fail(Fault::kMalformed, "no primary volume descriptor", b.base() + kIsoSystemArea);
  if (v.block != 512 && v.block != 1024 && v.block != 2048)
    return fail(Fault::kMalformed, "block size " + std::to_string(v.block), b.base() + kIsoSystemArea + 128);
  TRY(b.slice(0, v.blocks * v.block, "volume"));
  if (v.blocks * v.block < v.end_of_descriptors)
    return fail(Fault::kMalformed, "size in blocks", b.base() + kIsoSystemArea + 80);
  return v;
}

Result<Measured> measure(Bytes from) {
  const IsoVolume v = TRY(read_volume(from));
  return Measured{v.blocks * v.block, v.confirmed};
}

class Tree {
 public:
  Tree(Bytes whole, const IsoVolume& volume, Sink& into) : whole_(whole), volume_(volume), into_(into) {}

  Result<void> run() {
    const bool rock_ridge = iso_has_rock_ridge(whole_, volume_, volume_.primary);
    const bool joliet = !rock_ridge && !volume_.joliet.empty();
    names_ = rock_ridge ? IsoNames::kRockRidge : joliet ? IsoNames::kJoliet : IsoNames::kPlain;
    into_.note("names", rock_ridge ? "Rock Ridge" : joliet ? "Joliet" : "ISO 9660", kIsoSystemArea);
    TRY_VOID(walk(iso_root(joliet ? volume_.joliet : volume_.primary), "", 0, true));
    if (!volume_.joliet.empty() && !joliet) TRY_VOID(walk(iso_root(volume_.joliet), "", 0, false));
    return {};
  }
  bool has_file_at(uint64_t offset) const { return files_.contains(offset); }

 private:
  // `emit` false: only the directories' bytes are claimed (the same files under Joliet's names).
  Result<void> walk(const IsoExtent& extent, const std::string& path, int depth, bool emit) {
    if (depth > kDeepest || !seen_.insert(extent.first * 2 + (emit ? 1 : 0)).second) {
      into_.problem(
          {Fault::kMalformed, "directory " + path + " is nested in itself or too deep", extent.first * volume_.block});
      return {};
    }
    const auto bytes = iso_bytes(whole_, volume_, extent, "directory " + path);
    if (!bytes) {
      into_.problem(bytes.error());
      return {};
    }
    into_.range(Range::kHeader, bytes->base() - whole_.base(), bytes->size());
    std::vector<IsoEntry> entries;
    if (auto read = read_iso_directory(whole_, volume_, *bytes, emit ? names_ : IsoNames::kPlain, entries); !read)
      into_.problem(std::move(read).error());
    for (const IsoEntry& e : entries) {
      TRY_VOID(into_.step());
      const std::string name = path.empty() ? e.name : path + "/" + e.name;
      if (e.system_use_block) into_.range(Range::kHeader, *e.system_use_block * volume_.block, volume_.block);
      if (emit && !e.relocated) TRY_VOID(put(e, name));
      if (e.kind == Kind::kDirectory && !e.relocated) TRY_VOID(walk(e.extents[0], name, depth + 1, emit));
    }
    return {};
  }

  Result<void> put(const IsoEntry& e, const std::string& path) {
    Node node{
        .kind = e.kind, .path = path, .mode = e.mode, .uid = e.uid, .gid = e.gid, .links = e.links, .mtime = e.mtime};
    node.device = e.device;
    node.target = e.target;
    if (e.kind != Kind::kFile) return into_.node(std::move(node), nothing());
    Content content;
    for (const IsoExtent& extent : e.extents) {
      const auto bytes = iso_bytes(whole_, volume_, extent, path);
      if (!bytes) {
        into_.problem(bytes.error());
        return into_.node(std::move(node), unreadable());
      }
      files_.insert(bytes->base() - whole_.base());
      content.extents.push_back(*bytes);
    }
    return e.plain_size > 0 ? put_zisofs(std::move(node), content) : into_.node(std::move(node), std::move(content));
  }

  Result<void> put_zisofs(Node node, Content& content) {
    const Bytes data = content.extents.empty() ? Bytes() : content.extents[0];
    const auto done = decode_zisofs(data, into_.output());
    if (done) return into_.node(std::move(node), {std::move(content.extents), "zisofs"});
    if (done.error().fault == Fault::kLimit) return std::unexpected(done.error());
    into_.discard();
    into_.problem({done.error().fault, node.path + ": " + done.error().what, done.error().offset});
    return into_.node(std::move(node), unreadable());
  }

  Bytes whole_;
  const IsoVolume& volume_;
  Sink& into_;
  IsoNames names_ = IsoNames::kPlain;
  std::set<uint64_t> seen_, files_;
};

void claim_descriptors(Bytes whole, const IsoVolume& v, Sink& into) {
  into.range(Range::kHeader, kIsoSystemArea, v.end_of_descriptors - kIsoSystemArea);
  for (const Bytes& d : {v.primary, v.joliet}) {
    if (d.empty()) continue;
    const uint64_t size = d.le<uint32_t>(132, "size").value_or(0);
    for (const uint64_t at : {140, 144})
      into.range(Range::kHeader, d.le<uint32_t>(at, "place").value_or(0) * v.block, size);
    for (const uint64_t at : {148, 152})
      into.range(Range::kHeader, d.be<uint32_t>(at, "place").value_or(0) * v.block, size);
  }
  struct Text {
    uint64_t offset, length;
    std::string_view name;
  };
  constexpr Text kTexts[] = {{8, 32, "system"},      {40, 32, "volume"},        {318, 128, "publisher"},
                             {446, 128, "preparer"}, {574, 128, "application"}, {813, 16, "created"}};
  const uint64_t at = v.primary.base() - whole.base();
  for (const Text& text : kTexts) note_text(whole, at + text.offset, text.length, text.name, into);
}

// The initial entry of El Torito's catalog; its image is a part unless a file of the tree is stored there.
Result<void> put_boot_image(Bytes whole, const IsoVolume& v, const Tree& tree, Sink& into) {
  if (v.boot_catalog == 0) return {};
  const uint64_t catalog = uint64_t{v.boot_catalog} * kIsoSector;
  const Bytes entries = TRY(whole.slice(catalog, 64, "boot catalog"));
  into.range(Range::kHeader, catalog, 64);
  if (entries[32] != 0x88) return {};
  const uint64_t place = TRY(entries.le<uint32_t>(40, "boot image")) * uint64_t{kIsoSector};
  const uint64_t size = TRY(entries.le<uint16_t>(38, "boot image sectors")) * uint64_t{512};
  into.note("boot image at", hex_number(place), catalog + 40);
  if (tree.has_file_at(place)) return {};
  return into.child("boot", stored(TRY(whole.slice(place, size, "boot image"))));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const IsoVolume v = TRY(read_volume(whole));
  claim_descriptors(whole, v, into);
  Tree tree(whole, v, into);
  TRY_VOID(tree.run());
  auto done = put_boot_image(whole, v, tree, into);
  if (!done && done.error().fault == Fault::kLimit) return done;
  if (!done) into.problem(std::move(done).error());
  return {};
}

}  // namespace

extern const Format kIso9660;
const Format kIso9660 = {
    .id = "iso9660",
    .title = "ISO 9660 file system",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "Rock Ridge (names, modes, owners, links, devices, relocated directories), Joliet, plain "
        "names; several extents; zisofs; the boot image of El Torito",
    .limits = "interleaved files, extended attribute records, further sessions, zisofs version 2",
    .source = "ECMA-119; IEEE P1281, P1282; Joliet; El Torito 1.0; Linux fs/isofs",
    .checked = "foreign tool: genisoimage, xorriso; real image: sample of another project (zisofs)"};

}  // namespace assay::unpack::iso9660
