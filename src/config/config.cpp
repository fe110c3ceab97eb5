// Loads a configuration: defaults, the file over them, checks between settings.
#include "config/config.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/json_writer.hpp"
#include "config/settings.hpp"

namespace coff::config {
namespace {

/// Where engines listen unless told otherwise. /var/run is /run on every supported system.
constexpr std::array<const char*, 4> kUsualSockets = {"/run/docker.sock", "/run/podman/podman.sock",
                                                      "/run/containerd/containerd.sock",
                                                      "/run/crio/crio.sock"};

/// Reads the members of the file, and those of its sections, over `config`.
void read_settings(Reader& reader, const YamlNode& root, Config& config) {
  std::vector<Member> top;
  std::vector<std::string_view> sections;
  for (const Setting& setting : settings()) {
    const std::string_view section = setting.section();
    if (section.empty()) {
      top.push_back({setting.name, [&](const YamlNode& n) { setting.read(reader, n, config); }});
    } else if (std::ranges::find(sections, section) == sections.end()) {
      sections.push_back(section);
    }
  }
  for (const std::string_view section : sections) {
    top.push_back({section, [&, section](const YamlNode& node) {
                     std::vector<Member> known;
                     for (const Setting& setting : settings()) {
                       if (setting.section() != section) continue;
                       known.push_back({setting.key(), [&](const YamlNode& n) {
                                          setting.read(reader, n, config);
                                        }});
                     }
                     reader.members(node, section, known);
                   }});
  }
  reader.members(root, "", top);
}

}  // namespace

Config::Config() {
  sensor.environment = {"PATH",
                        "HOME",
                        "USER",
                        "LOGNAME",
                        "SHELL",
                        "HOSTNAME",
                        "LD_PRELOAD",
                        "LD_LIBRARY_PATH",
                        "LD_AUDIT",
                        "GLIBC_TUNABLES",
                        "GCONV_PATH",
                        "BASH_ENV",
                        "ENV",
                        "PROMPT_COMMAND",
                        "HISTFILE",
                        "PYTHONPATH",
                        "PYTHONSTARTUP",
                        "PERL5LIB",
                        "PERL5OPT",
                        "RUBYOPT",
                        "NODE_OPTIONS",
                        "JAVA_TOOL_OPTIONS",
                        "SUDO_USER",
                        "SUDO_COMMAND",
                        "SSH_CONNECTION",
                        "SSH_TTY",
                        "DOCKER_HOST",
                        "KUBECONFIG",
                        "http_proxy",
                        "https_proxy",
                        "HTTP_PROXY",
                        "HTTPS_PROXY"};
  roles.viewer = {{}, {"cofferdam"}, {Permission::kSee}};
  roles.auditor = {{}, {}, {Permission::kSee, Permission::kAudit}};
  roles.responder = {{}, {}, {Permission::kSee, Permission::kRespond}};
  roles.admin = {
      {"root"},
      {},
      {Permission::kSee, Permission::kAudit, Permission::kRespond, Permission::kConfigure}};
}

std::string Config::trail_dir() const {
  return trail.dir.empty() ? data_dir + "/trail" : trail.dir;
}

std::string Config::control_socket() const {
  return control.socket.empty() ? run_dir + "/control.sock" : control.socket;
}

namespace {

std::vector<std::string> existing(const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const auto& path : paths) {
    if (::access(path.c_str(), F_OK) == 0) found.push_back(path);
  }
  return found;
}

}  // namespace

std::vector<std::string> RulesSettings::existing_files() const { return existing(files); }
std::vector<std::string> RulesSettings::existing_sigma_files() const {
  return existing(sigma_files);
}

std::vector<std::string> Config::engine_sockets() const {
  if (!engines.empty()) return engines;
  std::vector<std::string> found;
  for (const char* path : kUsualSockets) {
    struct stat status{};
    if (::stat(path, &status) == 0 && S_ISSOCK(status.st_mode)) found.emplace_back(path);
  }
  return found;
}

Parsed parse_config(std::string_view text, std::string_view file) {
  Parsed parsed;
  Reader reader(text.substr(0, kFileBytesMax), file);
  if (text.size() > kFileBytesMax) {
    reader.problem(1, 1, "the file is longer than " + std::to_string(kFileBytesMax) + " bytes");
    parsed.problems = reader.take();
    return parsed;
  }
  const YamlDocument document = parse_yaml(text);
  for (const YamlProblem& problem : document.problems) {
    reader.problem(problem.line, problem.column, problem.message);
  }
  // A tree that is not what the file says would only give problems that mislead.
  if (document.problems.empty()) {
    read_settings(reader, document.root, parsed.config);
    if (reader.problem_count() == 0 && parsed.config.control_socket().size() > 107) {
      reader.problem(1, 1, "run_dir makes the path of the control socket longer than 107 bytes");
    }
  }
  parsed.problems = reader.take();
  return parsed;
}

Result<Config> load_config(const std::string& path) {
  const std::string file = path.empty() ? std::string(kDefaultPath) : path;
  const auto text = read_file(file, kFileBytesMax);
  if (!text) {
    if (path.empty() && text.error().code == Code::kNotFound) return Config();
    return std::unexpected<Error>(text.error());
  }
  Parsed parsed = parse_config(*text, file);
  if (parsed.problems.empty()) return std::move(parsed.config);
  const Problem& first = parsed.problems[0];
  std::string what = file + ':' + std::to_string(first.line) + ':' + std::to_string(first.column) +
                     ": " + first.message;
  if (parsed.problems.size() > 1) {
    what += " (and " + std::to_string(parsed.problems.size() - 1) +
            " more: cofferdam config check names them)";
  }
  return fail(Code::kInvalid, what);
}

std::string to_text(const Problem& problem) {
  std::string out = printable(problem.file) + ':' + std::to_string(problem.line) + ':' +
                    std::to_string(problem.column) + ": " + printable(problem.message) + '\n';
  const std::string_view source = problem.source;
  std::string line;
  std::string before;
  for (size_t i = 0; i < source.size();) {
    // A tab is one column wide here, or the caret would not stand below its place.
    const size_t length = std::max<size_t>(1, utf8_sequence(source.substr(i)));
    const std::string piece = source[i] == '\t' ? " " : printable(source.substr(i, length));
    if (i + 1 < problem.column) {
      before.append(
          static_cast<size_t>(std::ranges::count_if(
              piece, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; })),
          ' ');
    }
    line += piece;
    i += length;
  }
  const std::string number = std::to_string(problem.line);
  out += "  " + number + " | " + line + '\n';
  return out + "  " + std::string(number.size(), ' ') + " | " + before + "^\n";
}

std::string to_json(const Problem& problem) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .member("file", problem.file)
      .member("line", static_cast<std::uint64_t>(problem.line))
      .member("column", static_cast<std::uint64_t>(problem.column))
      .member("message", problem.message)
      .member("source", problem.source)
      .end_object();
  return out;
}

}  // namespace coff::config
