// Bounded JSON trees by Boost.JSON, and typed access to them.
#include "runtime/json_members.hpp"

#include <algorithm>
#include <new>

#include <boost/json/memory_resource.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include "base/bytes.hpp"

namespace coff::runtime {
namespace {

// Hands out at most a given number of bytes, then throws as the allocator interface demands.
class BoundedMemory final : public boost::json::memory_resource {
 public:
  explicit BoundedMemory(size_t bytes_max) : left_(bytes_max) {}

 private:
  void* do_allocate(size_t size, size_t alignment) override {
    if (size > left_) throw std::bad_alloc();
    void* memory = ::operator new(size, std::align_val_t(alignment));
    left_ -= size;
    return memory;
  }
  void do_deallocate(void* memory, size_t size, size_t alignment) override {
    ::operator delete(memory, std::align_val_t(alignment));
    left_ += size;
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  size_t left_;
};

std::string cut_to_limit(std::string_view text) {
  size_t size = kTextBytesMax;
  // Boost.JSON has checked the UTF-8: step back over continuation bytes.
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return std::string(text.substr(0, size));
}

}  // namespace

class JsonDocument::Memory {
 public:
  explicit Memory(size_t bytes_max) : bounded_(bytes_max), blocks_(4096, &bounded_) {}
  boost::json::memory_resource* get() { return &blocks_; }

 private:
  BoundedMemory bounded_;
  boost::json::monotonic_resource blocks_;
};

JsonDocument::JsonDocument(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() { root_.reset(); }

Result<JsonDocument> JsonDocument::parse(std::string_view text, size_t memory_bytes_max) {
  JsonDocument document(std::make_unique<Memory>(memory_bytes_max));
  boost::json::error_code problem;
  try {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    document.root_ = std::make_unique<boost::json::value>(
        boost::json::parse(text, problem, document.memory_->get(), options));
  } catch (const std::bad_alloc&) {
    return fail(Code::kLimit, "JSON needs more than the allowed memory");
  } catch (const std::exception& unexpected) {
    return fail(Code::kInvalid, std::string("not JSON: ") + unexpected.what());
  }
  if (problem) return fail(Code::kInvalid, "not JSON: " + problem.message());
  return document;
}

void JsonFindings::cut(std::string_view name) {
  if (std::ranges::find(cuts, name) == cuts.end()) cuts.emplace_back(name);
}

JsonMembers::JsonMembers(const boost::json::value& value, std::string_view name,
                         JsonFindings& findings)
    : object_(value.if_object()), name_(name), findings_(&findings) {
  if (object_ == nullptr && !value.is_null() && findings.problem.empty())
    findings.problem = name_ + " is no object";
}

const boost::json::value* JsonMembers::member(std::string_view name) const {
  if (object_ == nullptr) return nullptr;
  const boost::json::value* found = object_->if_contains({name.data(), name.size()});
  return found == nullptr || found->is_null() ? nullptr : found;
}

void JsonMembers::wrong(std::string_view name) const {
  if (findings_->problem.empty())
    findings_->problem = name_ + "." + std::string(name) + " is not of the expected type";
}

std::string JsonMembers::text_in(const boost::json::value& value, std::string_view name) const {
  const boost::json::string* text = value.if_string();
  if (text == nullptr) {
    wrong(name);
    return {};
  }
  if (text->size() <= kTextBytesMax) return {text->data(), text->size()};
  findings_->cut(name);
  return cut_to_limit({text->data(), text->size()});
}

std::string JsonMembers::text(std::string_view name) const {
  const auto* value = member(name);
  return value == nullptr ? std::string() : text_in(*value, name);
}

bool JsonMembers::boolean(std::string_view name) const {
  const auto* value = member(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) wrong(name);
  return value->is_bool() && value->get_bool();
}

std::int64_t JsonMembers::number(std::string_view name, std::int64_t low, std::int64_t high) const {
  const auto* value = member(name);
  if (value == nullptr) return 0;
  const std::int64_t* whole = value->if_int64();
  if (whole == nullptr || *whole < low || *whole > high) {
    wrong(name);
    return 0;
  }
  return *whole;
}

JsonMembers JsonMembers::object(std::string_view name) const {
  static const boost::json::value null_value;
  const auto* value = member(name);
  return {value == nullptr ? null_value : *value, name_ + "." + std::string(name), *findings_};
}

std::vector<std::string> JsonMembers::texts(std::string_view name, size_t count_max) const {
  std::vector<std::string> found;
  const auto* value = member(name);
  if (value == nullptr) return found;
  const boost::json::array* array = value->if_array();
  if (array == nullptr) {
    wrong(name);
    return found;
  }
  if (array->size() > count_max) findings_->cut(name);
  for (size_t at = 0; at < std::min(array->size(), count_max); ++at)
    found.push_back(text_in((*array)[at], name));
  return found;
}

void JsonMembers::each(std::string_view name, size_t count_max,
                       const std::function<void(const JsonMembers&)>& visit) const {
  const auto* value = member(name);
  if (value == nullptr) return;
  const boost::json::array* array = value->if_array();
  if (array == nullptr) return wrong(name);
  if (array->size() > count_max) findings_->cut(name);
  for (size_t at = 0; at < std::min(array->size(), count_max); ++at)
    visit(JsonMembers((*array)[at], name, *findings_));
}

void JsonMembers::members(
    size_t count_max,
    const std::function<void(std::string_view, const boost::json::value&)>& visit) const {
  if (object_ == nullptr) return;
  size_t count = 0;
  for (const auto& entry : *object_) {
    if (++count > count_max) return findings_->cut(name_);
    visit({entry.key().data(), entry.key().size()}, entry.value());
  }
}

}  // namespace coff::runtime
