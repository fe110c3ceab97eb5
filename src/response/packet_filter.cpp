// The packet filter that closes a container's interfaces from the host: one nftables table for
// each.
#include "response/packet_filter.hpp"

#include <arpa/inet.h>
#include <nftables/libnftables.h>

#include <array>
#include <charconv>
#include <memory>

#include "response/links.hpp"

namespace coff::response {
namespace {

/// Before every other filter on the device.
constexpr const char* kPriority = "-500";
/// Longest listing of a table that is read.
constexpr std::size_t kListingBytesMax = 1U << 20U;
/// Digits of the container's id in the name of its table.
constexpr std::size_t kIdDigits = 32;

struct NftDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

Result<std::string> run_commands(const std::string& commands, unsigned flags = 0) {
  const std::unique_ptr<nft_ctx, NftDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context || nft_ctx_buffer_output(context.get()) != 0 ||
      nft_ctx_buffer_error(context.get()) != 0) {
    return fail(Code::kUnsupported, "nftables cannot be used");
  }
  nft_ctx_output_set_flags(context.get(), flags);
  const int outcome = nft_run_cmd_from_buffer(context.get(), commands.c_str());
  if (outcome != 0) {
    std::string problem = nft_ctx_get_error_buffer(context.get());
    const Code code =
        problem.find("No such file") != std::string::npos ? Code::kNotFound : Code::kIo;
    return fail(code, "nftables: " + problem.substr(0, problem.find('\n')));
  }
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

bool is_ipv6(const std::string& text) { return text.find(':') != std::string::npos; }

std::string set_of(const std::string& name, const std::string& type,
                   const std::vector<std::string>& elements) {
  std::string text = "set " + name + " { type " + type + "; flags interval; auto-merge;";
  if (!elements.empty()) {
    text += " elements = { ";
    for (const std::string& element : elements) text += element + ", ";
    text += "};";
  }
  return text + " }\n";
}

/// `far` is the address field of whoever talks with the container: daddr of what it sends.
std::string chain_of(const std::string& name, const std::string& hook, const std::string& device,
                     const std::string& far, bool any_ipv6) {
  std::string text = "chain " + name + " {\ntype filter hook " + hook + " device \"" + device +
                     "\" priority " + kPriority + "; policy drop;\n";
  text += "ip " + far + " @allowed4 counter accept\n";
  text += "ip6 " + far + " @allowed6 counter accept\n";
  text += "arp " + far + " ip @neighbors counter accept\n";
  if (any_ipv6) {
    text += "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } counter accept\n";
  }
  return text + "counter drop\n}\n";
}

std::uint64_t number_after(std::string_view line, std::string_view word) {
  const std::size_t at = line.find(word);
  if (at == std::string_view::npos) return 0;
  const std::string_view digits = line.substr(at + word.size());
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Result<void> check_address(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  const int family = is_ipv6(address) ? AF_INET6 : AF_INET;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  bool right = ::inet_pton(family, address.c_str(), bytes.data()) == 1;
  if (right && slash != std::string::npos) {
    const char* end = text.data() + text.size();
    unsigned bits = 0;
    const auto [stop, problem] = std::from_chars(text.data() + slash + 1, end, bits);
    right = problem == std::errc() && stop == end && bits > 0 &&
            bits <= (family == AF_INET ? 32U : 128U);
  }
  if (right) return {};
  return fail(Code::kInvalid,
              "an allowed address must be like 10.1.2.3, 10.1.2.0/24 or 2001:db8::1");
}

std::string table_name(const std::string& container_id) {
  return "cofferdam_" + container_id.substr(0, kIdDigits);
}

Result<std::string> render_table(const FilterTable& table) {
  if (table.container_id.size() != 64 ||
      table.container_id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Code::kUnsupported, "a container without a 64-digit id cannot be closed");
  }
  if (table.allowed.size() > kAllowedMax) return fail(Code::kLimit, "too many allowed addresses");
  std::vector<std::string> allowed4;
  std::vector<std::string> allowed6;
  for (const std::string& address : table.allowed) {
    TRY(check_address(address));
    (is_ipv6(address) ? allowed6 : allowed4).push_back(address);
  }
  std::vector<std::string> neighbors;
  if (!allowed4.empty()) {
    neighbors = allowed4;
    for (const std::string& address : table.neighbors) {
      TRY(check_address(address));
      neighbors.push_back(address);
    }
  }
  const std::string name = table_name(table.container_id);
  std::string text = "add table netdev " + name + "\ndelete table netdev " + name +
                     "\ntable netdev " + name + " {\n";
  text += set_of("allowed4", "ipv4_addr", allowed4);
  text += set_of("allowed6", "ipv6_addr", allowed6);
  text += set_of("neighbors", "ipv4_addr", neighbors);
  for (std::size_t at = 0; at < table.devices.size(); ++at) {
    const std::string& device = table.devices[at];
    if (!is_plain_name(device)) {
      return fail(Code::kUnsupported, "an interface has a name that no engine gives: " + device);
    }
    const std::string number = std::to_string(at);
    text += chain_of("from_" + number, "ingress", device, "daddr", !allowed6.empty());
    text += chain_of("to_" + number, "egress", device, "saddr", !allowed6.empty());
  }
  return text + "}\n";
}

Result<void> apply_table(const FilterTable& table) {
  TRY(run_commands(TRY(render_table(table))));
  return {};
}

Result<void> remove_table(const std::string& container_id) {
  const std::string name = table_name(container_id);
  // "add" first: deleting what isn't there would be an error.
  TRY(run_commands("add table netdev " + name + "\ndelete table netdev " + name + "\n"));
  return {};
}

FilterState parse_table(const std::string& text) {
  FilterState state{.exists = true};
  std::string_view rest(text);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const bool ingress = line.find("hook ingress") != std::string_view::npos;
    if (ingress || line.find("hook egress") != std::string_view::npos) {
      const std::size_t open = line.find('"');
      const std::size_t close = line.find('"', open + 1);
      if (open == std::string_view::npos || close == std::string_view::npos) continue;
      (ingress ? state.closed_from : state.closed_to)
          .emplace_back(line.substr(open + 1, close - open - 1));
    }
    const std::uint64_t packets = number_after(line, "counter packets ");
    if (line.ends_with("drop")) state.dropped_packets += packets;
    else state.passed_packets += packets;
  }
  return state;
}

Result<FilterState> read_table(const std::string& container_id) {
  auto text = run_commands("list table netdev " + table_name(container_id) + "\n");
  if (!text && text.error().code == Code::kNotFound) return FilterState{};
  if (!text) return std::unexpected(text.error());
  if (text->size() > kListingBytesMax)
    return fail(Code::kLimit, "a packet filter table is too long");
  return parse_table(*text);
}

Result<void> check_filter_support() {
  const std::string name = "cofferdam_check";
  // Every network namespace has a loopback interface; the table is gone in the same transaction.
  const std::string commands = "add table netdev " + name + "\nadd chain netdev " + name +
                               " to { type filter hook egress device \"lo\" priority 0; }\n" +
                               "delete table netdev " + name + "\n";
  if (auto tried = run_commands(commands); !tried) {
    return fail(Code::kUnsupported,
                "this kernel cannot filter on the way to an interface (it needs 5.16 or later with "
                "CONFIG_NETFILTER_EGRESS): " +
                    tried.error().message());
  }
  return {};
}

}  // namespace coff::response
