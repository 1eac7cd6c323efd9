// The legacy image of U-Boot ("uImage"), big endian.
//
//   0   0x27051956
//   4   CRC-32 of the 64 bytes of the header with this field 0
//   8   time of creation, 12 size of the data, 16 load address, 20 entry point
//   24  CRC-32 of the data
//   28  operating system, 29 architecture, 30 type, 31 compression
//   32  name (32)
//   64  the data
//
// Data of the types multi and script start with a table of sizes (32 bits each) that a 0 ends; the parts follow, each
// filled up to a multiple of 4. Source: U-Boot, include/image.h and tools/mkimage.c; doc/usage/fit/source_file_format.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/remember.h"

namespace assay::unpack::uimage {
namespace {

constexpr uint64_t kHeaderSize = 64;
constexpr Magic kMagics[] = {{"\x27\x05\x19\x56"}};

constexpr std::string_view kSystems[] = {"invalid",  "openbsd",
                                         "netbsd",   "freebsd",
                                         "4_4bsd",   "linux",
                                         "svr4",     "esix",
                                         "solaris",  "irix",
                                         "sco",      "dell",
                                         "ncr",      "lynxos",
                                         "vxworks",  "psos",
                                         "qnx",      "u-boot",
                                         "rtems",    "artos",
                                         "unity",    "integrity",
                                         "ose",      "plan9",
                                         "openrtos", "arm-trusted-firmware",
                                         "tee",      "opensbi",
                                         "efi",      "elf"};
constexpr std::string_view kArchitectures[] = {
    "invalid", "alpha",   "arm",   "x86",  "ia64",       "mips",   "mips64",   "powerpc", "s390",  "sh",
    "sparc",   "sparc64", "m68k",  "nios", "microblaze", "nios2",  "blackfin", "avr32",   "st200", "sandbox",
    "nds32",   "or1k",    "arm64", "arc",  "x86_64",     "xtensa", "riscv",    "riscv64"};
constexpr std::string_view kTypes[] = {"invalid", "standalone", "kernel",  "ramdisk",  "multi",   "firmware",
                                       "script",  "filesystem", "flat_dt", "kwbimage", "imximage"};
constexpr std::string_view kCompressions[] = {"none", "gzip", "bzip2", "lzma", "lzo", "lz4", "zstd"};
constexpr uint8_t kMulti = 4, kScript = 6, kFlatTree = 8;

std::string name_in(std::span<const std::string_view> names, uint8_t value) {
  return value < names.size() ? std::string(names[value]) : "type " + std::to_string(value);
}

struct Header {
  uint32_t time = 0, size = 0, load = 0, entry = 0, data_crc = 0;
  uint8_t system = 0, architecture = 0, type = 0, compression = 0;
  std::string name;
};

Result<Header> read_header(Bytes b) {
  const Bytes raw = TRY(b.slice(0, kHeaderSize, "header"));
  const auto stored_crc = TRY(raw.be<uint32_t>(4, "header crc"));
  const uint32_t zero_crc = crc32(Bytes(std::string_view("\0\0\0\0", 4)), crc32(raw.head(4)));
  if (!checksum_holds(crc32(raw.head(kHeaderSize, 8), zero_crc), stored_crc))
    return fail(Fault::kMalformed, "header crc does not match", b.base() + 4);
  Header h;
  h.time = TRY(raw.be<uint32_t>(8, "time"));
  h.size = TRY(raw.be<uint32_t>(12, "size"));
  h.load = TRY(raw.be<uint32_t>(16, "load address"));
  h.entry = TRY(raw.be<uint32_t>(20, "entry point"));
  h.data_crc = TRY(raw.be<uint32_t>(24, "data crc"));
  h.system = raw[28], h.architecture = raw[29], h.type = raw[30], h.compression = raw[31];
  h.name = TRY(raw.text_field(32, 32, "name"));
  return h;
}

bool data_intact(Bytes b, const Header& h) {
  const Bytes data = b.head(h.size, kHeaderSize);
  return data.size() == h.size &&
         checksum_holds(static_cast<uint32_t>(remembered("crc32", data, [&] { return crc32(data); })), h.data_crc);
}

// Data that runs past the end is a truncated image: what is there is still worth reading.
Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  if (h.size == 0) return fail(Fault::kMalformed, "size 0", from.base() + 12);
  return Measured{from.head(kHeaderSize + h.size).size(), data_intact(from, h)};
}

void note_header(const Header& h, Sink& into) {
  into.note("name", h.name, 32);
  into.note("time", utc_time(h.time), 8);
  into.note("load", hex_number(h.load), 16);
  into.note("entry", hex_number(h.entry), 20);
  into.note("os", name_in(kSystems, h.system), 28);
  into.note("arch", name_in(kArchitectures, h.architecture), 29);
  into.note("type", name_in(kTypes, h.type), 30);
  into.note("compression", name_in(kCompressions, h.compression), 31);
  into.note("header crc", "valid", 4);
}

// The parts of a multi image or script: nothing is returned where the table contradicts the data.
Result<std::vector<uint32_t>> read_table(Bytes data) {
  std::vector<uint32_t> sizes;
  for (uint64_t at = 0;; at += 4) {
    const auto size = TRY(data.be<uint32_t>(at, "size of a part"));
    if (size == 0) break;
    sizes.push_back(size);
    if (sizes.size() > 64) return fail(Fault::kMalformed, "more than 64 parts", data.base() + at);
  }
  if (sizes.empty()) return fail(Fault::kMalformed, "the table of parts is empty", data.base());
  uint64_t end = 4 * (sizes.size() + 1);
  for (const uint32_t size : sizes) end = (end + 3) / 4 * 4 + size;
  if (end > data.size()) return fail(Fault::kTruncated, "the parts run past the data", data.base());
  return sizes;
}

Result<void> unpack_parts(Bytes whole, const std::vector<uint32_t>& sizes, bool script, Sink& into) {
  uint64_t at = kHeaderSize + 4 * (sizes.size() + 1);
  into.range(Range::kHeader, kHeaderSize, at - kHeaderSize);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const std::string name = script && i == 0 ? "script" : "part" + std::to_string(i);
    TRY_VOID(into.child(name, stored(TRY(whole.slice(at, sizes[i], "part")))));
    const uint64_t next = (at + sizes[i] + 3) / 4 * 4;
    TRY_VOID(between(whole, at + sizes[i], next, "between" + std::to_string(i), into));
    at = next;
  }
  return between(whole, at, whole.size(), "rest", into);
}

