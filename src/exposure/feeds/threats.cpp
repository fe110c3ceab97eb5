// What is known to be exploited (CISA KEV) and how likely it will be (FIRST EPSS).
#include <boost/json.hpp>
#include <charconv>

#include "base/clock.hpp"
#include "exposure/feeds/feeds.hpp"
#include "inventory/json_text.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::exposure {
namespace {

namespace json = boost::json;
using inventory::items_of;
using inventory::text_of;

/// Sources write fractions of a second and "+0000"; the day is enough for an age.
std::int64_t day_of(std::string_view date) {
  constexpr std::size_t kDayBytes = 10;  // 2025-08-25
  if (date.size() < kDayBytes) return 0;
  const auto time = parse_time(std::string(date.substr(0, kDayBytes)) + "T00:00:00Z");
  return time ? *time : 0;
}

bool read_fraction(std::string_view text, double& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1;
}

}  // namespace

Result<void> read_kev(std::string_view text, std::int64_t& published_ns,
                      const std::function<Result<void>(const std::string&, const Threat&)>& sink) {
  const json::value root = TRY(inventory::parse_json(text));
  published_ns = day_of(text_of(root, "dateReleased"));
  for (const json::value& item : items_of(root, "vulnerabilities")) {
    const std::string cve(text_of(item, "cveID"));
    if (!cve.starts_with("CVE-")) return fail(Code::kInvalid, "an entry has no cveID");
    TRY(sink(cve, {.known_exploited = true,
                   .added = std::string(text_of(item, "dateAdded")),
                   .ransomware = text_of(item, "knownRansomwareCampaignUse") == "Known"}));
  }
  return {};
}

Result<void> read_epss(std::string_view text, std::int64_t& published_ns,
                       const std::function<Result<void>(const std::string&, const Threat&)>& sink) {
  inventory::TextLines lines(text);
  for (std::string_view line; lines.next(line);) {
    constexpr std::string_view kDate = "score_date:";
    if (line.starts_with('#')) {
      const std::size_t at = line.find(kDate);
      if (at != std::string_view::npos) published_ns = day_of(line.substr(at + kDate.size()));
      continue;
    }
    if (line.empty() || line.starts_with("cve,")) continue;
    const std::size_t first = line.find(',');
    const std::size_t second = first == std::string_view::npos ? first : line.find(',', first + 1);
    double score = 0;
    double percentile = 0;
    if (second == std::string_view::npos || !line.starts_with("CVE-") ||
        !read_fraction(line.substr(first + 1, second - first - 1), score) ||
        !read_fraction(line.substr(second + 1), percentile)) {
      return fail(Code::kInvalid, "line " + std::to_string(lines.number()) + " is no score");
    }
    TRY(sink(std::string(line.substr(0, first)), {.epss = score, .epss_percentile = percentile}));
  }
  return {};
}

}  // namespace coff::exposure
