#include "unpack/account.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint64_t kShortestRun = 64;

void push(std::vector<Span>& spans, Range range, uint64_t from, uint64_t to) {
  if (from >= to) return;
  if (!spans.empty() && spans.back().range == range && spans.back().offset + spans.back().length == from)
    spans.back().length += to - from;
  else
    spans.push_back({range, from, to - from});
}

// Puts `claims` of one range into the gaps that `taken` leaves. Both sorted by offset; `taken` disjoint.
std::vector<Span> layer(const std::vector<Span>& taken, const std::vector<Span>& claims, Range range) {
  std::vector<Span> out;
  size_t t = 0;
  uint64_t done = 0;  // everything before is decided
  const auto pass_taken_until = [&](uint64_t end) {
    for (; t < taken.size() && taken[t].offset < end; ++t) {
      push(out, taken[t].range, taken[t].offset, taken[t].offset + taken[t].length);
      done = std::max(done, taken[t].offset + taken[t].length);
    }
  };
  for (const Span& claim : claims) {
    const uint64_t end = claim.offset + claim.length;
    uint64_t at = std::max(claim.offset, done);
    pass_taken_until(claim.offset);
    at = std::max(at, done);
    while (at < end) {
      const uint64_t stop = t < taken.size() ? std::min(end, taken[t].offset) : end;
      push(out, range, at, stop);
      done = std::max(done, stop);
      if (stop >= end) break;
      pass_taken_until(stop + 1);
      at = std::max(stop, done);
    }
  }
  pass_taken_until(~uint64_t{0});
  return out;
}

// Where a run of at least kShortestRun bytes may begin that ends behind `at`: such a run covers one of the blocks that
// are half as long.
uint64_t next_run(Bytes gap, uint64_t at) {
  constexpr uint64_t kBlock = kShortestRun / 2;
  for (uint64_t block = at; block + kBlock <= gap.size(); block += kBlock) {
    if (gap[block] != gap[block + kBlock - 1] || !is_run(gap.head(kBlock, block))) continue;
    while (block > at && gap[block - 1] == gap[block]) --block;
    return block;
  }
  return gap.size();
}

void split_gap(std::vector<Span>& out, Bytes whole, uint64_t from, uint64_t to) {
  const Bytes gap = whole.head(to - from, from);
  if (is_run(gap)) return push(out, Range::kPadding, from, to);
  uint64_t unknown_from = from;
  for (uint64_t at = next_run(gap, 0); at < gap.size(); at = next_run(gap, at)) {
    uint64_t end = at + 1;
    while (end < gap.size() && gap[end] == gap[at]) ++end;
    if (end - at >= kShortestRun) {
      push(out, Range::kUnknown, unknown_from, from + at);
      push(out, Range::kPadding, from + at, from + end);
      unknown_from = from + end;
    }
    at = end;
  }
  push(out, Range::kUnknown, unknown_from, to);
}

}  // namespace

std::vector<Span> settle(std::vector<Span> claims, Bytes whole) {
  for (Span& claim : claims) {  // formats may claim past the end of a truncated container
    claim.offset = std::min(claim.offset, whole.size());
    claim.length = std::min(claim.length, whole.size() - claim.offset);
  }
  std::ranges::stable_sort(claims, {}, &Span::offset);
  std::vector<Span> spans;
  for (const Range range : {Range::kContent, Range::kEncrypted, Range::kHeader, Range::kPadding}) {
    std::vector<Span> of_range;
    for (const Span& claim : claims)
      if (claim.range == range && claim.length > 0) of_range.push_back(claim);
    spans = layer(spans, of_range, range);
  }
  std::vector<Span> all;
  uint64_t at = 0;
  for (const Span& span : spans) {
    if (span.offset > at) split_gap(all, whole, at, span.offset);
    push(all, span.range, span.offset, span.offset + span.length);
    at = span.offset + span.length;
  }
  if (at < whole.size()) split_gap(all, whole, at, whole.size());
  uint64_t sum = 0;
  for (const Span& span : all) {
    ASSAY_CHECK(span.offset == sum);
    sum += span.length;
  }
  ASSAY_CHECK(sum == whole.size());
  return all;
}

}  // namespace assay::unpack
