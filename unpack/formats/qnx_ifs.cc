// QNX image file systems: what the boot loader starts, and the read-only files behind it.
//
//   boot image   0 0x00ff7eeb  4 version 1  6 flags: 2 big endian, 0x1c packing (4 gzip, 8 LZO, 0xc UCL)  7 0
//                8 header size  10 machine  12 entry point  20 image address  32 size of startup  36 size stored
//                44 size of the file system  50 zeros (14)  64 further fields (192)
//                startup's code, 4 its sum; the file system, or packed: its gzip stream, or blocks of a size (16 bits,
//                big endian; 0 ends them) and data; 4 sum of what is behind startup
//   file system  0 "imagefs"  7 flags: 1 big endian  8 size  12 size of header and directory  16 where the directory is
//                20 boot inodes (4)  36 script inode  40 next file system  44 spare (40)  84 mount flags
//                88 mount point
//                directory, then files, then 4 sum
//   entry        0 size (16 bits; 0 ends the directory)  2 extended  4 inode (0: skipped)  8 mode  12 group  16 user
//                20 time
//                24 file: offset, size, path; directory: path; link: offset of the target in the path field and its
//                size (16 bits each), path; device: device, its number, path
//
// A sum makes the 32-bit words from the start of its part up to itself add up to zero; mkifs pads each part to whole
// words. Zeros add up to zero too: a part of nothing else proves nothing.
// A device's number: 16 bits of a node, 6 of major, 10 of minor. Mode 0050000 is a special named file of QNX's own.
// Source: sys/image.h, sys/startup.h and dumpifs.c of QNX, published in github.com/askac/dumpifs; sys/sysmacros.h and
// mk_image_fsys.c in github.com/vocho/openqnx.
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/nrv.h"
#include "unpack/vendor.h"

