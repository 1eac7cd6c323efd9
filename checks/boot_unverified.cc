// boot.unverified: the kernel image carries a checksum or a plain hash but no signature, so nothing in it lets a boot
// loader tell the maker's kernel from another (U-Boot: doc/uImage.FIT/signature.txt; a uImage header has CRC-32 only).
#include "checks/words.h"
#include "core/text.h"

#include <map>

namespace assay::checks::boot_unverified {
namespace {

constexpr uint32_t kCwe[] = {1326, 347};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SW_PKG_INTEGRITY_1", "TS 33.117 TC_BOOT_INT_MEM_1"};

bool is_signature(const Boot& b) {
  return b.kind == "image-signature" || b.kind == "verified-boot-key" || b.kind == "dm-verity";
}

// The first header field of each uImage that holds a kernel (type kernel or multi); legacy images hold no other proof
// than their checksums.
std::map<std::string, const FormatNote*> legacy_images(const Facts& facts) {
  std::map<std::string, const FormatNote*> out;
  for (const FormatNote& n : facts.format_notes)
    if (n.format == "uimage" && n.name == "type" && (n.value == "kernel" || n.value == "multi"))
      out.emplace(n.at.artifact, &n);
  return out;
}

void run(const Input& input, Report& report) {
  for (const Boot& b : input.facts.boot)
    if (is_signature(b)) return;  // something verifies; which images it covers is not decided here
  std::map<std::string, std::vector<const Boot*>> hashed;
  for (const Boot& b : input.facts.boot)
    if (b.kind == "image-hash") hashed[b.at.artifact].push_back(&b);
  for (const auto& [artifact, hashes] : hashed) {
    std::vector<Evidence> at;
    for (const Boot* b : hashes) at.push_back(b->at);
    report.state(Severity::kMedium, Confidence::kLikely,
                 "The boot image in " + place(at.front()) + " carries hashes (" + escape(hashes.front()->name) + ": " +
                     in_quotes(hashes.front()->value) +
                     ") and no signature; no key that verifies it was found in the image",
                 at.front(), some(at));
  }
  for (const auto& [artifact, note] : legacy_images(input.facts))
    report.state(Severity::kMedium, Confidence::kLikely,
                 "The boot image in " + place(note->at) +
                     " is a uImage: its header holds CRC-32 checksums and no signature, and no key that verifies it "
                     "was found in the image",
                 note->at);
}

}  // namespace

extern const Check kBootUnverified;
const Check kBootUnverified = {
    .id = "boot.unverified",
    .version = 1,
    .title = "Kernel image without a signature",
    .means = "The kernel's container protects it by a checksum or hash only, and nothing else in the image signs it.",
    .misses = "Signatures that are there and never checked; kernels in containers other than uImage and FIT.",
    .mistakes = "Boot ROMs that verify the flash by a scheme outside the image that was examined.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::boot_unverified
