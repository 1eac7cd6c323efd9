// encrypted.not_examined: a part of the image could not be read without a key. No other rule has seen it, so a report
// without findings says nothing about it.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::encrypted_not_examined {
namespace {

constexpr uint32_t kCwe[] = {1059};

void run(const Input& input, Report& report) {
  for (const Encrypted& e : input.facts.encrypted)
    report.state(Severity::kNote, Confidence::kLikely,
                 human_size(e.size) + " of " + place(e.at) + " were not examined: " + escape(e.scheme) +
                     "; nothing in this report speaks about them",
                 e.at);
}

}  // namespace

extern const Check kEncryptedNotExamined;
const Check kEncryptedNotExamined = {
    .id = "encrypted.not_examined",
    .version = 1,
    .title = "Encrypted part that was not examined",
    .means = "Bytes of the image are, or look, encrypted, and no key was given.",
    .misses = "Encrypted parts that no format of the program recognises stand among the unknown bytes instead.",
    .mistakes = "Compressed data in a format that is not known can look encrypted.",
    .cwe = kCwe,
    .run = run,
};

}  // namespace assay::checks::encrypted_not_examined
