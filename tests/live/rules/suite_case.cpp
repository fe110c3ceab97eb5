// Cases of the third-party rule suite, read from its YAML and turned into scripts of our own.
#include "live/rules/suite_case.hpp"

#include <fcntl.h>
#include <pwd.h>

#include "base/fd.hpp"
#include "base/yaml.hpp"

namespace coff::live {

namespace {

constexpr size_t kFileBytesMax = size_t{1} << 20;
constexpr size_t kCasesMax = 1000;
using Values = std::map<std::string, YamlNode>;

// "%{ item.x }" becomes the case's value: a node where it stands alone, else text.
YamlNode substitute(const YamlNode& node, const Values& values) {
  YamlNode made = node;
  for (YamlNode& item : made.items) item = substitute(item, values);
  size_t begin = 0;
  while ((begin = made.scalar.find("%{", begin)) != std::string::npos) {
    const size_t end = made.scalar.find('}', begin);
    if (end == std::string::npos) break;
    std::string name = made.scalar.substr(begin + 2, end - begin - 2);
    std::erase(name, ' ');
    const auto value = values.find(name.substr(name.find('.') + 1));
    if (value == values.end()) break;
    if (begin == 0 && end + 1 == made.scalar.size()) return value->second;
    made.scalar.replace(begin, end + 1 - begin, value->second.scalar);
  }
  return made;
}

std::string text_of(const YamlNode& node, std::string_view key) {
  const YamlNode* member = find_member(node, key);
  return member == nullptr ? std::string() : member->scalar;
}

// One test's `cases`: "matrix" is every combination of lists, "vector" is one set of values.
std::vector<Values> combinations(const YamlNode& test) {
  const YamlNode* cases = find_member(test, "cases");
  if (cases == nullptr) return {Values()};
  std::vector<Values> all;
  for (const YamlNode& each : cases->items) {
    const YamlNode* named = find_member(each, "values");
    if (named == nullptr) continue;
    std::vector<Values> made = {Values()};
    for (size_t at = 0; at < named->keys.size(); ++at) {
      const YamlNode& value = named->items[at];
      const bool list = text_of(each, "strategy") == "matrix";
      std::vector<Values> longer;
      for (const Values& before : made) {
        for (const YamlNode& one : list ? value.items : std::vector<YamlNode>{value}) {
          if (longer.size() == kCasesMax) break;
          longer.push_back(before);
          longer.back()[named->keys[at].scalar] = one;
        }
      }
      made = std::move(longer);
    }
    all.insert(all.end(), made.begin(), made.end());
  }
  return all;
}

std::uint64_t open_flags(std::string_view text) {
  static const std::map<std::string_view, int> kFlags = {
      {"O_RDONLY", O_RDONLY}, {"O_WRONLY", O_WRONLY}, {"O_RDWR", O_RDWR},
      {"O_CREAT", O_CREAT},   {"O_TRUNC", O_TRUNC},   {"O_APPEND", O_APPEND}};
  std::uint64_t flags = 0;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    const auto known = kFlags.find(text.substr(begin, end - begin));
    if (known != kFlags.end()) flags |= static_cast<std::uint64_t>(known->second);
    begin = end + 1;
  }
  return flags;
}

class Script {
 public:
  Script(const YamlNode& test, SuiteCase& out) : test_(test), out_(out) {}

  void write() {
    const YamlNode* context = find_member(test_, "context");
    const YamlNode* container = context == nullptr ? nullptr : find_member(*context, "container");
    const bool inside = container != nullptr && container->type == YamlNode::Type::kMapping;
    out_.place = inside ? Place::kPlain : Place::kHost;
    helper_ = inside ? "/usr/bin/deed" : "\"$T/deed\"";
    make_resources();
    std::string command = context == nullptr ? "" : make_chain(*context);
    // Below a program of its own: rules spare much of what a shell starts.
    if (command.empty()) command = helper_ + " under " + helper_;
    out_.script += command + " " + action() + arguments_ + "\n" + after_;
  }

 private:
  void make_resources() {
    const YamlNode* resources = find_member(test_, "resources");
    if (resources == nullptr) return;
    for (const YamlNode& each : resources->items) {
      const std::string type = text_of(each, "type");
      if (type == "fd" && text_of(each, "subtype") == "file") {
        const std::string path = text_of(each, "filePath");
        out_.script +=
            "mkdir -p \"$(dirname '" + path + "')\"; [ -e '" + path + "' ] || : > '" + path + "'\n";
        // The folders with the host's own files are covered; this one is not.
        if (path.starts_with("/tmp/")) after_ += "rm -f '" + path + "'\n";
      } else if (type == "clientServer") {
        address_ = text_of(each, "address");
        address_ = address_.substr(0, address_.rfind(':'));
        std::erase_if(address_, [](char byte) { return byte == '[' || byte == ']'; });
      } else if (type == "process" && text_of(each, "fileLess") == "true") {
        memory_ = true;
      } else {
        out_.cannot = "the runner has no resource " + type;
      }
    }
  }

