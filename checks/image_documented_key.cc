// image.documented_key: an encrypted part of the image opened with a key that is public. Its encryption keeps nothing
// from a stranger, and if it was meant to show where an image comes from, it does not do that either.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::image_documented_key {
namespace {

constexpr uint32_t kCwe[] = {321};

void run(const Input& input, Report& report) {
  for (const Opened& o : input.facts.opened)
    report.state(Severity::kLow, Confidence::kCertain,
                 place(o.at) + " is encrypted (" + escape(o.scheme) + ") and was opened without a secret: " +
                     escape(o.key) + "; whoever has the image can read it and make another",
                 o.at);
}

}  // namespace

extern const Check kImageDocumentedKey;
const Check kImageDocumentedKey = {
    .id = "image.documented_key",
    .version = 1,
    .title = "Encrypted image that a public key opens",
    .means = "Bytes of the image are encrypted or disguised with a key that is documented in public.",
    .misses = "Keys that are public but not known to the program.",
    .mistakes = "Disguises that were never meant to keep anything secret are stated as well.",
    .cwe = kCwe,
    .run = run,
};

}  // namespace assay::checks::image_documented_key