std::string child_name(const Header& h) {
  if (h.type == kFlatTree) return "fdt";
  return h.type > 1 && h.type <= 7 && h.type != kMulti ? name_in(kTypes, h.type) : "data";
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeaderSize);
  note_header(h, into);
  const Bytes data = whole.head(h.size, kHeaderSize);
  const bool intact = data_intact(whole, h);
  into.note("data crc", intact ? "valid" : "invalid", 24);
  if (data.size() < h.size)
    into.problem({Fault::kTruncated,
                  "the data end " + std::to_string(h.size - data.size()) + " bytes before the size in the header", 12});
  else if (!intact)
    into.problem({Fault::kMalformed, "data crc does not match", 24});
  if (data.empty()) return {};
  if (h.type == kMulti || h.type == kScript) {
    const auto sizes = read_table(data);
    if (sizes) return unpack_parts(whole.head(kHeaderSize + h.size), *sizes, h.type == kScript, into);
    into.problem(sizes.error());
  }
  return into.child(child_name(h), stored(data));
}

}  // namespace

extern const Format kUImage;
const Format kUImage = {.id = "uimage",
                        .title = "U-Boot legacy image (uImage)",
                        .version = 1,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "single, multi-file and script images, header and data CRC-32",
                        .source = "U-Boot include/image.h",
                        .checked = "foreign tool: mkimage; real images: shared/firmware"};

}  // namespace assay::unpack::uimage
