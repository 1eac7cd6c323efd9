// Keys and certificates: in PEM anywhere in the content (text files, data of programs), as lines of OpenSSH, and as the
// whole file in DER, dropbear's or PKCS#12's form.
//
// The fingerprint is the SHA-256 of the public key as a SubjectPublicKeyInfo, whatever the container: a private key,
// its certificate, its authorized_keys line and dropbear's copy of it have the same one, so that sharing can be seen.
// A key in need of a passphrase is said to be encrypted; no passphrase is tried.
// An OpenSSH public line that begins with its type or with options is "authorized-key" (files *.pub look the same); one
// behind a host name (known_hosts) or inside other text is "public-key". `self_signed` says that subject and issuer are
// the same name; signatures are not checked.
//
// Misses: DER inside of larger binaries, PEM with escaped line ends ("\\n" in C source or JSON), keys as bare numbers,
// PGP, PuTTY and SSH.com formats, contents of PKCS#12 (told as encrypted), public keys of encrypted private keys.
#include "system/keys.h"

#include "core/text.h"
#include "system/file.h"
#include "system/strings.h"

#include <array>

namespace assay::system::keys {
namespace {

using namespace std::string_view_literals;

constexpr size_t kMaxBlock = 64 << 10, kMaxKeys = 2000;
constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----";
// Base64 of the length and type that open every public key of OpenSSH.
constexpr std::array kMarks = {kBegin,
                               "AAAAB3NzaC1yc2EA"sv,
                               "AAAAB3NzaC1kc3MA"sv,
                               "AAAAE2VjZHNhLXNoYTItbmlzdH"sv,
                               "AAAAC3NzaC1lZDI1NTE5"sv,
                               "AAAAGnNrLXNzaC1lZDI1NTE5"sv,
                               "AAAAInNrLWVjZHNhLXNoYTIt"sv};

bool is_secret_label(std::string_view label) { return label.ends_with("PRIVATE KEY"); }

bool is_key_label(std::string_view label) {
  return is_secret_label(label) || label.ends_with("PUBLIC KEY") || label.ends_with("CERTIFICATE") ||
         label.ends_with("CERTIFICATE REQUEST") || label == "DH PARAMETERS";
}

struct Block {
  std::string_view label, headers, body;
  size_t length = 0;  // with both lines
};

// RFC 7468 with RFC 1421 headers ("Proc-Type: 4,ENCRYPTED"). None: a mention of the line only.
std::optional<Block> read_block(std::string_view text) {
  Block block;
  const size_t end_of_label = text.substr(0, 80).find(kDashes, kBegin.size());
  if (end_of_label == text.npos) return std::nullopt;
  block.label = text.substr(kBegin.size(), end_of_label - kBegin.size());
  const std::string end = "-----END " + std::string(block.label) + "-----";
  const size_t from = end_of_label + kDashes.size(), to = text.substr(0, kMaxBlock).find(end, from);
  if (to == text.npos) return std::nullopt;
  block.length = to + end.size();
  block.body = trim(text.substr(from, to - from));
  if (block.body.starts_with("Proc-Type:")) {
    size_t blank = block.body.find("\n\n");
    if (blank == text.npos) blank = block.body.find("\r\n\r\n");
    if (blank == text.npos) return std::nullopt;
    block.headers = block.body.substr(0, blank);
    block.body.remove_prefix(blank);
  }
  return block;
}

std::string algorithm_of_label(std::string_view label) {
  if (label == "RSA PRIVATE KEY") return "rsa";
  if (label == "DSA PRIVATE KEY") return "dsa";
  return label == "EC PRIVATE KEY" ? "ec" : "";
}

std::optional<Key> read_key(const Block& block, const std::string& content) {
  if (block.headers.find("ENCRYPTED") != block.headers.npos) {
    Key key;
    key.kind = "private-key";
    key.container = "pem";
    key.encrypted = true;
    key.algorithm = algorithm_of_label(block.label);
    return key;
  }
  return block.label == "OPENSSH PRIVATE KEY" ? read_openssh_private(content) : read_der(block.label, content);
}

void keep(Facts& out, Key key, uint64_t at, uint64_t length, std::string shows) {
  key.at = {"", at, length, shows.substr(0, 200)};
  out.keys.push_back(std::move(key));
}

// Returns the length of the block read, 0 if there is none.
size_t read_pem(std::string_view text, uint64_t at, Facts& out) {
  const auto block = read_block(text.substr(at));
  if (!block || !is_key_label(block->label)) return 0;
  const auto content = decode_base64(block->body);
  if (!content || content->empty()) {
    if (block->body.empty() || block->body.find('\0') != text.npos) return 0;  // lines of a program that writes PEM
    out.problems.push_back({"", Fault::kMalformed, "keys: " + std::string(block->label) + " is not base64", at});
    return 0;
  }
  auto key = read_key(*block, *content);
  if (!key) {
    out.problems.push_back({"", Fault::kMalformed, "keys: " + std::string(block->label) + " does not decode", at});
    return block->length;
  }
  const std::string subject = key->subject;
  keep(out, std::move(*key), at, block->length,
       "-----BEGIN " + std::string(block->label) + "-----" + (subject.empty() ? "" : " " + subject));
  return block->length;
}

bool is_base64(char c) { return is_alphanumeric(c) || c == '+' || c == '/' || c == '='; }

// Whether the words before the key on its line are none, its type, or options and its type (sshd(8), AUTHORIZED_KEYS).
bool is_authorized_line(std::string_view before) {
  if (before.starts_with("ssh-") || before.starts_with("ecdsa-") || before.starts_with("sk-")) return true;
  for (const std::string_view option : {"command=", "from=", "no-", "restrict", "environment=", "permit",
                                        "cert-authority", "expiry-time=", "principals=", "tunnel="})
    if (before.starts_with(option)) return true;
  return false;
}

void read_line(std::string_view text, uint64_t at, Facts& out) {
  size_t end = at;
  while (end < text.size() && end - at < kMaxBlock && is_base64(text[end])) ++end;
  const auto blob = decode_base64(text.substr(at, end - at));
  auto key = blob ? read_ssh_blob(*blob) : std::nullopt;
  if (!key) return;  // base64 that begins alike
  size_t line = at;
  while (line > 0 && at - line < 4096 && text[line - 1] != '\n' && text[line - 1] != '\0') --line;
  const std::string_view before = trim(text.substr(line, at - line));
  if (before.starts_with('#')) return;  // commented out
  if (is_authorized_line(before)) key->kind = "authorized-key";
  size_t comment = end;
  while (comment < text.size() && comment - end < 80 && is_printable(text[comment])) ++comment;
  const std::string shows = std::string(before.substr(0, 60)) + " " + std::string(text.substr(at, 24)) + "…" +
                            std::string(text.substr(end, comment - end));
  keep(out, std::move(*key), at, end - at, shows);
}

// PFX (RFC 7292): SEQUENCE, INTEGER 3, SEQUENCE, OBJECT IDENTIFIER pkcs7-data or signedData.
bool is_pkcs12(std::string_view b) {
  return b.size() > 64 && b.starts_with("\x30\x82") && b.substr(4, 4) == "\x02\x01\x03\x30" &&
         b.substr(8, 8).find("\x06\x09\x2a\x86\x48"sv) != b.npos;
}

bool read_whole(std::string_view b, Facts& out) {
  std::optional<Key> key;
  std::string_view shows;
  if (b.starts_with("\0\0\0"sv) && b.size() < kMaxBlock) key = read_dropbear(b), shows = "dropbear host key";
  if (b.starts_with("\x30") && is_pkcs12(b)) {
    Encrypted sealed;
    sealed.scheme = "PKCS#12 store, version 3: its keys ask for a passphrase";
    sealed.size = b.size();
    sealed.at = {"", 0, b.size(), "PKCS#12"};
    out.encrypted.push_back(std::move(sealed));
    return true;
  }
  if (b.starts_with("\x30")) key = guess_der(b), shows = "DER";
  if (!key) return false;
  const std::string label = std::string(shows) + (key->subject.empty() ? "" : " " + key->subject);
  keep(out, std::move(*key), 0, b.size(), label);
  return true;
}

std::span<const std::string_view> words() { return kMarks; }

void run(Bytes content, const Marks& marks, Facts& out) {
  const std::string_view text = content.text();
  if (read_whole(text, out)) return;
  size_t found = 0, done = 0;
  marks.each([&](uint32_t i, uint64_t at) {
    if (at < done || found > kMaxKeys) return;
    if (++found > kMaxKeys) {
      out.problems.push_back({"", Fault::kLimit, "keys: more than 2000 places in one file; the rest is not read", at});
    } else if (i == 0) {
      done = at + read_pem(text, at, out);
    } else {
      read_line(text, at, out);
    }
  });
}

}  // namespace

extern const FileAnalysis kKeys;
const FileAnalysis kKeys = {"keys", 1, run, words};

}  // namespace assay::system::keys
