// Small views for people: the bytes around an evidence, and how random each stretch of the image is.
#pragma once
#include "core/finding.h"

#include <functional>

namespace assay::engine {

using ContentOf = std::function<Bytes(const std::string& way)>;

// For the first evidences of each finding, up to 384 bytes around the place; each place once, in the findings' order.
std::vector<Excerpt> excerpts_for(const std::vector<Finding>& findings, const ContentOf& content_of);

// Shannon entropy of each block, scaled from 0..8 bits a byte to 0..255.
std::vector<uint8_t> entropy_of_blocks(Bytes bytes, uint64_t block);

}  // namespace assay::engine
