// The Linux kernel: its banner, its configuration.
//
//   banner  "Linux version 2.6.31 (user@host) (gcc version 4.3.3 (GCC) ) #1 Fri Mar 25 …": in the kernel's read-only
//   data.
//           The format string "Linux version %s" of other programs is none: a digit and " (" must follow.
//   config  the gzip stream between "IKCFG_ST" and "IKCFG_ED" (CONFIG_IKCONFIG), or a text of CONFIG_ lines.
//
// Facts: a component "linux" (how: kernel), notes with the compiler and the banner, and one option for each CONFIG_
// line. Misses: kernels still compressed (unpacking shows them to us decompressed), configurations compressed
// otherwise, and text fragments that do not name a kernel and lack its own options. BusyBox and U-Boot use CONFIG_
// lines too: a text counts only when its head says "Linux" and "onfiguration", or when it sets CONFIG_MMU,
// CONFIG_MODULES or CONFIG_HZ. Source: Linux, init/version.c, kernel/configs.c, scripts/kconfig/confdata.c.
#include "core/text.h"
#include "system/file.h"
#include "system/strings.h"

#include <zlib.h>

#include <algorithm>

namespace assay::system::kernel {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBanner = "Linux version ", kStart = "IKCFG_ST", kEnd = "IKCFG_ED";
constexpr size_t kMaxConfig = 4 << 20, kMaxOptions = 20000;
constexpr int kMaxBanners = 8;  // a kernel has one or two; a file of more is a list, not a kernel

Evidence place(uint64_t offset, std::string_view text) {
  return {"", offset, text.size(), std::string(text.substr(0, 200))};
}

// "(gcc version 4.3.3 (GCC) )" or "(aarch64-linux-gcc (GCC) 9.2.0, GNU ld …)": the second bracketed group of the
// banner.
std::string_view compiler_of(std::string_view banner) {
  int depth = 0, group = 0;
  size_t from = 0;
  for (size_t i = 0; i < banner.size(); ++i) {
    if (banner[i] == '(' && depth++ == 0 && ++group == 2) from = i + 1;
    if (banner[i] == ')' && depth > 0 && --depth == 0 && group == 2) return trim(banner.substr(from, i - from));
  }
  return {};
}

bool read_banner(std::string_view text, uint64_t at, Facts& out) {
  const size_t from = at + kBanner.size();
  if (from >= text.size() || !is_digit(text[from])) return false;
  std::string_view line = text.substr(at, 512);
  line = line.substr(0, std::min(line.find_first_of("\n\0"sv), line.size()));
  const std::string_view rest = line.substr(kBanner.size());
  const size_t space = rest.find(' ');
  if (space == rest.npos || !rest.substr(space + 1).starts_with("(") || space > 100) return false;
  const std::string version(rest.substr(0, space));
  if (version.find('.') == version.npos) return false;
  Component kernel{.name = "linux", .version = version, .purl = "pkg:generic/linux@" + version, .how = "kernel"};
  kernel.at = place(at, line);
  out.format_notes.push_back({"linux", "banner", std::string(line), kernel.at});
  if (const std::string_view compiler = compiler_of(line); !compiler.empty())
    out.format_notes.push_back({"linux", "compiler", std::string(compiler), kernel.at});
  out.components.push_back(std::move(kernel));
  return true;
}

// CONFIG_NAME=value or "# CONFIG_NAME is not set" (value n).
bool read_option(std::string_view line, KernelOption& option) {
  constexpr std::string_view kUnset = " is not set";
  const bool unset = line.starts_with("# CONFIG_") && line.ends_with(kUnset);
  const size_t equals = line.find('=');
  if (unset) {
    option.name = line.substr(2, line.size() - 2 - kUnset.size());
    option.value = "n";
  } else if (line.starts_with("CONFIG_") && equals != line.npos) {
    option.name = line.substr(0, equals);
    std::string_view value = trim(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    option.value = value;
  } else {
    return false;
  }
  return std::ranges::all_of(option.name, [](char c) { return is_alphanumeric(c) || c == '_'; });
}

// `embedded`: where the compressed text lies; offsets into decoded text would show nothing.
void read_config(std::string_view text, const Evidence* embedded, Facts& out) {
  size_t count = 0;
  for (const Line& line : lines(text)) {
    KernelOption option;
    if (!read_option(trim(line.text), option)) continue;
    if (++count > kMaxOptions) {
      out.problems.push_back({"", Fault::kLimit, "kernel configuration: more than 20000 options", line.offset});
      return;
    }
    option.at = place(line.offset, line.text);
    if (embedded) option.at.offset = embedded->offset, option.at.length = embedded->length;
    out.kernel_options.push_back(std::move(option));
  }
}

void read_embedded_config(Bytes content, uint64_t at, Facts& out) {
  const std::string_view text = content.text().substr(at);
  const size_t end = text.find(kEnd);
  const std::string_view stream = text.substr(kStart.size(), end == text.npos ? text.npos : end - kStart.size());
  if (!stream.starts_with("\x1f\x8b")) return;  // the mark stands in other code too
  std::string config(kMaxConfig, '\0');
  z_stream z{};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  z.avail_in = static_cast<uInt>(std::min<size_t>(stream.size(), kMaxConfig));
  z.next_out = reinterpret_cast<Bytef*>(config.data());
  z.avail_out = static_cast<uInt>(config.size());
  if (inflateInit2(&z, 15 + 16) != Z_OK) return;
  const int status = inflate(&z, Z_FINISH);
  config.resize(z.total_out);
  const Evidence where{"", at, kStart.size() + z.total_in, "IKCFG_ST"};
  inflateEnd(&z);
  if (status != Z_STREAM_END)
    out.problems.push_back({"", status == Z_BUF_ERROR ? Fault::kLimit : Fault::kMalformed,
                            "embedded kernel configuration: gzip stream does not decode", at});
  read_config(config, &where, out);
}

bool is_kernel_config(std::string_view text) {
  const std::string_view head = text.substr(0, 300);
  if (head.find("CONFIG_") == head.npos && head.find("onfiguration") == head.npos) return false;
  if (!looks_like_text(text.substr(0, 4096))) return false;
  if (text.find("\nCONFIG_") == text.npos) return false;
  if (head.find("Linux") != head.npos && head.find("onfiguration") != head.npos) return true;
  return text.find("\nCONFIG_MMU=") != text.npos || text.find("\nCONFIG_MODULES=") != text.npos ||
         text.find("\nCONFIG_HZ=") != text.npos;
}

std::span<const std::string_view> words() {
  static constexpr std::string_view kWords[] = {kBanner, kStart};
  return kWords;
}

void run(Bytes content, const Marks& marks, Facts& out) {
  bool config_seen = false;
  int banners = 0;
  marks.each([&](uint32_t i, uint64_t at) {
    if (i == 0 && banners < kMaxBanners) banners += read_banner(content.text(), at, out);
    if (i == 0) return;
    if (config_seen || !content.starts_with("\x1f\x8b", at + kStart.size())) return;
    config_seen = true;  // one per kernel: a second mark would only repeat the work
    read_embedded_config(content, at, out);
  });
  if (is_kernel_config(content.text())) read_config(content.text(), nullptr, out);
}

}  // namespace

extern const FileAnalysis kKernel;
const FileAnalysis kKernel = {"kernel", 1, run, words};

}  // namespace assay::system::kernel
