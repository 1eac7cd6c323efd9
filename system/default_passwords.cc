// Commonly known default passwords, the general ones first. The list was put together by hand from general knowledge of
// published defaults; its entries were not checked one by one against manuals, and the order is no measured frequency.
// They are tried on every hash of every image alike; nothing here depends on who made the image. "" is tried for every
// account, and so is the account's own name.
#include "system/password_hash.h"

#include <array>

namespace assay::system {
namespace {

constexpr std::array kPasswords = std::to_array<std::string_view>({
    // clang-format off
    "admin", "root", "password", "1234", "12345", "123456", "12345678", "123456789", "default", "user", "guest",
    "support", "system", "service", "test", "public", "private", "pass", "passwd", "password1", "Password1",
    "letmein", "changeme", "secret", "administrator", "Administrator", "toor", "admin123", "admin1234", "root123",
    "1111", "111111", "11111111", "0000", "000000", "00000000", "888888", "88888888", "666666", "54321", "654321",
    "4321", "87654321", "123", "1234567", "1234567890", "0123456789", "qwerty", "abc123", "admin1", "adminadmin",
    "Admin", "ADMIN", "adminpass", "admin@123", "Admin@123", "admin!@#", "P@ssw0rd", "p@ssw0rd", "Passw0rd",
    "passw0rd", "P@ssword", "Pa$$w0rd", "master", "manager", "operator", "supervisor", "superuser", "super",
    "superman", "security", "technician", "tech", "engineer", "installer", "install", "setup", "config", "factory",
    "debug", "diag", "field", "maint", "maintenance", "monitor", "netadmin", "network", "router", "switch", "modem",
    "gateway", "wireless", "wlan", "wifi", "access", "device", "telnet", "ssh", "ftp", "web", "www", "http", "snmp",
    "console", "shell", "linux", "openwrt", "embedded", "busybox", "alpine", "ubuntu", "raspberry", "pi", "camera",
    "video", "ipcam", "dvr", "nvr", "smcadmin", "sohoadmin", "shoadmin", "useradmin", "rootme", "rootpass",
    "rootroot", "root1234", "telecomadmin", "admintelecom", "nE7jA%5m", "adslroot", "xc3511", "vizxv", "jvbzd",
    "juantech", "anko", "klv123", "klv1234", "hi3518", "hi3518e", "GM8182", "zlxx.", "7ujMko0admin", "7ujMko0vizxv",
    "dreambox", "ikwb", "meinsm", "OxhlwSG8", "cat1029", "xmhdipc", "tlJwpbo6", "S2fGqNFs", "annie2012", "welc0me",
    "welcome", "calvin", "nimda", "tini", "epicrouter", "hunt5759", "5up", "attack", "blender", "none", "0", "1", "a",
    "x",
    // clang-format on
});

}  // namespace

std::span<const std::string_view> default_passwords() { return kPasswords; }

}  // namespace assay::system
