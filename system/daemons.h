// What is known of daemons by their name: service, port, the options that change it, whether they ask for a secret.
#pragma once
#include "core/facts.h"

#include <string_view>

namespace assay::system {

struct Daemon {
  std::string_view names;        // base names and busybox applets, separated by blanks
  std::string_view service;      // the field's word
  std::string_view protocol;     // tcp, udp, raw
  uint16_t port = 0;             // default; 0: none or not known
  Known asks = Known::kUnknown;  // for a secret, as it ships
  std::string_view port_option;  // "-p", or "-p --port"
  std::string_view bind_option, user_option, config_option, interface_option;
  std::string_view config;                        // default configuration file
  std::string_view port_key, bind_key, user_key;  // directives in it
  bool remote_access = false;                     // named even when nothing seen starts it
};

// By base name as started; null: no daemon we know.
const Daemon* daemon_of(std::string_view base);
bool is_daemon(std::string_view base);
// The usual name of a TCP or UDP port ("telnet" for tcp 23), "" unknown: for entries of inetd.
std::string_view service_of_port(std::string_view protocol, uint16_t port);
// The port of a service name as /etc/services has it: the names that inetd.conf uses.
uint16_t port_of_service(std::string_view name);

}  // namespace assay::system
