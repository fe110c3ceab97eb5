// The world of runs on this host: states in a folder, commands by policy, actions by whoever acts.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "playbook/command.hpp"
#include "playbook/executor.hpp"

namespace coff::playbook {

/// Deepest nesting of playbooks that call playbooks.
inline constexpr size_t kPlaybookDepthMax = 4;

/// Does an action of ours: {container, parameters} as JSON in Effect::content. Nothing means that
/// it waits, e.g. for approvals, and is to be asked again under the same run and number.
using Act = std::function<std::optional<Outcome>(const RunState& run, const Effect& effect,
                                                 const Playbook& playbook)>;

struct LocalOptions {
  std::string folder;             ///< Of states; the first run makes it with mode 0700.
  std::string library;            ///< Folder of playbooks that others may call; "" = none.
  std::set<std::string> allowed;  ///< Types of commands besides manual that may be executed.
  CommandLimits limits;           ///< As whom.
  Act act;                        ///< Empty: actions of ours are refused.
};

/// Where a run stands, for people.
struct RunReport {
  RunState state;
  Playbook playbook;
};

/// Runs playbooks and keeps their states in a folder: RUN.json is the state, written whole and
/// synced before any effect begins, RUN.playbook.json the document that it executes. Whoever moves
/// a run holds a lock on RUN.lock; another process is told kBusy.
class LocalRuns {
 public:
  explicit LocalRuns(LocalOptions options) : options_(std::move(options)) {}

  /// Begins a run and drives it until it ends or waits.
  Result<RunReport> begin(const Playbook& playbook, std::map<std::string, std::string> values);
  /// Goes on with a run; after a crash, or because something that it waited for is there.
  Result<RunReport> resume(const std::string& run);
  /// Answers an effect that waits (a manual one), and goes on.
  Result<RunReport> answer(const std::string& run, std::uint64_t number, const Outcome& outcome);
  [[nodiscard]] Result<RunReport> read(const std::string& run) const;
  /// Names of the runs in the folder, sorted; at most 10,000.
  [[nodiscard]] Result<std::vector<std::string>> list() const;

 private:
  class World;
  [[nodiscard]] Result<std::string> path_of(const std::string& run, std::string_view suffix) const;
  Result<RunReport> go_on(const std::string& run, Executor executor, const Playbook& playbook);
  [[nodiscard]] Result<Playbook> find_playbook(const std::string& id,
                                               const std::string& version) const;
  std::optional<Outcome> call_playbook(const std::string& run, const Effect& effect,
                                       const Step& step);
  [[nodiscard]] Outcome execute(const Effect& effect) const;
  Result<void> lock(const std::string& run);

  LocalOptions options_;
  std::string locked_;
  Fd lock_;
  bool in_call_ = false;  ///< The caller waits on the stack and reads the end itself.
};

}  // namespace coff::playbook
