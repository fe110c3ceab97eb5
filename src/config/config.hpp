// The configuration of an agent: one YAML file, checked strictly, with a default for everything.
//
// The keys, their limits and their documentation are the rows of settings.cpp; this header holds
// the values that the rows fill. docs/formats/configuration.md is generated from the same rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "config/profile.hpp"
#include "config/roles.hpp"

namespace coff::config {

/// Read when no other file is named; its absence means that every default holds.
inline constexpr std::string_view kDefaultPath = "/etc/cofferdam/cofferdam.yaml";
/// Largest file that is read.
inline constexpr size_t kFileBytesMax = size_t{256} << 10;

struct HostSettings {
  std::string name;  ///< host.name; "" = the kernel's host name.
  std::string id;    ///< host.id; "" = /etc/machine-id.
  bool operator==(const HostSettings&) const = default;
};

struct SensorSettings {
  std::uint64_t ring_priority_mib = 16;  ///< Power of two. Processes, credentials, namespaces.
  std::uint64_t ring_files_mib = 8;      ///< Power of two.
  std::uint64_t ring_network_mib = 4;    ///< Power of two.
  std::uint64_t argv_bytes_max = 4096;   ///< Arguments kept of each exec.
  std::uint64_t env_bytes_max = 4096;    ///< Environment kept of each exec.
  std::vector<std::string> environment;  ///< Names of the variables that are kept, exact.
  bool operator==(const SensorSettings&) const = default;
};

/// Findings that are counted and not told: all patterns that are not empty fit; "*" is anything.
struct Suppression {
  std::string rule;
  std::string container;  ///< Name.
  std::string image;
  std::string program;  ///< Path of the program.
  std::string reason;   ///< Why, for whoever reads the configuration later.
  bool operator==(const Suppression&) const = default;
};

/// Which rules look at events. Names and values as in the configuration file.
struct RulesSettings {
  std::vector<std::string> files = {"/usr/share/cofferdam/rules", "/etc/cofferdam/rules"};
  std::vector<std::string> sigma_files = {"/etc/cofferdam/sigma"};
  std::vector<std::string> sigma_placeholders;  ///< "name=value", for |expand.
  std::string priority = "debug";               ///< Rules that are less grave are left out.
  std::string matching = "all";                 ///< "all" or "first".
  std::vector<std::string> disable;             ///< Names of rules; "*" stands for anything.
  std::vector<std::string> disable_tags;
  std::vector<std::string> enable;  ///< Wins over both, and over the files.
  std::vector<std::string> enable_tags;
  std::uint64_t repeat_seconds = 60;       ///< Equal findings are counted for so long; 0 = never.
  std::uint64_t findings_per_minute = 60;  ///< Of one rule; 0 = no limit.
  std::vector<Suppression> suppress;
  std::uint64_t events_before = 16;  ///< Quoted by a finding.
  std::uint64_t window_kib = 8192;   ///< Memory for events that findings may quote.
  std::string push_down = "on";      ///< "off": the kernel forwards every kind that a rule names.
  bool operator==(const RulesSettings&) const = default;

