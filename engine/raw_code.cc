#include "engine/raw_code.h"

#include "unpack/machine_code.h"

#include <fmt/format.h>

namespace assay::engine {
Result<std::string> settle_raw(Bytes content, CodeQuestion& question) {
  std::string from;
  if (question.cpu == "guess") {
    const unpack::CodeGuess guess = unpack::guess_processor(content);
    if (guess.processor.empty())
      return fail(Fault::kUnsupported, "no processor's functions are recognised in the bytes; give --cpu NAME");
    question.cpu = guess.processor;
    from = "the processor from " + std::to_string(guess.marks) + " starts and ends of functions";
  }
  if (!question.base) {
    const auto address = unpack::guess_load_address(content, unpack::order_of(question.cpu));
    question.base = address ? address->address : 0;
    from += (from.empty() ? "" : ", ") +
            (address ? "the address from " + std::to_string(address->pointers) + " pointers at starts of strings"
                     : std::string("no address: 0 stands for it; give --base ADDRESS"));
  }
  return "read as " + question.cpu + " code from " + fmt::format("{:#x}", *question.base) + " on" +
         (from.empty() ? "" : " (guessed: " + from + ")");
}

}  // namespace assay::engine
