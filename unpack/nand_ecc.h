// The error correcting codes that NAND controllers and drivers store in the spare bytes of a page: Hamming (one wrong
// bit in 256 or 512 bytes) and BCH, each in the variants met: order of bits, inverted, or masked so that erased flash
// is a valid code word.
// Source: Linux drivers/mtd/nand/ecc-sw-hamming.c, ecc-sw-bch.c, raw/omap2.c; github.com/ak-hard/brcm-nand-bch.
#pragma once
#include "unpack/bch.h"

#include <memory>
#include <string>

namespace assay::unpack {

struct EccKind {
  enum class Mask : uint8_t { kNone, kInverted, kErased };
  uint32_t m = 0, t = 1, polynomial = 0;  // of BCH; m = 0: Hamming
  bool reversed = false;                  // the lowest bit of each byte first
  bool swapped = false;                   // Hamming: SmartMedia's order of the first two bytes
  bool nibble = false;  // BCH: the remainder begins in the middle of a byte, whose upper half it covers
  Mask mask = Mask::kNone;
};

class Ecc {
 public:
  // `message`: bytes that one code covers. `bch`: tables of the same code, where they exist already.
  Ecc(const EccKind& kind, size_t message, std::shared_ptr<const Bch> bch = nullptr);

  size_t bytes() const { return bytes_; }
  size_t message() const { return message_; }
  uint32_t strength() const { return kind_.t; }
  const EccKind& kind() const { return kind_; }
  std::string name() const;
  const std::shared_ptr<const Bch>& bch() const { return bch_; }

  // What would be stored for `message`. `first`: the first byte stored, whose upper half a nibble code covers.
  std::vector<uint8_t> computed(std::span<const std::byte> message, uint8_t first = 0) const;

  // Corrects both in place; how many bits were wrong, or none when they are too many.
  std::optional<uint32_t> correct(std::span<std::byte> message, std::span<uint8_t> stored) const;

 private:
  std::vector<uint8_t> unmasked(std::span<const std::byte> message, uint8_t first) const;
  Bch::Remainder remainder(std::span<const std::byte> message, uint8_t first) const;
  std::optional<uint32_t> correct_hamming(std::span<std::byte> message, std::span<uint8_t> stored) const;
  std::optional<uint32_t> correct_bch(std::span<std::byte> message, std::span<uint8_t> stored) const;

  EccKind kind_;
  size_t message_, bytes_;
  std::shared_ptr<const Bch> bch_;  // shared: the same code is tried with several masks and orders
  std::vector<uint8_t> mask_;
};

}  // namespace assay::unpack
