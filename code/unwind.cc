// Records of .eh_frame: u32 length; u32 0 in a CIE, in an FDE the distance back to its CIE. A CIE: u8 version, a string
// that tells what follows, alignments, return register, for "z" a length and per letter: R the encoding of addresses,
// L one more encoding, P an encoding and a pointer, S the frame of a signal. An FDE: start and length of its code.
// Sources: LSB Core 5.0, 10.6 (Exception Frames) and 10.5 (DWARF Extensions); DWARF 4, 6.4.1 and 7.6.
#include "code/unwind.h"

#include "code/bits.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint32_t kHeaderSegment = 0x6474e550;
constexpr uint8_t kAbsolute = 0x00, kUnsigned4 = 0x03, kUnsigned8 = 0x04, kSigned4 = 0x0b, kSigned8 = 0x0c,
                  kFormat = 0x0f, kRelative = 0x10, kApplication = 0x70, kIndirect = 0x80;

class Frames {
 public:
  Frames(Program& program, const Area& area) : program_(program), area_(area) {}

  // Records from `at` (within the area) on as far as they are ones, which ends behind the last; how many are FDEs.
  uint64_t read(uint64_t& at, bool keep);

 private:
  struct Common {
    uint64_t at = ~uint64_t{0};
    uint8_t encoding = kAbsolute;
    bool signal = false, good = false;
  };
  std::optional<uint64_t> number(uint64_t at, uint32_t size) const {
    if (at > area_.bytes.size()) return std::nullopt;
    return program_.word(area_.address + at, size);
  }
  std::optional<uint64_t> variable(uint64_t& at, uint64_t end) const;
  uint32_t size_of(uint8_t encoding) const;
  bool letters(uint64_t text, uint64_t at, uint64_t end, Common& out) const;
  bool common(uint64_t at, uint64_t end, Common& out) const;
  bool description(uint64_t at, uint64_t end, bool keep);

  Program& program_;
  const Area& area_;
  Common last_;
};

