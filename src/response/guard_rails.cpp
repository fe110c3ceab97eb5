// Guard rails: what no action may do unless a person says that it must.
#include "response/guard_rails.hpp"

#include <algorithm>
#include <sstream>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "response/engine_client.hpp"
#include "runtime/cgroup.hpp"

namespace coff::response {
namespace {

constexpr std::size_t kProcBytesMax = 1U << 20U;
constexpr std::string_view kProjectLabel = "com.docker.compose.project";
constexpr std::string_view kServiceLabel = "com.docker.compose.service";

std::string label_of(const Container& container, std::string_view wanted) {
  for (const auto& [name, value] : container.labels) {
    if (name == wanted) return value;
  }
  return {};
}

/// True when this process runs in that container.
bool is_our_own(const std::string& container_id) {
  const auto text = read_file("/proc/self/cgroup", kProcBytesMax);
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const auto seen = runtime::parse_cgroup(line.substr(slash));
    if (seen && seen->id == container_id) return true;
  }
  return false;
}

void check_protected(const GuardRails& rails, const Target& target,
                     std::vector<std::string>& refusals) {
  const Container& about = target.about;
  if (is_our_own(about.id)) refusals.emplace_back("the agent itself runs in this container");
  if (label_of(about, kProtectLabel) == "true") {
    refusals.push_back("it is protected by its label " + std::string(kProtectLabel));
  }
  for (const std::string& pattern : rails.protect) {
    if (fits(pattern, about.name) || fits(pattern, about.image)) {
      refusals.push_back("it is protected by response.protect (" + pattern + ")");
    }
  }
  if (target.engine_socket.empty()) {
    refusals.emplace_back("no engine answers, so whether it is protected is not known");
  }
}

Result<void> check_rate(const GuardRails& rails, const Target& target, const Journal& journal,
                        std::vector<std::string>& refusals) {
  if (rails.containers_max == 0) return {};
  const auto window_ns = static_cast<std::int64_t>(rails.window_s) * 1'000'000'000;
  std::vector<std::string> used = TRY(journal.used_since(wall_now_ns() - window_ns));
  std::erase(used, target.about.id);
  if (used.size() < rails.containers_max) return {};
  refusals.push_back(std::to_string(used.size()) + " other containers were acted on in the last " +
                     std::to_string(rails.window_s) + " s (response.containers_max is " +
                     std::to_string(rails.containers_max) + ")");
  return {};
}

Result<void> check_healthy(const GuardRails& rails, const Target& target, const Journal& journal,
                           std::vector<std::string>& refusals) {
  const std::string service = label_of(target.about, kServiceLabel);
  if (rails.healthy_min == 0 || service.empty() || target.engine_socket.empty()) return {};
  std::vector<std::string> left =
      TRY(running_with_labels(target.engine_socket, {std::string(kProjectLabel) + "=" +
                                                         label_of(target.about, kProjectLabel),
                                                     std::string(kServiceLabel) + "=" + service}));
  std::erase(left, target.about.id);
  for (const Record& record : TRY(journal.list())) {
    if (record.action != kProtect.name) std::erase(left, record.container_id);
  }
  if (left.size() >= rails.healthy_min) return {};
  refusals.push_back("service " + service + " would have " + std::to_string(left.size()) +
                     " untouched instance(s) left (response.healthy_min is " +
                     std::to_string(rails.healthy_min) + ")");
  return {};
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  // Goes back to the last star whenever what follows it does not fit: linear in practice, and never
  // worse than the product of the lengths.
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  std::size_t at = 0;
  std::size_t in = 0;
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = in;
    } else if (at < pattern.size() && pattern[at] == text[in]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

Result<std::vector<std::string>> check_guard_rails(const GuardRails& rails, const Action& action,
                                                   const Target& target, const Journal& journal) {
  std::vector<std::string> refusals;
  check_protected(rails, target, refusals);
  // Keeping a container from being restarted takes nothing away from anybody.
  if (action.name == kProtect.name) return refusals;
  TRY(check_rate(rails, target, journal, refusals));
  TRY(check_healthy(rails, target, journal, refusals));
  return refusals;
}

}  // namespace coff::response
