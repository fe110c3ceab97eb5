// Fields of the event itself: kind, time, result, arguments.
#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "base/clock.hpp"
#include "schema/arguments.hpp"
#include "schema/constants.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string local_time(std::int64_t wall_ns, const char* format, bool fraction) {
  std::int64_t rest = wall_ns % kNsPerSecond;
  std::time_t seconds = wall_ns / kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[40];
  std::string out(text, std::strftime(text, sizeof text, format, &parts));
  if (fraction) {
    const std::string digits = std::to_string(rest);
    out += '.' + std::string(9 - digits.size(), '0') + digits;
  }
  return out;
}

bool has_result(const Event& event) {
  const Kind kind = acting_kind(event);
  return kind != Kind::exit && static_cast<unsigned>(kind) < COFF_KINDS;
}

Value result_text(const Subject& subject, const Argument&) {
  if (!has_result(subject.event)) return {};
  if (!subject.event.failed()) return std::string_view("SUCCESS");
  const std::string_view name = errno_name(-subject.event.result);
  return name.empty() ? Value{std::to_string(subject.event.result)} : Value{name};
}

Value category(const Subject& subject, const Argument&) {
  const auto number = static_cast<unsigned>(subject.event.kind);
  if (number >= COFF_KINDS) return std::string_view("container");
  const auto kind = subject.event.kind;
  if (kind == Kind::compat_call) return std::string_view("process");
  if (kind >= Kind::socket) return std::string_view("net");
  if (kind == Kind::mmap || kind == Kind::mprotect) return std::string_view("memory");
  const bool file = kind >= Kind::open || (kind >= Kind::chroot && kind <= Kind::fsmount);
  if (file) return std::string_view("file");
  if (kind == Kind::setid || kind == Kind::loginuid) return std::string_view("user");
  if (kind == Kind::kill) return std::string_view("signal");
  return std::string_view("process");
}

std::uint32_t open_flags(const Event& event) {
  const auto* file = std::get_if<FileInfo>(&event.detail);
  return event.kind == Kind::open && file != nullptr ? file->open_flags : 0;
}

bool is_open(const Event& event) { return event.kind == Kind::open; }

