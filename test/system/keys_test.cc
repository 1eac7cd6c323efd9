// Keys made by openssl and ssh-keygen at test time, in every container; dropbear's from their numbers.
#include "test/system/run_file.h"

#include <gtest/gtest.h>

#include <set>

namespace assay::system {
namespace {

std::vector<Key> keys_of(const std::string& content) { return run_file("keys", content).keys; }

// Files that a script leaves in a scratch directory.
std::string made(const std::string& script, const std::string& file) {
  const Scratch scratch;
  output_of("cd " + scratch.path + " && (" + script + ") >/dev/null");
  return read_file(scratch.path + "/" + file);
}

#define NEED(tool) \
  if (!has_tool(tool)) GTEST_SKIP() << tool " is not installed"

TEST(Keys, PrivateKeyPublicKeyAndCertificateShareAFingerprint) {
  NEED("openssl");
  const Scratch s;
  output_of(
      "cd " + s.path +
      " && openssl genrsa -traditional -out rsa.pem 1024 && openssl pkcs8 -topk8 -nocrypt -in rsa.pem -out p8.pem"
      " && openssl rsa -in rsa.pem -pubout -out pub.pem && openssl rsa -in rsa.pem -RSAPublicKey_out -out rsapub.pem"
      " && openssl req -new -x509 -key rsa.pem -subj '/C=DE/O=Test/CN=router.lan' -days 3650 -set_serial 4660 -out "
      "crt.pem"
      " && openssl req -new -key rsa.pem -subj /CN=x -out csr.pem"
      " && openssl x509 -in crt.pem -outform DER -out crt.der && openssl rsa -in rsa.pem -outform DER -out rsa.der");
  std::set<std::string> fingerprints;
  for (const char* name : {"rsa.pem", "p8.pem", "pub.pem", "rsapub.pem", "crt.pem", "csr.pem", "crt.der", "rsa.der"}) {
    const auto keys = keys_of(read_file(s.path + "/" + name));
    ASSERT_EQ(keys.size(), 1u) << name;
    EXPECT_EQ(keys[0].algorithm, "rsa") << name;
    EXPECT_EQ(keys[0].bits, 1024u) << name;
    EXPECT_FALSE(keys[0].encrypted) << name;
    EXPECT_EQ(keys[0].container, std::string(name).ends_with("der") ? "der" : "pem");
    fingerprints.insert(keys[0].fingerprint);
  }
  EXPECT_EQ(fingerprints.size(), 1u);
  const std::string stated = output_of("openssl pkey -pubin -in " + s.path + "/pub.pem -outform DER | sha256sum");
  EXPECT_EQ(*fingerprints.begin(), stated.substr(0, 64));
  const Key crt = keys_of(read_file(s.path + "/crt.pem"))[0];
  EXPECT_EQ(crt.kind, "certificate");
  EXPECT_EQ(crt.subject, "C = DE, O = Test, CN = router.lan");
  EXPECT_EQ(crt.issuer, crt.subject);
  EXPECT_EQ(crt.serial, "1234");
  EXPECT_EQ(crt.signature_algorithm, "sha256WithRSAEncryption");
  EXPECT_TRUE(crt.self_signed);
  EXPECT_TRUE(crt.authority);
  EXPECT_EQ(*crt.not_after - *crt.not_before, 3650 * 86400);
  const std::string start =
      output_of("date -u +%s -d \"$(openssl x509 -noout -startdate -in " + s.path + "/crt.pem | cut -d= -f2)\"");
  EXPECT_EQ(std::to_string(*crt.not_before) + "\n", start);
}

TEST(Keys, EncryptedKeysAreSaidToBe) {
  NEED("openssl");
  const Scratch s;
  output_of(
      "cd " + s.path +
      " && openssl genrsa -traditional -aes128 -passout pass:secret -out old.pem 1024"
      " && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -aes-128-cbc -pass pass:secret -out new.pem");
  for (const char* name : {"old.pem", "new.pem"}) {
    const auto keys = keys_of(read_file(s.path + "/" + name));
    ASSERT_EQ(keys.size(), 1u) << name;
    EXPECT_TRUE(keys[0].encrypted) << name;
    EXPECT_EQ(keys[0].kind, "private-key");
    EXPECT_EQ(keys[0].fingerprint, "");
  }
}

TEST(Keys, OtherAlgorithms) {
  NEED("openssl");
  const auto one = [](const std::string& script) {
    const auto keys = keys_of(made(script, "k"));
    return keys.size() == 1 ? keys[0] : Key{};
  };
  const Key ec = one("openssl ecparam -name prime256v1 -genkey -noout -out k");
  EXPECT_EQ(ec.algorithm + ec.curve + std::to_string(ec.bits), "ecprime256v1256");
  EXPECT_EQ(one("openssl genpkey -algorithm ed25519 -out k").algorithm, "ed25519");
  EXPECT_EQ(one("openssl genpkey -algorithm x25519 -out k").algorithm, "x25519");
  const Key dh =
      one("openssl genpkey -genparam -algorithm DH -pkeyopt dh_paramgen_prime_len:512 "
          "-out k");
  EXPECT_EQ(dh.kind, "dh-parameters");
  EXPECT_GE(dh.bits, 256u);
}

TEST(Keys, OpenSshFormsShareTheFingerprintOfThePemForm) {
  NEED("ssh-keygen");
  NEED("openssl");
  for (const char* type : {"rsa -b 1024", "ecdsa -b 256", "ed25519"}) {
    const Scratch s;
    output_of("cd " + s.path + " && ssh-keygen -q -t " + type +
              " -N '' -C user@host -f plain && cp plain locked && "
              "ssh-keygen -q -p -N secret -f locked");
    const auto plain = keys_of(read_file(s.path + "/plain")), locked = keys_of(read_file(s.path + "/locked"));
    const auto line = keys_of("# who may enter\n" + read_file(s.path + "/plain.pub"));
    ASSERT_EQ(plain.size() + locked.size() + line.size(), 3u) << type;
    EXPECT_FALSE(plain[0].encrypted);
    EXPECT_TRUE(locked[0].encrypted);
    EXPECT_EQ(plain[0].container, "openssh");
    EXPECT_EQ(line[0].kind, "authorized-key");
    EXPECT_EQ(plain[0].fingerprint, locked[0].fingerprint);
    EXPECT_EQ(plain[0].fingerprint, line[0].fingerprint);
    const std::string known = "router,192.168.1.1 " + read_file(s.path + "/plain.pub");
    EXPECT_EQ(keys_of(known).at(0).kind, "public-key");
    if (std::string(type) == "ed25519") continue;  // ssh-keygen has no PEM for it
    const std::string pem = output_of("ssh-keygen -e -m PKCS8 -f " + s.path + "/plain.pub");
    EXPECT_EQ(keys_of(pem).at(0).fingerprint, plain[0].fingerprint) << type;
  }
}

std::string wire(const std::string& text) {
  std::string out(4, '\0');
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>(text.size() >> 8 * (3 - i));
  return out + text;
}

TEST(Keys, DropbearHostKeys) {
  const std::string n(128, '\x7f'), d(128, '\x11'), p(64, '\x13');
  const auto rsa = keys_of(wire("ssh-rsa") + wire("\x01\x01") + wire(n) + wire(d) + wire(p) + wire(p));
  ASSERT_EQ(rsa.size(), 1u);
  EXPECT_EQ(rsa[0].container, "dropbear");
  EXPECT_EQ(rsa[0].kind, "private-key");
  EXPECT_EQ(rsa[0].bits, 1023u);
  const auto ed = keys_of(wire("ssh-ed25519") + wire(std::string(64, 'k')));
  ASSERT_EQ(ed.size(), 1u);
  EXPECT_EQ(ed[0].algorithm, "ed25519");
  EXPECT_TRUE(keys_of(wire("ssh-rsa") + wire("\x01\x01") + wire(n)).empty());  // public only
  EXPECT_TRUE(keys_of(wire("ssh-rsa") + wire("\x01\x01") + wire(n) + wire(d) + "tail").empty());
}

TEST(Keys, AreFoundInsidePrograms) {
  NEED("openssl");
  const std::string pem = made("openssl genrsa -traditional -out k 1024", "k");
  const std::string program =
      "\x7f"
      "ELF" +
      std::string(500, '\0') + pem + std::string(10, '\0') + "-----BEGIN RSA PRIVATE KEY-----" + std::string(3, '\0') +
      "-----END RSA PRIVATE KEY-----";
  const Facts out = run_file("keys", program);
  ASSERT_EQ(out.keys.size(), 1u);
  EXPECT_EQ(out.keys[0].at.offset, 504u);
  EXPECT_EQ(out.keys[0].at.length, pem.size() - 1);
  EXPECT_TRUE(out.problems.empty());  // the texts of a program that writes PEM are no damaged key
}

TEST(Keys, BundlesDamageAndMentions) {
  NEED("openssl");
  const std::string crt = made("openssl req -new -x509 -newkey rsa:1024 -nodes -keyout k2 -subj /CN=a -out k", "k");
  EXPECT_EQ(keys_of(crt + "\n# text between\n" + crt).size(), 2u);
  EXPECT_TRUE(keys_of("see -----BEGIN CERTIFICATE----- for how").empty());
  const Facts bad = run_file("keys", "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n");
  EXPECT_TRUE(bad.keys.empty());
  EXPECT_EQ(bad.problems.size(), 1u);
  for (size_t n = 0; n < crt.size(); ++n) EXPECT_TRUE(keys_of(crt.substr(0, n)).empty() || n + 1 >= crt.size());
  for (size_t i = 0; i < crt.size(); i += 3) {
    std::string flipped = crt;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    keys_of(flipped);
  }
  const std::string der =
      made("openssl req -new -x509 -newkey rsa:1024 -nodes -keyout k2 -subj /CN=a -outform DER -out k", "k");
  for (size_t n = 0; n < der.size(); ++n) EXPECT_TRUE(keys_of(der.substr(0, n)).empty()) << n;
}

}  // namespace
}  // namespace assay::system
