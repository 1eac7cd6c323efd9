// LHA (LZH) archives: headers of levels 0, 1 and 2, each in front of its member.
//
//   level 0, 1:  0  header size without these two bytes (1), sum of what follows (1)
//                2  method "-lh5-", packed size (4), size (4), time (4), attribute (1), level (1), name length (1)
//                   name, CRC-16 of the data (2); level 1: system (1), size of the first extended header (2)
//                   The packed size of level 1 counts the extended headers, which lie between header and data.
//   level 2:     0  size of all headers (2)
//                2  method, packed size, size, time, reserved, level, CRC-16 (2), system (1), first extended header (2)
//
// An extended header: type (1), data, size of the next one (2; 0 ends). Type 0 holds the CRC-16 of all headers. A zero
// byte where a header would start ends the archive.
// Source: LHa for UNIX, header.doc.md. Members are decoded by libarchive.
#include "unpack/libarchive.h"
#include "unpack/vendor.h"

#include <archive.h>

#include <numeric>

namespace assay::unpack::lha {
namespace {

constexpr Magic kMagics[] = {{"-lh", 2}, {"-lz", 2}};

struct Walked {
  uint64_t end = 0;
  bool verified = true;
  std::vector<Bytes> files;  // data of members that have any
  std::vector<Bytes> headers;
};

// Size of the chain of extended headers at `at`, whose first is `next` bytes long.
Result<uint64_t> extended(Bytes b, uint64_t at, uint64_t next) {
  uint64_t total = 0;
  while (next != 0) {
    if (next < 3) return fail(Fault::kMalformed, "extended header size", b.base() + at + total);
    total += next;
    next = TRY(b.le<uint16_t>(at + total - 2, "extended header size"));
  }
  return total;
}

// Whether the CRC-16 in the first extended header of type 0 holds; level 2 always has one.
bool headers_hold(Bytes header) {
  uint64_t at = 26, next = header.le<uint16_t>(24, "size").value_or(0);
  while (next >= 3 && at + next <= header.size()) {
    if (header[at] != 0 || next < 5) {
      at += next;
      next = header.le<uint16_t>(at - 2, "size").value_or(0);
      continue;
    }
    const auto stored = header.le<uint16_t>(at + 1, "crc").value_or(0);
    const uint16_t before = crc16_arc(header.head(at + 1), 0);
    const uint16_t zeros = crc16_arc(Bytes(std::string_view("\0\0", 2)), before);
    return checksum_holds(crc16_arc(header.head(header.size(), at + 3), zeros), stored);
  }
  return false;
}

Result<void> read_member(Bytes b, Walked& w) {
  const uint64_t at = w.end;
  const auto size = TRY(b.le<uint8_t>(at, "header size"));
  if (!b.starts_with("-l", at + 2) || !b.starts_with("-", at + 6))
    return fail(Fault::kMalformed, "no method", b.base() + at + 2);
  uint64_t packed = TRY(b.le<uint32_t>(at + 7, "packed size"));
  const auto level = TRY(b.le<uint8_t>(at + 20, "level"));
  uint64_t header = size + uint64_t{2};
  if (level == 2) {
    header = TRY(b.le<uint16_t>(at, "header size"));
    w.verified &= headers_hold(b.head(header, at));
  } else if (level < 2) {
    const Bytes covered = TRY(b.slice(at + 2, size, "header"));
    if (size < 22) return fail(Fault::kMalformed, "header size", b.base() + at);
    const auto sum = static_cast<uint8_t>(byte_sum(covered));
    if (!checksum_holds(sum, b[at + 1])) return fail(Fault::kMalformed, "header sum does not match", b.base() + at + 1);
    const uint64_t first = level == 0 ? 0 : TRY(b.le<uint16_t>(at + header - 2, "extended header size"));
    const uint64_t more = TRY(extended(b, at + header, first));
    if (more > packed) return fail(Fault::kMalformed, "packed size is smaller than its headers", b.base() + at + 7);
    header += more;
    packed -= more;
  } else {
    return fail(Fault::kUnsupported, "level " + std::to_string(level), b.base() + at + 20);
  }
  if (header < 24) return fail(Fault::kMalformed, "header size", b.base() + at);
  w.headers.push_back(TRY(b.slice(at, header, "header")));
  const Bytes data = TRY(b.slice(at + header, packed, "data"));
  if (packed > 0) w.files.push_back(data);
  w.end = at + header + packed;
  return {};
}

Result<Walked> walk(Bytes b) {
  Walked w;
  while (w.end < b.size() && b[w.end] != 0) {
    auto member = read_member(b, w);
    if (!member && w.headers.empty()) return std::unexpected(std::move(member).error());
    if (!member) break;
  }
  if (w.headers.empty()) return fail(Fault::kMalformed, "no member", b.base());
  if (w.end < b.size() && b[w.end] == 0) w.headers.push_back(b.head(1, w.end++));
  return w;
}

Result<Measured> measure(Bytes from) {
  const Walked w = TRY(walk(from));
  return Measured{w.end, w.verified};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Walked w = TRY(walk(whole));
  for (const Bytes& header : w.headers) into.range(Range::kHeader, header.base() - whole.base(), header.size());
  const ArchiveReader reader = {.enable = archive_read_support_format_lha, .id = "lha", .members = w.files};
  TRY(read_archive(whole, reader, into));
  return {};
}

}  // namespace

extern const Format kLha;
const Format kLha = {.id = "lha",
                     .title = "LHA archive",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "levels 0 to 2; -lh0-, -lz4-, -lh5-, -lh6-, -lh7-",
                     .limits = "level 3, -lh1- and the older methods",
                     .source = "LHa for UNIX header.doc.md; libarchive",
                     .checked = "foreign tool: jlha; real image: sample archive of another project"};

}  // namespace assay::unpack::lha
