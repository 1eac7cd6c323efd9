// A walk over the elements of an XML text, for formats that keep their tables in it: elements, attributes, text, the
// five named entities and numeric ones. No DTD, no namespaces, nothing fetched, nothing expanded.
// Source: XML 1.0 (W3C), sections 2 and 4.1, the parts named above.
#pragma once
#include "core/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace assay::unpack {

struct XmlElement {
  std::string path;             // "/xar/toc/file"
  std::string_view attributes;  // as written
  std::string text;             // at its end: what stands in it since its last tag, without white space off its ends
  std::string attribute(std::string_view name) const;
};

// kMalformed where a tag does not end, ends another element, or nests too deep.
Result<void> walk_xml(std::string_view text, const std::function<void(const XmlElement&)>& start,
                      const std::function<void(const XmlElement&)>& end);

}  // namespace assay::unpack
