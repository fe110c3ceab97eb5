// The control calls about learned behaviour: list, show, export, import, pin, unpin, accept,
// forget.
#include "agent/call_arguments.hpp"
#include "agent/learner.hpp"

namespace coff::agent {

namespace {

/// Parts of an import; each is shorter than a request.
constexpr std::uint64_t kPartsMax = 512;

std::string list_line(const baseline::Profile& profile, std::uint64_t window_s) {
  std::string line;
  JsonWriter json(line);
  json.begin_object()
      .member("service", profile.service)
      .member("state", baseline::kStateNames[static_cast<std::size_t>(profile.state)])
      .member("observed_s", profile.observed_s)
      .member("window_s", window_s)
      .member("starts", profile.starts)
      .member("samples", profile.samples)
      .member("features", std::uint64_t{profile.size()})
      .member("departures", std::uint64_t{profile.departures.size()})
      .member("departures_untold", profile.departures_untold)
      .member("image_changed", profile.image_changed)
      .key("not_judged")
      .begin_array();
  for (std::size_t what = 0; what < baseline::kWhats; ++what) {
    if (profile.not_kept[what] != 0) json.string(baseline::kWhatNames[what]);
  }
  json.end_array().end_object();
  return line;
}

}  // namespace

Result<void> Learner::list(Answer& answer) const {
  for (const auto& [name, profile] : baseline_.profiles()) {
    TRY(answer.line(list_line(profile, baseline_.options().window_s)));
  }
  return {};
}

Result<void> Learner::show(std::string_view arguments, Answer& answer) {
  const auto object = TRY(arguments_of(arguments));
  const baseline::Profile* profile = TRY(baseline_.find(TRY(text_argument(object, "service"))));
  return answer.line(baseline::to_json(*profile));
}

// Longer than one request: in parts, one after the other, and put in force with the last.
Result<void> Learner::import(std::string_view arguments, Answer& answer) {
  const auto object = TRY(arguments_of(arguments));
  const std::uint64_t part = TRY(number_of(object, "part", 0));
  const std::uint64_t of = TRY(number_of(object, "of", 1));
  const std::string text = TRY(text_argument(object, "text"));
  if (part == 0) import_ = Import{.next = 0, .of = of, .text = {}};
  const bool fits = import_ && import_->next == part && import_->of == of && part < of &&
                    of <= kPartsMax &&
                    import_->text.size() + text.size() <= baseline::kProfileBytesMax;
  if (!fits) {
    import_.reset();
    return fail(Code::kInvalid, "the parts of an import must follow each other, and have at most " +
                                    std::to_string(baseline::kProfileBytesMax) + " bytes");
  }
  import_->text += text;
  if (++import_->next < of) return {};
  const std::string whole = std::move(import_->text);
  import_.reset();
  baseline::Profile profile = TRY(baseline::parse_profile(whole, baseline_.options().features_max));
  const std::string service = profile.service;
  const std::string fingerprint = profile.fingerprint();
  const std::string line = list_line(profile, baseline_.options().window_s);
  TRY(baseline_.put(std::move(profile)));
  record("imported", service, fingerprint);
  write_changed(false);
  return answer.line(line);
}

Result<void> Learner::change(std::string_view call, std::string_view arguments, Answer& answer) {
  const auto object = TRY(arguments_of(arguments));
  const baseline::Profile* profile = TRY(baseline_.find(TRY(text_argument(object, "service"))));
  const std::string service = profile->service;
  std::string detail;
  if (call == "pin") {
    TRY(baseline_.pin(service));
  } else if (call == "unpin") {
    TRY(baseline_.unpin(service));
  } else if (call == "accept") {
    baseline::Accept which{.value = TRY(text_argument(object, "value"))};
    const std::string what = TRY(text_argument(object, "what"));
    which.all = what.empty();
    const auto named = baseline::parse_what(what);
    if (!which.all && !named) return fail(Code::kInvalid, "what must be a sort of things");
    if (named) which.what = *named;
    detail = std::to_string(TRY(baseline_.accept(service, which))) + " departures; ";
  } else {
    TRY(baseline_.forget(service));
    record("forgotten", service, "");
    write_changed(false);
    return {};
  }
  record(call == "pin"     ? "pinned"
         : call == "unpin" ? "unpinned"
                           : "accepted",
         service, detail + profile->fingerprint());
  write_changed(false);
  return answer.line(list_line(*profile, baseline_.options().window_s));
}

void Learner::answer_calls(CallHandlers& calls) {
  calls.add("baseline.list", [this](std::string_view, Answer& answer) { return list(answer); });
  for (const char* name : {"baseline.show", "baseline.export"}) {
    calls.add(name, [this](std::string_view arguments, Answer& answer) {
      return show(arguments, answer);
    });
  }
  calls.add("baseline.import", [this](std::string_view arguments, Answer& answer) {
    return import(arguments, answer);
  });
  for (const std::string name : {"pin", "unpin", "accept", "forget"}) {
    calls.add("baseline." + name, [this, name](std::string_view arguments, Answer& answer) {
      return change(name, arguments, answer);
    });
  }
}

}  // namespace coff::agent
