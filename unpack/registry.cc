// Every format, in alphabetical order; the order means nothing (a verified parse wins, then the one that covers more).
// Adding one: its file in formats/, its two lines here, a test or case that names it (test/unpack/registry_test.cc
// looks).
#include "unpack/format.h"

namespace assay::unpack {

// clang-format off
namespace alphaenc { extern const Format kAlphaEnc; }
namespace alphascript { extern const Format kAlphaScript; }
namespace ambarellaromfs { extern const Format kAmbarellaRomfs; }
namespace android_boot { extern const Format kAndroidBoot; }
namespace android_sparse { extern const Format kAndroidSparse; }
namespace android_super { extern const Format kAndroidSuper; }
namespace android_vendor_boot { extern const Format kAndroidVendorBoot; }
namespace ar { extern const Format kAr; }
namespace arc { extern const Format kArc; }
namespace arcadyan { extern const Format kArcadyan; }
namespace arj { extern const Format kArj; }
namespace avb_footer { extern const Format kAvbFooter; }
namespace avmfake { extern const Format kAvmFake; }
namespace bcmnvram { extern const Format kBcmNvram; }
namespace bcmtag { extern const Format kBcmTag; }
namespace binhdr { extern const Format kBinHdr; }
namespace bneg { extern const Format kBneg; }
namespace broadcomsao { extern const Format kBroadcomSao; }
namespace btrfs { extern const Format kBtrfs; }
namespace buffaloenc { extern const Format kBuffaloEnc; }
namespace bzimage { extern const Format kBzimage; }
namespace bzip2 { extern const Format kBzip2; }
namespace cab { extern const Format kCab; }
namespace casfw { extern const Format kCasFw; }
namespace cfb { extern const Format kCfb; }
namespace cfe { extern const Format kCfe; }
namespace chk { extern const Format kChk; }
namespace ciscoios { extern const Format kCiscoIos; }
namespace ciscopkg { extern const Format kCiscoPkg; }
namespace compress { extern const Format kCompress; }
namespace cpio { extern const Format kCpio; }
namespace cramfs { extern const Format kCramfs; }
namespace csman { extern const Format kCsMan; }
namespace edimax { extern const Format kCsys; }
namespace dapfw { extern const Format kDapFw; }
namespace deafbead { extern const Format kDeafBead; }
namespace deflate { extern const Format kDeflate; }
namespace dex { extern const Format kDex; }
namespace disguisedzip { extern const Format kDisguisedZip; }
namespace dkbs { extern const Format kDkbs; }
namespace jboot { extern const Format kDlke; }
namespace dlinktlv { extern const Format kDlinkTlv; }
namespace dni { extern const Format kDni; }
namespace draytek { extern const Format kDraytek; }
namespace draytek { extern const Format kDraytekLz4; }
namespace dsk1 { extern const Format kDsk1; }
namespace dt_table { extern const Format kDtTable; }
namespace dtb { extern const Format kDtb; }
namespace edimax { extern const Format kEdimax; }
namespace efi_zboot { extern const Format kEfiZboot; }
namespace elf_file { extern const Format kElf; }
namespace encrptedimg { extern const Format kEncrptedImg; }
namespace erofs { extern const Format kErofs; }
namespace eva { extern const Format kEva; }
namespace exfat { extern const Format kExfat; }
namespace ext { extern const Format kExt; }
namespace f2fs { extern const Format kF2fs; }
namespace fat { extern const Format kFat; }
namespace fis { extern const Format kFis; }
namespace fit { extern const Format kFit; }
namespace flashmap { extern const Format kFlashMap; }
namespace fpkg { extern const Format kFpkg; }
namespace gemtek { extern const Format kGemtek; }
namespace gif { extern const Format kGif; }
namespace gm8126 { extern const Format kGm8126; }
namespace gpt { extern const Format kGpt; }
namespace gzip { extern const Format kGzip; }
namespace h3cimg { extern const Format kH3cImg; }
namespace h3cvfs { extern const Format kH3cVfs; }
namespace hfsplus { extern const Format kHfsplus; }
namespace hikvision { extern const Format kHikvision; }
namespace hilink { extern const Format kHiLink; }
namespace hwnp { extern const Format kHwnp; }
namespace img0 { extern const Format kImg0; }
namespace ingenicspl { extern const Format kIngenicSpl; }
namespace uefi_capsule { extern const Format kIntelFlash; }
namespace intel_hex { extern const Format kIntelHex; }
namespace iso9660 { extern const Format kIso9660; }
namespace java_class { extern const Format kJavaClass; }
namespace jboot { extern const Format kJboot; }
namespace jboot { extern const Format kJbootKernel; }
namespace jffs2 { extern const Format kJffs2; }
namespace jfs { extern const Format kJfs; }
namespace jpeg { extern const Format kJpeg; }
namespace lha { extern const Format kLha; }
namespace linux_kernel { extern const Format kLinuxImage; }
namespace linux_kernel { extern const Format kLinuxKernel; }
namespace lvm2 { extern const Format kLvm2; }
namespace lz4 { extern const Format kLz4; }
namespace lzip { extern const Format kLzip; }
namespace lzma { extern const Format kLzma; }
namespace lzma_vendor { extern const Format kLzmaVendor; }
namespace lzop { extern const Format kLzop; }
namespace macho { extern const Format kMachO; }
namespace macho { extern const Format kMachOFat; }
namespace matter_ota { extern const Format kMatterOta; }
namespace maxlinear { extern const Format kMaxLinear; }
namespace mbr { extern const Format kMbr; }
namespace mh01 { extern const Format kMh01; }
namespace minifs { extern const Format kMiniFs; }
namespace minix { extern const Format kMinix; }
namespace moxafrm { extern const Format kMoxaFrm; }
namespace mzip { extern const Format kMzip; }
namespace nand { extern const Format kNand; }
namespace nbi { extern const Format kNbi; }
namespace npk { extern const Format kNpk; }
namespace ntfs { extern const Format kNtfs; }
namespace openpgp { extern const Format kOpenPgp; }
namespace openpgp { extern const Format kOpenPgpCompressed; }
namespace opensslsalted { extern const Format kOpensslSalted; }
namespace optionrom { extern const Format kOptionRom; }
namespace ota_payload { extern const Format kOtaPayload; }
namespace packimg { extern const Format kPackImg; }
namespace partclone { extern const Format kPartclone; }
namespace pe { extern const Format kPe; }
namespace pjl { extern const Format kPjl; }
namespace planex { extern const Format kPlanex; }
namespace png { extern const Format kPng; }
namespace qca_lzma { extern const Format kQcaLzma; }
namespace dt_table { extern const Format kQcdt; }
namespace qcow2 { extern const Format kQcow2; }
namespace qnap { extern const Format kQnap; }
namespace qnx_deflate { extern const Format kQnxDeflate; }
namespace qnx_ifs { extern const Format kQnxIfs; }
namespace qnx_ifs { extern const Format kQnxImageFs; }
namespace rar { extern const Format kRar; }
namespace rar { extern const Format kRar5; }
namespace realtek { extern const Format kRealtek; }
namespace reiserfs { extern const Format kReiserfs; }
namespace romfs { extern const Format kRomfs; }
namespace rospack { extern const Format kRosPack; }
namespace rpm { extern const Format kRpm; }
namespace csman { extern const Format kRtk0; }
namespace safeloader { extern const Format kSafeLoader; }
namespace safeloader { extern const Format kSafeLoaderFlash; }
namespace seabios { extern const Format kSeaBios; }
namespace seama { extern const Format kSeama; }
namespace senao { extern const Format kSenao; }
namespace sercomm { extern const Format kSercomm; }
namespace sercomm { extern const Format kSercommFooter; }
namespace sevenzip { extern const Format kSevenZip; }
namespace shrs { extern const Format kShrs; }
namespace squashfs { extern const Format kSquashfs; }
namespace srec { extern const Format kSrec; }
namespace tar { extern const Format kTar; }
namespace tar { extern const Format kTarV7; }
namespace tclinuxtrx { extern const Format kTclinuxTrx; }
namespace pe { extern const Format kTe; }
namespace tekhex { extern const Format kTekhex; }
namespace img0 { extern const Format kTplinkRtos; }
namespace tplinkv1 { extern const Format kTplinkV1; }
namespace tplinkv2 { extern const Format kTplinkV2; }
namespace tplinkv2 { extern const Format kTplinkV3; }
namespace trx { extern const Format kTrx; }
namespace ubi { extern const Format kUbi; }
namespace ubifs { extern const Format kUbifs; }
namespace ubnt { extern const Format kUbnt; }
namespace uboot { extern const Format kUBoot; }
namespace ubootarm { extern const Format kUBootArm; }
namespace ubootenv { extern const Format kUBootEnv; }
namespace ubootmips { extern const Format kUBootMips; }
namespace udf { extern const Format kUdf; }
namespace ufs { extern const Format kUfs; }
namespace uefi_capsule { extern const Format kUefiCapsule; }
namespace uefi_volume { extern const Format kUefiVolume; }
namespace uimage { extern const Format kUImage; }
namespace updateapp { extern const Format kUpdateApp; }
namespace upx { extern const Format kUpx; }
namespace uzip { extern const Format kUzip; }
namespace vbmeta { extern const Format kVbmeta; }
namespace vhd { extern const Format kVhd; }
namespace vhd { extern const Format kVhdFixed; }
namespace vhdx { extern const Format kVhdx; }
namespace vmdk { extern const Format kVmdk; }
namespace vrp { extern const Format kVrp; }
namespace vxworks { extern const Format kVxWorks; }
namespace wrgg { extern const Format kWrg; }
namespace wrgg { extern const Format kWrgg; }
namespace xalz { extern const Format kXalz; }
namespace xar { extern const Format kXar; }
namespace xeroxdlm { extern const Format kXeroxDlm; }
namespace xfs { extern const Format kXfs; }
namespace xiaomihdr { extern const Format kXiaomiHdr; }
namespace xz { extern const Format kXz; }
namespace yaffs { extern const Format kYaffs; }
namespace yaffs { extern const Format kYaffsFlash; }
namespace zimage { extern const Format kZimage; }
namespace zip { extern const Format kZip; }
namespace zisofs { extern const Format kZisofs; }
namespace zld { extern const Format kZld; }
namespace zlib { extern const Format kZlib; }
namespace zstd { extern const Format kZstd; }
namespace zteconfig { extern const Format kZteConfig; }
namespace zteheader { extern const Format kZteHeader; }
namespace zynos { extern const Format kZynos; }
namespace zyxelras { extern const Format kZyxelRas; }

constexpr const Format* kFormats[] = {
    &sevenzip::kSevenZip,
    &alphaenc::kAlphaEnc,
    &alphascript::kAlphaScript,
    &ambarellaromfs::kAmbarellaRomfs,
    &android_boot::kAndroidBoot,
    &android_sparse::kAndroidSparse,
    &android_super::kAndroidSuper,
    &android_vendor_boot::kAndroidVendorBoot,
    &ar::kAr,
    &arc::kArc,
    &arcadyan::kArcadyan,
    &arj::kArj,
    &avb_footer::kAvbFooter,
    &avmfake::kAvmFake,
    &bcmnvram::kBcmNvram,
    &bcmtag::kBcmTag,
    &binhdr::kBinHdr,
    &bneg::kBneg,
    &broadcomsao::kBroadcomSao,
    &btrfs::kBtrfs,
    &buffaloenc::kBuffaloEnc,
    &bzimage::kBzimage,
    &bzip2::kBzip2,
    &cab::kCab,
    &casfw::kCasFw,
    &cfb::kCfb,
    &cfe::kCfe,
    &chk::kChk,
    &ciscoios::kCiscoIos,
    &ciscopkg::kCiscoPkg,
    &compress::kCompress,
    &cpio::kCpio,
    &cramfs::kCramfs,
    &csman::kCsMan,
    &edimax::kCsys,
    &dapfw::kDapFw,
    &deafbead::kDeafBead,
    &deflate::kDeflate,
    &dex::kDex,
    &disguisedzip::kDisguisedZip,
    &dkbs::kDkbs,
    &dlinktlv::kDlinkTlv,
    &jboot::kDlke,
    &dni::kDni,
    &draytek::kDraytek,
    &draytek::kDraytekLz4,
    &dsk1::kDsk1,
    &dt_table::kDtTable,
    &dtb::kDtb,
    &edimax::kEdimax,
    &efi_zboot::kEfiZboot,
    &elf_file::kElf,
    &encrptedimg::kEncrptedImg,
    &erofs::kErofs,
    &eva::kEva,
    &exfat::kExfat,
    &ext::kExt,
    &f2fs::kF2fs,
    &fat::kFat,
    &fis::kFis,
    &fit::kFit,
    &flashmap::kFlashMap,
    &fpkg::kFpkg,
    &gemtek::kGemtek,
    &gif::kGif,
    &gm8126::kGm8126,
    &gpt::kGpt,
    &gzip::kGzip,
    &h3cimg::kH3cImg,
    &h3cvfs::kH3cVfs,
    &hfsplus::kHfsplus,
    &hikvision::kHikvision,
    &hilink::kHiLink,
    &hwnp::kHwnp,
    &img0::kImg0,
    &ingenicspl::kIngenicSpl,
    &uefi_capsule::kIntelFlash,
    &intel_hex::kIntelHex,
    &iso9660::kIso9660,
    &java_class::kJavaClass,
    &jboot::kJboot,
    &jboot::kJbootKernel,
    &jffs2::kJffs2,
    &jfs::kJfs,
    &jpeg::kJpeg,
    &lha::kLha,
    &linux_kernel::kLinuxImage,
    &linux_kernel::kLinuxKernel,
    &lvm2::kLvm2,
    &lz4::kLz4,
    &lzip::kLzip,
    &lzma::kLzma,
    &lzma_vendor::kLzmaVendor,
    &lzop::kLzop,
    &macho::kMachO,
    &macho::kMachOFat,
    &matter_ota::kMatterOta,
    &maxlinear::kMaxLinear,
    &mbr::kMbr,
    &mh01::kMh01,
    &minifs::kMiniFs,
    &minix::kMinix,
    &moxafrm::kMoxaFrm,
    &mzip::kMzip,
    &nand::kNand,
    &nbi::kNbi,
    &npk::kNpk,
    &ntfs::kNtfs,
    &openpgp::kOpenPgp,
    &openpgp::kOpenPgpCompressed,
    &opensslsalted::kOpensslSalted,
    &optionrom::kOptionRom,
    &ota_payload::kOtaPayload,
    &packimg::kPackImg,
    &partclone::kPartclone,
    &pe::kPe,
    &pjl::kPjl,
    &planex::kPlanex,
    &png::kPng,
    &qca_lzma::kQcaLzma,
    &dt_table::kQcdt,
    &qcow2::kQcow2,
    &qnap::kQnap,
    &qnx_deflate::kQnxDeflate,
    &qnx_ifs::kQnxIfs,
    &qnx_ifs::kQnxImageFs,
    &rar::kRar,
    &rar::kRar5,
    &realtek::kRealtek,
    &reiserfs::kReiserfs,
    &romfs::kRomfs,
    &rospack::kRosPack,
    &rpm::kRpm,
    &csman::kRtk0,
    &safeloader::kSafeLoader,
    &safeloader::kSafeLoaderFlash,
    &seabios::kSeaBios,
    &seama::kSeama,
    &senao::kSenao,
    &sercomm::kSercomm,
    &sercomm::kSercommFooter,
    &shrs::kShrs,
    &squashfs::kSquashfs,
    &srec::kSrec,
    &tar::kTar,
    &tar::kTarV7,
    &tclinuxtrx::kTclinuxTrx,
    &pe::kTe,
    &tekhex::kTekhex,
    &img0::kTplinkRtos,
    &tplinkv1::kTplinkV1,
    &tplinkv2::kTplinkV2,
    &tplinkv2::kTplinkV3,
    &trx::kTrx,
    &ubi::kUbi,
    &ubifs::kUbifs,
    &ubnt::kUbnt,
    &uboot::kUBoot,
    &ubootarm::kUBootArm,
    &ubootenv::kUBootEnv,
    &ubootmips::kUBootMips,
    &udf::kUdf,
    &uefi_capsule::kUefiCapsule,
    &uefi_volume::kUefiVolume,
    &ufs::kUfs,
    &uimage::kUImage,
    &updateapp::kUpdateApp,
    &upx::kUpx,
    &uzip::kUzip,
    &vbmeta::kVbmeta,
    &vhd::kVhd,
    &vhd::kVhdFixed,
    &vhdx::kVhdx,
    &vmdk::kVmdk,
    &vrp::kVrp,
    &vxworks::kVxWorks,
    &wrgg::kWrg,
    &wrgg::kWrgg,
    &xalz::kXalz,
    &xar::kXar,
    &xeroxdlm::kXeroxDlm,
    &xfs::kXfs,
    &xiaomihdr::kXiaomiHdr,
    &xz::kXz,
    &yaffs::kYaffs,
    &yaffs::kYaffsFlash,
    &zimage::kZimage,
    &zip::kZip,
    &zisofs::kZisofs,
    &zld::kZld,
    &zlib::kZlib,
    &zstd::kZstd,
    &zteconfig::kZteConfig,
    &zteheader::kZteHeader,
    &zynos::kZynos,
    &zyxelras::kZyxelRas,
};
// clang-format on

std::span<const Format* const> formats() { return kFormats; }

const Format* find_format(std::string_view id) {
  for (const Format* format : kFormats)
    if (format->id == id) return format;
  return nullptr;
}

}  // namespace assay::unpack
