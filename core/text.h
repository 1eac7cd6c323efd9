// Text that came out of an image, made fit to print, to put in JSON and to name things with.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// Bytes that are not UTF-8, control bytes and the backslash itself as \xNN. One way, no loss: unescape gives it back.
std::string escape(std::string_view raw);
std::string unescape(std::string_view escaped);

bool is_utf8(std::string_view text);  // RFC 3629: no surrogates, no overlong forms
// One character. A lone surrogate is written like any other (is_utf8 then says no); past U+10FFFF: U+FFFD.
void append_utf8(std::string& out, uint32_t code);

std::string_view trim(std::string_view text);                                // ASCII white space off both ends
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty pieces
std::vector<std::string_view> words(std::string_view text);  // split at runs of ASCII white space, none empty

struct Line {
  std::string_view text;  // without "\n" or "\r\n"
  uint64_t offset = 0;    // of its first byte
  uint32_t number = 1;
};
std::vector<Line> lines(std::string_view text);

// Whether `bytes` is text as firmware has it: no NUL, and at most one control byte in 64 other than \t \n \r \f and
// ESC.
bool looks_like_text(std::string_view bytes);

std::string human_size(uint64_t bytes);  // "3.6 MiB"

}  // namespace assay
