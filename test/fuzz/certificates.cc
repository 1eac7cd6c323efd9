// Every reader of certify/ and of the declaration: the first byte chooses one, the rest is its input. A real
// certificate is made once; the second kind of input is a change to it, which must be refused whatever it is.
#include "certify/certificate.h"
#include "certify/checkpoint.h"
#include "certify/evidence_file.h"
#include "certify/fact_root.h"
#include "certify/files.h"
#include "certify/http.h"
#include "certify/issue.h"
#include "certify/outside.h"
#include "certify/policy.h"
#include "certify/requirements.h"
#include "certify/terms.h"
#include "certify/tiles.h"
#include "certify/trust.h"
#include "certify/waiver.h"
#include "checks/check.h"
#include "checks/mud.h"

#include <cstdlib>

using namespace assay;
using namespace assay::certify;

namespace {

struct World {
  std::string certificate;
  VerifierKey log;
};

World make_world() {
  char name[] = "/tmp/assay-fuzz-XXXXXX";
  const std::string folder = mkdtemp(name);
  const auto key = SigningKey::generate(Algorithm::kEd25519);
  ASSAY_CHECK(write_durably(folder + "/key", *key->pem(), 0600) &&
              Log::init(folder + "/log", folder + "/key", "log/f"));
  auto log = Log::open(folder + "/log");
  const std::string digest(64, 'a');
  World out{*issue({kVerdictType, {{"fw", digest}}, "{\"verificationResult\":\"PASSED\"}"}, {}, *key, *log),
            log->key()};
  ASSAY_CHECK(std::system(("rm -rf " + folder).c_str()) == 0);
  return out;
}

// Two bytes of offset, one of length, then what stands there instead.
void change(const World& world, std::string_view input) {
  if (input.size() < 3) return;
  std::string text = world.certificate;
  const size_t at = (static_cast<uint8_t>(input[0]) * 256u + static_cast<uint8_t>(input[1])) % text.size();
  text.replace(at, static_cast<uint8_t>(input[2]) % 64, input.substr(3));
  ASSAY_CHECK(text == world.certificate || !read_certificate(text, "changed"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const World kWorld = make_world();
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 20) {
    case 0:
      read_certificate(input, "f");
      break;
    case 1:
      change(kWorld, input);
      break;
    case 2:
      parse_note(input, "f");
      break;
    case 3:
      open_checkpoint(input, kWorld.log, "f");
      break;
    case 4:
      parse_verifier_key(input);
      break;
    case 5:
      unpack_entries(input, 256, "f");
      break;
    case 6:
      read_policy(input);
      break;
    case 7:
      checks::read_declaration(input);
      break;
    case 8:
      read_arrows(input, "f");
      break;
    case 9:
      read_trust(input, "f");
      break;
    case 10:
      public_key_from_pem(input, "f"), public_key_from_spki(input);
      break;
    case 11:
      is_served(input);
      break;
    case 12:
      read_nmap(input, nullptr);
      break;
    case 13:
      read_sarif(input);
      break;
    case 14:
      read_manual(input);
      break;
    case 15:
      read_evidence(input);
      break;
    case 16:
      waiver_payload_of(input);
      break;
    case 17:
      read_standard("f", input);
      break;
    case 18:
      checks::read_mud(input);
      break;
    default:
      read_terms(input, "f");
      break;
  }
  return 0;
}
