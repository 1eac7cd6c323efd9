// Source: FIPS 180-4 (the function), Intel SHA Extensions (sha256rnds2, sha256msg1, sha256msg2: which words they take).
// One message leaves the processor waiting for each pair of rounds; a second one fills the gaps, at nearly no cost.
#include "core/sha256_lanes.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace assay {
namespace {

#if defined(__x86_64__)

constexpr size_t kBlock = 64;

alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool has_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

// One message: the state in the order that the instructions want (A B E F, C D G H), and what is left to add to it.
struct Lane {
  __m128i abef, cdgh;
  const std::byte* at = nullptr;  // whole blocks of the content, then of `end`
  uint64_t blocks = 0;
  bool padded = false;
  size_t index = 0;
  std::byte end[2 * kBlock];  // the rest of the content, 0x80, zeros, its length in bits
  uint64_t end_blocks = 0;
};

[[gnu::target("sha,sse4.1,ssse3")]] void begin(Lane& lane, Bytes content, size_t index) {
  lane.abef = _mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c));
  lane.cdgh = _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19);
  lane.index = index;
  lane.at = content.data();
  lane.blocks = content.size() / kBlock;
  lane.padded = false;
  const size_t rest = content.size() % kBlock;
  lane.end_blocks = rest + 9 <= kBlock ? 1 : 2;
  std::memset(lane.end, 0, sizeof lane.end);
  if (rest > 0) std::memcpy(lane.end, content.data() + content.size() - rest, rest);
  lane.end[rest] = std::byte{0x80};
  const uint64_t bits = content.size() * 8;
  for (size_t i = 0; i < 8; ++i) lane.end[lane.end_blocks * kBlock - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
}

// Goes on with the padding when the content's own blocks are used up; false: the message is over.
bool goes_on(Lane& lane) {
  if (lane.blocks == 0 && !lane.padded) lane.at = lane.end, lane.blocks = lane.end_blocks, lane.padded = true;
  return lane.blocks > 0;
}

[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline __m128i load(const std::byte* at) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);  // words are big endian
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), order);
}

[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline void four_rounds(__m128i& abef, __m128i& cdgh,
                                                                                __m128i words, int group) {
  const auto* constants = reinterpret_cast<const __m128i*>(kRoundConstants) + group;
  const __m128i sum = _mm_add_epi32(words, _mm_load_si128(constants));
  cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
  abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

// The words of four groups on, out of these sixteen.
[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline __m128i scheduled(__m128i a, __m128i b, __m128i c,
                                                                                 __m128i d) {
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4)), d);
}

template <size_t N>
[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline void add_blocks(Lane* const (&lanes)[N],
                                                                               uint64_t count) {
  __m128i abef[N], cdgh[N], words[N][4];
  for (size_t i = 0; i < N; ++i) abef[i] = lanes[i]->abef, cdgh[i] = lanes[i]->cdgh;
  for (uint64_t block = 0; block < count; ++block) {
    __m128i abef_before[N], cdgh_before[N];
#pragma GCC unroll 2
    for (size_t i = 0; i < N; ++i) {
      abef_before[i] = abef[i], cdgh_before[i] = cdgh[i];
#pragma GCC unroll 4
      for (int w = 0; w < 4; ++w) words[i][w] = load(lanes[i]->at + block * kBlock + 16 * w);
    }
#pragma GCC unroll 16
    for (int group = 0; group < 16; ++group) {
#pragma GCC unroll 2
      for (size_t i = 0; i < N; ++i) {
        __m128i& here = words[i][group % 4];
        four_rounds(abef[i], cdgh[i], here, group);
        if (group < 12)
          here = scheduled(here, words[i][(group + 1) % 4], words[i][(group + 2) % 4], words[i][(group + 3) % 4]);
      }
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < N; ++i) {
      abef[i] = _mm_add_epi32(abef[i], abef_before[i]);
      cdgh[i] = _mm_add_epi32(cdgh[i], cdgh_before[i]);
    }
  }
  for (size_t i = 0; i < N; ++i) {
    lanes[i]->abef = abef[i], lanes[i]->cdgh = cdgh[i];
    lanes[i]->at += count * kBlock;
    lanes[i]->blocks -= count;
  }
}

[[gnu::target("sha,sse4.1,ssse3")]] void add_to_both(Lane& a, Lane& b) {
  add_blocks<2>({&a, &b}, std::min(a.blocks, b.blocks));
}
[[gnu::target("sha,sse4.1,ssse3")]] void add_to_one(Lane& a) { add_blocks<1>({&a}, a.blocks); }

[[gnu::target("sha,sse4.1,ssse3")]] Digest digest_of(const Lane& lane) {
  uint32_t abef[4], cdgh[4];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(abef), lane.abef);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(cdgh), lane.cdgh);
  const uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
  Digest out;
  for (size_t i = 0; i < 32; ++i) out.bytes[i] = static_cast<uint8_t>(words[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

// The longest first, so that none is left over to go on alone for long.
std::vector<size_t> longest_first(std::span<const Bytes> in) {
  std::vector<size_t> order(in.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, std::greater(), [&](size_t i) { return in[i].size(); });
  return order;
}

void two_at_a_time(std::span<const Bytes> in, std::span<Digest> out) {
  const std::vector<size_t> order = longest_first(in);
  Lane lanes[2];
  size_t next = 0;
  bool busy[2] = {};
  for (;;) {
    for (int i = 0; i < 2; ++i) {
      while (!busy[i] || !goes_on(lanes[i])) {
        if (busy[i]) out[lanes[i].index] = digest_of(lanes[i]);
        busy[i] = next < in.size();
        if (!busy[i]) break;
        begin(lanes[i], in[order[next]], order[next]);
        ++next;
      }
    }
    if (!busy[0] && !busy[1]) return;
    if (busy[0] && busy[1])
      add_to_both(lanes[0], lanes[1]);
    else
      add_to_one(lanes[busy[0] ? 0 : 1]);
  }
}

#endif

}  // namespace

void sha256_each(std::span<const Bytes> in, std::span<Digest> out) {
  ASSAY_CHECK(in.size() == out.size());
#if defined(__x86_64__)
  static const bool fast = has_instructions();
  if (fast) return two_at_a_time(in, out);
#endif
  for (size_t i = 0; i < in.size(); ++i) out[i] = sha256(in[i]);
}

}  // namespace assay
