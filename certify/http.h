// A log over HTTP: reading one (C2SP tlog-tiles) and serving one. What is served is exactly what the specification
// names, and the status statements beside it; log.json, the journal and keys are not.
#pragma once
#include "certify/tiles.h"

namespace assay::certify {

bool is_url(const std::string& where);
Result<TileReader> files_at(const std::string& url);  // http:// or https://

// Whether a path is one that a log serves: checkpoint, tile/…, status/….
bool is_served(std::string_view path);

// Serves until the process ends. `ready` is told the port (0 was asked for: the system's choice).
Result<void> serve(const std::string& folder, const std::string& host, int port, const std::function<void(int)>& ready);

}  // namespace assay::certify
