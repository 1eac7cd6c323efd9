// Ambarella's ROM file system: the files of a camera's boot loader, in one folder. Little-endian.
//
//   0      files  4 magic 0x66fc328a  then 0xff up to 2048
//   2048   for each file: 0 name (116)  116 where it is  120 length  124 magic 0x2387ab76
//   Files begin at multiples of 2048, with 0xff between them.
//
// Source: binaryanalysis-ng romfs_ambarella.ksy (CC0), after a report of the University of Tartu (2015).
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack::ambarellaromfs {
namespace {

constexpr Magic kMagics[] = {{"\x8a\x32\xfc\x66", 4}};
constexpr std::string_view kFileMagic = "\x76\xab\x87\x23";
constexpr uint64_t kTableAt = 2048, kEntry = 128, kAlign = 2048, kMostFiles = 1 << 16;

struct File {
  std::string name;
  uint64_t at = 0, size = 0;
};

Result<std::vector<File>> read_table(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes, 4)) return fail(Fault::kForeign, "magic", whole.base() + 4);
  const uint32_t count = TRY(whole.le<uint32_t>(0, "files"));
  if (count == 0 || count > kMostFiles) return fail(Fault::kMalformed, "files " + std::to_string(count), whole.base());
  const Bytes rest = TRY(whole.slice(8, kTableAt - 8, "header"));
  if (!is_erased(rest)) return fail(Fault::kMalformed, "header is not filled up", rest.base());
  std::vector<File> out;
  for (uint64_t n = 0; n < count; ++n) {
    const Bytes b = TRY(whole.slice(kTableAt + n * kEntry, kEntry, "entry"));
    if (!b.starts_with(kFileMagic, 124)) return fail(Fault::kMalformed, "magic of an entry", b.base() + 124);
    out.push_back({*b.text_field(0, 116, ""), *b.le<uint32_t>(116, ""), *b.le<uint32_t>(120, "")});
    const File& f = out.back();
    if (f.at < kTableAt + count * kEntry) return fail(Fault::kMalformed, "file lies in the table", b.base() + 116);
    TRY(whole.slice(f.at, f.size, "file " + f.name));
  }
  return out;
}

Result<Measured> measure(Bytes from) {
  uint64_t end = 0;
  for (const File& f : TRY(read_table(from))) end = std::max(end, f.at + f.size);
  const uint64_t filled = (end + kAlign - 1) / kAlign * kAlign;
  const Bytes rest = from.head(filled - end, end);
  return Measured{rest.size() == filled - end && (rest.empty() || is_erased(rest)) ? filled : end, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const std::vector<File> files = TRY(read_table(whole));
  into.range(Range::kHeader, 0, kTableAt + files.size() * kEntry);
  for (const File& f : files)
    TRY_VOID(into.node({.kind = Kind::kFile, .path = f.name}, f.size ? stored(whole.head(f.size, f.at)) : nothing()));
  return {};
}

}  // namespace

extern const Format kAmbarellaRomfs;
const Format kAmbarellaRomfs = {.id = "ambarellaromfs",
                                .title = "Ambarella ROM file system",
                                .magics = kMagics,
                                .measure = measure,
                                .unpack = unpack,
                                .reads = "files with their names",
                                .limits = "it has no checksum; two files at one place are given as they are stated",
                                .source = "binaryanalysis-ng romfs_ambarella.ksy",
                                .checked = "real image: sample file system of another project"};

}  // namespace assay::unpack::ambarellaromfs
