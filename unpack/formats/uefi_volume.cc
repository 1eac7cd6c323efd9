// UEFI firmware volumes (FFS 1, 2 and 3) and the variable store.
//
//   0   zeros or reset vector (16), GUID of the file system (16), length (8), "_FVH", attributes (4: 0x800 erased bytes
//       are ff), header length (2), sum of the header's 16-bit words is 0 (2), extended header at (2), 0, revision (1)
//   56  block map: pairs of count and size (4 each), ended by 0, 0
//   …   extended header: GUID of the volume (16), size (4)
//   …   files at multiples of 8: GUID (16), header sum (1), file sum (1), type (1), attributes (1: 1 large,
//       0x40 summed), size with header (3), state (1); large: size (8). The header's bytes sum to 0 without file sum
//       and state.
//   variable store (volume of GUID FFF12B8D…): GUID (16), size (4), 0x5a formatted, 0xfe healthy, reserved (6)
//       variables at multiples of 4: 0x55aa, state (1), 0, attributes (4), [count (8), time (16), key (4)], sizes of
//       name and data (4, 4), GUID (16), name (UTF-16), data. The bracketed fields stand in the authenticated store
//       (AAF32C78…).
//
// Source: UEFI Platform Initialization specification 1.7, volume 3, 2.1 and 3.2; edk2 MdeModulePkg VariableFormat.h.
#include "unpack/describe.h"
#include "unpack/uefi.h"
#include "unpack/vendor.h"

#include <map>

namespace assay::unpack::uefi_volume {
namespace {

constexpr Magic kMagics[] = {{"_FVH", 40}};
constexpr std::string_view kFfs1 = "7A9354D9-0468-444A-81CE-0BF617D890DF",
                           kFfs2 = "8C8CE578-8A3D-4F1C-9935-896185C32DD3",
                           kFfs3 = "5473C07A-3DCB-4DCA-BD6F-1E9689E7349A",
                           kNvram = "FFF12B8D-7696-4C8B-A985-2747075B4F50",
                           kVariables = "DDCF3616-3275-4164-98B6-FE85707FFE7D",
                           kAuthenticated = "AAF32C78-947B-439A-A180-2E144EC37792",
                           kWorking = "9E58292B-7C68-497D-A0CE-6500FD9F1B95";
constexpr uint8_t kPad = 0xf0, kRaw = 0x01;

struct Volume {
  std::string system;
  uint64_t length = 0, header = 0, files = 0;
  uint8_t erased = 0;
};

uint16_t word_sum(Bytes b) {
  uint16_t sum = 0;
  for (uint64_t at = 0; at + 2 <= b.size(); at += 2) sum = static_cast<uint16_t>(sum + (b[at] | b[at + 1] << 8));
  return sum;
}

Result<Volume> read_volume(Bytes b) {
  Volume v;
  if (!b.starts_with("_FVH", 40)) return fail(Fault::kMalformed, "magic does not match", b.base() + 40);
  v.length = TRY(b.le<uint64_t>(32, "length"));
  v.header = TRY(b.le<uint16_t>(48, "header length"));
  if (v.header < 72 || v.header > 4096 || v.length < v.header)
    return fail(Fault::kMalformed, "header length", b.base() + 48);
  if (!checksum_holds(word_sum(TRY(b.slice(0, v.header, "header"))), uint16_t{0}))
    return fail(Fault::kMalformed, "header sum is not 0", b.base() + 50);
  TRY(b.slice(0, v.length, "volume"));
  v.erased = (TRY(b.le<uint32_t>(44, "attributes")) & 0x800) ? 0xff : 0;
  v.system = guid_text(b, 16);
  v.files = v.header;
  const uint64_t extended = TRY(b.le<uint16_t>(52, "extended header"));
  if (extended >= v.header)
    v.files = (extended + TRY(b.le<uint32_t>(extended + 16, "extended header size")) + 7) / 8 * 8;
  return v;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_volume(from)).length, true}; }

struct File {
  std::string guid;
  uint8_t type = 0, attributes = 0;
  uint64_t at = 0, header = 24, size = 0;
  bool header_holds = false, data_holds = true, summed = false;
};

Result<File> read_file(Bytes b, uint64_t at, const Volume& v) {
  const Bytes fixed = TRY(b.slice(at, 24, "file header"));
  File f{.guid = guid_text(fixed, 0), .type = fixed[18], .attributes = fixed[19], .at = at};
  f.size = TRY(fixed.le<uint32_t>(20, "size")) & 0xffffff;
  if ((f.attributes & 1) && v.system == kFfs3) f.size = TRY(b.le<uint64_t>(at + 24, "size")), f.header = 32;
  if (f.size < f.header || f.size > v.length - at) return fail(Fault::kMalformed, "size of a file", b.base() + at + 20);
  const Bytes header = b.head(f.header, at);
  f.header_holds = checksum_holds(static_cast<uint8_t>(byte_sum(header) - fixed[17] - fixed[23]), uint8_t{0});
  f.summed = (f.attributes & 0x40) != 0;
  if (f.summed)
    f.data_holds = checksum_holds(static_cast<uint8_t>(byte_sum(b.head(f.size - f.header, at + f.header)) + fixed[17]),
                                  uint8_t{0});
  if (!f.header_holds) return fail(Fault::kMalformed, "header sum of a file does not hold", b.base() + at + 16);
  return f;
}

std::string_view type_name(uint8_t type) {
  constexpr std::string_view kNames[] = {"file",       "raw",         "freeform",      "sec-core",
                                         "pei-core",   "dxe-core",    "pei-module",    "driver",
                                         "pei-driver", "application", "mm-module",     "volume",
                                         "mm-driver",  "mm-core",     "mm-standalone", "mm-core-standalone"};
  return type < std::size(kNames) ? kNames[type] : std::string_view("vendor");
}

