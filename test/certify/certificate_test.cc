#include "certify/certificate.h"

#include "certify/files.h"
#include "certify/issue.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::certify {
namespace {

const std::string kDigest(64, 'a');

void expect_each_change_rejected(const std::string& text, size_t stride) {
  ASSERT_TRUE(read_certificate(text, "cert"));
  for (size_t i = 0; i < text.size(); i += stride) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    EXPECT_FALSE(read_certificate(changed, "cert")) << i;
  }
  for (size_t i = 0; i < text.size(); i += 7 * stride) EXPECT_FALSE(read_certificate(text.substr(0, i), "cert")) << i;
}

// At every offset of the smallest certificate, a verdict of no inputs under Ed25519; at every 5th of one with an input
// under each algorithm.
TEST(Certificate, EveryChangedByteIsRejected) {
  char name[] = "/tmp/assay-certificate-XXXXXX";
  const std::string folder = mkdtemp(name);
  const auto log_key = SigningKey::generate(Algorithm::kEd25519);
  ASSERT_TRUE(write_durably(folder + "/key", *log_key->pem(), 0600));
  ASSERT_TRUE(Log::init(folder + "/log", folder + "/key", "log.example/t"));
  auto log = Log::open(folder + "/log");
  const Statement input{"https://in-toto.io/attestation/test-result/v0.1", {{"fw", kDigest}}, "{}"};
  const std::string digest = sha256(Bytes(*statement_bytes(input))).hex();
  const Statement verdict{
      kVerdictType, {{"fw", kDigest}}, R"({"inputAttestations":[{"digest":{"sha256":")" + digest + "\"}}]}"};
  for (const Algorithm algorithm : {Algorithm::kEd25519, Algorithm::kP256}) {
    const auto key = SigningKey::generate(algorithm);
    const auto text = issue(verdict, {input}, *key, *log);
    ASSERT_TRUE(text) << text.error().what;
    const auto read = read_certificate(*text, "cert");
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->bundles[0].signer, key->public_key());
    expect_each_change_rejected(*text, 5);
    EXPECT_FALSE(issue(verdict, {}, *key, *log));
  }
  const auto smallest =
      issue({kVerdictType, {{"fw", kDigest}}, "{}"}, {}, *SigningKey::generate(Algorithm::kEd25519), *log);
  ASSERT_TRUE(smallest) << smallest.error().what;
  expect_each_change_rejected(*smallest, 1);
  ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
}

}  // namespace
}  // namespace assay::certify
