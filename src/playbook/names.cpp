// Identifiers, timestamps, names of variables and vocabularies of CACAO 2.0.
#include "playbook/names.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace coff::playbook {
namespace {

constexpr size_t kUuidBytes = 36;
constexpr size_t kVariableNameMax = 200;

bool is_hex(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
         (byte >= 'A' && byte <= 'F');
}
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_lower(char byte) { return byte >= 'a' && byte <= 'z'; }

bool is_uuid(std::string_view text) {
  if (text.size() != kUuidBytes) return false;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return text[14] >= '1' && text[14] <= '5' &&
         std::string_view("89abAB").find(text[19]) != std::string_view::npos;
}

int two_digits(std::string_view text, size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

constexpr std::string_view kPlaybookTypes[] = {"attack",        "detection",  "engagement",
                                               "investigation", "mitigation", "notification",
                                               "prevention",    "remediation"};
constexpr std::string_view kActivities[] = {"compose-content",
                                            "deliver-content",
                                            "identify-audience",
                                            "identify-channel",
                                            "scan-system",
                                            "match-indicator",
                                            "analyze-collected-data",
                                            "identify-indicators",
                                            "scan-vulnerabilities",
                                            "configure-systems",
                                            "restrict-access",
                                            "disconnect-system",
                                            "eliminate-risk",
                                            "revert-system",
                                            "restore-data",
                                            "restore-capabilities",
                                            "map-network",
                                            "identify-steps",
                                            "step-sequence",
                                            "prepare-engagement",
                                            "execute-operation",
                                            "analyze-engagement-results"};
constexpr std::string_view kCommandTypes[] = {"manual",     "bash",    "caldera-cmd", "elastic",
                                              "http-api",   "jupyter", "kestrel",     "openc2-http",
                                              "powershell", "sigma",   "ssh",         "yara"};

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.size() < kUuidBytes + 5) return false;
  const size_t dashes = text.size() - kUuidBytes - 2;
  const std::string_view type = text.substr(0, dashes);
  const auto inner = [](char byte) { return is_lower(byte) || is_digit(byte) || byte == '-'; };
  return text.substr(dashes, 2) == "--" && is_lower(type.front()) && type.back() != '-' &&
         std::ranges::all_of(type, inner) && is_uuid(text.substr(dashes + 2));
}

std::string_view type_of_identifier(std::string_view identifier) {
  return identifier.substr(0, identifier.find("--"));
}

bool is_timestamp(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kForm.size() + 1 || text.back() != 'Z') return false;
  for (size_t at = 0; at < kForm.size(); ++at) {
    if (kForm[at] == 'd' ? !is_digit(text[at]) : text[at] != kForm[at]) return false;
  }
  const int month = two_digits(text, 5);
  const int day = two_digits(text, 8);
  if (month < 1 || month > 12 || day < 1 || day > 31 || two_digits(text, 11) > 23 ||
      two_digits(text, 14) > 59 || two_digits(text, 17) > 60) {
    return false;
  }
  const std::string_view rest = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  return rest.empty() ||
         (rest.size() > 1 && rest[0] == '.' && std::ranges::all_of(rest.substr(1), is_digit));
}

bool is_variable_name(std::string_view text) {
  if (text.size() < 5 || !text.starts_with("__") || !text.ends_with("__")) return false;
  const std::string_view name = text.substr(2, text.size() - 4);
  const auto letter = [](char byte) {
    return is_lower(byte) || (byte >= 'A' && byte <= 'Z') || byte == '_';
  };
  return letter(name[0]) && name.size() <= kVariableNameMax &&
         std::ranges::all_of(
             name, [&](char byte) { return letter(byte) || is_digit(byte) || byte == '-'; });
}

Result<std::string> new_identifier(std::string_view type) {
  std::array<std::uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno("cannot get random bytes");
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x40U);  // RFC 9562, version 4.
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  const std::string hex = to_hex(bytes);
  return std::string(type) + "--" + hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' +
         hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' + hex.substr(20);
}

std::span<const std::string_view> playbook_types() { return kPlaybookTypes; }
std::span<const std::string_view> playbook_activities() { return kActivities; }
std::span<const std::string_view> command_types() { return kCommandTypes; }

bool is_listed(std::span<const std::string_view> list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

}  // namespace coff::playbook
