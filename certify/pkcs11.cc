#include "certify/pkcs11.h"

#include "certify/files.h"
#include "certify/key_backend.h"
#include "core/text.h"

#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <p11-kit/pkcs11.h>

#include <map>
#include <mutex>

namespace assay::certify {
namespace {

// PKCS #11 3.0; headers of 2.40 lack them.
constexpr CK_KEY_TYPE kEdwardsKey = 0x40;
constexpr CK_MECHANISM_TYPE kEddsa = 0x1057;

using UriAttributes = std::map<std::string, std::string, std::less<>>;

int hex_digit(char c) {
  const size_t at = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) return fail(Fault::kMalformed, "PKCS#11 URI: % without two hex digits");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

Result<void> read_attribute(std::string_view piece, UriAttributes& attributes) {
  const size_t equals = piece.find('=');
  const std::string name(piece.substr(0, equals));
  for (const char* known : {"token", "object", "module-path", "pin-source", "pin-value"})
    if (equals != std::string_view::npos && name == known) {
      attributes[name] = TRY(percent_decoded(piece.substr(equals + 1)));
      return {};
    }
  return fail(Fault::kMalformed, "PKCS#11 URI: attribute " + name +
                                     " is not read; token, object, module-path, pin-source and pin-value are");
}

Result<UriAttributes> read_uri(std::string_view uri) {
  uri.remove_prefix(std::string_view("pkcs11:").size());
  const size_t query = uri.find('?');
  UriAttributes out;
  for (const std::string_view piece : split(uri.substr(0, query), ';')) TRY_VOID(read_attribute(piece, out));
  if (query != std::string_view::npos)
    for (const std::string_view piece : split(uri.substr(query + 1), '&')) TRY_VOID(read_attribute(piece, out));
  for (const char* needed : {"token", "object", "module-path"})
    if (!out.contains(needed))
      return fail(Fault::kMalformed, std::string("PKCS#11 URI: attribute ") + needed + " is missing");
  return out;
}

Result<std::string> pin_of(const UriAttributes& attributes) {
  if (const auto value = attributes.find("pin-value"); value != attributes.end()) return value->second;
  const auto source = attributes.find("pin-source");
  if (source == attributes.end()) return fail(Fault::kMalformed, "PKCS#11 URI: neither pin-source nor pin-value");
  std::string path = source->second;
  if (path.starts_with("file:")) path.erase(0, 5);
  return std::string(trim(TRY(read_file(path, 4096))));
}

std::unexpected<Error> refused(const std::string& call, CK_RV code) {
  const char* known = code == CKR_PIN_INCORRECT ? " (the PIN is wrong)"
                      : code == CKR_PIN_LOCKED  ? " (the PIN is locked)"
                                                : "";
  return fail(Fault::kIo, "PKCS#11: " + call + " answered " + std::to_string(code) + known);
}

// A loaded module, which all keys in it share: it is closed when the last of them is gone.
class Module {
 public:
  static Result<std::shared_ptr<Module>> open(const std::string& path) {
    static std::mutex mutex;
    static std::map<void*, std::weak_ptr<Module>> all;  // a library has one handle, whatever path leads to it
    const std::lock_guard lock(mutex);
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return fail(Fault::kIo, "PKCS#11: cannot load module-path: " + std::string(dlerror()));
    auto module = std::make_shared<Module>(handle);
    if (auto known = all[handle].lock()) return known;  // and the second reference to the library goes
    TRY_VOID(module->initialize(path));
    all[handle] = module;
    return module;
  }

  explicit Module(void* handle) : handle_(handle) {}
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module() {
    if (initialized_) calls_->C_Finalize(nullptr);
    dlclose(handle_);
  }

  const CK_FUNCTION_LIST* calls() const { return calls_; }

  // A program is logged in to a token once for all its sessions, and the token then looks at no further PIN.
  Result<void> log_in(CK_SLOT_ID slot, CK_SESSION_HANDLE session, std::string& pin) {
    const Digest digest = sha256(Bytes(pin));
    const CK_RV code = calls_->C_Login(session, CKU_USER, reinterpret_cast<unsigned char*>(pin.data()), pin.size());
    if (code == CKR_OK) pins_[slot] = digest;
    if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) return refused("C_Login", code);
    if (const auto at = pins_.find(slot); at != pins_.end() && at->second == digest) return {};
    return fail(Fault::kIo, "PKCS#11: the PIN is wrong: it is not the one that opened the token for another key");
  }

 private:
  Result<void> initialize(const std::string& path) {
    const auto list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(handle_, "C_GetFunctionList"));
    if (!list) return fail(Fault::kIo, "PKCS#11: " + path + " is no PKCS#11 module");
    if (const CK_RV code = list(&calls_); code != CKR_OK) return refused("C_GetFunctionList", code);
    const CK_RV code = calls_->C_Initialize(nullptr);
    if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) return refused("C_Initialize", code);
    initialized_ = code == CKR_OK;
    return {};
  }

  void* handle_;
  bool initialized_ = false;  // by this program's keys, so that they may close it
  CK_FUNCTION_LIST* calls_ = nullptr;
  std::map<CK_SLOT_ID, Digest> pins_;  // SHA-256 of the PIN that logged in
};

