// The saved environment of U-Boot: a CRC-32 (little or big endian, as the board's CPU), in redundant environments one
// flag byte, then "name=value" strings, each ended by NUL, a second NUL ends the list; the rest is filling, often 0
// or 0xff, often old strings. The CRC covers everything behind it (behind the flag) up to the size that the board was
// built with: nothing states that size, so multiples of 2 KiB up to 256 KiB are tried. That a wrong size agrees
// is a chance of one in 2^32 each. Default environments inside U-Boot's code carry no CRC and are not claimed.
// Source: U-Boot, include/env_internal.h (struct environment_s) and tools/mkenvimage.c.
#include "core/hash.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::ubootenv {
namespace {

// The list is sorted by no rule, so any common variable may come first; at 4, or at 5 behind a flag.
constexpr Magic kMagics[] = {
    {"baudrate=", 4},   {"baudrate=", 5},   {"bootargs=", 4}, {"bootargs=", 5}, {"bootcmd=", 4}, {"bootcmd=", 5},
    {"bootdelay=", 4},  {"bootdelay=", 5},  {"bootfile=", 4}, {"bootfile=", 5}, {"ethaddr=", 4}, {"ethaddr=", 5},
    {"ethact=", 4},     {"ethact=", 5},     {"arch=", 4},     {"arch=", 5},     {"board=", 4},   {"board=", 5},
    {"ipaddr=", 4},     {"ipaddr=", 5},     {"serverip=", 4}, {"serverip=", 5}, {"addmisc=", 4}, {"addmisc=", 5},
    {"altbootcmd=", 4}, {"altbootcmd=", 5}, {"autoload=", 4}, {"autoload=", 5}, {"preboot=", 4}, {"preboot=", 5},
    {"mtdids=", 4},     {"mtdids=", 5},     {"mtdparts=", 4}, {"mtdparts=", 5}, {"stdin=", 4},   {"stdin=", 5},
    {"console=", 4},    {"console=", 5},    {"loadaddr=", 4}, {"loadaddr=", 5}, {"bootdev=", 4}, {"bootdev=", 5},
    {"ver=", 4},        {"ver=", 5},        {"hostname=", 4}, {"hostname=", 5}};
constexpr uint64_t kStep = 2 << 10, kMostSize = 256 << 10;

struct Environment {
  uint64_t size = 0, header = 0, text_end = 0;
  Order order = Order::kLittle;
};

// Printable "name=value" strings up to the empty one; gives the offset behind the list's last NUL.
std::optional<uint64_t> list_end(Bytes b, uint64_t from) {
  bool name = true, empty = true;
  const uint64_t end = std::min<uint64_t>(b.size(), kMostSize);
  for (uint64_t at = from; at < end; ++at) {
    const uint8_t c = b[at];
    if (c == 0) {
      if (empty) return at > from ? std::optional(at + 1) : std::nullopt;
      if (name) return std::nullopt;  // a string without "="
      name = empty = true;
    } else {
      if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return std::nullopt;
      if (c == '=') name = false;
      empty = false;
    }
  }
  return std::nullopt;
}

std::optional<Environment> try_header(Bytes b, uint64_t header) {
  const auto end = list_end(b, header);
  if (!end) return std::nullopt;
  const uint32_t little = *b.le<uint32_t>(0, "crc"), big = *b.be<uint32_t>(0, "crc");
  uint32_t crc = 0;
  uint64_t at = header;
  for (uint64_t size = kStep; size <= std::min<uint64_t>(b.size(), kMostSize); size += kStep) {
    crc = crc32(b.head(size - at, at), crc);
    at = size;
    if (size < *end) continue;
    if (checksum_holds(crc, little)) return Environment{size, header, *end, Order::kLittle};
    if (checksum_holds(crc, big)) return Environment{size, header, *end, Order::kBig};
  }
  return std::nullopt;
}

Result<Environment> read_environment(Bytes b) {
  TRY(b.slice(0, 8, "environment"));
  if (const auto plain = try_header(b, 4)) return *plain;
  if (b[4] <= 3 || b[4] == 0xff)
    if (const auto flagged = try_header(b, 5)) return *flagged;
  return fail(Fault::kMalformed, "crc32 agrees with no size up to 256 KiB", b.base());
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_environment(from)).size, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Environment e = TRY(read_environment(whole));
  into.range(Range::kHeader, 0, e.header);
  into.range(Range::kContent, e.header, e.text_end - e.header);
  if (e.text_end < e.size && is_run(whole.head(e.size - e.text_end, e.text_end)))
    into.range(Range::kPadding, e.text_end, e.size - e.text_end);
  else if (e.text_end < e.size)  // under the CRC too: strings of an older list
    into.range(Range::kContent, e.text_end, e.size - e.text_end);
  into.note("crc32", e.order == Order::kLittle ? "valid, little endian" : "valid, big endian", 0);
  into.note("size", hex_number(e.size), 0);
  if (e.header == 5) into.note("flag", std::to_string(whole[4]), 4);
  for (uint64_t at = e.header; at < e.text_end && whole[at] != 0;) {
    TRY_VOID(into.step());
    const std::string text = TRY(whole.text_field(at, e.text_end - at, "variable"));
    const size_t equals = text.find('=');
    into.note("env " + text.substr(0, equals), equals == text.npos ? "" : text.substr(equals + 1), at);
    at += text.size() + 1;
  }
  return {};
}

}  // namespace

extern const Format kUBootEnv;
const Format kUBootEnv = {.id = "uboot-env",
                          .title = "U-Boot environment",
                          .version = 1,
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .readable = true,
                          .reads = "single and redundant copies, CRC-32",
                          .limits =
                              "lists that start with a variable not among its magics; sizes that are no multiple "
                              "of 2 KiB or above 256 KiB",
                          .source = "U-Boot include/env_internal.h, tools/mkenvimage.c",
                          .checked = "foreign tool: mkenvimage; real images: shared/firmware"};

}  // namespace assay::unpack::ubootenv
