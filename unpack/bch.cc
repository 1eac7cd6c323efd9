#include "unpack/bch.h"

#include "core/result.h"

#include <algorithm>

namespace assay::unpack {
namespace {

void shift_left(Bch::Remainder& r, uint32_t by) {  // 0 < by < 64
  for (size_t i = 0; i + 1 < r.size(); ++i) r[i] = r[i] << by | r[i + 1] >> (64 - by);
  r.back() <<= by;
}

void sum_into(Bch::Remainder& r, const Bch::Remainder& other) {
  for (size_t i = 0; i < r.size(); ++i) r[i] ^= other[i];
}

}  // namespace

Bch::Bch(uint32_t m, uint32_t t, uint32_t primitive) : m_(m), t_(t), n_((1u << m) - 1) {
  ASSAY_CHECK(m >= 5 && m <= 15 && t >= 1 && m * t <= 64 * kWords && primitive >> m == 1);
  build_field(primitive);
  build_generator();
  table_.resize(256);
  for (uint32_t byte = 0; byte < 256; ++byte) add_bits(table_[byte], byte, 8);
}

void Bch::build_field(uint32_t primitive) {
  power_.resize(2 * size_t{n_});
  log_.resize(size_t{n_} + 1);
  uint32_t x = 1;
  for (uint32_t i = 0; i < n_; ++i) {
    power_[i] = power_[i + n_] = static_cast<uint16_t>(x);
    log_[x] = static_cast<uint16_t>(i);
    x <<= 1;
    if (x > n_) x ^= primitive;
  }
  ASSAY_CHECK(x == 1);
}

// The product of (x - a^r) over a^1, a^3, … and all their conjugates: its coefficients end as 0 or 1.
void Bch::build_generator() {
  std::vector<bool> taken(n_, false);
  std::vector<uint32_t> g = {1};  // the lowest power first
  for (uint32_t odd = 1; odd < 2 * t_; odd += 2)
    for (uint32_t r = odd; !taken[r]; r = 2 * r % n_) {
      taken[r] = true;
      g.push_back(0);
      for (size_t i = g.size(); i-- > 1;) g[i] = g[i - 1] ^ product(g[i], power_[r]);
      g[0] = product(g[0], power_[r]);
    }
  bits_ = static_cast<uint32_t>(g.size() - 1);
  for (uint32_t i = 0; i < bits_; ++i)
    if (g[bits_ - 1 - i]) generator_[i / 64] |= uint64_t{1} << (63 - i % 64);
}

void Bch::add_bits(Remainder& r, uint32_t value, uint32_t count) const {
  while (count-- > 0) {
    const bool feed = (r[0] >> 63) != (value >> count & 1);
    shift_left(r, 1);
    if (feed) sum_into(r, generator_);
  }
}

void Bch::add(Remainder& r, std::span<const std::byte> message) const {
  const size_t words = (bits_ + 63) / 64;
  for (const std::byte byte : message) {
    const Remainder& t = table_[(r[0] >> 56) ^ static_cast<uint64_t>(byte)];
    for (size_t i = 0; i + 1 < words; ++i) r[i] = (r[i] << 8 | r[i + 1] >> 56) ^ t[i];
    r[words - 1] = r[words - 1] << 8 ^ t[words - 1];
  }
}

std::vector<uint32_t> Bch::syndromes(const Remainder& sum) const {
  std::vector<uint32_t> s(2 * size_t{t_} + 1, 0);
  for (uint32_t i = 0; i < bits_; ++i) {
    if (!(sum[i / 64] >> (63 - i % 64) & 1)) continue;
    const uint32_t power = bits_ - 1 - i;
    for (uint32_t j = 1; j < 2 * t_; j += 2) s[j] ^= power_[uint64_t{j} * power % n_];
  }
  for (uint32_t j = 1; j <= t_; ++j) s[2 * j] = product(s[j], s[j]);
  return s;
}

// Berlekamp and Massey: the shortest recurrence that the syndromes obey. None: longer than t.
std::optional<std::vector<uint32_t>> Bch::locator(const std::vector<uint32_t>& s) const {
  std::vector<uint32_t> c(2 * size_t{t_} + 2, 0), b = c;
  c[0] = b[0] = 1;
  uint32_t length = 0, shift = 1, last = 1;
  for (uint32_t k = 0; k < 2 * t_; ++k, ++shift) {
    uint32_t d = s[k + 1];
    for (uint32_t i = 1; i <= length; ++i) d ^= product(c[i], s[k + 1 - i]);
    if (d == 0) continue;
    const uint32_t factor = product(d, power_[n_ - log_[last]]);
    std::vector<uint32_t> before = c;
    for (size_t i = shift; i < c.size(); ++i) c[i] ^= product(factor, b[i - shift]);
    if (2 * length > k) continue;
    length = k + 1 - length;
    b = std::move(before);
    last = d;
    shift = 0;
  }
  if (length > t_ || std::ranges::any_of(c.begin() + length + 1, c.end(), [](uint32_t x) { return x != 0; }))
    return std::nullopt;
  c.resize(size_t{length} + 1);
  return c;
}

std::optional<std::vector<uint32_t>> Bch::wrong_bits(const Remainder& sum, uint32_t message_bits) const {
  std::vector<uint32_t> wrong;
  if (std::ranges::all_of(sum, [](uint64_t word) { return word == 0; })) return wrong;
  const auto c = locator(syndromes(sum));
  const uint32_t total = message_bits + bits_;
  if (!c || c->size() < 2 || total > n_) return std::nullopt;
  struct Term {
    uint32_t value, step;  // logarithm at the place looked at, and what it loses from place to place
  };
  std::vector<Term> terms;
  for (uint32_t i = 1; i < c->size(); ++i)
    if ((*c)[i]) terms.push_back({log_[(*c)[i]], i});
  for (uint32_t power = 0; power < total && wrong.size() + 1 < c->size(); ++power) {
    uint32_t value = 1;
    for (Term& term : terms) {
      value ^= power_[term.value];
      term.value = term.value >= term.step ? term.value - term.step : term.value + n_ - term.step;
    }
    if (value == 0) wrong.push_back(total - 1 - power);
  }
  if (wrong.size() + 1 != c->size()) return std::nullopt;
  return wrong;
}

}  // namespace assay::unpack