  // The processes, each the child of the one before; the last one does the deed.
  std::string make_chain(const YamlNode& context) {
    const YamlNode* processes = find_member(context, "processes");
    std::string command;
    if (processes == nullptr) return command;
    for (size_t at = 0; at < processes->items.size(); ++at) {
      const YamlNode& each = processes->items[at];
      const std::string name = text_of(each, "name");
      std::string exe = text_of(each, "exe");
      if (exe.empty()) exe = "/tmp/suite/" + name;
      // The engine lets nothing run from there; only who may mount can change that.
      if (exe.starts_with("/dev/shm/") && out_.place == Place::kPlain) {
        out_.place = Place::kPrivileged;
        out_.script += "mount -o remount,exec /dev/shm\n";
      }
      out_.script += "mkdir -p \"$(dirname " + exe + ")\"; cp " + helper_ + " " + exe +
                     "; chmod 755 " + exe + "\n";
      after_ += "rm -f " + exe + "\n";
      if (at > 0) command += " under ";
      const std::string user = text_of(each, "user");
      if (!user.empty()) {
        const passwd* known = ::getpwnam(user.c_str());
        if (known == nullptr) out_.cannot = "this machine has no user " + user;
        else command += helper_ + " as " + std::to_string(known->pw_uid) + " ";
      }
      command += exe;
      if (at + 1 == processes->items.size()) arguments_ = text_of(each, "args");
    }
    return command;
  }

  std::string action() {
    const YamlNode* steps = find_member(test_, "steps");
    if (steps == nullptr) return memory_ ? "memfd nothing" : arguments_.empty() ? "nothing" : "";
    if (steps->items.size() != 1 || text_of(steps->items[0], "type") != "syscall") {
      out_.cannot = "the runner knows tests of one call only";
      return {};
    }
    const YamlNode& step = steps->items[0];
    const std::string call = text_of(step, "syscall");
    const YamlNode* args = find_member(step, "args");
    if (args == nullptr) args = &step;
    if (call == "open" || call == "openat" || call == "openat2") {
      const YamlNode* how = find_member(*args, "how");
      const std::string flags = text_of(how == nullptr ? *args : *how, "flags");
      return call + " '" + text_of(*args, "pathname") + "' " + std::to_string(open_flags(flags));
    }
    if (call == "dup2" || call == "dup3") {
      return (call == "dup2" ? "stdio " : "stdio3 ") + text_of(*args, "newFd") + " " + address_;
    }
    if (call == "socket" && text_of(*args, "domain") == "AF_PACKET") return "packet";
    out_.cannot = "the runner has no call " + call;
    return {};
  }

  const YamlNode& test_;
  SuiteCase& out_;
  std::string helper_;
  std::string address_;
  std::string arguments_;
  std::string after_;
  bool memory_ = false;
};

SuiteCase make_case(const YamlNode& test, const Values& values) {
  SuiteCase made;
  made.name = text_of(test, "name");
  for (const auto& [name, value] : values) made.name += " " + name + "=" + value.scalar;
  made.rule = text_of(test, "rule");
  if (const YamlNode* expected = find_member(test, "expectedOutcome")) {
    made.priority = text_of(*expected, "priority");
    if (const YamlNode* fields = find_member(*expected, "outputFields")) {
      for (size_t at = 0; at < fields->keys.size(); ++at) {
        made.fields[fields->keys[at].scalar] = fields->items[at].scalar;
      }
    }
  }
  Script(test, made).write();
  return made;
}

}  // namespace

Result<std::vector<SuiteCase>> read_suite(const std::string& path) {
  const std::string text = TRY(read_file(path, kFileBytesMax));
  const YamlDocument document = parse_yaml(text);
  if (!document.problems.empty())
    return fail(Code::kInvalid, path + ": " + document.problems[0].message);
  const YamlNode* tests = find_member(document.root, "tests");
  if (tests == nullptr) return fail(Code::kInvalid, path + " has no tests");
  std::vector<SuiteCase> cases;
  for (const YamlNode& test : tests->items) {
    for (const Values& values : combinations(test)) {
      cases.push_back(make_case(substitute(test, values), values));
    }
  }
  return cases;
}

}  // namespace coff::live
