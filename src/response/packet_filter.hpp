// The packet filter that closes a container's interfaces from the host: one nftables table for
// each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace coff::response {

/// What is closed, and for whom it stays open.
struct FilterTable {
  std::string container_id;            ///< 64 hexadecimal digits.
  std::vector<std::string> devices;    ///< The host's ends of the container's veth pairs.
  std::vector<std::string> allowed;    ///< Addresses or prefixes, IPv4 or IPv6, of investigators.
  std::vector<std::string> neighbors;  ///< IPv4 addresses that ARP may ask for when any is allowed.
};

/// What the kernel says of a table.
struct FilterState {
  bool exists = false;
  std::vector<std::string> closed_from;  ///< Devices whose frames from the container are filtered.
  std::vector<std::string> closed_to;    ///< Devices whose frames to the container are filtered.
  std::uint64_t dropped_packets = 0;
  std::uint64_t passed_packets = 0;  ///< Of the allow-list.
};

/// Allow-list entries at most.
inline constexpr std::size_t kAllowedMax = 64;

/// kInvalid unless `text` is an IPv4 or IPv6 address or a prefix of one, as inet_pton(3) reads it.
Result<void> check_address(const std::string& text);
/// Name of the container's table, of family netdev.
std::string table_name(const std::string& container_id);
/// Commands of nft(8) that put exactly this table in place of whatever it was: one transaction.
/// Everything is dropped in both directions, of every protocol, but what `allowed` names.
Result<std::string> render_table(const FilterTable& table);

/// Puts the table in force; atomic: all of it or nothing. Needs CAP_NET_ADMIN. kUnsupported: the
/// kernel has no filter on the way to a device (before 5.16, or built without it).
Result<void> apply_table(const FilterTable& table);
/// Removes the table; no error when there is none.
Result<void> remove_table(const std::string& container_id);
Result<FilterState> read_table(const std::string& container_id);
/// Reads the text that `nft list table` prints of a table of ours.
FilterState parse_table(const std::string& text);
/// Nothing, or why this kernel can't filter on devices in both directions: checked by a transaction
/// that isn't committed.
Result<void> check_filter_support();

}  // namespace coff::response
