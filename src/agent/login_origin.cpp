// Where a login came from: the other end of the connection that its server holds.
#include "agent/login_origin.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "schema/address.hpp"

namespace coff::agent {

namespace {

constexpr size_t kTableBytesMax = size_t{8} << 20;
/// Descriptors that are looked at, and ancestors whose descriptors are.
constexpr int kDescriptorsMax = 256;
constexpr int kServersMax = 3;
constexpr std::string_view kEstablished = "01";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) return words;
    line.remove_prefix(first);
    words.push_back(line.substr(0, line.find(' ')));
    line.remove_prefix(words.back().size());
  }
}

// "0100007F:0016": words of 32 bits in the host's own order.
access::Origin origin_of(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return {};
  std::array<std::uint8_t, 16> bytes{};
  for (size_t word = 0; word < colon / 8; ++word) {
    std::uint32_t value = 0;
    std::from_chars(text.data() + word * 8, text.data() + word * 8 + 8, value, 16);
    for (size_t at = 0; at < 4; ++at) {
      bytes[word * 4 + at] = static_cast<std::uint8_t>(value >> (at * 8));
    }
  }
  access::Origin origin;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), origin.port, 16);
  // A client of IPv4 on a socket of IPv6.
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const bool mapped = colon == 32 && std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
  if (mapped) std::copy(bytes.begin() + 12, bytes.end(), bytes.begin());
  origin.address = schema::address_text(bytes, colon == 32 && !mapped);
  return origin;
}

// Inodes of the process's sockets, by descriptor.
std::vector<std::string> sockets_of(const std::string& folder) {
  std::vector<std::string> inodes;
  for (int fd = 0; fd < kDescriptorsMax; ++fd) {
    std::array<char, 64> text{};
    const ssize_t size =
        ::readlink((folder + "/fd/" + std::to_string(fd)).c_str(), text.data(), text.size());
    constexpr std::string_view kPrefix = "socket:[";
    const std::string_view link(text.data(), size < 0 ? 0 : static_cast<size_t>(size));
    if (!link.starts_with(kPrefix) || !link.ends_with(']')) continue;
    inodes.emplace_back(link.substr(kPrefix.size(), link.size() - kPrefix.size() - 1));
  }
  return inodes;
}

access::Origin origin_of_process(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::vector<std::string> inodes = sockets_of(folder);
  if (inodes.empty()) return {};
  std::vector<std::string> tables;
  for (const char* name : {"/net/tcp", "/net/tcp6"}) {
    if (auto table = read_file(folder + name, kTableBytesMax)) tables.push_back(std::move(*table));
  }
  for (const auto& inode : inodes) {
    for (const auto& table : tables) {
      if (auto origin = origin_in_table(table, inode); !origin.address.empty()) return origin;
    }
  }
  return {};
}

}  // namespace

access::Origin origin_in_table(std::string_view table, std::string_view inode) {
  constexpr size_t kRemote = 2;
  constexpr size_t kState = 3;
  constexpr size_t kInode = 9;
  while (!table.empty()) {
    const size_t end = table.find('\n');
    const auto words = words_of(table.substr(0, end));
    table.remove_prefix(end == std::string_view::npos ? table.size() : end + 1);
    if (words.size() > kInode && words[kInode] == inode && words[kState] == kEstablished) {
      return origin_of(words[kRemote]);
    }
  }
  return {};
}

// The server of one login may have handed its socket down, or left it with its parent.
access::Origin find_login_origin(const Process& server) {
  const Process* process = &server;
  for (int level = 0; level < kServersMax && process != nullptr; ++level) {
    const access::Origin origin = origin_of_process(process->pid);
    if (!origin.address.empty()) return origin;
    process = process->parent.get();
  }
  return {};
}

}  // namespace coff::agent
