#pragma once

namespace assay::engine {

inline constexpr char kVersion[] = "0.1.0-dev";

}  // namespace assay::engine
