// Private to the room: getters for rows, made from member pointers, and values from members.
#pragma once

#include <algorithm>
#include <type_traits>

#include "schema/field.hpp"

namespace coff::schema {

/// Value of a member: empty text is "not known"; numbers of up to 32 bits become signed.
template <typename T>
Value value_of(const T& member) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::uint64_t>) {
    return member;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return member.empty() ? Value{} : Value{std::string_view(member)};
  } else {
    static_assert(std::is_integral_v<T>);
    return static_cast<std::int64_t>(member);
  }
}
inline Value text_value(std::string text) {
  return text.empty() ? Value{} : Value{std::move(text)};
}
inline Value text_value(std::string_view text) { return text.empty() ? Value{} : Value{text}; }

/// The kind by which the rest of an event is read: a departure's is that of the event that departs.
inline Kind acting_kind(const Event& event) {
  return event.departure == nullptr ? event.kind : event.departure->trigger;
}

/// Follows member pointers from an object: value<&Process::credentials, &Credentials::gid>(p).
template <auto First, auto... Rest, typename Object>
Value value_at(const Object& object) {
  if constexpr (sizeof...(Rest) == 0) return value_of(object.*First);
  else return value_at<Rest...>(object.*First);
}

template <auto... Path>
Value of_event(const Subject& subject, const Argument&) {
  return value_at<Path...>(subject.event);
}
template <auto... Path>
Value of_process(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  return process == nullptr ? Value{} : value_at<Path...>(*process);
}
template <auto... Path>
Value of_parent(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->parent == nullptr) return {};
  return value_at<Path...>(*process->parent);
}
template <auto... Path>
Value of_program(const Subject& subject, const Argument&) {
  const Process* process = subject.event.process.get();
  if (process == nullptr || process->program == nullptr) return {};
  return value_at<Path...>(*process->program);
}
template <auto... Path>
Value of_container(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  return container == nullptr ? Value{} : value_at<Path...>(*container);
}
/// Only what inspect gives: not known before.
template <auto... Path>
Value of_inspected(const Subject& subject, const Argument&) {
  const Container* container = subject.event.container.get();
  if (container == nullptr || container->metadata != Metadata::kComplete) return {};
  return value_at<Path...>(*container);
}
template <typename Detail, auto... Path>
Value of_detail(const Subject& subject, const Argument&) {
  const auto* detail = std::get_if<Detail>(&subject.event.detail);
  return detail == nullptr ? Value{} : value_at<Path...>(*detail);
}

/// Calls `get` for the process itself and its ancestors: [n] gives that one (0 = itself), without
/// an index all ancestors as a list. `Get` maps a Process to text or a number.
template <typename Get>
Value of_ancestors(const Subject& subject, const Argument& argument, Get get) {
  const Process* process = subject.event.process.get();
  using Item = std::decay_t<decltype(get(*process))>;
  if (argument.index) {
    for (std::uint32_t level = 0; process != nullptr && level < *argument.index; ++level) {
      process = process->parent.get();
    }
    return process == nullptr ? Value{} : Value{get(*process)};
  }
  std::vector<Item> list;
  if (process == nullptr) return {};
  for (process = process->parent.get(); process != nullptr; process = process->parent.get()) {
    list.push_back(get(*process));
  }
  return list.empty() ? Value{} : Value{std::move(list)};
}

/// Wall time of a moment of the boot clock, by the event's own pair of times.
inline std::int64_t wall_of(const Event& event, std::uint64_t boot_ns) {
  return event.wall_ns - static_cast<std::int64_t>(event.boot_ns - boot_ns);
}

/// Wall time of the start of a process.
inline Value start_time(const Event& event, const Process* process) {
  if (process == nullptr || process->start_boot_ns == 0) return {};
  return wall_of(event, process->start_boot_ns);
}

/// evt.arg: value of one argument in libsinsp's spelling; empty when the event has none of it.
Value event_argument(const Subject& subject, std::string_view name);
/// Names of the arguments that the event's kind has.
std::vector<std::string_view> event_argument_names(const Event& event);

}  // namespace coff::schema
