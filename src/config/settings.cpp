// The rows of the configuration: a new setting is one row here and one member in config.hpp.
#include "config/settings.hpp"

#include <charconv>
#include <utility>

#include "config/clause_reader.hpp"
#include "config/setting_rows.hpp"

namespace coff::config {
namespace {

constexpr std::string_view kLogLevels[] = {"error", "warning", "info", "debug"};

void read_role(Reader& reader, const YamlNode& node, std::string_view name, Role& role) {
  constexpr ListLimit kNames = {64, check_name};
  const Member known[] = {
      {"users", [&](const auto& n) { reader.texts(n, "users", kNames, role.users); }},
      {"groups", [&](const auto& n) { reader.texts(n, "groups", kNames, role.groups); }},
      {"may",
       [&](const auto& n) {
         std::vector<Permission> may;
         reader.elements(n, "may", kPermissionNames.size(), [&](const YamlNode& item) {
           size_t index = kPermissionNames.size();
           reader.choice(item, "a permission", kPermissionNames, index);
           if (index < kPermissionNames.size()) may.push_back(static_cast<Permission>(index));
         });
         role.may = std::move(may);
       }},
  };
  reader.members(node, name, known);
}

template <typename F>
Setting role(std::string_view name, F member, std::string_view doc) {
  return {name,
          "mapping of `users`, `groups` (names or numbers) and `may` (see, audit, "
          "respond, configure)",
          doc,
          [=](Reader& reader, const YamlNode& node, Config& config) {
            read_role(reader, node, name, member(config));
          },
          [=](JsonWriter& json, const Config& config) {
            const Role& value = member(config);
            json.begin_object().key("users").begin_array();
            for (const std::string& user : value.users) json.string(user);
            json.end_array().key("groups").begin_array();
            for (const std::string& group : value.groups) json.string(group);
            json.end_array().key("may").begin_array();
            for (const Permission p : value.may) {
              json.string(kPermissionNames[static_cast<size_t>(p)]);
            }
            json.end_array().end_object();
          }};
}

void read_log_level(Reader& reader, const YamlNode& node, Config& config) {
  size_t index = std::size(kLogLevels);
  reader.choice(node, "log_level", kLogLevels, index);
  if (index < std::size(kLogLevels)) config.log_level = static_cast<LogLevel>(index);
}

void read_profile_base(Reader& reader, const YamlNode& node, Config& config) {
  size_t index = kProfileNames.size();
  reader.choice(node, "profile.base", kProfileNames, index);
  if (index < kProfileNames.size()) config.profile.base = kProfileNames[index];
}

void read_witnesses(Reader& reader, const YamlNode& node, Config& config) {
  constexpr size_t kWitnessesMax = 16;
  std::vector<Witness> witnesses;
  reader.elements(node, "trail.witnesses", kWitnessesMax, [&](const YamlNode& item) {
    Witness& witness = witnesses.emplace_back();
    const Member known[] = {
        {"url", [&](const auto& n) { reader.text(n, "url", check_url, witness.url); }},
        {"vkey", [&](const auto& n) { reader.text(n, "vkey", check_vkey, witness.vkey); }},
    };
    const size_t before = reader.problem_count();
    reader.members(item, "a witness", known);
    if (reader.problem_count() == before && (witness.url.empty() || witness.vkey.empty())) {
      reader.problem(item, "a witness needs url and vkey");
    }
  });
  config.trail.witnesses = std::move(witnesses);
}

void read_mode(Reader& reader, const YamlNode& node, Config& config) {
  unsigned value = 0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, code] = std::from_chars(node.scalar.data(), end, value, 8);
  if (node.type != YamlNode::Type::kScalar || code != std::errc() || stop != end || value > 0777) {
    reader.problem(node, "control.mode must be octal, from 0000 to 0777");
  } else if ((value & 0002U) != 0) {
    reader.problem(node, "control.mode must not let everybody write");
  } else {
    config.control.mode = value;
  }
}

std::string octal(std::uint32_t mode) {
  std::string out = "0000";
  for (size_t i = 4; i-- > 1; mode >>= 3U) out[i] = static_cast<char>('0' + (mode & 7U));
  return out;
}

std::vector<Setting> general_settings() {
  constexpr ListLimit kSockets = {16, check_socket};
  return {
      text(
          "host.name", "a host name", check_name_or_none,
          [](auto& c) -> auto& { return c.host.name; },
          "Name of this host in events. Empty: the kernel's host name."),
      text(
          "host.id", "a name", check_name_or_none, [](auto& c) -> auto& { return c.host.id; },
          "Stable id of this host, part of the trail's origin. Empty: /etc/machine-id."),
      text(
          "data_dir", "an absolute path", check_path, [](auto& c) -> auto& { return c.data_dir; },
          "Where the trail and its keys live. Survives restarts."),
      text(
          "run_dir", "an absolute path", check_path, [](auto& c) -> auto& { return c.run_dir; },
          "Where the control socket and other short-lived files live."),
      {"log_level", "error, warning, info or debug",
       "How much the agent says about itself on standard error.", read_log_level,
       [](JsonWriter& json, const Config& c) {
         json.string(kLogLevels[static_cast<size_t>(c.log_level)]);
       }},
      texts(
          "engines", "a list of at most 16 socket paths", kSockets,
          [](auto& c) -> auto& { return c.engines; },
          "Sockets of the container engines to ask for names, images and labels. Empty: those of "
          "Docker, Podman and containerd at their usual places that exist."),
  };
}

std::vector<Setting> sensor_settings() {
  constexpr Range kRing = {1, 512, true};
  constexpr ListLimit kVariables = {128, check_variable};
  return {
      integer(
          "sensor.ring_priority_mib", "1 to 512, a power of two", kRing,
          [](auto& c) -> auto& { return c.sensor.ring_priority_mib; },
          "Buffer between kernel and agent for processes, credentials, namespaces, mounts and "
          "modules, in MiB. A burst that fills it is counted as lost."),
      integer(
          "sensor.ring_files_mib", "1 to 512, a power of two", kRing,
          [](auto& c) -> auto& { return c.sensor.ring_files_mib; },
          "The same for files and mappings."),
      integer(
          "sensor.ring_network_mib", "1 to 512, a power of two", kRing,
          [](auto& c) -> auto& { return c.sensor.ring_network_mib; }, "The same for sockets."),
      integer(
          "sensor.argv_bytes_max", "256 to 16384", {256, COFF_ARGV_MAX},
          [](auto& c) -> auto& { return c.sensor.argv_bytes_max; },
          "Bytes of arguments kept of each exec; the full size is recorded beside them."),
      integer(
          "sensor.env_bytes_max", "0 to 8192", {0, COFF_ENV_MAX},
          [](auto& c) -> auto& { return c.sensor.env_bytes_max; },
          "Bytes of environment read of each exec; the full size is recorded beside them."),
      texts(
          "sensor.environment", "a list of at most 128 names", kVariables,
          [](auto& c) -> auto& { return c.sensor.environment; },
          "Names of the environment variables that are kept; all others are dropped."),
  };
}

std::vector<Setting> profile_settings() {
  return {
      {"profile.base", "minimal, default or full",
       "The recording profile to start from: what goes to the trail and what is only offered "
       "to those who watch.",
       read_profile_base, [](JsonWriter& json, const Config& c) { json.string(c.profile.base); }},
      {"profile.clauses", "a list of at most 24 clauses, see below",
       "Clauses added to the profile.",
       [](Reader& reader, const YamlNode& node, Config& c) {
         read_clauses(reader, node, c.profile.clauses);
       },
       [](JsonWriter& json, const Config& c) { write_clauses(json, c.profile.clauses); }},
      integer(
          "profile.repeat_seconds", "0 to 3600", {0, 3600},
          [](auto& c) -> auto& { return c.profile.repeat_seconds; },
          "A process's connections and datagrams with the same other end are reported once in so "
          "many seconds, with the number of those that were not (`repeats`). 0: each of them."),
  };
}

std::vector<Setting> trail_settings() {
  return {
      text(
          "trail.dir", "an absolute path", check_path_or_none,
          [](auto& c) -> auto& { return c.trail.dir; },
          "Folder of the trail. Empty: the folder trail in data_dir."),
      text(
          "trail.tenant", "1 to 63 letters, digits, - _ .", check_tenant,
          [](auto& c) -> auto& { return c.trail.tenant; },
          "Whose trail it is: part of the origin line that checkpoints sign. Changing it starts "
          "another log."),
      integer(
          "trail.retention_mib", "0 to 1073741824", {0, 1ULL << 30},
          [](auto& c) -> auto& { return c.trail.retention_mib; },
          "Oldest entries leave when the trail is larger, in MiB; what left is recorded. "
          "0: no limit."),
      integer(
          "trail.retention_days", "0 to 36500", {0, 36500},
          [](auto& c) -> auto& { return c.trail.retention_days; },
          "Entries leave when they are older, in days. 0: no limit."),
      integer(
          "trail.batch_ms", "1 to 1000", {1, 1000},
          [](auto& c) -> auto& { return c.trail.batch_ms; },
          "Longest time that an entry waits before it is made durable, in milliseconds."),
      integer(
          "trail.batch_bytes", "65536 to 67108864", {65536, 64ULL << 20},
          [](auto& c) -> auto& { return c.trail.batch_bytes; },
          "A batch of this many bytes is made durable at once."),
      integer(
          "trail.checkpoint_interval_ms", "100 to 600000", {100, 600000},
          [](auto& c) -> auto& { return c.trail.checkpoint_interval_ms; },
          "Time between signed checkpoints, in milliseconds."),
      {"trail.witnesses", "a list of at most 16 mappings with `url` and `vkey`",
       "C2SP witnesses that cosign checkpoints, so that nobody here can rewrite the past "
       "unnoticed.",
       read_witnesses,
       [](JsonWriter& json, const Config& c) {
         json.begin_array();
         for (const Witness& w : c.trail.witnesses) {
           json.begin_object().member("url", w.url).member("vkey", w.vkey).end_object();
         }
         json.end_array();
       }},
      integer(
          "trail.witness_interval_s", "1 to 86400", {1, 86400},
          [](auto& c) -> auto& { return c.trail.witness_interval_s; },
          "Time between requests to the witnesses, in seconds."),
  };
}

std::vector<Setting> access_settings() {
  constexpr ListLimit kVariables = {128, check_variable};
  return {
      texts(
          "redaction.names", "a list of at most 128 names", kVariables,
          [](auto& c) -> auto& { return c.redaction.names; },
          "Parts of names of variables and options whose values are secrets, beyond the "
          "built-in ones (password, token, secret, key and the like). Case does not matter."),
      text(
          "control.socket", "an absolute path of at most 107 bytes", check_socket_or_none,
          [](auto& c) -> auto& { return c.control.socket; },
          "The agent's control socket. Empty: control.sock in run_dir."),
      {"control.mode", "octal, not writable by everybody", "Mode of the control socket.", read_mode,
       [](JsonWriter& json, const Config& c) { json.string(octal(c.control.mode)); }},
      text(
          "control.group", "the name of a group", check_name_or_none,
          [](auto& c) -> auto& { return c.control.group; },
          "Group that owns the control socket. Empty: the agent's own."),
      role(
          "roles.viewer", [](auto& c) -> auto& { return c.roles.viewer; },
          "Who may look: containers, processes, events, health."),
      role(
          "roles.auditor", [](auto& c) -> auto& { return c.roles.auditor; },
          "Who may prove and export, and read redacted values."),
      role(
          "roles.responder", [](auto& c) -> auto& { return c.roles.responder; },
          "Who may act on containers and processes."),
      role(
          "roles.admin", [](auto& c) -> auto& { return c.roles.admin; },
          "Who may do everything, reloading and stopping included."),
  };
}

std::vector<Setting> all_settings() {
  std::vector<Setting> all;
  for (auto part : {general_settings, sensor_settings, profile_settings, rules_settings,
                    baseline_settings, response_settings, trail_settings, access_settings}) {
    for (Setting& row : part()) all.push_back(std::move(row));
  }
  return all;
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> kSettings = all_settings();
  return kSettings;
}

}  // namespace coff::config
