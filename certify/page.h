// The human certificate: one HTML page without scripts that also prints well. What was examined, what the verdict is,
// how much was looked at, what was not tested; and the file's digest as a QR code, so that paper leads back to the
// file, which alone can be checked.
#pragma once
#include "certify/certificate.h"
#include "certify/terms.h"

namespace assay::certify {

// `file`: the certificate's text as it was read.
Result<std::string> certificate_page(const Certificate& certificate, const Terms& terms, std::string_view file);

// ISO/IEC 18004, level M, as one SVG path with its quiet zone.
Result<std::string> qr_svg(const std::string& text);

}  // namespace assay::certify
