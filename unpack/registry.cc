// Every format, in alphabetical order; the order means nothing (a verified parse wins, then the one that covers more).
// Adding one: its file in formats/, its two lines here, its cases in test/cases/unpack/. A test counts all three.
#include "unpack/format.h"

namespace assay::unpack {

// clang-format off
extern const Format kAr;
extern const Format kBzip2;
extern const Format kCpio;
extern const Format kElf;
extern const Format kGif;
extern const Format kGzip;
extern const Format kJpeg;
extern const Format kLz4;
extern const Format kLzma;
extern const Format kLzop;
extern const Format kPng;
extern const Format kTar;
extern const Format kTarV7;
extern const Format kTrx;
extern const Format kXz;
extern const Format kZip;
extern const Format kZlib;
extern const Format kZstd;

constexpr const Format* kFormats[] = {
    &kAr,
    &kBzip2,
    &kCpio,
    &kElf,
    &kGif,
    &kGzip,
    &kJpeg,
    &kLz4,
    &kLzma,
    &kLzop,
    &kPng,
    &kTar,
    &kTarV7,
    &kTrx,
    &kXz,
    &kZip,
    &kZlib,
    &kZstd,
};
// clang-format on

std::span<const Format* const> formats() { return kFormats; }

const Format* find_format(std::string_view id) {
  for (const Format* format : kFormats)
    if (format->id == id) return format;
  return nullptr;
}

}  // namespace assay::unpack
