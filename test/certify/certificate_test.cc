#include "certify/certificate.h"

#include "certify/files.h"
#include "certify/issue.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::certify {
namespace {

const std::string kDigest(64, 'a');

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
    for (size_t i = 0; i < text->size(); ++i) {
      std::string changed = *text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      EXPECT_FALSE(read_certificate(changed, "cert")) << i;
    }
    for (size_t i = 0; i < text->size(); i += 7) EXPECT_FALSE(read_certificate(text->substr(0, i), "cert")) << i;
    EXPECT_FALSE(issue(verdict, {}, *key, *log));
  }
  ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
}

}  // namespace
}  // namespace assay::certify
