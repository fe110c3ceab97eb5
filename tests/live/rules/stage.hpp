// The stage of the rules' cases: an engine, an agent with the shipped rules, the places where
// scripts run, and what was found of each script.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "live/agent/product.hpp"
#include "live/rules/cases.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

/// Rules by the mark of the script that made them fire.
using FoundByMark = std::map<std::string, std::set<std::string>>;

/// Capabilities that nothing on this machine may have; without them no container is privileged.
std::vector<std::string_view> missing_capabilities();

/// Engine, agent and containers; gone with this object. Not thread-safe.
class Stage {
 public:
  /// `rules_lines` are lines of the configuration's section `rules`, each indented by two blanks.
  static Result<std::unique_ptr<Stage>> start(const std::string& rules_lines);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Gives a script to run() under a mark of letters and digits.
  Result<void> add(Place place, const std::string& mark, std::string_view script);
  /// Runs all that was added, place by place at the same time, each in order. What the scripts
  /// said, for messages of failed tests.
  std::string run();
  /// Findings so far, by the mark of the script whose process or container they are about.
  [[nodiscard]] FoundByMark found() const;

  [[nodiscard]] const Product& product() const { return *product_; }

 private:
  explicit Stage(Workspace folder) : folder_(std::move(folder)) {}
  Result<void> make_image();
  Result<void> make_disk();
  Result<void> start_containers();
  [[nodiscard]] std::vector<std::string> command(Place place, const std::string& script) const;

  Workspace folder_;  ///< Scripts, and the helper under each mark.
  std::string disk_;  ///< A loop device.
  std::string disk_numbers_;
  std::unique_ptr<Dockerd> engine_;
  std::unique_ptr<Product> product_;
  std::map<Place, std::vector<std::string>> marks_;
};

}  // namespace coff::live