// ULEB128, and SLEB128 where only its end matters.
std::optional<uint64_t> Frames::variable(uint64_t& at, uint64_t end) const {
  uint64_t value = 0;
  for (uint32_t shift = 0; at < end && shift < 64; shift += 7) {
    const uint8_t byte = area_.bytes[at++];
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

uint32_t Frames::size_of(uint8_t encoding) const {
  switch (encoding & kFormat) {
    case kAbsolute:
      return program_.pointer;
    case kUnsigned4:
    case kSigned4:
      return 4;
    case kUnsigned8:
    case kSigned8:
      return 8;
    default:
      return 0;
  }
}

// What each letter of the CIE's string stands for.
bool Frames::letters(uint64_t text, uint64_t at, uint64_t end, Common& out) const {
  for (; area_.bytes[text] != 0; ++text) {
    const char letter = static_cast<char>(area_.bytes[text]);
    if (letter == 'S') out.signal = true;
    if (letter == 'S' || letter == 'B') continue;
    if (at >= end) return false;
    const uint8_t encoding = area_.bytes[at++];
    if (letter == 'R') out.encoding = encoding;
    if (letter == 'P') at += size_of(encoding);
    if (letter != 'R' && letter != 'P' && letter != 'L') return false;
  }
  return at <= end;
}

bool Frames::common(uint64_t at, uint64_t end, Common& out) const {
  constexpr uint64_t kLongestText = 8;
  out = {.at = at};
  const uint8_t version = area_.bytes[at + 8];
  uint64_t text = at + 9, behind = text;
  while (behind < end && area_.bytes[behind] != 0) ++behind;
  if ((version != 1 && version != 3) || behind >= end || behind - text > kLongestText) return false;
  const bool sized = area_.bytes[text] == 'z';
  if (!sized && area_.bytes[text] != 0) return false;
  ++behind;
  if (!variable(behind, end) || !variable(behind, end)) return false;
  if (version == 1)
    ++behind;
  else if (!variable(behind, end))
    return false;
  if (sized && (!variable(behind, end) || !letters(text + 1, behind, end, out))) return false;
  const uint8_t application = out.encoding & kApplication;
  return size_of(out.encoding) != 0 && (application == 0 || application == kRelative) &&
         (out.encoding & kIndirect) == 0;
}

bool Frames::description(uint64_t at, uint64_t end, bool keep) {
  const uint64_t back = number(at + 4, 4).value_or(0), cie = at + 4 - back;
  if (back > at + 4) return false;
  if (cie != last_.at) {
    const auto length = number(cie, 4), id = number(cie + 4, 4);
    const bool is_one = length && id && *id == 0 && *length >= 8 && *length <= area_.bytes.size() - cie - 4;
    last_ = {.at = cie};
    last_.good = is_one && common(cie, cie + 4 + *length, last_);
  }
  const uint32_t size = size_of(last_.encoding);
  if (!last_.good || at + 8 + 2 * uint64_t{size} > end) return false;
  const uint64_t mask = program_.pointer == 4 ? 0xffffffff : ~uint64_t{0};
  uint64_t start = number(at + 8, size).value_or(0);
  const uint64_t length = number(at + 8 + size, size).value_or(0);
  if (size < 8) start = static_cast<uint64_t>(sign_extend(start, size * 8));
  if ((last_.encoding & kApplication) == kRelative) start += area_.address + at + 8;
  start &= mask;
  const Area* code = program_.code_at(start);
  if (!keep) return code != nullptr;
  // The description of a signal's frame begins before its code, for a return address to lie within.
  if (!code || last_.signal || length == 0 || length > code->end() - start) return true;
  program_.unwound.push_back({start, start + length});
  seed(program_, start, Found::kUnwind, Sure::kCertain, length);
  return true;
}

uint64_t Frames::read(uint64_t& at, bool keep) {
  constexpr uint64_t kMostCommon = 16;  // CIEs with nothing between them
  uint64_t found = 0;
  for (uint64_t commons = 0;;) {
    const auto length = number(at, 4), id = number(at + 4, 4);
    if (!length || !id || *length < 8 || *length > area_.bytes.size() - at - 4) return found;
    const uint64_t end = at + 4 + *length;
    if (*id == 0) {
      last_.good = common(at, end, last_);
      if (!last_.good || ++commons > kMostCommon) return found;
    } else {
      if (!description(at, end, keep)) return found;
      ++found, commons = 0;
    }
    at = end;
  }
}

// Of data that no table names: records in a row that describe code.
bool search(Program& program) {
  constexpr uint64_t kFewest = 4, kShortest = 8, kLongest = 64;
  bool any = false;
  for (const Area& area : program.data) {
    Frames frames(program, area);
    for (uint64_t at = (4 - area.address % 4) % 4; at + 16 <= area.bytes.size(); at += 4) {
      if (area.bytes[at + 9] != 'z' || program.word(area.address + at + 4, 4) != 0) continue;
      const uint64_t length = program.word(area.address + at, 4).value_or(0);
      if (length < kShortest || length > kLongest) continue;
      uint64_t end = at;
      if (frames.read(end, false) < kFewest) continue;
      end = at;
      frames.read(end, true);
      any = true;
      at = end - 4;
    }
  }
  return any;
}

// A header that says where the frames are: version 1, encodings, then the pointer.
std::optional<uint64_t> told_by_header(const elf::File& file, const Program& program) {
  const elf::Segment* header = file.segment(kHeaderSegment);
  if (!header || program.word(header->address, 1) != 1) return std::nullopt;
  const auto encoding = program.word(header->address + 1, 1), to = program.word(header->address + 4, 4);
  if (!encoding || !to || *encoding != (kSigned4 | kRelative)) return std::nullopt;
  return header->address + 4 + static_cast<uint64_t>(sign_extend(*to, 32));
}

// Ascending and apart: of two that overlap, the first.
void keep_apart(std::vector<Range>& ranges) {
  std::ranges::sort(ranges, {}, &Range::from);
  uint64_t end = 0;
  std::erase_if(ranges, [&](const Range& r) {
    if (r.from < end) return true;
    end = r.to;
    return false;
  });
}

}  // namespace

void seed_frames(const elf::File& file, Program& program) {
  const elf::Section* section = file.section(".eh_frame");
  const auto told = section ? std::optional(section->address) : told_by_header(file, program);
  const Area* area = told ? program.data_at(*told) : nullptr;
  if (area) {
    uint64_t at = *told - area->address;
    Frames(program, *area).read(at, true);
  } else {
    search(program);
  }
  keep_apart(program.unwound);
}

}  // namespace assay::code