#define CALL(function, ...)                                                                                   \
  do {                                                                                                        \
    if (const CK_RV code_ = calls_->function(__VA_ARGS__); code_ != CKR_OK) return refused(#function, code_); \
  } while (false)

// r and s of equal length, as PKCS #11 gives an ECDSA signature, to the DER of X9.62.
Result<std::string> der_signature(std::string_view raw) {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* at = reinterpret_cast<const unsigned char*>(raw.data());
  const int half = static_cast<int>(raw.size() / 2);
  ECDSA_SIG_set0(signature, BN_bin2bn(at, half, nullptr), BN_bin2bn(at + half, half, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  ECDSA_SIG_free(signature);
  if (size <= 0) return fail(Fault::kMalformed, "PKCS#11: the signature is no pair of numbers");
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string_view fixed_text(const unsigned char* text, size_t size) {  // padded with blanks, not ended by NUL
  std::string_view view(reinterpret_cast<const char*>(text), size);
  return view.substr(0, view.find_last_not_of(' ') + 1);
}

class InModule final : public SigningKey::Backend {
 public:
  ~InModule() override {
    if (session_) calls_->C_CloseSession(session_);
  }

  Result<void> start(const UriAttributes& attributes) {
    module_ = TRY(Module::open(attributes.at("module-path")));
    calls_ = module_->calls();
    const CK_SLOT_ID slot = TRY(find_slot(attributes.at("token")));
    CALL(C_OpenSession, slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_);
    std::string pin = TRY(pin_of(attributes));
    TRY_VOID(module_->log_in(slot, session_, pin));
    private_ = TRY(find_object(CKO_PRIVATE_KEY, attributes.at("object")));
    return read_public_key(TRY(find_object(CKO_PUBLIC_KEY, attributes.at("object"))));
  }

  Result<std::string> sign(std::string_view message) override {
    const bool edwards = public_key.algorithm == Algorithm::kEd25519;
    std::string data(message);
    if (!edwards) {
      const Digest digest = sha256(Bytes(message));
      data.assign(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
    }
    CK_MECHANISM mechanism{edwards ? kEddsa : CKM_ECDSA, nullptr, 0};
    CALL(C_SignInit, session_, &mechanism, private_);
    std::string out(256, '\0');
    CK_ULONG size = out.size();
    CALL(C_Sign, session_, reinterpret_cast<unsigned char*>(data.data()), data.size(),
         reinterpret_cast<unsigned char*>(out.data()), &size);
    out.resize(size);
    if (edwards) return out;
    return der_signature(out);
  }

  Result<std::string> pem() override { return fail(Fault::kUnsupported, "the key does not leave its PKCS#11 module"); }

 private:
  Result<CK_SLOT_ID> find_slot(const std::string& label) {
    CK_ULONG count = 64;
    CK_SLOT_ID slots[64];
    CALL(C_GetSlotList, CK_TRUE, slots, &count);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info;
      if (calls_->C_GetTokenInfo(slots[i], &info) == CKR_OK && fixed_text(info.label, sizeof info.label) == label)
        return slots[i];
    }
    return fail(Fault::kIo, "PKCS#11: no token is called " + label);
  }

  Result<CK_OBJECT_HANDLE> find_object(CK_OBJECT_CLASS kind, std::string label) {
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_LABEL, label.data(), label.size()}};
    CALL(C_FindObjectsInit, session_, wanted, 2);
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    const CK_RV code = calls_->C_FindObjects(session_, found, 2, &count);
    calls_->C_FindObjectsFinal(session_);
    if (code != CKR_OK) return refused("C_FindObjects", code);
    const char* what = kind == CKO_PRIVATE_KEY ? "private" : "public";
    if (count != 1)
      return fail(Fault::kIo,
                  "PKCS#11: " + std::string(count ? "more than one " : "no ") + what + " key is called " + label);
    return found[0];
  }

  Result<void> read_public_key(CK_OBJECT_HANDLE object) {
    CK_KEY_TYPE type = 0;
    std::string point(256, '\0'), curve(256, '\0');
    CK_ATTRIBUTE wanted[] = {{CKA_KEY_TYPE, &type, sizeof type},
                             {CKA_EC_POINT, point.data(), point.size()},
                             {CKA_EC_PARAMS, curve.data(), curve.size()}};
    if (const CK_RV code = calls_->C_GetAttributeValue(session_, object, wanted, 1); code != CKR_OK)
      return refused("C_GetAttributeValue", code);
    if (type != CKK_EC && type != kEdwardsKey)
      return fail(Fault::kUnsupported, "PKCS#11: wrong key type: only Ed25519 and P-256 keys are used");
    CALL(C_GetAttributeValue, session_, object, wanted, 3);
    point.resize(wanted[1].ulValueLen);
    // The point stands in an OCTET STRING; some modules leave that out.
    const size_t length = type == kEdwardsKey ? 32 : 65;
    if (point.size() == length + 2 && point[0] == 4 && static_cast<uint8_t>(point[1]) == length) point.erase(0, 2);
    const PublicKey read = type == kEdwardsKey ? ed25519_public_key(point) : p256_public_key(point);
    public_key = TRY(public_key_from_spki(read.spki));
    return {};
  }

  std::shared_ptr<Module> module_;
  const CK_FUNCTION_LIST* calls_ = nullptr;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE private_ = 0;
};

}  // namespace

Result<std::unique_ptr<SigningKey::Backend>> open_pkcs11(const std::string& uri) {
  const UriAttributes attributes = TRY(read_uri(uri));
  auto key = std::make_unique<InModule>();
  TRY_VOID(key->start(attributes));
  return key;
}

}  // namespace assay::certify