Result<void> put_file(Bytes whole, const File& f, Sink& into) {
  const Bytes data = whole.head(f.size - f.header, f.at + f.header);
  into.range(Range::kHeader, f.at, f.header);
  if (f.summed) into.integrity(checksum("sum of " + f.guid, "sum8", f.data_holds, f.at + 17));
  if (!f.data_holds) into.problem({Fault::kMalformed, "sum of " + f.guid + " does not hold", f.at + 17});
  if (f.type == kPad)
    return is_run(data) || data.empty() ? Result<void>() : into.child("pad-" + hex_number(f.at), stored(data));
  const std::string path = std::string(type_name(f.type)) + "/" + f.guid;
  if (f.type == kRaw || f.type > 0x0f) return into.node({.kind = Kind::kFile, .path = path}, stored(data));
  return put_uefi_sections(whole, data, path, into);
}

bool all_erased(Bytes b, const Volume& v) { return b.empty() || (b[0] == v.erased && is_run(b)); }

Result<void> put_files(Bytes whole, const Volume& v, Sink& into) {
  uint64_t files = 0;
  for (uint64_t at = v.files; at + 24 <= v.length;) {
    TRY_VOID(into.step());
    if (all_erased(whole.head(24, at), v)) break;
    const auto file = read_file(whole, at, v);
    if (!file) {
      into.problem(file.error());
      break;
    }
    TRY_VOID(put_file(whole, *file, into));
    ++files;
    at = (at + file->size + 7) / 8 * 8;
  }
  into.note("files", std::to_string(files), 0);
  return {};
}

struct Variable {
  std::string name, guid;
  uint64_t header = 0, name_size = 0, data_size = 0;
  bool valid = false;
};

Result<Variable> read_variable(Bytes b, uint64_t at, bool authenticated) {
  Variable v;
  if (TRY(b.le<uint16_t>(at, "variable")) != 0x55aa) return fail(Fault::kMalformed, "no variable", b.base() + at);
  v.valid = TRY(b.le<uint8_t>(at + 2, "state")) == 0x3f;
  const uint64_t sizes = at + (authenticated ? 36 : 8);
  v.name_size = TRY(b.le<uint32_t>(sizes, "name size"));
  v.data_size = TRY(b.le<uint32_t>(sizes + 4, "data size"));
  TRY(b.slice(sizes + 8, 16, "variable"));
  v.guid = guid_text(b, sizes + 8);
  v.header = sizes + 24 - at;
  v.name = utf16_text(TRY(b.slice(at + v.header, v.name_size, "name")));
  TRY(b.slice(at + v.header + v.name_size, v.data_size, "data"));
  return v;
}

Result<void> put_variables(Bytes whole, uint64_t start, Sink& into) {
  const std::string kind = guid_text(whole, start);
  const bool authenticated = kind == kAuthenticated;
  if (!authenticated && kind != kVariables) {
    into.problem({Fault::kUnsupported, "variable store " + kind, start});
    return {};
  }
  const uint64_t size = TRY(whole.le<uint32_t>(start + 16, "size of the store"));
  const Bytes store = TRY(whole.slice(start, size, "variable store"));
  into.range(Range::kHeader, start, 28);
  uint64_t at = 28;
  while (at + 2 <= store.size() && store.starts_with("\xaa\x55", at)) {
    TRY_VOID(into.step());
    const Variable v = TRY(read_variable(store, at, authenticated));
    into.range(Range::kHeader, start + at, v.header + v.name_size);
    const std::string path = (v.valid ? "variables/" : "deleted-variables/") + v.guid + "/" + v.name;
    TRY_VOID(into.node({.kind = Kind::kFile, .path = path},
                       stored(whole.head(v.data_size, start + at + v.header + v.name_size))));
    at = (at + v.header + v.name_size + v.data_size + 3) / 4 * 4;
  }
  // The block that keeps half-done writes starts at a page behind the store.
  for (uint64_t page = (start + size + 4095) / 4096 * 4096; page < whole.size(); page += 4096)
    if (guid_text(whole, page) == kWorking) into.range(Range::kHeader, page, 32);
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  into.range(Range::kHeader, 0, v.files);
  into.integrity(checksum("header sum", "sum16", true, 50));
  into.note("file system", v.system, 16);
  if (v.files > v.header)
    into.note("volume", guid_text(whole, whole.le<uint16_t>(52, "extended header").value_or(0)), 52);
  if (v.system == kNvram) return put_variables(whole, v.header, into);
  if (v.system == kFfs1 || v.system == kFfs2 || v.system == kFfs3) return put_files(whole, v, into);
  into.problem({Fault::kUnsupported, "file system " + v.system, 16});
  return {};
}

}  // namespace

extern const Format kUefiVolume;
const Format kUefiVolume = {
    .id = "uefi-volume",
    .title = "UEFI firmware volume",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "FFS 1, 2 and 3; stored, EFI, Tiano and LZMA sections, nested ones too; names and versions; "
        "sums of headers and files; the plain and the authenticated variable store",
    .limits =
        "LZMA with x86 filter, Brotli and vendors' own section encodings are named, not decoded; "
        "sections decoded within sections lie in memory at once",
    .source = "UEFI PI specification 1.7 volume 3; edk2 VariableFormat.h",
    .checked = "real image: OVMF, AAVMF (Debian); own builder only for EFI compression"};

}  // namespace assay::unpack::uefi_volume
