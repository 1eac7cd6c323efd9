#include "core/hash.h"

#include "core/freed.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <memory>

namespace assay {
namespace {

EVP_MD_CTX* context(void* p) { return static_cast<EVP_MD_CTX*>(p); }

template <size_t N>
std::array<uint8_t, N> digest(Bytes bytes, const EVP_MD* kind) {
  std::array<uint8_t, N> out{};
  unsigned length = 0;
  ASSAY_CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, kind, nullptr) == 1 && length == N);
  return out;
}

constexpr std::array<uint32_t, 256> kCastagnoli = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (0x82F63B78u & (0u - (value & 1)));
    table[i] = value;
  }
  return table;
}();

}  // namespace

std::string hex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string Digest::hex() const { return assay::hex(bytes); }

Digest sha256(Bytes bytes) { return {digest<32>(bytes, EVP_sha256())}; }
std::array<uint8_t, 16> md5(Bytes bytes) { return digest<16>(bytes, EVP_md5()); }
std::array<uint8_t, 20> sha1(Bytes bytes) { return digest<20>(bytes, EVP_sha1()); }

std::array<uint8_t, 16> md5_together(std::span<const Bytes> pieces) {
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> md5(EVP_MD_CTX_new());
  ASSAY_CHECK(md5 && EVP_DigestInit_ex(md5.get(), EVP_md5(), nullptr) == 1);
  for (const Bytes& piece : pieces) EVP_DigestUpdate(md5.get(), piece.data(), piece.size());
  std::array<uint8_t, 16> out{};
  ASSAY_CHECK(EVP_DigestFinal_ex(md5.get(), out.data(), nullptr) == 1);
  return out;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  ASSAY_CHECK(context_ && EVP_DigestInit_ex(context(context_), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() { EVP_MD_CTX_free(context(context_)); }
void Sha256::add(std::span<const std::byte> piece) { EVP_DigestUpdate(context(context_), piece.data(), piece.size()); }
Digest Sha256::finish() {
  Digest out;
  ASSAY_CHECK(EVP_DigestFinal_ex(context(context_), out.bytes.data(), nullptr) == 1);
  ASSAY_CHECK(EVP_DigestInit_ex(context(context_), EVP_sha256(), nullptr) == 1);
  return out;
}

uint32_t crc32(Bytes bytes, uint32_t before) {
  return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t crc32_raw(Bytes bytes, uint32_t seed) { return ~crc32(bytes, ~seed); }

uint16_t crc16_arc(Bytes bytes, uint16_t seed) {
  uint16_t crc = seed;
  for (const std::byte byte : bytes.span()) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<uint16_t>(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
  }
  return crc;
}

uint16_t crc16_ccitt(Bytes bytes, uint16_t seed) {
  uint16_t crc = seed;
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    crc = static_cast<uint16_t>(crc ^ (bytes[i] << 8));
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<uint16_t>((crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

uint32_t crc32c(Bytes bytes, uint32_t seed) {
  for (uint64_t i = 0; i < bytes.size(); ++i) seed = (seed >> 8) ^ kCastagnoli[(seed ^ bytes[i]) & 255];
  return seed;
}

}  // namespace assay
