// Keys in a PKCS#11 module (OASIS PKCS #11 3.0): a card, an HSM, a software token. The module is loaded by its path and
// asked through the C interface itself: OpenSSL's way to it is an engine in Debian 12 and a provider in Debian 13.
//
// The key is named by a URI (RFC 7512), of which these attributes are read, everything else is an error:
//   pkcs11:token=LABEL;object=LABEL?module-path=/…/module.so&pin-source=FILE      (or pin-value=PIN)
#pragma once
#include "certify/keys.h"

namespace assay::certify {

Result<std::unique_ptr<SigningKey::Backend>> open_pkcs11(const std::string& uri);

}  // namespace assay::certify
