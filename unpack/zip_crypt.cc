// Three keys of 32 bits, advanced by every plain byte; 12 random bytes come first, the last of which is the highest
// byte of the member's CRC-32, or of its time where the sizes follow the data.
// Source: PKWARE APPNOTE.TXT 6.3.10, 6.1; passwords: fkie-cad/fact_extractor fact_extractor/unpacker/passwords.
#include "unpack/zip_crypt.h"

#include "core/hash.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint64_t kHeader = 12;
constexpr std::string_view kBuffalo = "fact_extractor unpacker/passwords/buffalo";
constexpr DocumentedPassword kPasswords[] = {
    {"1NIf_2yUOlRDpYZUVNqboRpMBoZwT4PzoUvOPUp6l", kBuffalo}, {"aAhvlM1Yp7_2VSm6BhgkmTOrCN1JyE0C5Q6cB3oBB", kBuffalo},
    {"YvSInIQopeipx66t_DCdfEvfP47qeVPhNhAuSYmA4", kBuffalo}, {"IeY8omJwGlGkIbJm2FH_MV4fLsXE8ieu0gNYwE6Ty", kBuffalo},
    {"beUT9Z", "fact_extractor unpacker/passwords/quanta"},  {"test", "fact_extractor unpacker/passwords/test"},
};

uint32_t crc_step(uint32_t crc, uint8_t byte) {
  const auto value = static_cast<std::byte>(byte);
  return crc32_raw(Bytes(std::span(&value, 1)), crc);
}

class Keys {
 public:
  explicit Keys(std::string_view password) {
    for (const char c : password) add(static_cast<uint8_t>(c));
  }
  uint8_t plain(uint8_t cipher) {
    const uint32_t k = (third_ | 2) & 0xffff;
    const auto byte = static_cast<uint8_t>(cipher ^ (k * (k ^ 1)) >> 8);
    add(byte);
    return byte;
  }

 private:
  void add(uint8_t byte) {
    first_ = crc_step(first_, byte);
    second_ = (second_ + (first_ & 0xff)) * 134775813 + 1;
    third_ = crc_step(third_, static_cast<uint8_t>(second_ >> 24));
  }
  uint32_t first_ = 0x12345678, second_ = 0x23456789, third_ = 0x34567890;
};

}  // namespace

std::span<const DocumentedPassword> documented_zip_passwords() { return kPasswords; }

bool zip_password_may_fit(Bytes data, std::string_view password, uint8_t check) {
  if (data.size() < kHeader) return false;
  Keys keys(password);
  uint8_t last = 0;
  for (uint64_t i = 0; i < kHeader; ++i) last = keys.plain(data[i]);
  return last == check;
}

std::string zip_decrypt(Bytes data, std::string_view password) {
  Keys keys(password);
  std::string out(data.text());
  for (char& c : out) c = static_cast<char>(keys.plain(static_cast<uint8_t>(c)));
  return out.substr(std::min<uint64_t>(kHeader, out.size()));
}

}  // namespace assay::unpack
