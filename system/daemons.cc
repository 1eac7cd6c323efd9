// The table of daemons. One line a daemon; each value is what the program's own manual documents: busybox's applet help
// (telnetd, ftpd, tftpd, httpd, udhcpd, inetd, …), the man pages of OpenSSH, dropbear, vsftpd, proftpd, lighttpd, boa,
// thttpd, mini_httpd, uhttpd, dnsmasq, net-snmp, miniupnpd, samba, cups, socat, netcat; ports from the IANA registry of
// service names. `asks`: what a peer meets with the configuration the program brings along.
#include "system/daemons.h"

#include "core/text.h"

#include <algorithm>
#include <array>

namespace assay::system {
namespace {

constexpr Known kYes = Known::kYes, kNo = Known::kNo, kOpen = Known::kUnknown;

constexpr auto kDaemons = std::to_array<Daemon>({
    // Remote shells and files.
    {"telnetd in.telnetd utelnetd", "telnet", "tcp", 23, kYes, "-p", "-b", "", "", "-i", "", "", "", "", true},
    {"dropbear", "ssh", "tcp", 22, kYes, "-p"},
    {"sshd", "ssh", "tcp", 22, kYes, "-p", "", "", "-f", "", "/etc/ssh/sshd_config /etc/sshd_config", "Port",
     "ListenAddress", ""},
    {"rshd in.rshd rshd.inetutils", "rsh", "tcp", 514, kOpen, "", "", "", "", "", "", "", "", "", true},
    {"rlogind in.rlogind", "rlogin", "tcp", 513, kOpen, "", "", "", "", "", "", "", "", "", true},
    {"rexecd in.rexecd", "rexec", "tcp", 512, kYes, "", "", "", "", "", "", "", "", "", true},
    {"ftpd in.ftpd bftpd stupid-ftpd pure-ftpd proftpd", "ftp", "tcp", 21, kOpen, "", "", "", "", "", "", "", "", "",
     true},
    {"vsftpd", "ftp", "tcp", 21, kOpen, "", "", "", "", "", "/etc/vsftpd.conf", "listen_port", "listen_address", "",
     true},
    {"tftpd in.tftpd utftpd atftpd tftpd-hpa", "tftp", "udp", 69, kNo, "", "", "-u", "", "", "", "", "", "", true},
    {"gdbserver", "gdb", "tcp", 0, kNo, "", "", "", "", "", "", "", "", "", true},
    {"adbd", "adb", "", 0, kOpen, "", "", "", "", "", "", "", "", "", true},
    {"shellinaboxd", "web-shell", "tcp", 4200, kOpen, "-p --port", "", "-u --user"},
    {"ttyd", "web-shell", "tcp", 7681, kNo, "-p --port", "", "-u", "", "-i"},
    {"rpcd", "rpc-ubus", "", 0, kOpen},
    {"rsync", "rsync", "tcp", 873, kOpen, "--port"},
    // Web.
    {"httpd", "http", "tcp", 80, kOpen, "-p", "", "-u", "-c"},
    {"uhttpd", "http", "tcp", 80, kOpen, "-p"},
    {"lighttpd", "http", "tcp", 80, kOpen, "", "", "", "-f", "", "/etc/lighttpd/lighttpd.conf /etc/lighttpd.conf",
     "server.port", "server.bind", "server.username"},
    {"boa", "http", "tcp", 80, kOpen, "-p", "", "", "-f", "", "/etc/boa/boa.conf /etc/boa.conf", "Port", "Listen",
     "User"},
    {"goahead webs goahead-webs", "http", "tcp", 80, kOpen},
    {"mini_httpd", "http", "tcp", 80, kOpen, "-p", "-h", "-u", "-C", "",
     "/etc/mini_httpd.conf /etc/mini_httpd/mini_httpd.conf", "port", "host", "user"},
    {"mini_httpds", "https", "tcp", 443, kOpen, "-p", "-h", "-u", "-C"},
    {"thttpd", "http", "tcp", 80, kOpen, "-p", "-h", "-u", "-C", "", "/etc/thttpd.conf /etc/thttpd/thttpd.conf", "port",
     "host", "user"},
    {"nginx", "http", "tcp", 80, kOpen, "", "", "", "-c", "", "/etc/nginx/nginx.conf", "listen", "", "user"},
    {"apache2 apache", "http", "tcp", 80, kOpen, "", "", "", "-f", "", "/etc/apache2/ports.conf", "Listen", "", "User"},
    {"hiawatha", "http", "tcp", 80, kOpen},
    {"cherokee", "http", "tcp", 80, kOpen, "-p"},
    {"jjhttpd mathopd appweb alphapd", "http", "tcp", 80, kOpen},
    {"stunnel stunnel4", "tls", "tcp", 0, kOpen},
    // Names, addresses, time, discovery.
    {"dnsmasq", "dns", "udp", 53, kNo, "-p --port", "-a --listen-address", "-u --user", "-C --conf-file",
     "-i --interface", "/etc/dnsmasq.conf", "port", "listen-address", "user"},
    {"named unbound dnrd pdnsd dproxy dnsproxy dnsmasq-dhcpv6", "dns", "udp", 53, kNo},
    {"udhcpd dhcpd odhcpd dhcpd6", "dhcp", "udp", 67, kNo, "-P"},
    {"dhcp6s dhcp6ctl dibbler-server", "dhcpv6", "udp", 547, kNo},
    {"dhcrelay dhcp-fwd dhcp-forwarder", "dhcp-relay", "udp", 67, kNo},
    {"radvd", "router-advertisement", "raw", 0, kNo},
    {"xntpd chronyd", "ntp", "udp", 123, kNo},
    {"avahi-daemon mdnsd mDNSResponder mDNSResponderPosix", "mdns", "udp", 5353, kNo},
    {"llmnrd", "llmnr", "udp", 5355, kNo},
    {"lld2d lld2 lltdd", "lltd", "raw", 0, kNo},
    {"lldpd", "lldp", "raw", 0, kNo},
    {"miniupnpd", "upnp", "udp", 1900, kNo, "", "-a", "", "-f", "-i", "/etc/miniupnpd.conf", "", "listening_ip", ""},
    {"upnpd upnp igdd wscd minissdpd linuxigd mini_upnpd", "upnp", "udp", 1900, kNo},
    {"minidlna minidlnad ushare mediatomb fuppesd twonkystarter", "upnp-media", "tcp", 8200, kNo, "-p"},
    {"nbtscan-d nmbd", "netbios", "udp", 137, kNo},
    // Files and printing.
    {"smbd", "smb", "tcp", 445, kOpen, "-p", "", "", "-s"},
    {"ksmbd ksmbd.mountd", "smb", "tcp", 445, kOpen},
    {"rpc.nfsd nfsd unfsd", "nfs", "tcp", 2049, kNo},
    {"rpc.mountd", "nfs-mount", "tcp", 0, kNo},
    {"portmap rpcbind", "rpcbind", "tcp", 111, kNo},
    {"afpd netatalk", "afp", "tcp", 548, kOpen},
    {"cupsd", "ipp", "tcp", 631, kOpen},
    {"p910nd p9100d", "printer", "tcp", 9100, kNo},
    {"lpd", "printer", "tcp", 515, kNo},
    // Management.
    {"snmpd mini_snmpd mini-snmpd", "snmp", "udp", 161, kOpen, "-p", "", "-u", "-c", "",
     "/etc/snmp/snmpd.conf /etc/snmpd.conf", "agentaddress", "", ""},
    {"snmptrapd", "snmp-trap", "udp", 162, kOpen},
    {"cwmpd cwmp cwmpClient tr069 tr069c tr69c tr069_client tr064c easycwmpd freecwmpd cwmpc icwmpd", "tr-069", "tcp",
     7547, kOpen, "-p"},
    {"tr064d", "tr-064", "tcp", 49000, kOpen},
    {"netconfd netopeer2-server", "netconf", "tcp", 830, kYes},
    {"mosquitto", "mqtt", "tcp", 1883, kOpen, "-p", "", "", "-c", "",
     "/etc/mosquitto/mosquitto.conf /etc/mosquitto.conf", "listener", "bind_address", "user"},
    {"zebra", "zebra-vty", "tcp", 2601, kYes, "-P", "-A", "-u", "-f"},
    {"ripd", "rip", "udp", 520, kNo, "", "-A", "-u", "-f"},
    {"ripngd", "ripng", "udp", 521, kNo, "", "-A", "-u", "-f"},
    {"ospfd", "ospf", "raw", 0, kOpen, "", "-A", "-u", "-f"},
    {"bgpd", "bgp", "tcp", 179, kOpen, "-p", "-l", "-u", "-f"},
    {"routed", "rip", "udp", 520, kNo},
    // Tunnels and telephony.
    {"pptpd pptpctrl", "pptp", "tcp", 1723, kYes},
    {"l2tpd xl2tpd l2tp-control", "l2tp", "udp", 1701, kOpen, "-p"},
    {"openvpn", "openvpn", "udp", 1194, kYes, "--port --lport", "--local", "--user", "--config"},
    {"racoon charon pluto starter", "ike", "udp", 500, kYes},
    {"asterisk", "sip", "udp", 5060, kYes},
    {"pppoe-server", "pppoe", "raw", 0, kOpen},
    {"3proxy tinyproxy polipo privoxy squid", "proxy", "tcp", 8888, kOpen},
    {"sockd dante srelay microsocks", "socks", "tcp", 1080, kOpen, "-p"},
    {"rtspd live555 rtspserver", "rtsp", "tcp", 554, kOpen},
    {"igmpproxy mcproxy igmprt", "igmp", "raw", 0, kNo},
    {"inadyn-mt-listen", "dns", "udp", 53, kNo},
    // Measurement and test; a server only with the option that makes it one (services.cc).
    {"iperf", "iperf", "tcp", 5001, kNo, "-p", "-B"},
    {"iperf3", "iperf", "tcp", 5201, kNo, "-p", "-B"},
    {"netserver", "netperf", "tcp", 12865, kNo, "-p"},
    {"epi_ttcp ttcp", "ttcp", "tcp", 5001, kNo, "-p"},
    {"discard", "discard", "tcp", 9, kNo},
    {"nc netcat ncat", "netcat", "tcp", 0, kNo, "-p", "-s"},
    {"socat", "socat", "tcp", 0, kNo},
});

struct Port {
  std::string_view name, protocol;
  uint16_t port;
};
constexpr auto kPorts = std::to_array<Port>({
    {"echo", "tcp", 7},          {"discard", "tcp", 9},  {"systat", "tcp", 11},      {"daytime", "tcp", 13},
    {"netstat", "tcp", 15},      {"chargen", "tcp", 19}, {"ftp", "tcp", 21},         {"ssh", "tcp", 22},
    {"telnet", "tcp", 23},       {"smtp", "tcp", 25},    {"time", "tcp", 37},        {"domain", "udp", 53},
    {"bootps", "udp", 67},       {"tftp", "udp", 69},    {"finger", "tcp", 79},      {"http", "tcp", 80},
    {"www", "tcp", 80},          {"pop3", "tcp", 110},   {"sunrpc", "tcp", 111},     {"auth", "tcp", 113},
    {"ident", "tcp", 113},       {"ntp", "udp", 123},    {"netbios-ns", "udp", 137}, {"netbios-dgm", "udp", 138},
    {"netbios-ssn", "tcp", 139}, {"imap", "tcp", 143},   {"snmp", "udp", 161},       {"https", "tcp", 443},
    {"exec", "tcp", 512},        {"login", "tcp", 513},  {"shell", "tcp", 514},      {"printer", "tcp", 515},
    {"swat", "tcp", 901},        {"rsync", "tcp", 873},  {"telnets", "tcp", 992},    {"ftps", "tcp", 990},
    {"nfs", "tcp", 2049},        {"svn", "tcp", 3690},
});

bool among(std::string_view name, std::string_view names) {
  for (const std::string_view one : words(names)) {
    if (one == name) return true;
  }
  return false;
}

}  // namespace

const Daemon* daemon_of(std::string_view base) {
  if (base.empty()) return nullptr;
  for (const Daemon& daemon : kDaemons) {
    if (daemon.names.find(base) != std::string_view::npos && among(base, daemon.names)) return &daemon;
  }
  return nullptr;
}

bool is_daemon(std::string_view base) { return daemon_of(base) != nullptr; }

std::string_view service_of_port(std::string_view protocol, uint16_t port) {
  for (const Port& one : kPorts) {
    if (one.port == port && (one.protocol == protocol || protocol.empty())) return one.name;
  }
  return {};
}

uint16_t port_of_service(std::string_view name) {
  for (const Port& one : kPorts) {
    if (one.name == name) return one.port;
  }
  return 0;
}

}  // namespace assay::system
