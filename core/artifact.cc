#include "core/artifact.h"

namespace assay {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kImage:
      return "image";
    case Kind::kPart:
      return "part";
    case Kind::kFile:
      return "file";
    case Kind::kDirectory:
      return "directory";
    case Kind::kSymlink:
      return "symlink";
    case Kind::kHardLink:
      return "hardlink";
    case Kind::kCharDevice:
      return "chardevice";
    case Kind::kBlockDevice:
      return "blockdevice";
    case Kind::kFifo:
      return "fifo";
    case Kind::kSocket:
      return "socket";
  }
  return "file";
}

std::string_view name_of(Range range) {
  switch (range) {
    case Range::kHeader:
      return "header";
    case Range::kContent:
      return "content";
    case Range::kPadding:
      return "padding";
    case Range::kUnknown:
      return "unknown";
    case Range::kEncrypted:
      return "encrypted";
  }
  return "unknown";
}

ByteCount count(const std::vector<Span>& spans) {
  ByteCount sum;
  for (const Span& span : spans) {
    sum.total += span.length;
    switch (span.range) {
      case Range::kHeader:
        sum.header += span.length;
        break;
      case Range::kContent:
        sum.content += span.length;
        break;
      case Range::kPadding:
        sum.padding += span.length;
        break;
      case Range::kUnknown:
        sum.unknown += span.length;
        break;
      case Range::kEncrypted:
        sum.encrypted += span.length;
        break;
    }
  }
  return sum;
}

}  // namespace assay
