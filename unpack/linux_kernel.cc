// Source: Linux, init/version.c, kernel/configs.c, usr/initramfs_data.S, scripts/Makefile.lib (size_append).
#include "unpack/linux_kernel.h"

#include "core/find.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/probe.h"
#include "unpack/scan.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr std::string_view kBanner = "Linux version ", kConfigStart = "IKCFG_ST", kConfigEnd = "IKCFG_ED";
constexpr uint64_t kLargestKernel = 128 << 20, kSmallestKernel = 64 << 10, kLongestBanner = 512;
constexpr uint64_t kMostTried = 512 << 20;  // bytes decoded in search of one payload

// Keeps the first bytes and stops the decoder after them.
class Head final : public Output {
 public:
  Result<void> write(std::span<const std::byte> piece) override {
    const auto take = std::min<size_t>(piece.size(), kWanted - head_.size());
    head_.append(reinterpret_cast<const char*>(piece.data()), take);
    if (head_.size() == kWanted) return fail(Fault::kLimit, "enough");
    return {};
  }
  uint64_t written() const override { return head_.size(); }
  const std::string& head() const { return head_; }

 private:
  static constexpr size_t kWanted = 4096;  // a 4 KiB trial has been done by the format already
  std::string head_;
};

bool compresses_kernels(const Format& format) {
  constexpr std::string_view kCodecs[] = {"gzip", "bzip2", "lzma", "xz", "lzop", "lz4", "zstd"};
  return format.decode && std::ranges::find(kCodecs, format.id) != std::end(kCodecs);
}

std::optional<KernelPayload> decode_payload(Bytes whole, const Format& format, uint64_t at, Order order,
                                            uint64_t& tried) {
  MemoryOutput out(kLargestKernel);
  const auto decoded = format.decode(whole.head(whole.size(), at), out);
  tried += out.written();
  if (!decoded) return std::nullopt;
  KernelPayload payload{.format = &format, .at = at, .length = decoded->length, .size = out.written()};
  const uint64_t end = at + decoded->length;
  const auto appended = whole.get<uint32_t>(end, order, "size");
  const auto own = whole.get<uint32_t>(end - std::min<uint64_t>(end, 4), order, "size");  // gzip ends with it itself
  payload.size_confirmed =
      (appended && *appended == payload.size) || (format.id == "gzip" && own && *own == payload.size);
  const bool kernel = payload.size >= kSmallestKernel && (payload.size_confirmed || find_kernel_banner(out.bytes()));
  return kernel ? std::optional(payload) : std::nullopt;
}

bool is_cpio(std::string_view head) { return head.starts_with("070701") || head.starts_with("070702"); }

// The length of the initramfs that starts at `at`, compressed or not; 0 if none does.
Result<uint64_t> initramfs_at(Bytes kernel, uint64_t at, const Format& format, Sink& into) {
  const Bytes from = kernel.head(kernel.size(), at);
  if (format.id == "cpio") {
    const auto measured = is_cpio(from.text()) ? format.measure(from) : fail(Fault::kMalformed, "");
    return measured && measured->verified ? measured->length : uint64_t{0};
  }
  Head head;
  const auto tried = format.decode(from, head);
  if ((!tried && head.head().empty()) || !is_cpio(head.head())) return 0;
  Trial trial(kLargestKernel);
  const auto decoded = format.decode(from, trial);
  TRY_VOID(into.step(trial.written() >> 10));
  return decoded ? decoded->length : uint64_t{0};
}

struct Found {
  uint64_t at = 0, length = 0;
};

Result<std::optional<Found>> find_initramfs(Bytes kernel, Sink& into) {
  static const Scanner wanted([](const Format& f) { return f.id == "cpio" || compresses_kernels(f); });
  for (const Hit& hit : wanted.find(kernel)) {
    TRY_VOID(into.step());
    if (const uint64_t length = TRY(initramfs_at(kernel, hit.start, *hit.format, into)))
      return std::optional(Found{hit.start, length});
  }
  return std::optional<Found>();
}

// The gzip stream between the marks of CONFIG_IKCONFIG.
std::optional<Found> find_config(Bytes kernel) {
  const size_t mark = find_text(kernel.text(), std::string(kConfigStart) + "\x1f\x8b");
  if (mark == std::string_view::npos) return std::nullopt;
  const uint64_t at = mark + kConfigStart.size();
  Trial trial(16 << 20);
  const auto used = inflate_gzip(kernel.head(kernel.size(), at), trial);
  if (!used || !kernel.starts_with(kConfigEnd, at + *used)) return std::nullopt;
  return Found{at, *used};
}

