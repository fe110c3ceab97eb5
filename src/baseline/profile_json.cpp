// A profile as JSON, and back: the file on disk, the answer of `show`, the export.
#include <boost/json.hpp>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "baseline/profile.hpp"

namespace coff::baseline {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kDepthMax = 6;
constexpr std::size_t kNameBytesMax = 256;

void write_time(JsonWriter& out, std::string_view name, std::int64_t wall_ns) {
  if (wall_ns != 0) out.member(name, format_time(wall_ns));
}

void write_features(JsonWriter& out, const Profile& profile) {
  out.key("features").begin_object();
  for (std::size_t what = 0; what < kWhats; ++what) {
    out.key(kWhatNames[what]).begin_array();
    if (static_cast<What>(what) == What::kFile) {
      for (const std::string& path : profile.files.paths()) out.string(path);
    }
    for (const std::string& key : profile.values[what]) out.string(key);
    out.end_array();
  }
  out.end_object().key("not_kept").begin_object();
  for (std::size_t what = 0; what < kWhats; ++what) {
    if (profile.not_kept[what] != 0) out.member(kWhatNames[what], profile.not_kept[what]);
  }
  out.end_object();
}

void write_departures(JsonWriter& out, const Profile& profile) {
  out.key("departures").begin_array();
  for (const auto& [key, open] : profile.departures) {
    const Feature feature = feature_of(key.first, key.second);
    out.begin_object()
        .member("what", kWhatNames[static_cast<std::size_t>(key.first)])
        .member("value", feature.value)
        .member("outside_image", feature.outside_image)
        .member("count", open.count)
        .member("container", open.container);
    if (!open.child.empty()) out.member("child", open.child);
    write_time(out, "first", open.first_wall_ns);
    write_time(out, "last", open.last_wall_ns);
    out.end_object();
  }
  out.end_array().member("departures_untold", profile.departures_untold);
}

/// Members of one object. The first wrong one is remembered; what is absent reads as nothing.
class Members {
 public:
  Members(const json::object& object, std::string& problem) : object_(object), problem_(problem) {}

  std::string text(std::string_view name, std::size_t bytes_max) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_string().size() > bytes_max) return wrong(name), "";
    return std::string(value->get_string());
  }
  std::uint64_t number(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return 0;
    json::error_code failed;
    const auto number = value->to_number<std::uint64_t>(failed);
    constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 53;
    if (failed || number > kNumberMax) return wrong(name), 0;
    return number;
  }
  bool flag(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return false;
    if (!value->is_bool()) return wrong(name), false;
    return value->get_bool();
  }
  std::int64_t time(std::string_view name) {
    const std::string written = text(name, kNameBytesMax);
    if (written.empty()) return 0;
    const auto wall_ns = parse_time(written);
    if (!wall_ns) return wrong(name), 0;
    return *wall_ns;
  }
  template <typename Take>
  void each(std::string_view name, std::size_t count_max, Take&& take) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) return;
    if (!value->is_array() || value->get_array().size() > count_max) return wrong(name);
    for (const json::value& element : value->get_array()) take(element);
  }
  const json::object* object(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || value->is_object()) {
      return value == nullptr ? nullptr : &value->get_object();
    }
    return wrong(name), nullptr;
  }
  void wrong(std::string_view name) {
    if (problem_.empty()) problem_ = std::string(name);
  }

 private:
  const json::object& object_;
  std::string& problem_;
};

bool is_value(std::string_view text) {
  // Printable, as features are made: a file may not smuggle anything to a terminal.
  return !text.empty() && text.size() <= kValueBytesMax + 1 && printable(text) == text;
}

void read_features(Members& members, Profile& profile, std::size_t features_max,
                   std::string& problem) {
  const json::object* features = members.object("features");
  if (features == nullptr) return members.wrong("features");
  Members lists(*features, problem);
  for (std::size_t what = 0; what < kWhats; ++what) {
    lists.each(kWhatNames[what], features_max, [&](const json::value& element) {
      const std::string_view text =
          element.is_string() ? std::string_view(element.get_string()) : std::string_view();
      if (!is_value(text)) return lists.wrong(kWhatNames[what]);
      const Feature feature = feature_of(static_cast<What>(what), text);
      const bool path = static_cast<What>(what) != What::kFile || feature.value.starts_with('/');
      if (feature.value.empty() || !path) return lists.wrong(kWhatNames[what]);
      if (profile.size() >= features_max) return lists.wrong("features (too many)");
      profile.learn(feature, features_max);
    });
  }
  const json::object* not_kept = members.object("not_kept");
  if (not_kept == nullptr) return;
  Members counts(*not_kept, problem);
  for (std::size_t what = 0; what < kWhats; ++what) {
    profile.not_kept[what] = counts.number(kWhatNames[what]);
  }
}

