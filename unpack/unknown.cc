#include "unpack/unknown.h"

#include "core/text.h"
#include "unpack/machine_code.h"
#include "unpack/probe.h"
#include "unpack/scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

namespace assay::unpack {
namespace {

constexpr uint64_t kSample = 64 << 10, kMostBlocks = 1 << 19;
constexpr uint32_t kLongestPeriod = 256;
constexpr uint32_t kHighEntropy = 7200, kRandomEntropy = 7900;

constexpr std::array<uint8_t, 256> kPrintable = [] {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < 256; ++c) table[c] = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  return table;
}();

// Of `bytes`, how many lie in printable runs of six and more, and how many are zero.
struct TextShare {
  uint64_t text = 0, zeros = 0;
};
// Runs count from six characters on. Without branches: in random bytes each would be guessed wrong half of the time.
TextShare text_share(std::string_view bytes) {
  TextShare share;
  uint64_t run = 0;
  for (const char c : bytes) {
    share.zeros += c == 0 ? 1 : 0;
    run = (run + 1) * kPrintable[static_cast<uint8_t>(c)];
    share.text += (run == 6 ? 6u : 0u) + (run > 6 ? 1u : 0u);
  }
  return share;
}

std::string most_frequent_of_each(Bytes bytes, uint32_t period) {
  std::string key(period, '\0');
  for (uint32_t phase = 0; phase < period; ++phase) {
    uint32_t counts[256] = {};
    for (uint64_t at = phase; at < bytes.size(); at += period) ++counts[bytes[at]];
    key[phase] = static_cast<char>(std::max_element(counts, counts + 256) - counts);
  }
  return key;
}

// Positions that agree with the byte `period` further on, in thousandths.
std::vector<uint32_t> agreement(Bytes bytes) {
  std::vector<uint32_t> shares(kLongestPeriod + 1, 0);
  for (uint32_t period = 1; period <= kLongestPeriod && period < bytes.size(); ++period) {
    uint64_t same = 0;
    for (uint64_t at = 0; at + period < bytes.size(); ++at) same += bytes[at] == bytes[at + period] ? 1 : 0;
    shares[period] = static_cast<uint32_t>(same * 1000 / (bytes.size() - period));
  }
  return shares;
}

bool looks_random_inside(std::string_view block) {
  std::string sorted(block);
  std::ranges::sort(sorted);
  const auto distinct = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
  return distinct * 4 >= static_cast<std::ptrdiff_t>(block.size()) * 3;
}

// Aligned blocks of that many 64-bit words, those with the same first bits side by side: of random ones a few have.
template <size_t kWords>
struct Blocks {
  using Block = std::array<uint64_t, kWords>;
  std::vector<Block> all;
  std::vector<size_t> ends;  // of those with the same first bits
};

template <size_t kWords>
Blocks<kWords> blocks_of(Bytes bytes) {
  using Block = typename Blocks<kWords>::Block;
  const size_t count = std::min<uint64_t>(bytes.size() / sizeof(Block), kMostBlocks);
  const int bits = std::clamp(static_cast<int>(std::bit_width(count)), 1, 16);
  const auto block = [&](size_t i) {
    Block value;
    std::memcpy(value.data(), bytes.data() + i * sizeof value, sizeof value);
    return value;
  };
  Blocks<kWords> out{std::vector<Block>(count), std::vector<size_t>((size_t{1} << bits) + 1)};
  for (size_t i = 0; i < count; ++i) ++out.ends[(block(i)[0] >> (64 - bits)) + 1];
  std::partial_sum(out.ends.begin(), out.ends.end(), out.ends.begin());
  for (size_t i = 0; i < count; ++i) {
    const Block value = block(i);
    out.all[out.ends[value[0] >> (64 - bits)]++] = value;
  }
  return out;
}

// Sorted: of blocks that an attacker chooses, a hash table may be slow. As numbers, for there are many.
template <size_t kWords>
uint64_t count_repeats(Bytes bytes) {
  auto [blocks, ends] = blocks_of<kWords>(bytes);
  uint64_t repeats = 0;
  size_t from = 0;
  for (const size_t end : ends) {
    std::sort(blocks.begin() + static_cast<std::ptrdiff_t>(from), blocks.begin() + static_cast<std::ptrdiff_t>(end));
    for (size_t i = from + 1; i < end; ++i)
      repeats += blocks[i] == blocks[i - 1] &&
                 looks_random_inside({reinterpret_cast<const char*>(blocks[i].data()), sizeof blocks[i]});
    from = end;
  }
  return repeats;
}

struct Words {
  std::string_view language;
  std::vector<std::string_view> words;
};

const std::vector<Words>& vocabulary() {
  static const std::vector<Words> all = {
      {"en", {"the", "and", "for", "not", "failed", "error", "with", "invalid", "this", "from", "is", "to"}},
      {"de", {"der", "die", "und", "nicht", "fehler", "mit", "wird", "ist", "eine", "von", "ein", "zu"}},
      {"fr", {"le", "les", "des", "pas", "erreur", "pour", "dans", "une", "est", "avec", "sur", "du"}},
      {"es", {"el", "los", "las", "no", "para", "con", "una", "por", "del", "es", "que", "error"}}};
  return all;
}

uint64_t words_of(std::string_view text, const Words& language) {
  uint64_t count = 0;
  size_t from = 0;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && letter(text[at])) continue;
    if (at - from >= 2 && at - from <= 7 && from > 0 && text[from - 1] == ' ') {  // inside a sentence
      std::string word(text.substr(from, at - from));
      for (char& c : word) c = static_cast<char>(c | 0x20);
      count += std::ranges::find(language.words, word) != language.words.end() ? 1 : 0;
    }
    from = at + 1;
  }
  return count;
}