  /// Those of `files` that exist right now.
  [[nodiscard]] std::vector<std::string> existing_files() const;
  [[nodiscard]] std::vector<std::string> existing_sigma_files() const;
};

struct Witness {
  std::string url;   ///< Base URL of a C2SP tlog-witness, http or https.
  std::string vkey;  ///< Its signed-note verifier key: name+hash+base64.
  bool operator==(const Witness&) const = default;
};

struct TrailSettings {
  std::string dir;                              ///< "" = data_dir/trail; see trail_dir().
  std::string tenant = "default";               ///< Part of the log's origin.
  std::uint64_t retention_mib = 10240;          ///< 0 = no limit by size.
  std::uint64_t retention_days = 0;             ///< 0 = no limit by age.
  std::uint64_t batch_ms = 20;                  ///< Longest wait before a batch is made durable.
  std::uint64_t batch_bytes = 1048576;          ///< A batch this large is written at once.
  std::uint64_t checkpoint_interval_ms = 1000;  ///< Time between signed checkpoints.
  std::vector<Witness> witnesses;
  std::uint64_t witness_interval_s = 60;
  bool operator==(const TrailSettings&) const = default;
};

struct RedactionSettings {
  std::vector<std::string> names;  ///< Beyond the built-in ones; a part of the name, any case.
  bool operator==(const RedactionSettings&) const = default;
};

struct ControlSettings {
  std::string socket;         ///< "" = run_dir/control.sock; see control_socket().
  std::uint32_t mode = 0660;  ///< Of the socket.
  std::string group;          ///< Owning group of the socket; "" = the agent's own.
  bool operator==(const ControlSettings&) const = default;
};

/// What is learned of services; see docs/formats/baseline.md.
struct BaselineSettings {
  std::uint64_t window_s = 86'400;    ///< Running time for which a service is learned; 0 = off.
  std::string files = "all";          ///< "all", "forwarded" or "none".
  std::uint64_t services_max = 256;   ///< Services with a profile.
  std::uint64_t features_max = 2000;  ///< Things in one profile.
  bool operator==(const BaselineSettings&) const = default;
};

/// Guard rails of actions on containers; see docs/formats/response.md.
struct ResponseSettings {
  std::vector<std::string> protect;  ///< Names or images that no action may touch; "*": anything.
  std::uint64_t containers_max = 5;  ///< Acted on within the window, before a person must insist.
  std::uint64_t window_s = 600;
  std::string approvers = "/etc/cofferdam/approvers";  ///< Keys of those who approve actions.
  std::uint64_t healthy_min = 0;  ///< Untouched instances of a Compose service that must be left.
  bool operator==(const ResponseSettings&) const = default;
};

struct Config {
  HostSettings host;
  std::string data_dir = "/var/lib/cofferdam";
  std::string run_dir = "/run/cofferdam";
  LogLevel log_level = LogLevel::kInfo;
  std::vector<std::string> engines;  ///< Socket paths; empty = the usual ones: engine_sockets().
  SensorSettings sensor;
  ProfileSettings profile;
  RulesSettings rules;
  BaselineSettings baseline;
  ResponseSettings response;
  TrailSettings trail;
  RedactionSettings redaction;
  ControlSettings control;
  RoleSettings roles;
  Config();  ///< Every default.
  bool operator==(const Config&) const = default;

  [[nodiscard]] std::string trail_dir() const;
  /// Where the sensor keeps what it has learned.
  [[nodiscard]] std::string baseline_dir() const { return data_dir + "/baseline"; }
  /// Where what actions have put in force is written down.
  [[nodiscard]] std::string response_dir() const { return data_dir + "/response"; }
  [[nodiscard]] std::string control_socket() const;
  /// The engines to talk to: those configured, else the usual sockets that exist right now.
  [[nodiscard]] std::vector<std::string> engine_sockets() const;
};

/// Something wrong in a configuration file, with its place. Lines and columns start at 1; a
/// column counts bytes.
struct Problem {
  std::string file;
  size_t line = 0;
  size_t column = 0;
  std::string message;
  std::string source;  ///< The line itself.
};

/// "file:line:column: message", the line and a caret; safe for a terminal; ends with a newline.
std::string to_text(const Problem& problem);
/// One JSON object.
std::string to_json(const Problem& problem);

struct Parsed {
  Config config;                  ///< Meaningless unless problems is empty.
  std::vector<Problem> problems;  ///< All of them, in the order of the file; at most 100.
};

/// Checks `text`, which is hostile until proven otherwise, and reads it over the defaults.
/// `file` only names it in problems.
Parsed parse_config(std::string_view text, std::string_view file);

/// Reads `path`; "" means kDefaultPath, whose absence gives the defaults. The error of a file that
/// does not pass (kInvalid) names the first problem and says how many more there are.
Result<Config> load_config(const std::string& path);

/// One setting whose value differs between two configurations; values as JSON.
struct Change {
  std::string name;
  std::string before;
  std::string after;
};
std::vector<Change> diff(const Config& before, const Config& after);

/// The configuration as YAML that reads back equal: every setting, without comments.
std::string to_yaml(const Config& config);
/// The configuration as one JSON object.
std::string to_json(const Config& config);
/// The file as shipped: every setting with its documentation, commented out at its default.
std::string default_yaml();
/// The reference table of docs/formats/configuration.md.
std::string reference_markdown();

}  // namespace coff::config