namespace assay::unpack::qnx_ifs {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kBootMagics[] = {{"\xeb\x7e\xff\x00\x01\x00"sv}, {"\x00\xff\x7e\xeb\x00\x01"sv}};
constexpr Magic kFsMagics[] = {{"imagefs"}};
constexpr uint64_t kBootHeader = 256, kFsHeader = 88, kEntryHeader = 24;
constexpr uint64_t kBlock = 1 << 16;  // what one packed block may decode to

// Whole words that add up to zero; not zeros throughout.
bool sum_holds(Bytes bytes, Order order) {
  const bool is_empty = bytes.empty() || (bytes[0] == 0 && is_run(bytes));
  return !is_empty && checksum_holds(word_sum(bytes, order), 0u);
}

enum Packing : uint8_t { kStored, kGzip, kLzo, kUcl };

struct Boot {
  Order order = Order::kLittle;
  uint8_t packing = 0;
  uint16_t machine = 0;
  uint32_t entry = 0, image = 0, startup = 0, stored = 0, fs = 0;
  bool startup_holds = false, rest_holds = false;
};

Result<Boot> read_boot(Bytes from) {
  const Bytes h = TRY(from.slice(0, kBootHeader, "startup header"));
  Boot b;
  b.order = h[0] == 0 ? Order::kBig : Order::kLittle;
  if (((h[6] & 2) != 0) != (b.order == Order::kBig) || h[7] != 0 || !is_run(h.head(14, 50)) || h[50] != 0)
    return fail(Fault::kForeign, "no startup header", h.base());
  b.packing = h[6] >> 2 & 7;
  if (b.packing > kUcl) return fail(Fault::kUnsupported, "packing " + std::to_string(b.packing), h.base() + 6);
  const auto word = [&](uint64_t at) { return *h.get<uint32_t>(at, b.order, ""); };
  b.machine = *h.get<uint16_t>(10, b.order, "");
  b.entry = word(12), b.image = word(20), b.startup = word(32), b.stored = word(36), b.fs = word(44);
  if (b.startup < kBootHeader + 4 || b.stored < uint64_t{b.startup} + 4 || b.startup % 4 || b.stored % 4)
    return fail(Fault::kMalformed, "sizes of startup and of the image", h.base() + 32);
  const Bytes whole = TRY(from.slice(0, b.stored, "image"));
  b.startup_holds = sum_holds(whole.head(b.startup), b.order);
  b.rest_holds = sum_holds(whole.head(b.stored - b.startup, b.startup), b.order);
  return b;
}

Result<Measured> measure_boot(Bytes from) {
  const Boot b = TRY(read_boot(from));
  return Measured{b.stored, b.startup_holds || b.rest_holds};
}

// Blocks up to the one of size 0; returns where they end.
Result<uint64_t> unpack_blocks(Bytes data, uint8_t packing, Output& into) {
  uint64_t at = 0;
  for (;;) {
    const uint16_t size = TRY(data.be<uint16_t>(at, "block size"));
    at += 2;
    if (size == 0) return at;
    const Bytes block = TRY(data.slice(at, size, "block"));
    if (packing == kLzo)
      TRY_VOID(decode_lzo1x(block, kBlock, into));
    else
      TRY(decode_nrv(block, Nrv::kB, 1, kBlock, into));
    at += size;
  }
}

void compare_size(uint64_t size, const Boot& b, Sink& into) {
  if (size != b.fs)
    into.problem({Fault::kMalformed,
                  "the file system has " + std::to_string(size) + " bytes, not the " + std::to_string(b.fs) + " stated",
                  44});
}

Result<void> give_fs(Bytes whole, const Boot& b, Sink& into) {
  const Bytes data = whole.head(b.stored - b.startup - 4, b.startup);
  if (b.packing == kStored) {
    compare_size(b.stored - b.startup, b, into);
    return into.child("imagefs", stored(whole.head(b.stored - b.startup, b.startup)));
  }
  const auto used =
      b.packing == kGzip ? inflate_gzip(data, into.output()) : unpack_blocks(data, b.packing, into.output());
  if (!used) {
    into.discard();
    if (used.error().fault == Fault::kLimit) return std::unexpected(used.error());
    into.problem(used.error());
    return into.child("imagefs", unreadable());
  }
  compare_size(into.output().written(), b, into);
  into.range(Range::kHeader, b.stored - 4, 4);
  constexpr std::string_view kNames[] = {"", "gzip", "lzo", "ucl"};
  return into.child("imagefs", {{data.head(*used)}, std::string(kNames[b.packing])});
}

Result<void> unpack_boot(Bytes whole, Sink& into) {
  const Boot b = TRY(read_boot(whole));
  into.range(Range::kHeader, 0, kBootHeader);
  into.note("machine", std::to_string(b.machine), 10);
  into.note("entry point", hex_number(b.entry), 12);
  into.note("image address", hex_number(b.image), 20);
  state_checksum("sum of startup", "sum32", b.startup_holds, b.startup - 4, into);
  state_checksum("sum of the image", "sum32", b.rest_holds, b.stored - 4, into);
  into.range(Range::kHeader, b.startup - 4, 4);
  TRY_VOID(into.child("startup", stored(whole.head(b.startup - 4 - kBootHeader, kBootHeader))));
  return give_fs(whole, b, into);
}

struct Fs {
  Order order = Order::kLittle;
  uint32_t size = 0, directory_end = 0, directory = 0;
  bool holds = false;
};

Result<Fs> read_fs(Bytes from) {
  const Bytes h = TRY(from.slice(0, kFsHeader, "image header"));
  Fs f;
  f.order = h[7] & 1 ? Order::kBig : Order::kLittle;
  f.size = *h.get<uint32_t>(8, f.order, "");
  f.directory_end = *h.get<uint32_t>(12, f.order, "");
  f.directory = *h.get<uint32_t>(16, f.order, "");
  if (h[7] > 7 || f.directory < kFsHeader || f.directory_end < f.directory || f.size < uint64_t{f.directory_end} + 4 ||
      f.size % 4)
    return fail(Fault::kForeign, "sizes of header and directory", h.base() + 8);
  f.holds = sum_holds(TRY(from.slice(0, f.size, "image")), f.order);
  return f;
}

Result<Measured> measure_fs(Bytes from) {
  const Fs f = TRY(read_fs(from));
  return Measured{f.size, f.holds};
}

// A path field: text up to its NUL, inside its entry.
Result<std::string> path_at(Bytes entry, uint64_t at) {
  const std::string_view text = entry.head(entry.size(), at).text();
  const size_t end = text.find('\0');
  if (end == text.npos) return fail(Fault::kMalformed, "path does not end", entry.base() + at);
  return std::string(text.substr(0, end));
}

uint64_t device_of(uint32_t stored) { return uint64_t{stored >> 10 & 0x3f} << 32 | (stored & 0x3ff); }

Result<void> give_entry(Bytes whole, Bytes entry, const Fs& f, Sink& into) {
  const auto word = [&](uint64_t at) { return entry.get<uint32_t>(at, f.order, "entry"); };
  const uint32_t mode = *word(8);
  const auto kind = kind_of_mode(mode);
  if (!kind) return fail(Fault::kUnsupported, "entry of mode " + std::to_string(mode), entry.base() + 8);
  Node node;
  node.kind = *kind;
  node.mode = mode & 07777;
  node.gid = *word(12), node.uid = *word(16), node.mtime = *word(20);
  if (node.kind == Kind::kDirectory) {
    node.path = TRY(path_at(entry, 24));
    return into.node(std::move(node), nothing());
  }
  if (node.kind == Kind::kSymlink) {
    const uint16_t at = TRY(entry.get<uint16_t>(24, f.order, "target offset"));
    node.path = TRY(path_at(entry, 28));
    node.target = TRY(path_at(entry, 28 + uint64_t{at}));
    return into.node(std::move(node), nothing());
  }
  const uint32_t first = TRY(word(24)), second = TRY(word(28));
  node.path = TRY(path_at(entry, 32));
  if (node.kind != Kind::kFile) {
    if (node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice) node.device = device_of(second);
    return into.node(std::move(node), nothing());
  }
  const auto bytes = whole.head(f.size - 4).slice(first, second, "file");
  if (bytes) return into.node(std::move(node), second ? stored(*bytes) : nothing());
  into.problem(bytes.error());
  return into.node(std::move(node), unreadable());
}

Result<void> unpack_fs(Bytes whole, Sink& into) {
  const Fs f = TRY(read_fs(whole));
  into.range(Range::kHeader, 0, f.directory_end);
  into.range(Range::kHeader, f.size - 4, 4);
  state_checksum("sum of the image", "sum32", f.holds, f.size - 4, into);
  if (f.directory > kFsHeader) note_text(whole, kFsHeader, f.directory - kFsHeader, "mount point", into);
  for (uint64_t at = f.directory; at + 2 <= f.directory_end;) {
    TRY_VOID(into.step());
    const uint16_t size = *whole.get<uint16_t>(at, f.order, "");
    if (size == 0) break;
    if (size < kEntryHeader || size > f.directory_end - at) return fail(Fault::kMalformed, "size of an entry", at);
    const Bytes entry = whole.head(size, at);
    at += size;
    if (*entry.get<uint32_t>(4, f.order, "") == 0) continue;
    auto done = give_entry(whole, entry, f, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.problem(done.error());
  }
  return {};
}

}  // namespace

extern const Format kQnxIfs;
const Format kQnxIfs = {.id = "qnx-ifs",
                        .title = "QNX boot image",
                        .version = 2,
                        .magics = kBootMagics,
                        .measure = measure_boot,
                        .unpack = unpack_boot,
                        .reads =
                            "both byte orders; file systems stored, with gzip, LZO or UCL; both sums; the size of "
                            "the file system",
                        .limits = "startup's code is a part of its own; images of several file systems: the first",
                        .source = "sys/startup.h and dumpifs.c of QNX (askac/dumpifs); mk_image_fsys.c (vocho/openqnx)",
                        .checked = "own builder only: stored, gzip by gzip, UCL by libucl; of LZO only literals"};

extern const Format kQnxImageFs;
const Format kQnxImageFs = {.id = "qnx-imagefs",
                            .title = "QNX image file system",
                            .version = 2,
                            .magics = kFsMagics,
                            .measure = measure_fs,
                            .unpack = unpack_fs,
                            .reads = "both byte orders; files, directories, links, devices; its sum",
                            .limits =
                                "extended attributes; special named files are named only; a device's node is "
                                "left out; the boot script stays a file in its binary form",
                            .source =
                                "sys/image.h and dumpifs.c of QNX (askac/dumpifs); sys/sysmacros.h "
                                "(vocho/openqnx)",
                            .checked = "own builder only"};

}  // namespace assay::unpack::qnx_ifs
