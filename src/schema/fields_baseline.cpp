// Fields of departures from what was learned of a service.
#include "schema/constants.hpp"
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

template <auto Member>
Value of_departure(const Subject& subject, const Argument&) {
  const Departure* departure = subject.event.departure.get();
  return departure == nullptr ? Value{} : value_of(departure->*Member);
}

Value trigger(const Subject& subject, const Argument&) {
  const Departure* departure = subject.event.departure.get();
  return departure == nullptr ? Value{} : text_value(kind_name(departure->trigger));
}

Value learned(const Subject& subject, const Argument&) {
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  const Departure* departure = subject.event.departure.get();
  return departure == nullptr ? Value{} : Value{departure->learned_s * kSecondNs};
}

using enum Type;
constexpr Field kFields[] = {
    {"baseline.service", kText, of_departure<&Departure::service>, "", "",
     "Service whose learned behaviour the container departs from, e.g. \"compose:shop/web\"."},
    {"baseline.what", kText, of_departure<&Departure::what>, "", "",
     "What is new: executable, child, file, capability, call, user or port."},
    {"baseline.value", kText, of_departure<&Departure::value>, "", "",
     "The new thing as profiles hold it: a path with changing parts as *, a name, a number."},
    {"baseline.trigger", kText, trigger, "", "", "Kind of the event that departs."},
    {"baseline.state", kText, of_departure<&Departure::state>, "", "",
     "State of the profile: watching or pinned."},
    {"baseline.outside_image", kBool, of_departure<&Departure::outside_image>, "", "",
     "Whether a new executable's file is not part of the container's image."},
    {"baseline.image_changed", kBool, of_departure<&Departure::image_changed>, "", "",
     "Whether the service runs another image than while it was learned."},
    {"baseline.age", kDuration, learned, "", "",
     "Running time over which the profile was learned."},
    {"baseline.samples", kUnsigned, of_departure<&Departure::samples>, "", "",
     "Events that the profile was learned from."},
};

}  // namespace

std::span<const Field> baseline_fields() { return kFields; }

}  // namespace coff::schema
