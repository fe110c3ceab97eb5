// Fuzz target: any bytes as the two directions of a connection to an engine, in any pieces and with
// holes, through requests and answers to entries.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>

#include "access/entries.hpp"

namespace {

using namespace coff;

constexpr size_t kEntryBytesMax = 60'000;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_entry(const access::Exchange& exchange) {
  static const schema::Redactor kRedactor;
  static const schema::UserNames kNames;
  const access::EntryOptions options{.redactor = kRedactor,
                                     .commit = [](std::string_view) { return std::string("[x]"); },
                                     .names = kNames};
  const std::string entry =
      access::request_entry(exchange, {.id = "ab", .name = exchange.request.name}, options);
  boost::json::error_code problem;
  boost::json::parse(entry, problem);
  check(!problem && entry.size() <= kEntryBytesMax);
}

}  // namespace

// Pieces of two bytes each say: direction and hole, and the length of what follows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  size_t begun = 0;
  size_t done = 0;
  access::Connections connections({.on_request = [&](access::Exchange&) { ++begun; },
                                   .on_done =
                                       [&](access::Exchange& exchange) {
                                         ++done;
                                         check_entry(exchange);
                                       },
                                   .on_raw = [](std::uint64_t) {}});
  std::uint64_t offsets[2] = {};
  std::uint64_t clock = 1;
  for (size_t at = 0; at + 2 <= size;) {
    const std::uint8_t how = data[at];
    const size_t count =
        std::min<size_t>(data[at + 1] * ((how & 8) != 0 ? 64U : 1U), size - at - 2);
    const bool answer = (how & 1) != 0;
    const std::uint64_t hole = (how & 2) != 0 ? how >> 4U : (how & 4) != 0 ? 100'000 : 0;
    connections.take({.connection = (how & 0x40U) != 0 ? 2U : 1U,
                      .socket = "/run/docker.sock",
                      .answer = answer,
                      .offset = offsets[answer ? 1 : 0],
                      .count = count + hole,
                      .bytes = {reinterpret_cast<const char*>(data) + at + 2, count},
                      .boot_ns = ++clock});
    offsets[answer ? 1 : 0] += count + hole;
    at += 2 + count;
  }
  connections.finish();
  check(begun == done);
  return 0;
}