void read_departures(Members& members, Profile& profile, std::string& problem) {
  members.each("departures", kDeparturesMax, [&](const json::value& element) {
    if (!element.is_object()) return members.wrong("departures");
    Members one(element.get_object(), problem);
    const auto what = parse_what(one.text("what", kNameBytesMax));
    Feature feature{.value = one.text("value", kValueBytesMax)};
    feature.outside_image = one.flag("outside_image");
    if (!what || !is_value(feature.value)) return members.wrong("departures");
    feature.what = *what;
    std::string child = one.text("child", kValueBytesMax + 1);
    if (!child.empty() && !is_value(child)) return members.wrong("departures");
    profile.departures[{*what, key_of(feature)}] = {.first_wall_ns = one.time("first"),
                                                    .last_wall_ns = one.time("last"),
                                                    .count = one.number("count"),
                                                    .container = one.text("container", 4096),
                                                    .child = std::move(child)};
  });
  profile.departures_untold = members.number("departures_untold");
}

Result<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  return guard(Code::kInvalid, "malformed profile", [&]() -> json::object {
    json::error_code problem;
    json::value value = json::parse(text, problem, {}, options);
    if (problem || !value.is_object()) return {};
    return std::move(value.as_object());
  });
}

}  // namespace

std::string to_json(const Profile& profile) {
  std::string text;
  JsonWriter out(text);
  out.begin_object()
      .member("version", kVersion)
      .member("service", profile.service)
      .member("state", kStateNames[static_cast<std::size_t>(profile.state)]);
  write_time(out, "first", profile.first_wall_ns);
  write_time(out, "learned", profile.learned_wall_ns);
  write_time(out, "last", profile.last_wall_ns);
  out.member("observed_s", profile.observed_s)
      .member("learned_s", profile.learned_s)
      .member("update_until_s", profile.update_until_s)
      .member("starts", profile.starts)
      .member("samples", profile.samples)
      .member("image_changed", profile.image_changed)
      .member("fingerprint", profile.fingerprint());
  out.key("images").begin_array();
  for (const std::string& image : profile.images) out.string(image);
  out.end_array();
  write_features(out, profile);
  write_departures(out, profile);
  out.end_object();
  return text;
}

Result<Profile> parse_profile(std::string_view text, std::size_t features_max) {
  if (text.size() > kProfileBytesMax) {
    return fail(Code::kLimit,
                "a profile has at most " + std::to_string(kProfileBytesMax) + " bytes");
  }
  const json::object object = TRY(parse_object(text));
  std::string problem;
  Members members(object, problem);
  if (members.number("version") != kVersion) {
    return fail(Code::kInvalid, "this is no profile of version 1: JSON with \"version\":1");
  }
  Profile profile;
  profile.service = members.text("service", kNameBytesMax);
  if (profile.service.empty() || printable(profile.service) != profile.service) {
    members.wrong("service");
  }
  const std::string state = members.text("state", kNameBytesMax);
  const auto* const named = std::ranges::find(kStateNames, state);
  if (named == kStateNames.end()) members.wrong("state");
  else profile.state = static_cast<State>(named - kStateNames.begin());
  profile.first_wall_ns = members.time("first");
  profile.learned_wall_ns = members.time("learned");
  profile.last_wall_ns = members.time("last");
  profile.observed_s = members.number("observed_s");
  profile.learned_s = members.number("learned_s");
  profile.update_until_s = members.number("update_until_s");
  profile.starts = members.number("starts");
  profile.samples = members.number("samples");
  profile.image_changed = members.flag("image_changed");
  members.each("images", kImagesMax, [&](const json::value& element) {
    if (!element.is_string() || element.get_string().size() > kNameBytesMax) {
      return members.wrong("images");
    }
    profile.images.emplace_back(element.get_string());
  });
  read_features(members, profile, features_max, problem);
  read_departures(members, profile, problem);
  if (!problem.empty()) return fail(Code::kInvalid, "wrong in the profile: " + problem);
  return profile;
}

}  // namespace coff::baseline
