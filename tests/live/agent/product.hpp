// The whole product as a person uses it: the real agent, asked by its command line.
#pragma once

#include <signal.h>

#include <boost/json.hpp>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "live/support/process.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

/// Why no agent can watch here; nothing when one can.
std::optional<std::string> ebpf_missing();

/// Tries every 200 ms until it holds or 30 s are over.
bool eventually(const std::function<bool()>& holds);

/// The member of an object of objects as text, strings without quotes; "" when there is none.
std::string text_at(const boost::json::value& value, std::initializer_list<std::string_view> path);

/// A running agent with a trail of its own, gone with this object. Not thread-safe.
class Product {
 public:
  /// Starts it for the engines behind these sockets, and waits until each is connected. `settings`
  /// are further lines of its configuration.
  static Result<std::unique_ptr<Product>> start(const std::vector<std::string>& engines,
                                                const std::string& settings = "");
  /// After stop(): with the same configuration and data.
  Result<void> start_again();

  /// Runs `cofferdam ARGUMENTS --config ...`; any exit status.
  [[nodiscard]] Result<Outcome> cofferdam(std::vector<std::string> arguments) const;
  /// The same as a line for a shell; `command` is subcommand and options.
  [[nodiscard]] std::string shell(std::string_view command) const;
  /// Events as the command line gives them, parsed; a line that is no JSON fails the test.
  [[nodiscard]] std::vector<boost::json::value> events(std::vector<std::string> filter) const;
  /// For messages of failed tests: what the agent logged, and its status.
  [[nodiscard]] std::string told() const;
  [[nodiscard]] std::string trail_dir() const { return workspace_ / "trail-data/trail"; }
  bool running() { return agent_.running(); }
  /// Has it read its configuration and its rules again; returns before it has.
  void reload() const { agent_.signal(SIGHUP); }
  void stop() { agent_.stop(20'000); }
  /// Ends all its processes at once, as a crash would.
  void kill();

 private:
  explicit Product(Workspace workspace) : workspace_(std::move(workspace)) {}
  Workspace workspace_;
  std::size_t engine_count_ = 0;
  Child agent_;
};

}  // namespace coff::live
