#include "test/hostile/samples.h"

#include "test/elf/elf_builder.h"
#include "test/unpack/tool.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace assay::hostile {
namespace {

namespace fs = std::filesystem;

std::string hex_file(const fs::path& path) {
  std::ifstream in(path);
  std::string bytes, digits;
  for (std::string line; std::getline(in, line);)
    for (const char c : line.substr(0, line.find('#')))
      if (std::isxdigit(static_cast<unsigned char>(c))) digits += c;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string octal(uint64_t value, int width) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llo", width - 1, static_cast<unsigned long long>(value));
  return std::string(text) + '\0';
}

std::string tar_entry(const std::string& name, const std::string& content, int mode, char kind = '0',
                      const std::string& target = {}) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, name), put(100, octal(static_cast<uint64_t>(mode), 8)), put(108, octal(0, 8)), put(116, octal(0, 8));
  put(124, octal(content.size(), 12)), put(136, octal(1'000'000'000, 12)), put(148, "        ");
  header[156] = kind;
  put(157, target), put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 7) + " ");
  header += content;
  header.resize((header.size() + 511) / 512 * 512);
  return header;
}

constexpr const char* kTree =
    "mkdir -p root/etc root/bin; for i in $(seq 60); do echo \"line $i of a file\"; done >root/etc/text; "
    "echo root::0:0::/:/bin/sh >root/etc/passwd; ln -s ../etc/passwd root/bin/link; "
    "head -c 700 /dev/urandom >root/bin/random; ";

struct Recipe {
  const char *name, *script;  // leaves `out`
};

constexpr Recipe kContainers[] = {
    {"squashfs-gzip", "mksquashfs root out -quiet -no-progress -b 4096 -all-root -nopad"},
    {"squashfs-xz", "mksquashfs root out -quiet -no-progress -comp xz -all-root -nopad"},
    {"squashfs-zstd", "mksquashfs root out -quiet -no-progress -comp zstd -all-root -nopad -no-fragments"},
    {"squashfs-lzo", "mksquashfs root out -quiet -no-progress -comp lzo -all-root -nopad"},
    {"squashfs-lz4", "mksquashfs root out -quiet -no-progress -comp lz4 -all-root -nopad -noI -noX"},
    {"cramfs", "mkfs.cramfs root out"},
    {"romfs", "genromfs -d root -f out"},
    {"jffs2-zlib", "mkfs.jffs2 -r root -e 8KiB -o out"},
    {"jffs2-big", "mkfs.jffs2 -b -X rtime -m size -r root -e 8KiB -o out"},
    {"ext2", "mke2fs -q -t ext2 -b 1024 -N 16 -d root out 64"},
    {"ext4", "mke2fs -q -t ext4 -O ^has_journal,inline_data -b 1024 -N 16 -d root out 96"},
    {"cpio-newc", "(cd root && find . | cpio -o -H newc >../out)"},
    {"cpio-crc", "(cd root && find . | cpio -o -H crc >../out)"},
    {"cpio-odc", "(cd root && find . | cpio -o -H odc >../out)"},
    {"cpio-binary", "(cd root && find . | cpio -o -H bin >../out)"},
    {"zip", "zip -q -r out.zip root && mv out.zip out"},
    {"zip-encrypted", "zip -q -P secret -r out.zip root && mv out.zip out"},
    {"ar", "cp root/etc/text a && cp root/etc/passwd b && ar rcD out a b"},
    {"gzip", "gzip -9c root/etc/text >out"},
    {"gzip-of-cpio", "(cd root && find . | cpio -o -H newc) | gzip -9 >out"},
    {"xz", "xz -9c root/etc/text >out"},
    {"lzma", "xz --format=lzma -9c root/etc/text >out"},
    {"bzip2", "bzip2 -9c root/etc/text >out"},
    {"zstd", "zstd -19qc root/etc/text >out"},
    {"lz4", "lz4 -9qc root/etc/text >out"},
    {"lz4-legacy", "lz4 -l9qc root/etc/text >out"},
    {"lzop", "lzop -c root/etc/text >out"},
    {"uimage", "gzip -9n root/etc/text && mkimage -A mips -O linux -C gzip -T kernel -d root/etc/text.gz out"},
    {"uimage-multi", "mkimage -A arm -T multi -C none -d root/etc/text:root/bin/random out"},
    {"dtb",
     "echo '/dts-v1/; / { a = <1>; chosen { bootargs = \"console=ttyS0 mtdparts=f:64k(a),-(b)\"; }; };' "
     ">a.dts && dtc -q -O dtb -o out a.dts"},
    {"fit",
     "echo '/dts-v1/; / { images { k { data = /incbin/(\"root/etc/text\"); type = \"kernel\"; arch = \"arm\"; "
     "os = \"linux\"; compression = \"none\"; load = <0>; entry = <0>; hash { algo = \"sha1\"; }; }; }; "
     "configurations { default = \"c\"; c { kernel = \"k\"; }; }; };' >a.its && mkimage -f a.its out"},
    {"environment",
     "printf 'bootcmd=bootm\\nbootargs=console=ttyS0,115200 root=/dev/mtdblock2\\nbootdelay=3\\n' >env && "
     "mkenvimage -s 1024 -o out env"},
    {"ubifs-in-ubi",
     "mkfs.ubifs -r root -m 512 -e 15360 -c 40 -o fs && printf '[v]\\nmode=ubi\\nimage=fs\\nvol_id=0\\n"
     "vol_type=dynamic\\nvol_name=v\\n' >ini && ubinize -m 512 -p 16KiB -o out ini"},
};

