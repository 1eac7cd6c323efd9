// Every format, in alphabetical order; the order means nothing (a verified parse wins, then the one that covers more).
// Adding one: its file in formats/, its two lines here, a test or case that names it (test/unpack/registry_test.cc
// looks).
#include "unpack/format.h"

namespace assay::unpack {

// clang-format off
extern const Format kAlphaEnc;
extern const Format kAlphaScript;
extern const Format kAmbarellaRomfs;
extern const Format kAndroidBoot;
extern const Format kAndroidSparse;
extern const Format kAndroidSuper;
extern const Format kAndroidVendorBoot;
extern const Format kAr;
extern const Format kArc;
extern const Format kArcadyan;
extern const Format kArj;
extern const Format kAvbFooter;
extern const Format kAvmFake;
extern const Format kBcmNvram;
extern const Format kBcmTag;
extern const Format kBinHdr;
extern const Format kBneg;
extern const Format kBroadcomSao;
extern const Format kBtrfs;
extern const Format kBuffaloEnc;
extern const Format kBzimage;
extern const Format kBzip2;
extern const Format kCab;
extern const Format kCasFw;
extern const Format kCfb;
extern const Format kCfe;
extern const Format kChk;
extern const Format kCiscoIos;
extern const Format kCiscoPkg;
extern const Format kCompress;
extern const Format kCpio;
extern const Format kCramfs;
extern const Format kCsMan;
extern const Format kCsys;
extern const Format kDapFw;
extern const Format kDeafBead;
extern const Format kDeflate;
extern const Format kDex;
extern const Format kDisguisedZip;
extern const Format kDkbs;
extern const Format kDlke;
extern const Format kDlinkTlv;
extern const Format kDni;
extern const Format kDraytek;
extern const Format kDraytekLz4;
extern const Format kDsk1;
extern const Format kDtTable;
extern const Format kDtb;
extern const Format kEdimax;
extern const Format kEfiZboot;
extern const Format kElf;
extern const Format kEncrptedImg;
extern const Format kErofs;
extern const Format kEva;
extern const Format kExfat;
extern const Format kExt;
extern const Format kF2fs;
extern const Format kFat;
extern const Format kFis;
extern const Format kFit;
extern const Format kFlashMap;
extern const Format kFpkg;
extern const Format kGemtek;
extern const Format kGif;
extern const Format kGm8126;
extern const Format kGpt;
extern const Format kGzip;
extern const Format kH3cImg;
extern const Format kH3cVfs;
extern const Format kHfsplus;
extern const Format kHikvision;
extern const Format kHiLink;
extern const Format kHwnp;
extern const Format kImg0;
extern const Format kIngenicSpl;
extern const Format kIntelFlash;
extern const Format kIntelHex;
extern const Format kIso9660;
extern const Format kJavaClass;
extern const Format kJboot;
extern const Format kJbootKernel;
extern const Format kJffs2;
extern const Format kJfs;
extern const Format kJpeg;
extern const Format kLha;
extern const Format kLinuxImage;
extern const Format kLinuxKernel;
extern const Format kLvm2;
extern const Format kLz4;
extern const Format kLzip;
extern const Format kLzma;
extern const Format kLzmaVendor;
extern const Format kLzop;
extern const Format kMachO;
extern const Format kMachOFat;
extern const Format kMatterOta;
extern const Format kMaxLinear;
extern const Format kMbr;
extern const Format kMh01;
extern const Format kMiniFs;
extern const Format kMinix;
extern const Format kMoxaFrm;
extern const Format kMzip;
extern const Format kNand;
extern const Format kNbi;
extern const Format kNpk;
extern const Format kNtfs;
extern const Format kOpenPgp;
extern const Format kOpenPgpCompressed;
extern const Format kOpensslSalted;
extern const Format kOptionRom;
extern const Format kOtaPayload;
extern const Format kPackImg;
extern const Format kPartclone;
extern const Format kPe;
extern const Format kPjl;
extern const Format kPlanex;
extern const Format kPng;
extern const Format kQcaLzma;
extern const Format kQcdt;
extern const Format kQcow2;
extern const Format kQnap;
extern const Format kQnxDeflate;
extern const Format kQnxIfs;
extern const Format kQnxImageFs;
extern const Format kRar;
extern const Format kRar5;
extern const Format kRealtek;
extern const Format kReiserfs;
extern const Format kRomfs;
extern const Format kRosPack;
extern const Format kRpm;
extern const Format kRtk0;
extern const Format kSafeLoader;
extern const Format kSafeLoaderFlash;
extern const Format kSeaBios;
extern const Format kSeama;
extern const Format kSenao;
extern const Format kSercomm;
extern const Format kSercommFooter;
extern const Format kSevenZip;
extern const Format kShrs;
extern const Format kSquashfs;
extern const Format kSrec;
extern const Format kTar;
extern const Format kTarV7;
extern const Format kTclinuxTrx;
extern const Format kTe;
extern const Format kTekhex;
extern const Format kTplinkRtos;
extern const Format kTplinkV1;
extern const Format kTplinkV2;
extern const Format kTplinkV3;
extern const Format kTrx;
extern const Format kUbi;
extern const Format kUbifs;
extern const Format kUbnt;
extern const Format kUBoot;
extern const Format kUBootArm;
extern const Format kUBootEnv;
extern const Format kUBootMips;
extern const Format kUdf;
extern const Format kUfs;
extern const Format kUefiCapsule;
extern const Format kUefiVolume;
extern const Format kUImage;
extern const Format kUpdateApp;
extern const Format kUpx;
extern const Format kUzip;
extern const Format kVbmeta;
extern const Format kVhd;
extern const Format kVhdFixed;
extern const Format kVhdx;
extern const Format kVmdk;
extern const Format kVrp;
extern const Format kVxWorks;
extern const Format kWrg;
extern const Format kWrgg;
extern const Format kXalz;
extern const Format kXar;
extern const Format kXeroxDlm;
extern const Format kXfs;
extern const Format kXiaomiHdr;
extern const Format kXz;
extern const Format kYaffs;
extern const Format kYaffsFlash;
extern const Format kZimage;
extern const Format kZip;
extern const Format kZisofs;
extern const Format kZld;
extern const Format kZlib;
extern const Format kZstd;
extern const Format kZteConfig;
extern const Format kZteHeader;
extern const Format kZynos;
extern const Format kZyxelRas;

constexpr const Format* kFormats[] = {
    &kSevenZip,
    &kAlphaEnc,
    &kAlphaScript,
    &kAmbarellaRomfs,
    &kAndroidBoot,
    &kAndroidSparse,
    &kAndroidSuper,
    &kAndroidVendorBoot,
    &kAr,
    &kArc,
    &kArcadyan,
    &kArj,
    &kAvbFooter,
    &kAvmFake,
    &kBcmNvram,
    &kBcmTag,
    &kBinHdr,
    &kBneg,
    &kBroadcomSao,
    &kBtrfs,
    &kBuffaloEnc,
    &kBzimage,
    &kBzip2,
    &kCab,
    &kCasFw,
    &kCfb,
    &kCfe,
    &kChk,
    &kCiscoIos,
    &kCiscoPkg,
    &kCompress,
    &kCpio,
    &kCramfs,
    &kCsMan,
    &kCsys,
    &kDapFw,
    &kDeafBead,
    &kDeflate,
    &kDex,
    &kDisguisedZip,
    &kDkbs,
    &kDlinkTlv,
    &kDlke,
    &kDni,
    &kDraytek,
    &kDraytekLz4,
    &kDsk1,
    &kDtTable,
    &kDtb,
    &kEdimax,
    &kEfiZboot,
    &kElf,
    &kEncrptedImg,
    &kErofs,
    &kEva,
    &kExfat,
    &kExt,
    &kF2fs,
    &kFat,
    &kFis,
    &kFit,
    &kFlashMap,
    &kFpkg,
    &kGemtek,
    &kGif,
    &kGm8126,
    &kGpt,
    &kGzip,
    &kH3cImg,
    &kH3cVfs,
    &kHfsplus,
    &kHikvision,
    &kHiLink,
    &kHwnp,
    &kImg0,
    &kIngenicSpl,
    &kIntelFlash,
    &kIntelHex,
    &kIso9660,
    &kJavaClass,
    &kJboot,
    &kJbootKernel,
    &kJffs2,
    &kJfs,
    &kJpeg,
    &kLha,
    &kLinuxImage,
    &kLinuxKernel,
    &kLvm2,
    &kLz4,
    &kLzip,
    &kLzma,
    &kLzmaVendor,
    &kLzop,
    &kMachO,
    &kMachOFat,
    &kMatterOta,
    &kMaxLinear,
    &kMbr,
    &kMh01,
    &kMiniFs,
    &kMinix,
    &kMoxaFrm,
    &kMzip,
    &kNand,
    &kNbi,
    &kNpk,
    &kNtfs,
    &kOpenPgp,
    &kOpenPgpCompressed,
    &kOpensslSalted,
    &kOptionRom,
    &kOtaPayload,
    &kPackImg,
    &kPartclone,
    &kPe,
    &kPjl,
    &kPlanex,
    &kPng,
    &kQcaLzma,
    &kQcdt,
    &kQcow2,
    &kQnap,
    &kQnxDeflate,
    &kQnxIfs,
    &kQnxImageFs,
    &kRar,
    &kRar5,
    &kRealtek,
    &kReiserfs,
    &kRomfs,
    &kRosPack,
    &kRpm,
    &kRtk0,
    &kSafeLoader,
    &kSafeLoaderFlash,
    &kSeaBios,
    &kSeama,
    &kSenao,
    &kSercomm,
    &kSercommFooter,
    &kShrs,
    &kSquashfs,
    &kSrec,
    &kTar,
    &kTarV7,
    &kTclinuxTrx,
    &kTe,
    &kTekhex,
    &kTplinkRtos,
    &kTplinkV1,
    &kTplinkV2,
    &kTplinkV3,
    &kTrx,
    &kUbi,
    &kUbifs,
    &kUbnt,
    &kUBoot,
    &kUBootArm,
    &kUBootEnv,
    &kUBootMips,
    &kUdf,
    &kUefiCapsule,
    &kUefiVolume,
    &kUfs,
    &kUImage,
    &kUpdateApp,
    &kUpx,
    &kUzip,
    &kVbmeta,
    &kVhd,
    &kVhdFixed,
    &kVhdx,
    &kVmdk,
    &kVrp,
    &kVxWorks,
    &kWrg,
    &kWrgg,
    &kXalz,
    &kXar,
    &kXeroxDlm,
    &kXfs,
    &kXiaomiHdr,
    &kXz,
    &kYaffs,
    &kYaffsFlash,
    &kZimage,
    &kZip,
    &kZisofs,
    &kZld,
    &kZlib,
    &kZstd,
    &kZteConfig,
    &kZteHeader,
    &kZynos,
    &kZyxelRas,
};
// clang-format on

std::span<const Format* const> formats() { return kFormats; }

const Format* find_format(std::string_view id) {
  for (const Format* format : kFormats)
    if (format->id == id) return format;
  return nullptr;
}

}  // namespace assay::unpack
