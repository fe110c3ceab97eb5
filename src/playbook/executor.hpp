// Executes a playbook: a state machine that asks for effects and is told how they went.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "playbook/run_state.hpp"

namespace coff::playbook {

/// What a run begins with.
struct RunInput {
  std::string run;                            ///< run--UUID
  std::map<std::string, std::string> values;  ///< Of variables; all external ones must be here.
  std::uint64_t now_ms = 0;                   ///< Wall clock.
};

/// One run. It does nothing by itself and reads no clock: equal calls give equal states. The state
/// between two calls is all that it knows. Belongs to one thread. The playbook outlives it.
///
/// A step that fails goes on at its on_failure. Without one its line fails: a branch fails the step
/// that it belongs to, once the other branches are done; the playbook's own line goes on at
/// workflow_exception, once, and the run has failed in any case. on_completion is taken when a step
/// succeeds; the specification leaves open whether a failed step completes, and here it does not,
/// so that nothing is done on the strength of what was not.
class Executor {
 public:
  /// kInvalid: the playbook is revoked, a value is missing, unknown, constant or of a wrong type.
  static Result<Executor> begin(const Playbook& playbook, RunInput input);
  /// Goes on with a state that was saved. Effects that were handed out are asked for again under
  /// their old number, but for commands: whether those happened isn't known, and their step fails.
  /// kDenied: the state belongs to another document.
  static Result<Executor> resume(const Playbook& playbook, RunState state, std::uint64_t now_ms);

  /// Takes every step that needs nothing from outside.
  void advance(std::uint64_t now_ms);
  /// Marks an effect as handed out. To be saved before it begins.
  Result<Effect> start(std::uint64_t number);
  /// Tells how an effect went. kNotFound: nobody waits for it any more (its step timed out).
  Result<void> finish(std::uint64_t number, const Outcome& outcome, std::uint64_t now_ms);

  [[nodiscard]] const RunState& state() const { return state_; }
  [[nodiscard]] bool running() const { return state_.status == RunStatus::kRunning; }
  /// When advance() may have something to do without an effect being finished.
  [[nodiscard]] std::optional<std::uint64_t> next_wake_ms() const;
  /// Value of a variable of the playbook: what out_args of a playbook-action take.
  [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const;

 private:
  Executor(const Playbook& playbook, RunState state)
      : playbook_(&playbook), state_(std::move(state)) {}

  Token* token(std::uint64_t number);
  Scope* scope(std::uint64_t number);
  Variable* find(std::string_view name, std::uint64_t scope_number);
  const Step& step_of(const Token& at) const;
  bool move_one(std::uint64_t now_ms);
  bool expire_one(std::uint64_t now_ms);
  void enter(Token& at, std::uint64_t now_ms);
  Result<void> open_scope(Token& at, const Step& step);
  Result<void> begin_step(Token& at, const Step& step, std::uint64_t now_ms);
  Result<void> work(Token& at, const Step& step, std::uint64_t now_ms);
  Result<void> branch(Token& at, const Step& step, std::uint64_t now_ms);
  Result<Effect> effect_of(const Token& at, const Step& step);
  Result<void> take_outputs(const Token& at, const Step& step, const Outcome& outcome);
  void add_branch(std::uint64_t parent, const std::string& step, std::uint64_t now_ms);
  void end_step(std::uint64_t number, bool ok, const std::string& status, const std::string& text,
                std::uint64_t now_ms);
  void end_line(std::uint64_t number, bool ok, const std::string& text, std::uint64_t now_ms);
  void go_to(Token& at, const std::string& step, std::uint64_t now_ms);
  void drop_branches(std::uint64_t number, std::uint64_t now_ms);

  const Playbook* playbook_;
  RunState state_;
};

/// The world, for drive().
class Effects {
 public:
  Effects() = default;
  Effects(const Effects&) = delete;
  Effects& operator=(const Effects&) = delete;
  virtual ~Effects() = default;
  /// Does it; nothing means that the answer comes later, by way of Executor::finish().
  virtual std::optional<Outcome> perform(const Effect& effect) = 0;
  virtual std::uint64_t now_ms() = 0;
  virtual void wait_until(std::uint64_t wall_ms) = 0;
  /// Makes a state durable. Called before an effect begins, and after it is finished.
  virtual Result<void> save(const RunState& state) = 0;
};

/// Runs until the end, or until everything waits for answers that come later.
Result<void> drive(Executor& executor, Effects& effects);

}  // namespace coff::playbook
