// What the readers of keys share: keys.cc finds them, keys_x509.cc reads what libcrypto knows, keys_ssh.cc the formats
// of OpenSSH and dropbear.
#pragma once
#include "core/facts.h"

#include <optional>
#include <string>
#include <string_view>

namespace assay::system {

// One PEM block's content under its label ("RSA PRIVATE KEY"). None: the label is no key, or the content does not
// decode.
std::optional<Key> read_der(std::string_view label, std::string_view der);
// A whole file in DER: certificate, key or request, whichever it decodes as completely.
std::optional<Key> guess_der(std::string_view der);

// The public key as OpenSSH writes it (RFC 4253, section 6.6): "ssh-rsa", e, n …
std::optional<Key> read_ssh_blob(std::string_view blob);
// "openssh-key-v1" (OpenSSH, PROTOCOL.key).
std::optional<Key> read_openssh_private(std::string_view bytes);
// A host key of dropbear: the public blob with the private numbers behind it, nothing else (dropbear, signkey.c).
std::optional<Key> read_dropbear(std::string_view bytes);

// Base64 with white space between; none: another byte, or padding in the middle.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace assay::system