constexpr Recipe kFiles[] = {
    {"key-rsa", "openssl genrsa -out out 1024"},
    {"key-ec-der", "openssl ecparam -genkey -name prime256v1 -outform DER -noout -out out"},
    {"key-openssh", "ssh-keygen -q -t ed25519 -N '' -C test -f out"},
    {"certificate",
     "openssl req -x509 -newkey rsa:1024 -nodes -keyout k -subj /CN=test -days 10 -outform DER -out out"},
    {"pkcs12",
     "openssl req -x509 -newkey rsa:1024 -nodes -keyout k -subj /CN=test -out c && "
     "openssl pkcs12 -export -inkey k -in c -passout pass: -out out"},
    {"object", "printf '.globl f\\nf: nop\\n.data\\n.string \"OpenSSL 1.0.2k\"\\n' | as -o out -"},
    {"program", "printf '.globl _start\\n_start: nop\\n' | as -o a.o - && ld -s -o out a.o"},
};

template <size_t N>
std::vector<Sample> made(const Recipe (&recipes)[N], const std::string& before) {
  std::vector<Sample> samples;
  for (const Recipe& recipe : recipes) {
    std::string bytes = unpack::made_by("export PATH=$PATH:/sbin:/usr/sbin; " + before + recipe.script);
    if (!bytes.empty()) samples.push_back({recipe.name, std::move(bytes)});
  }
  return samples;
}

}  // namespace

std::vector<Sample> case_samples() {
  const char* source = std::getenv("ASSAY_SOURCE");
  std::vector<Sample> samples;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(source ? source : ".") / "test/cases"))
    if (entry.path().extension() == ".hex") paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const fs::path& path : paths) samples.push_back({path.string(), hex_file(path)});
  return samples;
}

std::vector<Sample> tool_samples() { return made(kContainers, kTree); }

std::vector<Sample> file_samples() {
  std::vector<Sample> samples = made(kFiles, "");
  elf::ElfBuilder mips{.machine = 8, .order = Order::kBig};
  mips.needed = {"libc.so.0", "libcrypt.so.0"}, mips.imports = {"socket", "bind", "listen", "execve", "system"};
  mips.strings = "BusyBox v1.19.4 (2015-01-01)\nhttp://update.example.org/\n%s/bin/sh\n";
  samples.push_back({"elf-mips", mips.build()});
  elf::ElfBuilder arm{.machine = 183, .bits = 64, .order = Order::kLittle};
  arm.needed = {"libssl.so.1.0.0"}, arm.exports = {"main"}, arm.gnu_hash = true, arm.relro = true;
  samples.push_back({"elf-aarch64", arm.build()});
  return samples;
}