// Characters of scripts that belong to one language, as UTF-8 stores them.
struct Scripts {
  uint64_t han = 0, kana = 0, hangul = 0, cyrillic = 0;
};
Scripts scripts_of(Bytes b) {
  Scripts s;
  const auto follows = [&](uint64_t at) { return (b[at] & 0xc0) == 0x80; };
  for (uint64_t at = 0; at + 5 < b.size(); ++at) {
    const uint8_t first = b[at];
    // Two characters in a row: one alone occurs by chance in any code.
    if (first >= 0xe3 && first <= 0xed && follows(at + 1) && follows(at + 2) && b[at + 3] >= 0xe3 &&
        b[at + 3] <= 0xed && follows(at + 4) && follows(at + 5)) {
      s.kana += first == 0xe3 && (b[at + 1] == 0x81 || b[at + 1] == 0x82 || b[at + 1] == 0x83) ? 1 : 0;
      s.hangul += first >= 0xeb ? 1 : 0;
      s.han += first >= 0xe4 && first <= 0xe9 ? 1 : 0;
    }
    if ((first == 0xd0 || first == 0xd1) && follows(at + 1) && (b[at + 2] == 0xd0 || b[at + 2] == 0xd1) &&
        follows(at + 3) && (b[at + 4] == 0xd0 || b[at + 4] == 0xd1))
      ++s.cyrillic;
  }
  return s;
}

// The first magic of four bytes or more in the first bytes, and why its format refuses.
std::string nearest_magic(Bytes range) {
  constexpr uint64_t kNear = 4096;
  constexpr int kMostTried = 16;
  int tried = 0;
  for (const Hit& hit : scan(range.head(kNear))) {
    const bool strong = std::ranges::any_of(hit.format->magics, [](const Magic& m) { return m.bytes.size() >= 4; });
    if (!strong || ++tried > kMostTried) continue;
    const Bytes from = range.head(range.size(), hit.start).rebased(0);
    Error why{};
    if (hit.format->decode) {
      Trial trial(1 << 20);
      const auto decoded = hit.format->decode(from, trial);
      if (!decoded) why = decoded.error();
    } else if (const auto measured = hit.format->measure(from); !measured) {
      why = measured.error();
    }
    if (why.what.empty() || why.fault == Fault::kForeign) continue;
    char offset[24];
    std::snprintf(offset, sizeof offset, " at 0x%llx: ", static_cast<unsigned long long>(hit.start));
    return std::string(hit.format->id) + offset + why.what;
  }
  return {};
}

std::string number(uint64_t value) { return std::to_string(value); }

// Thousandths as "7.998".
std::string thousandths(uint32_t value) {
  std::string text = number(value % 1000);
  return number(value / 1000) + "." + std::string(3 - text.size(), '0') + text;
}

// The verdicts from the surest to the weakest; `shows` says on what it stands.
CodeGuess decide(Bytes range, const ByteStatistics& bytes, UnknownRange& u) {
  const TextShare text = text_share(range.text());
  const bool high = u.entropy >= kHighEntropy;
  const CodeGuess code = high && u.entropy >= kRandomEntropy ? CodeGuess{} : guess_processor(range);
  u.processor = code.processor;
  if (code.code_bytes * 2 >= range.size() && !code.processor.empty()) {
    u.looks_like = "code";
    u.at.shows = std::string(code.processor) + " code, " + std::string(code.confidence) + ": " + number(code.marks) +
                 " of " + number(code.units) + " instructions begin or end functions";
    return code;
  }
  if (const Repetition repetition = high ? repeated_blocks(range) : Repetition{}; repetition.block != 0) {
    u.looks_like = "block-cipher-ecb";
    u.period = repetition.block;
    u.at.shows =
        number(repetition.repeats) + " aligned blocks of " + number(repetition.block) +
        " bytes repeat in bytes of high entropy: a block cipher without chaining; not examinable without a key";
    return code;
  }
  if (text.text * 10 >= range.size() * 7) {
    u.looks_like = "text";
    u.at.shows = number(text.text * 100 / range.size()) + " % printable text";
    return code;
  }
  if (const RepeatingKey key = repeating_key(range); key.period != 0) {
    u.looks_like = "repeating-key";
    u.period = key.period;
    u.at.shows = "XOR with a key of " + number(key.period) + " bytes, likely: text and zeros appear without it";
    return code;
  }
  // Chance alone keeps the sum within 255 ± 5 * 22.6; compressed bytes leave it once there are enough of them.
  const bool random = bytes.total >= 2048 && (u.chi_square < 368 || u.entropy >= kRandomEntropy);
  u.looks_like = random ? "random" : text.zeros * 5 >= range.size() && !high ? "tables" : "data";
  u.at.shows = "entropy " + thousandths(u.entropy) + " bits a byte, chi-square " + number(u.chi_square);
  if (random)
    u.at.shows +=
        u.chi_square < 368 ? ": encrypted or random, by chance alone not told apart" : ": compressed or encrypted";
  if (!random)
    u.at.shows += ", " + number(text.text * 100 / range.size()) + " % text, " +
                  number(text.zeros * 100 / range.size()) + " % zeros";
  return code;
}

