// Private to the room: takes members out of JSON objects, remembers the first thing that is wrong.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace coff::schema {

/// What reading one document has come to.
struct ReadState {
  bool strict = false;
  bool by_hand = false;  ///< A person wrote it: what is usual is meant where nothing is said.
  std::string problem;   ///< The first one; "" for none.
};

/// One object. Each function takes one member if it is there; another type than the wanted one is a
/// problem. At its end, members that nobody asked for are one too where the state is strict.
class ObjectReader {
 public:
  ObjectReader(const boost::json::object& object, std::string where, ReadState& state)
      : object_(object), where_(std::move(where)), state_(state) {}
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;
  ~ObjectReader() {
    if (!state_.strict) return;
    for (const auto& member : object_) {
      const std::string_view key = member.key();
      if (std::ranges::find(known_, key) == known_.end()) complain(key, "is no known member");
    }
  }

  [[nodiscard]] bool has(std::string_view key) const { return object_.contains(key); }
  [[nodiscard]] bool is_text(std::string_view key) const {
    const boost::json::value* value = object_.if_contains(key);
    return value != nullptr && value->is_string();
  }
  [[nodiscard]] bool by_hand() const { return state_.by_hand; }
  void skip(std::string_view key) { known_.push_back(key); }
  void complain(std::string_view key, std::string_view what) const {
    if (!state_.problem.empty()) return;
    state_.problem = where_ + std::string(key) + " " + std::string(what);
  }

  void text(std::string_view key, std::string& out) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (value->is_string()) out = value->get_string();
    else complain(key, "must be a string");
  }
  std::string text(std::string_view key) {
    std::string out;
    text(key, out);
    return out;
  }
  template <std::integral T>
  void number(std::string_view key, T& out) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (value->is_int64() && std::in_range<T>(value->get_int64())) {
      out = static_cast<T>(value->get_int64());
    } else if (value->is_uint64() && std::in_range<T>(value->get_uint64())) {
      out = static_cast<T>(value->get_uint64());
    } else {
      complain(key, "must be a whole number in its range");
    }
  }
  template <std::integral T>
  void flag(std::string_view key, T bit, T& flags) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (!value->is_bool()) return complain(key, "must be true or false");
    if (value->get_bool()) flags = static_cast<T>(flags | bit);
  }
  void truth(std::string_view key, bool& out) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (value->is_bool()) out = value->get_bool();
    else complain(key, "must be true or false");
  }
  /// A string of hexadecimal digits, "0x" before them or not.
  void hex(std::string_view key, std::uint64_t& out) {
    if (const boost::json::value* value = take(key)) out = hex_of(key, *value);
  }
  void texts(std::string_view key, std::vector<std::string>& out) {
    each(key, [&](const boost::json::value& item) {
      if (item.is_string()) out.emplace_back(item.get_string());
      else complain(key, "must be a list of strings");
    });
  }
  /// Calls `read(const value&)` for every element of a list.
  template <typename F>
  void each(std::string_view key, F&& read) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (!value->is_array()) return complain(key, "must be a list");
    for (const boost::json::value& item : value->get_array()) read(item);
  }
  /// Calls `read(ObjectReader&)` for the object.
  template <typename F>
  void object(std::string_view key, F&& read) {
    const boost::json::value* value = take(key);
    if (value == nullptr) return;
    if (!value->is_object()) return complain(key, "must be an object");
    ObjectReader inner(value->get_object(), where_ + std::string(key) + ".", state_);
    read(inner);
  }
  /// The same for every element of a list of objects.
  template <typename F>
  void objects(std::string_view key, F&& read) {
    each(key, [&](const boost::json::value& item) {
      if (!item.is_object()) return complain(key, "must be a list of objects");
      ObjectReader inner(item.get_object(), where_ + std::string(key) + "[].", state_);
      read(inner);
    });
  }
  [[nodiscard]] std::uint64_t hex_of(std::string_view key, const boost::json::value& value) const {
    std::uint64_t out = 0;
    if (!value.is_string()) {
      complain(key, "must be a string of hexadecimal digits");
      return 0;
    }
    std::string_view digits = value.get_string();
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    const char* const end = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), end, out, 16);
    if (problem != std::errc() || stop != end || digits.empty()) {
      complain(key, "must be a string of hexadecimal digits");
    }
    return out;
  }
  /// The object itself, for members with free names.
  [[nodiscard]] const boost::json::object& whole() {
    for (const auto& member : object_) known_.push_back(member.key());
    return object_;
  }

 private:
  const boost::json::value* take(std::string_view key) {
    known_.push_back(key);
    return object_.if_contains(key);
  }

  const boost::json::object& object_;
  std::string where_;
  ReadState& state_;
  std::vector<std::string_view> known_;
};

}  // namespace coff::schema
