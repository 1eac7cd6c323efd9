#include "certify/page.h"

#include <qrencode.h>

#include <memory>

namespace assay::certify {

Result<std::string> qr_svg(const std::string& text) {
  const std::unique_ptr<QRcode, void (*)(QRcode*)> code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M),
                                                        QRcode_free);
  if (!code) return fail(Fault::kLimit, "QR code: " + std::to_string(text.size()) + " bytes do not fit");
  constexpr int kQuiet = 4;  // modules of margin that the standard asks for
  std::string path;
  for (int y = 0; y < code->width; ++y)
    for (int x = 0; x < code->width; ++x)
      if (code->data[y * code->width + x] & 1)
        path += "M" + std::to_string(x + kQuiet) + " " + std::to_string(y + kQuiet) + "h1v1h-1z";
  const std::string side = std::to_string(code->width + 2 * kQuiet);
  return "<svg viewBox=\"0 0 " + side + " " + side + "\" role=\"img\" aria-label=\"QR code: " + text +
         "\" shape-rendering=\"crispEdges\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"" + path +
         "\" fill=\"#000\"/></svg>";
}

}  // namespace assay::certify
