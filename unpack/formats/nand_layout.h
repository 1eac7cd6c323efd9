// How the pages of a NAND dump are laid out: where a page's data, its error correcting codes and its other spare bytes
// stand, found by computing the codes and looking for them.
#pragma once
#include "core/bytes.h"
#include "unpack/nand_ecc.h"

#include <string>
#include <vector>

namespace assay::unpack {

struct NandPiece {  // of a page with its spare bytes
  uint32_t at = 0, length = 0;
};

struct NandStep {  // what one code word covers, and where its check bytes stand
  std::vector<NandPiece> message;
  std::vector<uint32_t> stored;
};

struct NandLayout {
  std::vector<NandPiece> data;  // what a reader of the flash gets, in order
  std::vector<NandStep> steps;  // empty: no known code was found
  std::shared_ptr<const Ecc> ecc;
  std::string name;
};

struct NandGeometry {
  uint32_t page = 0, spare = 0;
  uint32_t raw() const { return page + spare; }
  uint32_t pages_per_block() const;  // as chips of this page size have them
  uint32_t marker() const;           // of a bad block, in the page with its spare bytes
};

struct NandDump {
  NandGeometry geometry;
  std::vector<NandLayout> layouts;  // one or more; a chip's boot area may be written with another code than the rest
  bool verified = false;            // codes agree, or blocks of a flash file system stand where its blocks begin
};

// None: not a whole number of pages of a known size, or nothing says that spare bytes stand between them.
Result<NandDump> find_nand_layout(Bytes dump);

// The layout of pages whose codes are not known: data, then spare bytes.
NandLayout plain_layout(const NandGeometry& geometry);

struct NandPage {
  uint32_t corrected = 0;  // bits
  uint32_t failed = 0;     // steps that could not be corrected
  bool erased = false;
};
// Corrects a page in place. `raw`: a page with its spare bytes.
NandPage correct_page(const NandLayout& layout, std::span<std::byte> raw);

}  // namespace assay::unpack
