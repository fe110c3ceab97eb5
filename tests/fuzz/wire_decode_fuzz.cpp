// Fuzz target: any bytes as a kernel record, through the event to JSON, sentence and fields.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "schema/event_json.hpp"
#include "schema/field.hpp"
#include "schema/make_event.hpp"
#include "schema/sentence.hpp"

namespace {

using namespace coff;

// The header's own size and lane are made right, so that the fuzzer spends its time behind them.
std::vector<std::uint64_t> repaired(const std::uint8_t* data, size_t size) {
  std::vector<std::uint64_t> words((std::max(size, sizeof(coff_hdr)) + 7) / 8);
  std::memcpy(words.data(), data, size);
  auto* header = reinterpret_cast<coff_hdr*>(words.data());
  header->size = static_cast<std::uint32_t>(std::max(size, sizeof(coff_hdr)));
  header->kind = static_cast<std::uint16_t>(header->kind % COFF_KINDS);
  header->lane = static_cast<std::uint8_t>(schema::kLanes[header->kind]);
  return words;
}

Event event_of(const schema::Record& record) {
  auto container = std::make_shared<Container>();
  container->name = container->image = record.comm();
  container->labels = {{std::string(record.comm()), std::string(record.comm())}};
  schema::Joined joined{.container = std::move(container)};
  auto parent = std::make_shared<Process>();
  parent->name = record.comm();
  if (record.shape() == schema::Shape::exec) {
    auto process = std::make_shared<Process>(schema::make_process(record));
    process->parent = std::move(parent);
    joined.process = std::move(process);
  } else if (record.shape() == schema::Shape::fork) {
    joined.other = std::make_shared<Process>(schema::make_child(record, *parent));
    joined.process = std::move(parent);
  } else {
    joined.process = std::move(parent);
  }
  return schema::make_event(record, 1'764'000'000'000'000'000, std::move(joined));
}

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  if (size > COFF_RECORD_MAX) return 0;
  const auto words = repaired(data, size);
  const auto& header = *reinterpret_cast<const coff_hdr*>(words.data());
  const auto record =
      schema::Record::parse({reinterpret_cast<const std::byte*>(words.data()), header.size});
  if (!record) return 0;
  const Event event = event_of(*record);

  static const schema::Redactor kRedactor;
  schema::JsonOptions options{.redactor = &kRedactor, .full_context = (size & 1) != 0};
  options.commit = [](std::string_view) { return std::string("[secret]"); };
  std::string json;
  schema::append_json(json, event, options);
  boost::json::error_code error;
  boost::json::parse(json, error);
  check(!error && json.size() <= options.size_bytes_max);

  std::string line;
  schema::append_sentence(line, event, {.redactor = &kRedactor, .utc = true});
  for (const char byte : line) check(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7F);

  for (const schema::FieldGroup& group : schema::field_groups()) {
    for (const schema::Field& field : group.fields) {
      schema::value_text(field.get({.event = event}, {}));
      schema::value_text(field.get({.event = event}, {.index = 1, .name = "1"}));
    }
  }
  return 0;
}
