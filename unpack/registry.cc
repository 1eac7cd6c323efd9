// Every format, in alphabetical order; the order means nothing (a verified parse wins, then the one that covers more).
// Adding one: its file in formats/, its two lines here, a test or case that names it (test/unpack/registry_test.cc
// looks).
#include "unpack/format.h"

namespace assay::unpack {

// clang-format off
extern const Format kAr;
extern const Format kBinHdr;
extern const Format kBzimage;
extern const Format kBzip2;
extern const Format kCpio;
extern const Format kCramfs;
extern const Format kDeflate;
extern const Format kDni;
extern const Format kDtb;
extern const Format kEfiZboot;
extern const Format kElf;
extern const Format kExt;
extern const Format kFat;
extern const Format kFit;
extern const Format kFlashMap;
extern const Format kGif;
extern const Format kGzip;
extern const Format kHiLink;
extern const Format kIngenicSpl;
extern const Format kJffs2;
extern const Format kJpeg;
extern const Format kLinuxImage;
extern const Format kLinuxKernel;
extern const Format kLz4;
extern const Format kLzma;
extern const Format kLzmaVendor;
extern const Format kLzop;
extern const Format kOpensslSalted;
extern const Format kPackImg;
extern const Format kPng;
extern const Format kRomfs;
extern const Format kSeama;
extern const Format kSquashfs;
extern const Format kTar;
extern const Format kTarV7;
extern const Format kTplinkV1;
extern const Format kTplinkV2;
extern const Format kTplinkV3;
extern const Format kTrx;
extern const Format kUbi;
extern const Format kUbifs;
extern const Format kUBootArm;
extern const Format kUBootEnv;
extern const Format kUBootMips;
extern const Format kUImage;
extern const Format kXz;
extern const Format kZimage;
extern const Format kZip;
extern const Format kZlib;
extern const Format kZstd;

constexpr const Format* kFormats[] = {
    &kAr,
    &kBinHdr,
    &kBzimage,
    &kBzip2,
    &kCpio,
    &kCramfs,
    &kDeflate,
    &kDni,
    &kDtb,
    &kEfiZboot,
    &kElf,
    &kExt,
    &kFat,
    &kFit,
    &kFlashMap,
    &kGif,
    &kGzip,
    &kHiLink,
    &kIngenicSpl,
    &kJffs2,
    &kJpeg,
    &kLinuxImage,
    &kLinuxKernel,
    &kLz4,
    &kLzma,
    &kLzmaVendor,
    &kLzop,
    &kOpensslSalted,
    &kPackImg,
    &kPng,
    &kRomfs,
    &kSeama,
    &kSquashfs,
    &kTar,
    &kTarV7,
    &kTplinkV1,
    &kTplinkV2,
    &kTplinkV3,
    &kTrx,
    &kUbi,
    &kUbifs,
    &kUBootArm,
    &kUBootEnv,
    &kUBootMips,
    &kUImage,
    &kXz,
    &kZimage,
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
