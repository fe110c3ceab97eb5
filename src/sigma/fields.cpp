// Fields that only Sigma rules ask for.
#include "sigma/fields.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "schema/constants.hpp"

namespace coff::sigma {

namespace {

using schema::Argument;
using schema::Field;
using schema::Subject;
using schema::Takes;
using schema::Type;
using schema::Value;

Value text(std::string_view view) { return view.empty() ? Value{} : Value{view}; }

const Program* program_of(const Process* process) {
  return process == nullptr ? nullptr : process->program.get();
}

std::string joined(const Program* program) {
  std::string line;
  if (program == nullptr) return line;
  for (size_t at = 0; at < program->argv.size(); ++at) {
    if (at > 0) line += ' ';
    line += program->argv[at];
  }
  return line;
}

Value command_line(const Subject& subject, const Argument&) {
  std::string line = joined(program_of(subject.event.process.get()));
  return line.empty() ? Value{} : Value{std::move(line)};
}

Value parent_command_line(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  std::string line = process == nullptr ? "" : joined(program_of(process->parent.get()));
  return line.empty() ? Value{} : Value{std::move(line)};
}

Value current_directory(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  std::string_view path = process == nullptr ? std::string_view() : process->cwd;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return text(path);
}

const FileInfo* file_of(const Subject& subject) {
  return std::get_if<FileInfo>(&subject.event.detail);
}

// The name that the call made or changed.
const Path* target(const Subject& subject) {
  const FileInfo* file = file_of(subject);
  if (file == nullptr) return nullptr;
  const Kind kind = subject.event.kind;
  const bool second = kind == Kind::rename || kind == Kind::link || kind == Kind::symlink;
  return second ? &file->path2 : &file->path;
}

Value target_name(const Subject& subject, const Argument&) {
  const Path* path = target(subject);
  return path == nullptr ? Value{} : text(path->name);
}

Value target_resolved(const Subject& subject, const Argument&) {
  const Path* path = target(subject);
  return path == nullptr ? Value{} : text(path->resolved);
}

Value initiated(const Subject& subject, const Argument&) {
  if (std::get_if<SocketInfo>(&subject.event.detail) == nullptr) return {};
  return std::string_view(subject.event.kind == Kind::accept ? "false" : "true");
}

// Names of addresses: what the schema knows of them.
Value destination_name(const Subject& subject, const Argument&) {
  return value_of(subject, "fd.sip.name");
}
Value source_name(const Subject& subject, const Argument&) {
  return value_of(subject, "fd.cip.name");
}

Value argv(const Subject& subject, const Argument& argument) {
  const Program* program = program_of(subject.event.process.get());
  if (program == nullptr || !argument.index || *argument.index >= program->argv.size()) return {};
  return std::string_view(program->argv[*argument.index]);
}

// As auditd writes arguments of calls: hexadecimal without a prefix.
Value call_argument(const Subject& subject, const Argument& argument) {
  const auto* file = file_of(subject);
  const auto* call = std::get_if<CallInfo>(&subject.event.detail);
  if ((file == nullptr && call == nullptr) || !argument.index || *argument.index >= 4) return {};
  const std::uint64_t number =
      file != nullptr ? file->args[*argument.index] : call->args[*argument.index];
  char buffer[16];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, 16);
  return std::string(buffer, end.ptr);
}

Value success(const Subject& subject, const Argument&) {
  return std::string_view(subject.event.failed() ? "no" : "yes");
}

// Of an exec the program as it was named, or as the kernel found it.
Value record_name(const Subject& subject, const Argument&) {
  if (const FileInfo* file = file_of(subject)) return text(file->path.name);
  const Program* program = program_of(subject.event.process.get());
  if (subject.event.kind != Kind::exec || program == nullptr) return {};
  return text(program->filename.starts_with('/') ? program->filename : program->exe);
}

Value record_resolved(const Subject& subject, const Argument&) {
  if (const FileInfo* file = file_of(subject)) return text(file->path.resolved);
  const Program* program = program_of(subject.event.process.get());
  return subject.event.kind != Kind::exec || program == nullptr ? Value{} : text(program->exe);
}

Value record_name_2(const Subject& subject, const Argument&) {
  const FileInfo* file = file_of(subject);
  return file == nullptr ? Value{} : text(file->path2.name);
}

Value record_resolved_2(const Subject& subject, const Argument&) {
  const FileInfo* file = file_of(subject);
  return file == nullptr ? Value{} : text(file->path2.resolved);
}

// What the call did to the first name.
Value name_type(const Subject& subject, const Argument&) {
  const FileInfo* file = file_of(subject);
  switch (subject.event.kind) {
    case Kind::mkdir:
    case Kind::mknod: return std::string_view("CREATE");
    case Kind::unlink:
    case Kind::rmdir:
    case Kind::rename: return std::string_view("DELETE");
    default: break;
  }
  const bool created = file != nullptr && (file->file_flags & COFF_FILE_CREATED) != 0;
  return std::string_view(created ? "CREATE" : "NORMAL");
}

// The second name of a call is the one it makes.
Value second_name_type(const Subject& subject, const Argument&) {
  return file_of(subject) == nullptr ? Value{} : Value{std::string_view("CREATE")};
}

Value as_text(const Subject& subject, const Argument& argument) {
  Value value = value_of(subject, argument.name);
  if (std::holds_alternative<std::monostate>(value)) return {};
  if (const auto* view = std::get_if<std::string_view>(&value)) return *view;
  return schema::value_text(value);
}

Value as_number(const Subject& subject, const Argument& argument) {
  const std::string line = schema::value_text(value_of(subject, argument.name));
  std::int64_t number = 0;
  const auto end = std::from_chars(line.data(), line.data() + line.size(), number);
  const bool whole = !line.empty() && end.ec == std::errc{} && end.ptr == line.data() + line.size();
  return whole ? Value{number} : Value{};
}

enum class Part : unsigned char { kMinute, kHour, kDay, kWeek, kMonth, kYear };

// Of a time in UTC; weeks as in ISO 8601.
template <Part Of>
Value part_of(const Subject& subject, const Argument& argument) {
  const Value value = value_of(subject, argument.name);
  const auto* ns = std::get_if<std::int64_t>(&value);
  if (ns == nullptr) return {};
  const std::time_t seconds = *ns / 1'000'000'000;
  std::tm time{};
  if (gmtime_r(&seconds, &time) == nullptr) return {};
  if constexpr (Of == Part::kMinute) return std::int64_t{time.tm_min};
  if constexpr (Of == Part::kHour) return std::int64_t{time.tm_hour};
  if constexpr (Of == Part::kDay) return std::int64_t{time.tm_mday};
  if constexpr (Of == Part::kMonth) return std::int64_t{time.tm_mon} + 1;
  if constexpr (Of == Part::kYear) return std::int64_t{time.tm_year} + 1900;
  char week[4];
  if (std::strftime(week, sizeof week, "%V", &time) != 2) return {};
  return std::int64_t{(week[0] - '0') * 10 + (week[1] - '0')};
}

using enum Type;
constexpr std::string_view kNone;
constexpr Field kFields[] = {
    {"sigma.CommandLine", kText, command_line, kNone, kNone, "All arguments, joined with blanks."},
    {"sigma.ParentCommandLine", kText, parent_command_line, kNone, kNone, "The parent's."},
    {"sigma.CurrentDirectory", kPath, current_directory, kNone, kNone,
     "Working directory without a slash at the end."},
    {"sigma.TargetFilename", kPath, target_name, kNone, kNone,
     "The name that a call made or changed, by text alone."},
    {"sigma.TargetResolved", kPath, target_resolved, kNone, kNone,
     "The same as the kernel resolved it."},
    {"sigma.Initiated", kText, initiated, kNone, kNone, "false for accept, otherwise true."},
    {"sigma.DestinationHostname", kText, destination_name, kNone, kNone, "As fd.sip.name."},
    {"sigma.SourceHostname", kText, source_name, kNone, kNone, "As fd.cip.name."},
    {"sigma.argv", kText, argv, kNone, kNone, "An argument; 0 is the program.", Takes::kIndex},
    {"sigma.call_argument", kText, call_argument, kNone, kNone,
     "An argument of the call, hexadecimal.", Takes::kIndex},
    {"sigma.success", kText, success, kNone, kNone, "yes or no."},
    {"sigma.name", kPath, record_name, kNone, kNone, "First path of the call."},
    {"sigma.name_resolved", kPath, record_resolved, kNone, kNone, "First path, resolved."},
    {"sigma.name2", kPath, record_name_2, kNone, kNone, "Second path of the call."},
    {"sigma.name2_resolved", kPath, record_resolved_2, kNone, kNone, "Second path, resolved."},
    {"sigma.nametype", kText, name_type, kNone, kNone, "CREATE, DELETE or NORMAL."},
    {"sigma.nametype2", kText, second_name_type, kNone, kNone, "CREATE, for calls with two paths."},
    {"sigma.text", kText, as_text, kNone, kNone, "Another field as text.", Takes::kName},
    {"sigma.number", kInteger, as_number, kNone, kNone, "A text as a number.", Takes::kName},
    {"sigma.minute", kInteger, part_of<Part::kMinute>, kNone, kNone, "Of a time.", Takes::kName},
    {"sigma.hour", kInteger, part_of<Part::kHour>, kNone, kNone, "Of a time.", Takes::kName},
    {"sigma.day", kInteger, part_of<Part::kDay>, kNone, kNone, "Of a time.", Takes::kName},
    {"sigma.week", kInteger, part_of<Part::kWeek>, kNone, kNone, "Of a time.", Takes::kName},
    {"sigma.month", kInteger, part_of<Part::kMonth>, kNone, kNone, "Of a time.", Takes::kName},
    {"sigma.year", kInteger, part_of<Part::kYear>, kNone, kNone, "Of a time.", Takes::kName},
};

}  // namespace

std::span<const Field> own_fields() { return kFields; }

Value value_of(const Subject& subject, std::string_view name) {
  const size_t bracket = std::min(name.find('['), name.size());
  const auto* own = std::ranges::find(kFields, name.substr(0, bracket), &Field::name);
  if (own == std::end(kFields)) {
    const auto reference = schema::resolve_field(name);
    return reference ? reference->get(subject) : Value{};
  }
  Argument argument;
  if (bracket < name.size()) {
    argument.name = name.substr(bracket + 1, name.size() - bracket - 2);
    std::uint32_t index = 0;
    const char* const last = argument.name.data() + argument.name.size();
    const auto end = std::from_chars(argument.name.data(), last, index);
    if (end.ec == std::errc{} && end.ptr == last) argument.index = index;
  }
  return own->get(subject, argument);
}

}  // namespace coff::sigma
