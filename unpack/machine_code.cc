// The marks are fixed encodings of the instruction sets' manuals: returns, saving and restoring the return address,
// moving the stack pointer. Random bytes match a mark of 16 fixed bits once in 65,536 places; compiled code has one in
// 20 to 100. The thresholds lie an order of magnitude off both (measured over C libraries of Debian's cross compilers:
// test/unpack/unknown_test.cc states the figures).
#include "unpack/machine_code.h"

#include <algorithm>
#include <map>
#include <vector>

namespace assay::unpack {
namespace {

constexpr uint64_t kWindow = 16 << 10, kMostBytes = 4 << 20;

struct Mark {
  uint32_t value, mask;
};
struct WordCode {
  std::string_view processor;
  Order order;
  std::vector<Mark> marks;
};

// MIPS: jr ra; addiu sp,sp,x; lw ra,x(sp); sw ra,x(sp); lui gp; daddiu sp; ld ra; sd ra
const std::vector<Mark> kMips = {{0x03e00008, 0xffffffff},
                                 {0x27bd0000, 0xffff0000},
                                 {0x8fbf0000, 0xffff0000},
                                 {0xafbf0000, 0xffff0000},
                                 {0x3c1c0000, 0xffff0000}};
const std::vector<Mark> kMips64 = {{0x67bd0000, 0xffff0000},
                                   {0xdfbf0000, 0xffff0000},
                                   {0xffbf0000, 0xffff0000},
                                   {0xdfbc0000, 0xffff0000},
                                   {0xffbc0000, 0xffff0000}};
// ARM: stmdb sp!,{…,lr}; ldmia sp!,{…,pc}; bx lr; mov pc,lr; push {lr}; pop {pc}; sub sp,sp,#x; add sp,sp,#x
const std::vector<Mark> kArm = {{0xe92d4000, 0xffffc000}, {0xe8bd8000, 0xffff8000}, {0xe12fff1e, 0xffffffff},
                                {0xe1a0f00e, 0xffffffff}, {0xe52de004, 0xffffffff}, {0xe49df004, 0xffffffff},
                                {0xe24dd000, 0xfffff000}, {0xe28dd000, 0xfffff000}};
// AArch64: ret; stp x29,x30,[sp,#-x]!; ldp x29,x30,[sp],#x; mov x29,sp; sub sp; add sp; paciasp; bti c
const std::vector<Mark> kAarch64 = {{0xd65f03c0, 0xffffffff}, {0xa9807bfd, 0xffc07fff}, {0xa8c07bfd, 0xffc07fff},
                                    {0x910003fd, 0xffffffff}, {0xd10003ff, 0xffc003ff}, {0x910003ff, 0xffc003ff},
                                    {0xd503233f, 0xffffffff}, {0xd503245f, 0xffffffff}, {0xa9007bfd, 0xffc07fff}};
// PowerPC: blr; mflr r0; mtlr r0; stwu r1,-x(r1); addi r1,r1,x; lwz r0,x(r1); stw r0,x(r1)
const std::vector<Mark> kPowerPc = {{0x4e800020, 0xffffffff}, {0x7c0802a6, 0xffffffff}, {0x7c0803a6, 0xffffffff},
                                    {0x94218000, 0xffff8000}, {0x38210000, 0xffff8000}, {0x80010000, 0xffff8000},
                                    {0x90010000, 0xffff8000}};

const WordCode kWordCodes[] = {{"mips32-be", Order::kBig, kMips},     {"mips32-le", Order::kLittle, kMips},
                               {"mips64-be", Order::kBig, kMips64},   {"mips64-le", Order::kLittle, kMips64},
                               {"arm", Order::kLittle, kArm},         {"arm-be", Order::kBig, kArm},
                               {"aarch64", Order::kLittle, kAarch64}, {"ppc32", Order::kBig, kPowerPc}};

uint64_t count_words(Bytes window, const WordCode& code) {
  uint64_t count = 0;
  for (uint64_t at = 0; at + 4 <= window.size(); at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, window.data() + at, 4);
    if ((code.order == Order::kLittle) != (std::endian::native == std::endian::little)) word = std::byteswap(word);
    for (const Mark& mark : code.marks) count += (word & mark.mask) == mark.value ? 1 : 0;
  }
  return count;
}

// ARM's instructions carry a condition, and most are always executed: the upper four bits are 14.
uint64_t count_always(Bytes window, Order order) {
  uint64_t count = 0;
  for (uint64_t at = order == Order::kLittle ? 3 : 0; at < window.size(); at += 4)
    count += window[at] >> 4 == 14 ? 1 : 0;
  return count;
}

struct Marks {
  uint64_t strong = 0, calls = 0;
};

// Thumb: push {…,lr}, pop {…,pc}, bx lr; a call is a pair of halfwords. What enters functions far more often than it
// leaves them, or the other way round, is no code.
Marks count_thumb(Bytes window) {
  Marks marks;
  uint64_t enters = 0, leaves = 0;
  const auto half = [&](uint64_t at) { return static_cast<uint32_t>(window[at] | window[at + 1] << 8); };
  for (uint64_t at = 0; at + 4 <= window.size(); at += 2) {
    const uint32_t first = half(at);
    enters += (first & 0xff00) == 0xb500 || first == 0xe92d;
    leaves += (first & 0xff00) == 0xbd00 || first == 0x4770 || first == 0xe8bd;
    if ((first & 0xf800) == 0xf000 && (half(at + 2) & 0xd000) == 0xd000) ++marks.calls;
  }
  if (enters <= 4 * leaves && leaves <= 4 * enters) marks.strong = enters + leaves;
  return marks;
}

// RISC-V with compressed instructions: ret, c.addi16sp, c.sdsp ra, c.ldsp ra, c.swsp ra, c.lwsp ra. All but the first
// leave many bits open, and other data have them too: without returns in proportion they count for nothing.
uint64_t count_riscv(Bytes window) {
  uint64_t count = 0, returns = 0;
  for (uint64_t at = 0; at + 2 <= window.size(); at += 2) {
    const auto half = static_cast<uint32_t>(window[at] | window[at + 1] << 8);
    returns += half == 0x8082;
    count +=
        half == 0x8082 || (half & 0xef83) == 0x6101 || (half & 0xe07f) == 0xe006 || (half & 0xef83) == 0x6082 ? 1 : 0;
  }
  return returns * 12 >= count ? count : 0;
}

struct X86Marks {
  uint64_t wide = 0;   // REX.W in front of mov, lea, test, add
  uint64_t frame = 0;  // test and conditional jump, leave or pop and ret, mov ebp,esp, endbr
};

X86Marks count_x86(Bytes window) {
  X86Marks marks;
  for (uint64_t at = 0; at + 4 <= window.size(); ++at) {
    const uint8_t a = window[at], b = window[at + 1], c = window[at + 2], d = window[at + 3];
    if (a == 0x48 && (b == 0x89 || b == 0x8b || b == 0x8d || b == 0x85 || b == 0x83)) ++marks.wide;
    const bool test_jump =
        a == 0x85 && b >= 0xc0 && (c == 0x74 || c == 0x75 || (c == 0x0f && (d == 0x84 || d == 0x85)));
    const bool leave = (a == 0xc9 || (a >= 0x5b && a <= 0x5f)) && b == 0xc3;
    const bool frame = a == 0x55 && ((b == 0x89 && c == 0xe5) || (b == 0x48 && c == 0x89 && d == 0xe5));
    const bool landing = a == 0xf3 && b == 0x0f && c == 0x1e && (d == 0xfa || d == 0xfb);
    marks.frame += test_jump || leave || frame || landing ? 1 : 0;
  }
  return marks;
}

// One window's verdict: marks per thousand units; a name only where they are dense enough.
struct Verdict {
  std::string_view processor;
  uint64_t marks = 0, units = 1;
};

Verdict better(const Verdict& a, const Verdict& b) { return b.marks * a.units > a.marks * b.units ? b : a; }

Verdict judge(Bytes window) {
  Verdict best;
  const uint64_t words = window.size() / 4, halves = window.size() / 2, size = window.size();
  for (const WordCode& code : kWordCodes) {
    const uint64_t n = count_words(window, code);
    const bool arm = code.processor.starts_with("arm");
    if (n * 64 < words || (arm && count_always(window, code.order) * 5 < words * 2)) continue;
    best = better(best, {code.processor, n, words});
  }
  if (const uint64_t n = count_riscv(window); n * 100 >= halves) best = better(best, {"riscv64", n * 2, halves});
  const Marks thumb = count_thumb(window);
  if (thumb.strong * 100 >= halves && thumb.calls * 60 >= halves && best.marks == 0)
    best = {"thumb", thumb.strong, halves};
  const X86Marks x86 = count_x86(window);
  const bool x86_likely = x86.frame * 400 >= size;
  if (x86_likely && best.marks == 0) best = {x86.wide * 60 >= size ? "x86-64" : "x86", x86.frame, size};
  if (best.marks == 0 && x86.wide * 40 >= size) best = {"x86-64", x86.wide, size};
  return best;
}

CodeGuess guess_aligned(Bytes bytes) {
  struct Sum {
    uint64_t windows = 0, marks = 0, units = 0;
  };
  std::map<std::string_view, Sum> sums;
  // Windows spread evenly where not all can be looked at; aligned, because instructions are.
  const uint64_t all = (bytes.size() + kWindow - 1) / kWindow, most = kMostBytes / kWindow;
  const uint64_t looked = std::min(all, most);
  for (uint64_t i = 0; i < looked; ++i) {
    const Bytes window = bytes.head(kWindow, i * all / looked * kWindow);
    if (window.size() < 256) continue;
    const Verdict verdict = judge(window);
    if (verdict.processor.empty()) continue;
    Sum& sum = sums[verdict.processor];
    ++sum.windows, sum.marks += verdict.marks, sum.units += verdict.units;
  }
  CodeGuess guess;
  uint64_t windows = 0;
  for (const auto& [processor, sum] : sums) {
    if (sum.marks < 8 || sum.windows <= windows) continue;
    windows = sum.windows;
    guess = {processor, sum.marks >= 64 && sum.windows >= 2 ? "certain" : "likely", sum.marks, sum.units, 0};
  }
  guess.code_bytes = looked == 0 ? 0 : std::min(bytes.size(), windows * kWindow * all / looked);
  return guess;
}

}  // namespace

