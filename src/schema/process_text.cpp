// Texts of a process that several fields show.
#include "schema/process_text.hpp"

namespace coff::schema {

std::string_view argv0(const Process& process) {
  const Program* program = process.program.get();
  return program == nullptr || program->argv.empty() ? std::string_view{}
                                                     : std::string_view(program->argv.front());
}

namespace {

size_t joined_bytes(const std::vector<std::string>& list) {
  size_t bytes = list.size();
  for (const std::string& each : list) bytes += each.size();
  return bytes;
}

void append_arguments(const Process& process, std::string& text) {
  const auto& argv = process.program->argv;
  for (size_t at = 1; at < argv.size(); ++at) {
    if (at > 1) text += ' ';
    text += argv[at];
  }
}

}  // namespace

std::string arguments_text(const Process& process) {
  std::string text;
  if (process.program == nullptr) return text;
  text.reserve(joined_bytes(process.program->argv));
  append_arguments(process, text);
  return text;
}

std::string command_line_text(const Process& process) {
  std::string text;
  if (process.program == nullptr) return process.name;
  text.reserve(process.name.size() + 1 + joined_bytes(process.program->argv));
  text.append(process.name).append(" ");
  append_arguments(process, text);
  if (text.size() == process.name.size() + 1) text.pop_back();
  return text;
}

std::string environment_text(const Process& process) {
  std::string text;
  if (process.program == nullptr) return text;
  text.reserve(joined_bytes(process.program->env));
  for (const std::string& each : process.program->env) {
    if (!text.empty()) text += ' ';
    text += each;
  }
  return text;
}

std::string_view variable(const Process& process, std::string_view name) {
  if (process.program == nullptr) return {};
  for (const std::string_view each : process.program->env) {
    if (each.size() > name.size() && each[name.size()] == '=' && each.starts_with(name)) {
      return each.substr(name.size() + 1);
    }
  }
  return {};
}

std::string process_id_text(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (size_t at = 16; at-- > 0; number >>= 4) text[at] = kDigits[number & 15];
  return text;
}

}  // namespace coff::schema
