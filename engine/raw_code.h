// Questions about bytes without a header, of which the asker leaves the processor or the address to be guessed.
#pragma once
#include "core/bytes.h"
#include "core/code.h"

namespace assay::engine {

// Puts guesses in the place of "guess" and of an absent base; the sentence says what was read as what, and from what it
// was guessed. Fails where nothing can be guessed.
Result<std::string> settle_raw(Bytes content, CodeQuestion& question);

}  // namespace assay::engine
