// NPK, the packages of MikroTik's RouterOS.
//
//   0   1E F1 D0 BA
//   4   size of what follows
//   8   parts: type (16 bits), size (32 bits), bytes
//
//   1 name (16), version (revision, kind, minor, major), time of building   2 description   3 dependencies
//   4 files: zlib of records of 30 bytes (mode at 0, time at 8, length at 24, length of the name (16) at 28), name,
//   bytes
//   7, 8 scripts that run at installing and removing   9 SHA-1 and signature   16 architecture   21 SquashFS
//   22 zeros that align   23 digest   24 channel
//
// Numbers are little endian. Source: botlabsDev/npkpy; tenable/routeros, ls_npk; createnpk.py of mikrotik-npk.
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::npk {
namespace {

constexpr Magic kMagics[] = {{"\x1e\xf1\xd0\xba"}};
constexpr uint64_t kHeader = 8, kPartHeader = 6, kRecord = 30;
constexpr uint64_t kMostFileBytes = 256 << 20;
constexpr uint16_t kInfo = 1, kFiles = 4, kInstall = 7, kRemove = 8, kSignature = 9, kSquashfs = 21, kHighestType = 64;
constexpr size_t kMostParts = 4096;

struct Part {
  uint64_t at = 0, size = 0;
  uint16_t type = 0;
  uint64_t data() const { return at + kPartHeader; }
};

Result<std::vector<Part>> read_parts(Bytes from) {
  const uint64_t end = kHeader + TRY(from.le<uint32_t>(4, "size"));
  const Bytes whole = TRY(from.slice(0, end, "package"));
  std::vector<Part> parts;
  for (uint64_t at = kHeader; at < end && parts.size() < kMostParts; at += kPartHeader + parts.back().size) {
    Part p{at, TRY(whole.le<uint32_t>(at + 2, "part size")), TRY(whole.le<uint16_t>(at, "part type"))};
    if (p.type > kHighestType) return fail(Fault::kMalformed, "part type", from.base() + at);
    TRY(whole.slice(p.data(), p.size, "part"));
    parts.push_back(p);
  }
  if (parts.empty()) return fail(Fault::kMalformed, "no part", from.base() + 4);
  return parts;
}

Result<Measured> measure(Bytes from) {
  const auto parts = TRY(read_parts(from));
  return Measured{parts.back().data() + parts.back().size, std::ranges::find(parts, kInfo, &Part::type) != parts.end()};
}

void note_info(Bytes whole, const Part& p, Sink& into) {
  if (p.size < 24) return;
  note_text(whole, p.data(), 16, "package", into);
  const uint64_t v = p.data() + 16;
  into.note("version",
            std::to_string(whole[v + 3]) + "." + std::to_string(whole[v + 2]) + "." + std::to_string(whole[v]), v);
  if (const auto time = whole.le<uint32_t>(v + 4, "time")) into.note("built", utc_time(*time), v + 4);
}

void note_part(Bytes whole, const Part& p, Sink& into) {
  switch (p.type) {
    case kInfo:
      return note_info(whole, p, into);
    case 2:
      return note_text(whole, p.data(), std::min<uint64_t>(p.size, 512), "description", into);
    case kSignature:
      return into.integrity(unchecked_signature("signature", "sha1-eckcdsa", p.data()));
    case 16:
      return note_text(whole, p.data(), std::min<uint64_t>(p.size, 32), "architecture", into);
    case 24:
      return note_text(whole, p.data(), std::min<uint64_t>(p.size, 32), "channel", into);
    default:
      return;
  }
}

// One record of the file part; returns where the next starts.
Result<uint64_t> put_record(Bytes files, uint64_t at, Bytes packed, Sink& into) {
  TRY_VOID(into.step());
  const uint16_t mode = TRY(files.le<uint16_t>(at, "mode"));
  const uint64_t size = TRY(files.le<uint32_t>(at + 24, "file length"));
  const uint64_t name = TRY(files.le<uint16_t>(at + 28, "name length"));
  const Bytes bytes = TRY(files.slice(at + kRecord + name, size, "file"));
  Node node;
  node.path = TRY(files.slice(at + kRecord, name, "file name")).text();
  node.mode = mode & 07777;
  node.mtime = TRY(files.le<uint32_t>(at + 8, "file time"));
  const uint64_t next = at + kRecord + name + size;
  if ((mode & 0170000) == 0040000) {
    node.kind = Kind::kDirectory;
  } else if ((mode & 0170000) == 0120000) {
    node.kind = Kind::kSymlink;
    node.target = bytes.text();
  } else {
    TRY_VOID(into.output().write(bytes.span()));
    TRY_VOID(into.node(std::move(node), {{packed}, "zlib"}));
    return next;
  }
  TRY_VOID(into.node(std::move(node), nothing()));
  return next;
}

Result<void> put_files(Bytes packed, Sink& into) {
  MemoryOutput files(kMostFileBytes);
  TRY(inflate_zlib(packed, files));
  for (uint64_t at = 0; at < files.bytes().size();) at = TRY(put_record(files.bytes(), at, packed, into));
  return {};
}

Result<void> put(Bytes whole, const Part& p, Sink& into) {
  TRY_VOID(into.step());
  const Bytes bytes = whole.head(p.size, p.data());
  into.range(Range::kHeader, p.at, kPartHeader);
  if (p.type == kSquashfs) return into.child("squashfs", stored(bytes));
  if (p.type == kFiles) return put_files(bytes, into);
  if (p.type != kInstall && p.type != kRemove) {
    into.range(Range::kHeader, p.data(), p.size);
    note_part(whole, p, into);
    return {};
  }
  Node script;
  script.path = p.type == kInstall ? "on-install" : "on-remove";
  return into.node(std::move(script), stored(bytes));
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, kHeader);
  for (const Part& p : TRY(read_parts(whole))) {
    auto done = put(whole, p, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.problem(std::move(done).error());
  }
  return {};
}

}  // namespace

extern const Format kNpk;
const Format kNpk = {.id = "npk",
                     .title = "MikroTik NPK package",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "packages with a SquashFS (RouterOS 6, 7) and with a part of files (2 to 5)",
                     .limits = "signature and digest are not checked; DPK packages are not read",
                     .source = "botlabsDev/npkpy; tenable/routeros ls_npk; mikrotik-npk createnpk.py",
                     .checked = "own builder in the tests only"};

}  // namespace assay::unpack::npk