Value is_open_read(const Subject& subject, const Argument&) {
  const std::uint32_t access = open_flags(subject.event) & O_ACCMODE;
  return is_open(subject.event) && (access == O_RDONLY || access == O_RDWR);
}
Value is_open_write(const Subject& subject, const Argument&) {
  const std::uint32_t access = open_flags(subject.event) & O_ACCMODE;
  return is_open(subject.event) && (access == O_WRONLY || access == O_RDWR);
}
Value is_open_exec(const Subject& subject, const Argument&) {
  if (!is_open(subject.event)) return false;
  const auto mode = mode_argument(subject.event);
  return mode.has_value() && (*mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}
Value is_open_create(const Subject& subject, const Argument&) {
  const auto* file = std::get_if<FileInfo>(&subject.event.detail);
  return is_open(subject.event) && file != nullptr && (file->file_flags & COFF_FILE_CREATED) != 0;
}

template <std::uint8_t Flag>
Value has_flag(const Subject& subject, const Argument&) {
  return (subject.event.flags & Flag) != 0;
}

Value all_arguments(const Subject& subject, const Argument&) {
  std::string text;
  for (const std::string_view name : event_argument_names(subject.event)) {
    const std::string value = value_text(event_argument(subject, name));
    if (value.empty()) continue;
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(value);
  }
  return text_value(std::move(text));
}

Value argument(const Subject& subject, const Argument& argument) {
  if (!argument.index) return event_argument(subject, argument.name);
  const auto names = event_argument_names(subject.event);
  return *argument.index < names.size() ? event_argument(subject, names[*argument.index]) : Value{};
}

Value absolute_path(const Subject& subject, const Argument& argument) {
  const auto* file = std::get_if<FileInfo>(&subject.event.detail);
  if (file == nullptr) return {};
  return value_of(argument.name == "dst" ? file->path2.name : file->path.name);
}

using enum Type;
constexpr Field kFields[] = {
    {"evt.num", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return s.number == 0 ? Value{} : Value{s.number};
     },
     "event.sequence", "metadata.sequence",
     "Number of the event, counted by whoever evaluates it."},
    {"evt.time", kText,
     [](const Subject& s, const Argument&) -> Value {
       return local_time(s.event.wall_ns, "%H:%M:%S", true);
     },
     "", "", "Local time of day with nanoseconds."},
    {"evt.time.s", kText,
     [](const Subject& s, const Argument&) -> Value {
       return local_time(s.event.wall_ns, "%H:%M:%S", false);
     },
     "", "", "Local time of day without a fraction."},
    {"evt.time.iso8601", kText,
     [](const Subject& s, const Argument&) -> Value { return format_time(s.event.wall_ns); },
     "@timestamp", "time_dt", "Time in UTC, RFC 3339 with nanoseconds."},
    {"evt.datetime", kText,
     [](const Subject& s, const Argument&) -> Value {
       return local_time(s.event.wall_ns, "%Y-%m-%d %H:%M:%S", true);
     },
     "", "", "Local date and time with nanoseconds."},
    {"evt.datetime.s", kText,
     [](const Subject& s, const Argument&) -> Value {
       return local_time(s.event.wall_ns, "%Y-%m-%d %H:%M:%S", false);
     },
     "", "", "Local date and time without a fraction."},
    {"evt.rawtime", kTime, of_event<&Event::wall_ns>, "", "time",
     "Wall time, nanoseconds since 1970."},
    {"evt.rawtime.s", kInteger,
     [](const Subject& s, const Argument&) -> Value { return s.event.wall_ns / kNsPerSecond; }, "",
     "", "Seconds of evt.rawtime."},
    {"evt.rawtime.ns", kInteger,
     [](const Subject& s, const Argument&) -> Value { return s.event.wall_ns % kNsPerSecond; }, "",
     "", "Nanoseconds within the second of evt.rawtime."},
    {"evt.type", kText,
     [](const Subject& s, const Argument&) -> Value {
       return text_value(event_type_name(s.event));
     },
     "event.action", "",
     "Name of the system call; \"procexit\" when a process ends, otherwise the name of the kind. "
     "What came through io_uring has the kind's name, which libsinsp does not see at all."},
    {"evt.type.is", kUnsigned,
     [](const Subject& s, const Argument& a) -> Value {
       return std::uint64_t{event_type_name(s.event) == a.name};
     },
     "", "", "1 when evt.type is the given name, otherwise 0.", Takes::kName},
    {"syscall.type", kText,
     [](const Subject& s, const Argument&) -> Value {
       return text_value(syscall_name(s.event.syscall));
     },
     "", "", "Name of the system call, unset when there was none."},
    {"evt.category", kText, category, "", "",
     "One of file, net, memory, process, user, signal, container."},
    {"evt.dir", kText,
     [](const Subject&, const Argument&) -> Value { return std::string_view("<"); }, "", "",
     "Always \"<\": events are made when a call returns."},
    {"evt.source", kText,
     [](const Subject&, const Argument&) -> Value { return std::string_view("syscall"); }, "", "",
     "Always \"syscall\", for engine events too, so that rules of that source see them."},
    {"evt.is_async", kBool,
     [](const Subject& s, const Argument&) -> Value {
       return static_cast<unsigned>(s.event.kind) >= COFF_KINDS;
     },
     "", "", "Whether the event was made by the agent and not by the kernel."},
    {"evt.hostname", kText,
     [](const Subject& s, const Argument&) -> Value { return text_value(s.host); }, "host.hostname",
     "device.hostname", "Name of the host."},
    {"evt.args", kText, all_arguments, "", "",
     "All arguments as \"name=value\", separated by blanks."},
    {"evt.info", kText, all_arguments, "", "", "Same as evt.args."},
    {"evt.arg", kText, argument, "", "",
     "One argument by name or by position, as text: flags by name, paths made absolute.",
     Takes::kIndexOrName},
    {"evt.abspath", kPath, absolute_path, "", "",
     "Path argument made absolute; \"src\" (also without argument) the first, \"dst\" the second.",
     Takes::kOptName},
    {"evt.abspath.src", kPath, of_detail<FileInfo, &FileInfo::path, &Path::name>, "", "",
     "First path argument made absolute."},
    {"evt.abspath.dst", kPath, of_detail<FileInfo, &FileInfo::path2, &Path::name>, "", "",
     "Second path argument made absolute."},
    {"evt.res", kText, result_text, "error.code", "status_code",
     "\"SUCCESS\" or the name of the error, e.g. \"ENOENT\"."},
    {"evt.rawres", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       return has_result(s.event) ? Value{s.event.result} : Value{};
     },
     "", "", "Result of the call; negative numbers are errors."},
    {"evt.failed", kBool,
     [](const Subject& s, const Argument&) -> Value { return s.event.failed(); }, "", "",
     "Whether the call failed."},
    {"evt.count", kUnsigned,
     [](const Subject&, const Argument&) -> Value { return std::uint64_t{1}; }, "", "",
     "Always 1."},
    {"evt.count.error", kUnsigned,
     [](const Subject& s, const Argument&) -> Value {
       return s.event.failed() ? Value{std::uint64_t{1}} : Value{};
     },
     "", "", "1 for failed calls."},
    {"evt.is_open_read", kBool, is_open_read, "", "", "Whether a file was opened for reading."},
    {"evt.is_open_write", kBool, is_open_write, "", "", "Whether a file was opened for writing."},
    {"evt.is_open_exec", kBool, is_open_exec, "", "",
     "Whether an open asked to create a file that may be executed."},
    {"evt.is_open_create", kBool, is_open_create, "", "", "Whether an open created the file."},
    {"event.kind", kText,
     [](const Subject& s, const Argument&) -> Value { return text_value(kind_name(s.event.kind)); },
     "", "activity_name", "Kind of the event, one for all variants of a system call."},
    {"event.boot_ns", kUnsigned, of_event<&Event::boot_ns>, "", "",
     "Time since the host's boot, nanoseconds: orders events whatever the wall clock does."},
    {"event.truncated", kBool, has_flag<COFF_F_TRUNCATED>, "", "",
     "Whether a string was cut at a limit."},
    {"event.unread", kBool, has_flag<COFF_F_UNREAD>, "", "",
     "Whether the memory of an argument could not be read."},
    {"event.io_uring", kBool, has_flag<COFF_F_IO_URING>, "", "",
     "Whether it came through io_uring instead of a system call."},
    {"event.compat32", kBool, has_flag<COFF_F_COMPAT32>, "", "",
     "Whether it is a 32-bit program's, or a call through the 32-bit entry."},
    {"event.snapshot", kBool, has_flag<COFF_F_SNAPSHOT>, "", "",
     "Whether it reports state found at the start, not something that happened now."},
};

}  // namespace

std::span<const Field> event_fields() { return kFields; }

}  // namespace coff::schema
