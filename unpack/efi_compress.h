// The compression of EFI 1.1 and UEFI (LZ77 with Huffman codes), and Tiano's variant with longer distances.
#pragma once
#include "unpack/output.h"

namespace assay::unpack {

enum class EfiVariant : uint8_t { kEfi, kTiano };

// Packed size (4), size (4), codes. Returns how many bytes of `from` it used.
Result<uint64_t> decode_efi_compressed(Bytes from, EfiVariant variant, Output& into);

}  // namespace assay::unpack
