// key.weak: keys and signatures below what is held to be safe: RSA, DSA and Diffie-Hellman below 2048 bits, DSA at all,
// elliptic curves below 224 bits (NIST SP 800-131A rev. 2), certificates signed with MD2, MD4, MD5 or SHA-1. The
// signature of a self-signed certificate proves nothing and is not judged.
#include "checks/words.h"

#include <map>

namespace assay::checks::key_weak {
namespace {

constexpr uint32_t kCwe[] = {326, 327};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PROTECT_TRANSPORT_LAYER",
                                              "TS 33.117 TC_PROTECT_DATA_INFO_TRANSFER_1"};

std::string weak_size(const Key& k) {
  const std::string bits = std::to_string(k.bits) + " bits";
  if (k.algorithm == "dsa") return k.bits == 0 ? "a DSA key" : "a DSA key of " + bits;
  if (k.algorithm == "rsa" && k.bits != 0 && k.bits < 2048) return "an RSA key of " + bits;
  if (k.algorithm == "dh" && k.bits != 0 && k.bits < 2048) return "Diffie-Hellman parameters of " + bits;
  if (k.algorithm == "ec" && k.bits != 0 && k.bits < 224) return "an elliptic curve key of " + bits;
  return "";
}

std::string weak_signature(const Key& k) {
  if (k.kind != "certificate" || k.self_signed) return "";
  const std::string name = lower(k.signature_algorithm);
  for (const std::string_view digest : {"md2", "md4", "md5", "sha1"})
    if (name.find(digest) != std::string::npos) return "a certificate signed with " + k.signature_algorithm;
  return "";
}

void run(const Input& input, Report& report) {
  std::map<std::pair<std::string, std::string>, std::vector<const Key*>> found;  // file, what
  for (const Key& k : input.facts.keys)
    for (const std::string& what : {weak_size(k), weak_signature(k)})
      if (!what.empty()) found[{k.at.artifact, what}].push_back(&k);
  for (const auto& [key, keys] : found) {
    std::vector<Evidence> at;
    bool secret = false;
    for (const Key* k : keys) {
      at.push_back(k->at);
      secret = secret || k->kind == "private-key";
    }
    report.state(secret ? Severity::kMedium : Severity::kLow, Confidence::kCertain,
                 place(at.front()) + " holds " + key.second + " (" + keys.front()->kind + ")" +
                     (at.size() > 1 ? ", and " + std::to_string(at.size() - 1) + " more of the same" : ""),
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kKeyWeak;
const Check kKeyWeak = {
    .id = "key.weak",
    .version = 1,
    .title = "Weak key or signature",
    .means = "A key is shorter than 2048 bits (RSA, DH), is a DSA key, or a certificate is signed with MD5 or SHA-1.",
    .misses = "Keys made when the device runs, and keys drawn from a poor source of random numbers.",
    .mistakes = "Keys kept to recognise old signatures, or used where nothing depends on them.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::key_weak
