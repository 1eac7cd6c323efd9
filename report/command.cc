// The command line that shows an evidence again.
#include "report/report.h"
#include "report/words.h"

#include "core/text.h"

#include <fmt/format.h>

namespace assay::report {
namespace {

std::string shell_word(std::string_view text) {
  const bool plain =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+:@%,=") ==
      std::string_view::npos;
  if (plain && !text.empty()) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The name of the input as the host has it. Bytes that no terminal shows are written the way bash reads them back.
std::string quoted_name(std::string_view name) {
  const std::string escaped = escape(name);
  if (escaped == name) return shell_word(name);
  std::string out = "$'";
  for (const char c : escaped) out += c == '\'' ? std::string("\\x27") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string uri_of(std::string_view way) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : way) {
    const auto byte = static_cast<uint8_t>(c);
    if (std::isalnum(byte) || std::string_view("-._~/!$&'()*+,;=@").contains(c))
      out += c;
    else
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::string full_way(const Examination& examination, std::string_view way) {
  const std::string name = escape(examination.name);
  return way.empty() ? name : name + "/" + std::string(way);
}

std::string command_for(const Examination& examination, const Evidence& evidence, std::string_view image) {
  const std::string from(image.empty() ? std::string_view(examination.name) : image);
  const std::string way = evidence.artifact.empty() ? "." : evidence.artifact;
  if (evidence.length == 0) return fmt::format("assay ls {} {}", quoted_name(from), shell_word(way));
  const bool binary = evidence.shows.find("\\x") != std::string::npos || !looks_like_text(evidence.shows);
  return fmt::format("assay cat {} {} | tail -c +{} | head -c {}{}", quoted_name(from), shell_word(way),
                     evidence.offset + 1, evidence.length, binary ? " | xxd" : "");
}

}  // namespace assay::report
