#include "core/finding.h"

namespace assay {

std::string_view name_of(Known known) {
  switch (known) {
    case Known::kUnknown:
      return "unknown";
    case Known::kNo:
      return "no";
    case Known::kYes:
      return "yes";
  }
  return "unknown";
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kLow:
      return "low";
    case Severity::kMedium:
      return "medium";
    case Severity::kHigh:
      return "high";
    case Severity::kCritical:
      return "critical";
  }
  return "note";
}

std::string_view name_of(Confidence confidence) {
  switch (confidence) {
    case Confidence::kPossible:
      return "possible";
    case Confidence::kLikely:
      return "likely";
    case Confidence::kCertain:
      return "certain";
  }
  return "possible";
}

}  // namespace assay
