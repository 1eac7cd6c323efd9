// Mach-O: programs and libraries of Apple's systems. A leaf: typed and measured.
//
//   0  magic (feedface: 32 bits, feedfacf: 64; in the file's byte order)  4 processor  8 its kind  12 type
//   16 number of load commands  20 their size  24 flags  (28 reserved, in 64 bits)
//   command: 0 kind  4 size
//      1 segment: 32 file offset, 36 size; 0x19 the same in 64 bits: 40, 48
//      2 symbol table: 8 its offset, 12 number, 16 strings, 20 size
//      others from 0x1d on that name a range: 8 offset, 12 size
//   fat file: 0 cafebabe  4 number; of each: processor, kind, offset, size, alignment; always big-endian
//
// It carries no checksum: it counts as verified when all commands fill their table and all ranges lie in the file.
// Source: Apple cctools include/mach-o/loader.h, fat.h.
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack::macho {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {
    {"\xfe\xed\xfa\xce"sv}, {"\xfe\xed\xfa\xcf"sv}, {"\xce\xfa\xed\xfe"sv}, {"\xcf\xfa\xed\xfe"sv}};
constexpr Magic kFatMagics[] = {{"\xca\xfe\xba\xbe\x00\x00\x00"sv}};
constexpr uint32_t kMostCommands = 4096, kMostPrograms = 32;

class Reader {
 public:
  explicit Reader(Bytes b) : b_(b), order_(b.starts_with("\xfe\xed"sv) ? Order::kBig : Order::kLittle) {}

  Result<uint64_t> length() {
    wide_ = TRY(word(0)) == 0xfeedfacf;
    const uint32_t type = TRY(word(12)), count = TRY(word(16)), size = TRY(word(20));
    const uint64_t first = wide_ ? 32 : 28;
    if (type == 0 || type > 12 || count == 0 || count > kMostCommands || size < count * 8 || size > 1 << 24)
      return fail(Fault::kForeign, "type and load commands", b_.base() + 12);
    TRY_VOID(reach(0, first + size));
    uint64_t at = first;
    for (uint32_t i = 0; i < count; ++i) at += TRY(command(at, first + size));
    if (at != first + size) return fail(Fault::kMalformed, "load commands do not fill their table", b_.base() + at);
    return end_;
  }

 private:
  Result<uint32_t> word(uint64_t at) { return b_.get<uint32_t>(at, order_, "Mach-O field"); }
  Result<void> reach(uint64_t at, uint64_t size) {
    TRY(b_.slice(at, size, "range of a load command"));
    if (size) end_ = std::max(end_, at + size);
    return {};
  }
  Result<uint32_t> command(uint64_t at, uint64_t end) {
    const uint32_t kind = TRY(word(at)) & 0x7fffffff, size = TRY(word(at + 4));
    if (size < 8 || size % 4 || size > end - at)
      return fail(Fault::kMalformed, "size of a load command", b_.base() + at + 4);
    TRY_VOID(ranges(kind, at, size));
    return size;
  }
  Result<void> ranges(uint32_t kind, uint64_t at, uint32_t size) {
    if (kind == 1 && size >= 56) return pair(at + 32);
    if (kind == 0x19 && size >= 72)
      return reach(TRY(b_.get<uint64_t>(at + 40, order_, "segment")), *b_.get<uint64_t>(at + 48, order_, ""));
    if (kind == 2 && size >= 24) {
      const uint64_t symbols = TRY(word(at + 12));
      TRY_VOID(reach(TRY(word(at + 8)), symbols * (wide_ ? 16 : 12)));
      return pair(at + 16);
    }
    constexpr uint32_t kNaming[] = {0x1d, 0x1e, 0x26, 0x29, 0x2b, 0x2e, 0x33, 0x34};
    return size >= 16 && std::ranges::find(kNaming, kind) != std::end(kNaming) ? pair(at + 8) : Result<void>{};
  }
  Result<void> pair(uint64_t at) {
    const uint32_t place = TRY(word(at)), size = TRY(word(at + 4));
    return reach(place, size);
  }

  Bytes b_;
  Order order_;
  bool wide_ = false;
  uint64_t end_ = 0;
};

Result<Measured> measure(Bytes from) { return Measured{TRY(Reader(from).length()), true}; }

struct Program {
  uint64_t at = 0, size = 0;
};

Result<std::vector<Program>> read_fat(Bytes from) {
  const uint32_t count = TRY(from.be<uint32_t>(4, "number of programs"));
  if (count == 0 || count > kMostPrograms) return fail(Fault::kForeign, "number of programs", from.base() + 4);
  std::vector<Program> programs;
  for (uint32_t i = 0; i < count; ++i) {
    const Program p = {TRY(from.be<uint32_t>(16 + 20 * uint64_t{i}, "offset")),
                       TRY(from.be<uint32_t>(20 + 20 * uint64_t{i}, "size"))};
    const Bytes bytes = TRY(from.slice(p.at, p.size, "program"));
    if (p.at < 8 + 20 * uint64_t{count} || (!programs.empty() && p.at < programs.back().at + programs.back().size))
      return fail(Fault::kForeign, "offset of a program", from.base() + 16 + 20 * uint64_t{i});
    TRY(Reader(bytes).length());
    programs.push_back(p);
  }
  return programs;
}

Result<Measured> measure_fat(Bytes from) {
  const auto programs = TRY(read_fat(from));
  return Measured{programs.back().at + programs.back().size, true};
}

Result<void> unpack_fat(Bytes whole, Sink& into) {
  const auto programs = TRY(read_fat(whole));
  into.range(Range::kHeader, 0, 8 + 20 * programs.size());
  for (size_t i = 0; i < programs.size(); ++i)
    TRY_VOID(into.child("program" + std::to_string(i), stored(whole.head(programs[i].size, programs[i].at))));
  return {};
}

}  // namespace

extern const Format kMachO;
const Format kMachO = {.id = "macho",
                       .title = "Mach-O program",
                       .version = 1,
                       .magics = kMagics,
                       .measure = measure,
                       .reads = "32 and 64 bits, both byte orders",
                       .limits = "typed, not opened; its code is not read",
                       .source = "Apple cctools include/mach-o/loader.h",
                       .checked = "foreign tool: clang's objects"};

extern const Format kMachOFat;
const Format kMachOFat = {.id = "macho-fat",
                          .title = "Mach-O programs for several processors",
                          .version = 1,
                          .magics = kFatMagics,
                          .measure = measure_fat,
                          .unpack = unpack_fat,
                          .limits = "tables of 64 bits; libraries that are archives",
                          .source = "Apple cctools include/mach-o/fat.h",
                          .checked = "own builder only, its programs by clang"};

}  // namespace assay::unpack::macho
