#include "unpack/hex_text.h"

#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint64_t kLongestLine = 1024;  // 255 bytes are 510 digits in the longest dialect

struct Line {
  Bytes text, whole;  // without and with the end of the line
};

Result<Line> line_at(Bytes from, uint64_t at) {
  const std::string_view head = from.head(kLongestLine, at).text();
  if (head.empty()) return fail(Fault::kTruncated, "no end record", from.base() + at);
  const size_t end = head.find('\n');
  if (end == std::string_view::npos && head.size() == kLongestLine)
    return fail(Fault::kForeign, "line is longer than a record", from.base() + at);
  const size_t length = end == std::string_view::npos ? head.size() : end;
  size_t text = length;
  while (text > 0 && (head[text - 1] == '\r' || head[text - 1] == ' ')) --text;
  return Line{from.head(text, at), from.head(end == std::string_view::npos ? length : end + 1, at)};
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Bytes whose addresses follow one another, and the lines that hold them.
struct Segment {
  uint64_t address = 0, next = 0;
  std::vector<Bytes> lines;

  void add(Bytes whole, Bytes line) {
    if (lines.empty() || lines.back().data() + lines.back().size() != line.data()) return lines.push_back(line);
    const uint64_t from = static_cast<uint64_t>(lines.back().data() - whole.data());
    lines.back() = whole.head(lines.back().size() + line.size(), from);
  }
};

Result<void> finish(Segment& segment, std::string_view codec, Sink& into) {
  if (segment.lines.empty()) return {};
  Content content{std::move(segment.lines), std::string(codec)};
  segment.lines.clear();
  return into.child(hex_number(segment.address), std::move(content));
}

}  // namespace

std::optional<uint64_t> hex_digits(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (digit(c) < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit(c));
  }
  return value;
}

std::optional<std::string> hex_bytes(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

Result<Measured> measure_hex(const HexDialect& dialect, Bytes from) {
  bool all_hold = true;
  uint64_t base = 0, data = 0;
  for (uint64_t at = 0;;) {
    const Line line = TRY(line_at(from, at));
    const HexRecord record = TRY(dialect.read(line.text, base));
    if (at == 0 && dialect.first_sum_must_hold && !record.sums_hold)
      return fail(Fault::kMalformed, "checksum of the first record does not match", from.base());
    all_hold = all_hold && record.sums_hold;
    data += record.bytes.size();
    at += line.whole.size();
    if (record.kind != HexRecord::Kind::kEnd) continue;
    if (data == 0) return fail(Fault::kMalformed, "no data before the end record", from.base() + at);
    return Measured{at, all_hold};
  }
}

Result<void> unpack_hex(const HexDialect& dialect, std::string_view codec, Bytes whole, Sink& into) {
  uint64_t base = 0, wrong = 0, first_wrong = 0;
  Segment segment;
  for (uint64_t at = 0; at < whole.size();) {
    TRY_VOID(into.step());
    const Line line = TRY(line_at(whole, at));
    const HexRecord record = TRY(dialect.read(line.text, base));
    if (!record.sums_hold && wrong++ == 0) first_wrong = at;
    if (record.kind == HexRecord::Kind::kData && !record.bytes.empty()) {
      if (segment.lines.empty() || record.address != segment.next) {
        TRY_VOID(finish(segment, codec, into));
        segment.address = record.address;
      }
      TRY_VOID(into.output().write(Bytes(record.bytes).span()));
      segment.add(whole, line.whole);
      segment.next = record.address + record.bytes.size();
    } else {
      into.range(Range::kHeader, at, line.whole.size());
      if (!record.note_name.empty()) into.note(record.note_name, record.value, at);
    }
    at += line.whole.size();
  }
  into.integrity(checksum("checksums of records", "sum8", wrong == 0, first_wrong));
  if (wrong)
    into.problem(
        {Fault::kMalformed, "checksum does not match in " + std::to_string(wrong) + " record(s)", first_wrong});
  return finish(segment, codec, into);
}

}  // namespace assay::unpack
