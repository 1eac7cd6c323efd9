// SHA-256 (FIPS 180-4, through libcrypto) and the checksums that formats carry.
#pragma once
#include "core/bytes.h"

#include <array>
#include <compare>

namespace assay {

struct Digest {
  std::array<uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  std::string hex() const;
};

Digest sha256(Bytes bytes);
std::array<uint8_t, 16> md5(Bytes bytes);  // RFC 1321; only to check what formats carry
// Of several ranges one behind the other, without a copy of them: formats lay a salt over part of an image.
std::array<uint8_t, 16> md5_together(std::span<const Bytes> pieces);
std::array<uint8_t, 20> sha1(Bytes bytes);

// Feeds SHA-256 piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> piece);
  Digest finish();  // and starts afresh

 private:
  void* context_;
};

// CRC-32 (IEEE 802.3) with the usual inversions, continued from `before`.
uint32_t crc32(Bytes bytes, uint32_t before = 0);
// The same register without inversions: starts at `seed`, is not inverted at the end (TRX, JFFS2, UBI: seed ~0 or 0).
uint32_t crc32_raw(Bytes bytes, uint32_t seed = ~0u);
uint16_t crc16_arc(Bytes bytes, uint16_t seed);     // polynomial 0x8005, reflected, not inverted
uint16_t crc16_ccitt(Bytes bytes, uint16_t seed);   // polynomial 0x1021, not reflected
uint32_t crc32c(Bytes bytes, uint32_t seed = ~0u);  // Castagnoli, reflected, not inverted at the end (ext4)

// Set by fuzz targets only: every checksum holds, else no mutation gets past the first.
inline bool checksums_ignored = false;

// Whether a stored checksum holds.
template <class T>
bool checksum_holds(const T& computed, const T& stored) {
  return computed == stored || checksums_ignored;
}

std::string hex(std::span<const uint8_t> bytes);

}  // namespace assay
