// What a path, a name, a key or a URL in the configuration must look like.
#include <algorithm>
#include <cctype>

#include "base/bytes.hpp"
#include "bpf/wire.h"
#include "config/reader.hpp"

namespace coff::config {
namespace {

/// sun_path of sockaddr_un without its NUL.
constexpr size_t kSocketPathMax = 107;
/// NAME_MAX and the longest host name that DNS knows.
constexpr size_t kNameBytesMax = 253;

bool is_word(std::string_view text, std::string_view also) {
  return std::ranges::all_of(text, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || also.find(c) != also.npos;
  });
}

}  // namespace

std::string check_path(std::string_view text) {
  if (!text.starts_with('/')) return "must be an absolute path";
  if (text.size() >= COFF_PATH_MAX) return "is longer than a path can be";
  if (text.find('\0') != text.npos) return "must not contain NUL";
  if ((std::string(text) + '/').find("/../") != std::string::npos) return "must not contain ..";
  return "";
}

std::string check_path_or_none(std::string_view text) {
  return text.empty() ? "" : check_path(text);
}

std::string check_socket(std::string_view text) {
  if (text.starts_with("unix://")) return "must be a path: leave unix:// out";
  if (text.size() > kSocketPathMax) return "is longer than the 107 bytes of a socket's path";
  return check_path(text);
}

std::string check_socket_or_none(std::string_view text) {
  return text.empty() ? "" : check_socket(text);
}

std::string check_name(std::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kNameBytesMax) return "is longer than 253 bytes";
  if (!is_word(text, "._-@$\\")) return "may hold letters, digits, and . _ - @ $ \\ only";
  return "";
}

std::string check_name_or_none(std::string_view text) {
  return text.empty() ? "" : check_name(text);
}

std::string check_variable(std::string_view text) {
  if (text.empty() || text.size() > kNameBytesMax || !is_word(text, "_")) {
    return "must be the name of a variable: letters, digits and _";
  }
  return "";
}

std::string check_pattern(std::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.find('\0') != text.npos) return "must not contain NUL";
  if (text.size() >= COFF_PATH_MAX) return "is longer than a path can be";
  return "";
}

std::string check_rule(std::string_view text) {
  constexpr size_t kBytesMax = 256;
  if (text.empty() || text.size() > kBytesMax) return "must be 1 to 256 bytes long";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20) return "must not contain control characters";
  }
  return "";
}

std::string check_tenant(std::string_view text) {
  if (text.empty() || text.size() > 63 || !is_word(text, "-_.")) {
    return "must be 1 to 63 letters, digits, or - _ .";
  }
  return "";
}

std::string check_url(std::string_view text) {
  size_t host = 0;
  if (text.starts_with("https://")) host = 8;
  else if (text.starts_with("http://")) host = 7;
  if (host == 0) return "must begin with https:// or http://";
  if (text.size() > 2048) return "is longer than 2048 bytes";
  if (text.size() == host || text[host] == '/') return "must name a host";
  if (text.find_first_of(" #?@\\\"'<>") != text.npos) {
    return "must hold host, port and path only: no user, query or fragment";
  }
  return "";
}

std::string check_vkey(std::string_view text) {
  // C2SP signed-note: name "+" 8 hexadecimal digits "+" base64 of algorithm byte and key.
  const size_t first = text.find('+');
  const size_t second = first == text.npos ? first : text.find('+', first + 1);
  if (second == text.npos || first == 0 || text.substr(0, first).find(' ') != text.npos) {
    return "must be a verifier key: name+hash+key";
  }
  const std::string_view hash = text.substr(first + 1, second - first - 1);
  if (hash.size() != 8 || !from_hex(hash)) return "must have 8 hexadecimal digits as its hash";
  const auto key = from_base64(text.substr(second + 1));
  if (!key || key->size() != 33) return "must end with the base64 of one Ed25519 key";
  return "";
}

}  // namespace coff::config