void note_banner(Bytes kernel, uint64_t offset_shown, bool shifted, Sink& into) {
  if (const auto banner = find_kernel_banner(kernel))
    into.note("banner", banner->text, shifted ? offset_shown : banner->offset);
}

// Configuration and initramfs of a decoded kernel: copied out, for they lie in no bytes of the container itself.
Result<void> put_decoded_parts(Bytes kernel, Bytes stream, std::string_view codec, Sink& into) {
  if (const auto config = find_config(kernel)) {
    TRY(inflate_gzip(kernel.head(config->length, config->at), into.output()));
    TRY_VOID(into.child("ikconfig", {{stream}, std::string(codec)}));
  }
  if (const auto initramfs = TRY(find_initramfs(kernel, into))) {
    TRY_VOID(into.output().write(kernel.head(initramfs->length, initramfs->at).span()));
    TRY_VOID(into.child("initramfs", {{stream}, std::string(codec)}));
  }
  return {};
}

}  // namespace

std::optional<KernelBanner> find_kernel_banner(Bytes kernel) {
  const std::string_view text = kernel.text();
  for (size_t at = 0; (at = find_text(text, kBanner, at)) != text.npos; ++at) {
    const std::string_view rest = text.substr(at, kLongestBanner);
    const char digit = rest.size() > kBanner.size() ? rest[kBanner.size()] : ' ';
    const size_t end = rest.find('\n');
    if (digit < '1' || digit > '9' || end == rest.npos || end + 1 >= rest.size() || rest[end + 1] != '\0') continue;
    const std::string_view line = rest.substr(0, end);
    if (line.find('(') == line.npos || line.find('\0') != line.npos || !looks_like_text(line)) continue;
    return KernelBanner{at, std::string(line)};
  }
  return std::nullopt;
}

std::optional<KernelPayload> kernel_payload_at(Bytes whole, uint64_t at, Order order) {
  uint64_t tried = 0;
  for (const Format* format : formats()) {
    if (!compresses_kernels(*format)) continue;
    const bool matches = std::ranges::any_of(
        format->magics, [&](const Magic& magic) { return whole.starts_with(magic.bytes, at + magic.offset); });
    if (!matches) continue;
    if (auto payload = decode_payload(whole, *format, at, order, tried)) return payload;
  }
  return std::nullopt;
}

std::optional<KernelPayload> find_kernel_payload(Bytes whole, uint64_t from, Order order) {
  uint64_t tried = 0;
  static const Scanner wanted(compresses_kernels);
  for (const Hit& hit : wanted.find(whole)) {
    if (tried > kMostTried) break;
    if (hit.start < from) continue;
    if (auto payload = decode_payload(whole, *hit.format, hit.start, order, tried)) return payload;
  }
  return std::nullopt;
}

Result<void> put_kernel_payload(Bytes whole, const KernelPayload& payload, std::string_view name, bool inner,
                                Sink& into) {
  const Bytes stream = TRY(whole.slice(payload.at, payload.length, "payload"));
  MemoryOutput kernel(payload.size);
  TRY(payload.format->decode(stream, kernel));
  note_banner(kernel.bytes(), payload.at, true, into);
  into.note("compression", std::string(payload.format->id), payload.at);
  if (payload.size_confirmed) {
    const bool appended = payload.format->id != "gzip" || payload.at + payload.length + 4 <= whole.size();
    if (appended && payload.format->id != "gzip") into.range(Range::kHeader, payload.at + payload.length, 4);
    into.note("decoded size confirmed", std::to_string(payload.size), payload.at + payload.length);
  }
  TRY_VOID(into.output().write(kernel.bytes().span()));
  TRY_VOID(into.child(name, {{stream}, std::string(payload.format->id)}));
  return inner ? put_decoded_parts(kernel.bytes(), stream, payload.format->id, into) : Result<void>();
}

Result<void> put_kernel_parts(Bytes kernel, Sink& into) {
  note_banner(kernel, 0, false, into);
  if (const auto config = find_config(kernel)) {
    into.range(Range::kHeader, config->at - kConfigStart.size(), kConfigStart.size());
    into.range(Range::kHeader, config->at + config->length, kConfigEnd.size());
    const Bytes stream = kernel.head(config->length, config->at);
    TRY(inflate_gzip(stream, into.output()));
    TRY_VOID(into.child("ikconfig", {{stream}, "gzip"}));
  }
  if (const auto initramfs = TRY(find_initramfs(kernel, into)))
    TRY_VOID(into.child("initramfs", stored(kernel.head(initramfs->length, initramfs->at))));
  return {};
}

}  // namespace assay::unpack
