// What the readers of vendors' containers share: sums, text fields as notes, checksums as facts, signatures that
// nobody can check without the maker's key, and encrypted ranges with and without a documented key.
#pragma once
#include "unpack/format.h"

#include <optional>

namespace assay::unpack {

uint32_t byte_sum(Bytes bytes);                                               // of all bytes, modulo 2^32
uint32_t word_sum(Bytes bytes, Order order);                                  // of whole words of 32 bits, modulo 2^32
std::string xor_with(Bytes bytes, std::string_view key, uint64_t phase = 0);  // the key repeated, from its byte `phase`
// RFC 4648, white space and padding ignored; none where another character stands.
std::optional<std::string> base64_decoded(std::string_view text);

// A text field up to its first NUL as a note, white space off its ends; nothing when it is empty.
void note_text(Bytes whole, uint64_t at, uint64_t length, std::string_view name, Sink& into);

// Passes it on; where it is invalid, as a problem too.
void state_integrity(Integrity i, Sink& into);
// A checksum in the same way.
void state_checksum(std::string_view name, std::string_view algorithm, bool holds, uint64_t offset, Sink& into);

// A signature that is there and cannot be checked: its public key is in the device, not in the image.
Integrity unchecked_signature(std::string_view name, std::string_view algorithm, uint64_t offset);

// What a documented key opened: `plain` becomes a child that was decoded from `from`. `documented`: where the key
// stands. Nothing else may have been written to the sink's output.
Result<void> opened_child(std::string_view name, Bytes from, std::string_view plain, std::string_view scheme,
                          std::string_view documented, Sink& into);

// Bytes that are encrypted and that no public key opens.
void leave_encrypted(Bytes from, std::string why, Sink& into);

}  // namespace assay::unpack
