// Alpine's secdb: which release of a package fixed what.
#include <map>

#include "base/yaml.hpp"
#include "exposure/feeds/feeds.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::exposure {
namespace {

/// secdb has one mapping for each package: 20,000 fixes in the largest file.
constexpr YamlLimits kLimits{.depth_max = 16, .nodes_max = 2'000'000, .foreign = true};

/// Names in one entry: several may stand behind each other, "CVE-a CVE-b (text)".
template <typename Take>
void each_name(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (word.find('-') != std::string_view::npos && word.front() != '(') take(word);
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
}

/// Advisories by name: one may be about several packages.
using ByName = std::map<std::string, Advisory, std::less<>>;

void read_fixes(const std::string& ecosystem, const std::string& package, const YamlNode& fixes,
                ByName& found) {
  for (std::size_t at = 0; at < fixes.items.size() && at < fixes.keys.size(); ++at) {
    const std::string& fixed = fixes.keys[at].scalar;
    for (const YamlNode& item : fixes.items[at].items) {
      each_name(item.scalar, [&](std::string_view name) {
        Advisory& advisory = found[std::string(name)];
        advisory.name = name;
        Affected affected{.ecosystem = ecosystem, .package = package, .scheme = Scheme::kApk};
        if (fixed == "0") {
          affected.status = Status::kNotAffected;
        } else {
          affected.ranges = {{{Event::Kind::kIntroduced, "0"}, {Event::Kind::kFixed, fixed}}};
        }
        advisory.affected.push_back(std::move(affected));
      });
    }
  }
}

}  // namespace

Result<void> read_alpine(std::string_view text, const Sink& sink) {
  // JSON is YAML too.
  const YamlDocuments documents = parse_yaml_stream(text, kLimits);
  if (!documents.problems.empty()) {
    return fail(Code::kInvalid, "line " + std::to_string(documents.problems[0].line) + ": " +
                                    documents.problems[0].message);
  }
  ByName found;
  for (const YamlNode& root : documents.roots) {
    const YamlNode* release = find_member(root, "distroversion");
    const YamlNode* packages = find_member(root, "packages");
    if (release == nullptr || packages == nullptr) {
      return fail(Code::kInvalid, "no distroversion or no packages");
    }
    const std::string ecosystem =
        "Alpine:" + (release->scalar.starts_with('v') ? "" : std::string("v")) + release->scalar;
    for (const YamlNode& item : packages->items) {
      const YamlNode* package = find_member(item, "pkg");
      const YamlNode* name = package == nullptr ? nullptr : find_member(*package, "name");
      const YamlNode* fixes = package == nullptr ? nullptr : find_member(*package, "secfixes");
      if (name == nullptr || fixes == nullptr) continue;
      read_fixes(ecosystem, name->scalar, *fixes, found);
    }
  }
  for (const auto& [name, advisory] : found) TRY(sink(advisory));
  return {};
}

}  // namespace coff::exposure