Sample device_sample() {
  std::string tar;
  const auto add = [&](const char* name, const char* content, int mode = 0644) {
    tar += tar_entry(name, content, mode);
  };
  add("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nadmin::0:0::/:/bin/ash\n+::::::\nbad line\n");
  add("etc/shadow", "root:*:0:0:99999:7:::\nx:$6$rounds=999999999$a$b:1::::::\n");
  add("etc/group", "root:x:0:admin\n");
  add("etc/inittab", "::sysinit:/etc/init.d/rcS\nttyS0::askfirst:/bin/sh\n::respawn:/sbin/getty 115200 ttyS1\n");
  add("etc/init.d/rcS",
      "#!/bin/sh\nfor s in /etc/rc.d/S*; do $s start; done\nif [ -f /x ]; then telnetd -l /bin/sh -p 2323 &\nfi\n"
      "mount -t ramfs none /var; iptables -P INPUT ACCEPT\ncase \"$1\" in start) httpd -h /www;; esac\n",
      0755);
  add("etc/rc.d/S50x", "#!/bin/sh /etc/rc.common\nSTART=50\nstart() { dropbear -B -p 22; }\n", 0755);
  add("etc/inetd.conf", "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -l /bin/sh\n");
  add("etc/crontabs/root", "*/5 * * * * /usr/sbin/update http://a.example/\n");
  add("etc/config/firewall", "config zone\n\toption name wan\n\tlist network 'wan'\n\toption input ACCEPT\n");
  add("etc/config/rpcd", "config login\n\toption username 'root'\n\toption password '$p$root'\n");
  add("etc/sysctl.conf", "net.ipv4.ip_forward=1\nkernel.randomize_va_space = 0\n");
  add("etc/ssh/sshd_config", "PermitRootLogin yes\nPort 2222\nPermitEmptyPasswords yes\n");
  add("etc/snmp/snmpd.conf", "rocommunity public\nrwcommunity private default\n");
  add("etc/lighttpd/lighttpd.conf",
      "server.port = 8080\nserver.document-root = \"/www\"\ncgi.assign = ( \".cgi\" => \"\" )\n");
  add("etc/nginx/nginx.conf", "http { server { listen 80; location /cgi { root /www; } } }\n");
  add("etc/hostapd.conf", "ssid=x\nwpa_passphrase=12345678\n");
  add("etc/default.xml", "<cfg><user name=\"admin\"><password>admin</password></user><Port>80</Port></cfg>\n");
  add("etc/config.json", "{\"user\":\"admin\",\"password\":\"admin\",\"list\":[1,{\"psk\":\"x\"}]}\n");
  add("lib/systemd/system/a.service", "[Service]\nExecStart=/usr/sbin/telnetd -l /bin/sh\nUser=root\n[Install]\n");
  add("lib/udev/rules.d/1.rules", "ACTION==\"add\", RUN+=\"/bin/sh /mnt/x\"\n");
  add("etc/mdev.conf", "sd[a-z] root:root 0660 @/bin/mount\n");
  add("etc/fstab", "/dev/mtdblock3 /usr jffs2 defaults 0 0\n");
  add("etc/authorized_keys", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 x@y\n");
  add("usr/lib/opkg/status", "Package: busybox\nVersion: 1.19.4-6\nStatus: install user installed\n\n");
  add("etc/os-release", "NAME=x\nVERSION_ID=\"1\"\n");
  add("www/cgi-bin/x.cgi", "#!/bin/sh\neval $QUERY_STRING\n", 0755);
  add("bin/sh",
      "\x7f"
      "ELF",
      04755);
  tar += tar_entry("bin/ash", "", 0777, '2', "sh") + tar_entry("loop", "", 0777, '2', "loop");
  tar += tar_entry("up", "", 0777, '2', "../../..") + std::string(1024, '\0');
  return {"device", tar};
}

}  // namespace assay::hostile
