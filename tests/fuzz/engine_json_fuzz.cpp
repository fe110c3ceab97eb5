// Fuzzes the readers of engine answers: no input may crash, hang or break a stated limit.
#include <cstdint>

#include "base/bytes.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/docker_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  using namespace coff::runtime;
  const std::string_view text = coff::text_of({data, size});
  if (const auto container = parse_inspect(text); container) {
    COFF_ASSERT(is_engine_id(container->id));
    COFF_ASSERT(container->labels.size() <= kLabelsMax);
    COFF_ASSERT(container->ports.size() <= kPortsMax);
    COFF_ASSERT(container->mounts.size() <= 2 * kMountsMax);
  }
  if (const auto event = parse_event(text); event) {
    COFF_ASSERT(event->labels.size() <= kLabelsMax);
    COFF_ASSERT(event->type != "container" || is_engine_id(event->id));
    COFF_ASSERT(container_from(*event).id == event->id);
  }
  if (const auto listed = parse_list(text); listed)
    for (const auto& id : listed->ids) COFF_ASSERT(is_engine_id(id));
  if (const auto version = parse_version(text); version) COFF_ASSERT(!version->version.empty());
  [[maybe_unused]] const auto digest = parse_image_digest(text);
  [[maybe_unused]] const auto engine = parse_engine_id(text);
  if (const auto group = parse_cgroup(text); group) COFF_ASSERT(!group->id.empty());
  return 0;
}
