// What the formats of UEFI share: GUIDs and their names, and the walk over the sections of a file.
#pragma once
#include "unpack/format.h"

namespace assay::unpack {

// "8C8CE578-8A3D-4F1C-9935-896185C32DD3", as UEFI prints them; the first three fields are little endian.
std::string guid_text(Bytes bytes, uint64_t at);
std::string utf16_text(Bytes bytes);  // up to a NUL, as UTF-8

// Entries of the sections in `sections` (which lies in `whole`), below `path`. Compressed ones are decoded and walked.
Result<void> put_uefi_sections(Bytes whole, Bytes sections, const std::string& path, Sink& into);

}  // namespace assay::unpack
