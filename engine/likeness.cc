#include "engine/likeness.h"

#include "core/freed.h"

#include <openssl/evp.h>
#include <sys/random.h>

namespace assay::engine {
namespace {

EVP_MAC_CTX* context(void* p) { return static_cast<EVP_MAC_CTX*>(p); }

}  // namespace

std::shared_ptr<Likeness> Likeness::of_this_run() {
  std::shared_ptr<Likeness> made(new Likeness);
  if (getrandom(made->key_.data(), made->key_.size(), 0) != static_cast<ssize_t>(made->key_.size())) return nullptr;
  const std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>> kind(EVP_MAC_fetch(nullptr, "POLY1305", nullptr));
  if (kind) made->context_ = EVP_MAC_CTX_new(kind.get());
  return made->context_ ? made : nullptr;
}

Likeness::~Likeness() { EVP_MAC_CTX_free(context(context_)); }

Digest Likeness::of(Bytes bytes) {
  Digest out;
  size_t length = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  ASSAY_CHECK(EVP_MAC_init(context(context_), key_.data(), key_.size(), nullptr) == 1 &&
              EVP_MAC_update(context(context_), data, bytes.size()) == 1 &&
              EVP_MAC_final(context(context_), out.bytes.data(), &length, out.bytes.size()) == 1);
  return out;
}

}  // namespace assay::engine