void add_load_address(Bytes range, uint64_t phase, UnknownRange& u) {
  if (u.processor.empty() || u.processor == "x86-64" || u.processor.starts_with("mips64")) return;
  const auto guess = guess_load_address(range.head(8 << 20, phase), order_of(u.processor));
  if (!guess || guess->address < phase) return;
  u.load_address = guess->address - phase;
  char text[64];
  std::snprintf(text, sizeof text, "; loaded at 0x%llx, where %llu pointers meet strings",
                static_cast<unsigned long long>(*u.load_address), static_cast<unsigned long long>(guess->pointers));
  u.at.shows += text;
}

}  // namespace

uint32_t ByteStatistics::entropy() const {
  if (total == 0) return 0;
  double bits = 0;
  for (const uint64_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(total);
    bits -= share * std::log2(share);
  }
  return static_cast<uint32_t>(std::lround(bits * 1000));
}

uint64_t ByteStatistics::chi_square() const {
  if (total == 0) return 0;
  __extension__ unsigned __int128 squares = 0;
  for (const uint64_t count : counts) squares += static_cast<decltype(squares)>(count) * count;
  return static_cast<uint64_t>(squares * 256 / total) - total;
}

ByteStatistics statistics_of(Bytes bytes) {
  ByteStatistics s{.total = bytes.size()};
  for (const std::byte byte : bytes.span()) ++s.counts[static_cast<uint8_t>(byte)];
  return s;
}

Repetition repeated_blocks(Bytes bytes) {
  const uint64_t of_16 = count_repeats<2>(bytes), of_8 = count_repeats<1>(bytes);
  if (of_16 < 2 && of_8 < 2) return {};
  // A repeated block of 16 is two repeated ones of 8; where there are many more, 8 is the cipher's own.
  return of_8 > 2 * of_16 + 2 ? Repetition{8, of_8} : Repetition{16, of_16};
}

RepeatingKey repeating_key(Bytes bytes) {
  const Bytes sample = bytes.head(kSample);
  if (sample.size() < 1024) return {};
  const auto shares = agreement(sample);
  std::vector<uint32_t> sorted(shares.begin() + 1, shares.end());
  std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
  const uint32_t usual = sorted[sorted.size() / 2];
  const TextShare before = text_share(sample.text());
  int tried = 0;
  for (uint32_t period = 2; period <= kLongestPeriod / 2 && tried < 4; ++period) {
    const uint32_t least = usual * 2 + 20;
    if (shares[period] < least || shares[2 * period] < least) continue;
    ++tried;
    std::string key = most_frequent_of_each(sample, period);
    if (key.find_first_not_of(key[0]) == key.npos) continue;  // no key, or one byte
    std::string plain(sample.text());
    for (size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<char>(plain[i] ^ key[i % period]);
    const TextShare after = text_share(plain);
    const uint64_t least_text = sample.size() / 50, zeros = sample.size() / 10;
    if (after.text >= before.text * 2 + least_text && after.zeros >= before.zeros + zeros)
      return {period, std::move(key)};
  }
  return {};
}

std::string language_of(Bytes bytes) {
  const Bytes sample = bytes.head(4 << 20);
  const Scripts scripts = scripts_of(sample);
  if (scripts.kana >= 32) return "ja";
  if (scripts.han >= 64) return "zh";
  if (scripts.hangul >= 64) return "ko";
  if (scripts.cyrillic >= 64) return "ru";
  std::string_view best;
  uint64_t most = 0, next = 0;
  for (const Words& language : vocabulary()) {
    const uint64_t count = words_of(sample.text(), language);
    if (count > most)
      next = most, most = count, best = language.language;
    else
      next = std::max(next, count);
  }
  return most >= 12 && most >= 2 * next ? std::string(best) : "";
}

UnknownRange describe_unknown(Bytes range) {
  UnknownRange u;
  u.size = range.size();
  if (range.empty()) return u;
  const ByteStatistics bytes = statistics_of(range);
  u.entropy = bytes.entropy();
  u.chi_square = bytes.chi_square();
  const CodeGuess code = decide(range, bytes, u);
  if (u.entropy < kRandomEntropy) u.language = language_of(range);
  add_load_address(range, code.phase, u);
  u.nearest = nearest_magic(range);
  return u;
}

}  // namespace assay::unpack