// A range may begin anywhere; its instructions stand at multiples of their size in memory.
CodeGuess guess_processor(Bytes bytes) {
  CodeGuess best;
  for (uint64_t phase = 0; phase < 4 && best.code_bytes * 2 < bytes.size(); ++phase) {
    const CodeGuess guess = guess_aligned(bytes.head(bytes.size(), phase));
    if (guess.code_bytes > best.code_bytes) best = guess, best.phase = phase;
  }
  return best;
}

Order order_of(std::string_view processor) {
  const bool big = processor.ends_with("-be") || processor == "ppc32";
  return big ? Order::kBig : Order::kLittle;
}

namespace {

constexpr uint64_t kPage = 4096, kShortestString = 6, kMostStrings = 4096, kMostWords = 1 << 20;
constexpr uint64_t kFewestPointers = 12;

bool is_printable(uint8_t c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r'; }

// Starts of strings: printable bytes that a NUL ends, right behind a NUL.
std::vector<uint64_t> string_starts(Bytes bytes) {
  std::vector<uint64_t> starts;
  uint64_t from = 0;
  for (uint64_t at = 0; at < bytes.size() && starts.size() < kMostStrings; ++at) {
    if (is_printable(bytes[at])) continue;
    if (bytes[at] == 0 && at - from >= kShortestString && from > 0 && bytes[from - 1] == 0) starts.push_back(from);
    from = at + 1;
  }
  return starts;
}

// Words of data, and what pairs of MIPS instructions make (`lui`, then `addiu` of the same register). Words of code are
// no pointers; ARM keeps its pointers between functions, where no always executed instruction looks like them.
void add_candidates(Bytes window, std::string_view processor, Order order, std::vector<uint32_t>& found) {
  uint32_t upper[32] = {};
  for (uint64_t at = 0; at + 4 <= window.size() && found.size() < kMostWords; at += 4) {
    const uint32_t word = window.get<uint32_t>(at, order, "word").value_or(0);
    const bool data = processor.empty() || (processor.starts_with("arm") && word >> 29 != 7);
    if (data && word >= kPage) found.push_back(word);
    if (!processor.starts_with("mips")) continue;
    const uint32_t to = word >> 16 & 31;
    if (word >> 26 == 15) upper[to] = word << 16;
    if (word >> 26 == 9 && (word >> 21 & 31) == to && upper[to] != 0)
      found.push_back(upper[to] + static_cast<uint32_t>(static_cast<int16_t>(word & 0xffff)));
  }
}

std::vector<uint32_t> pointer_candidates(Bytes bytes, Order order) {
  std::vector<uint32_t> found;
  for (uint64_t at = 0; at < bytes.size(); at += kWindow) {
    const Bytes window = bytes.head(kWindow, at);
    add_candidates(window, judge(window).processor, order, found);
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace

std::optional<LoadAddress> guess_load_address(Bytes bytes, Order order) {
  const auto strings = string_starts(bytes);
  if (strings.size() < kFewestPointers) return std::nullopt;
  // An image starts at a page: a pointer and its string agree in their last twelve bits.
  std::vector<std::vector<uint64_t>> by_low(kPage);
  for (const uint64_t start : strings) by_low[start % kPage].push_back(start);
  std::map<uint32_t, uint64_t> votes;
  for (const uint32_t word : pointer_candidates(bytes, order)) {
    const auto& same = by_low[word % kPage];
    if (same.size() > 16) continue;
    for (const uint64_t start : same)
      if (word >= start) ++votes[static_cast<uint32_t>(word - start)];
  }
  LoadAddress best, second;
  for (const auto& [address, count] : votes) {
    if (count > best.pointers)
      second = best, best = {address, count};
    else if (count > second.pointers)
      second = {address, count};
  }
  if (best.pointers < kFewestPointers || best.pointers < 2 * second.pointers) return std::nullopt;
  return best;
}

}  // namespace assay::unpack
