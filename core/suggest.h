// What somebody may have meant who wrote a word that is not known.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace assay {

// "; did you mean \"services\"?" where one of the words is a slip of the fingers away, else "".
std::string did_you_mean(std::string_view written, std::span<const std::string_view> words);

}  // namespace assay
