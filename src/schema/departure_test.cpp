// Tests of departures: the event that departs, whole, with what is new about it.
#include <gtest/gtest.h>

#include "schema/constants.hpp"
#include "schema/event_json.hpp"
#include "schema/field.hpp"
#include "schema/sentence.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::schema {
namespace {

Event departure_of(Event event) {
  Departure departure;
  departure.trigger = event.kind;
  departure.service = "compose:shop/web";
  departure.what = "executable";
  departure.value = "/bin/dash";
  departure.state = "watching";
  departure.outside_image = true;
  departure.learned_s = 86'400;
  departure.samples = 1234;
  event.kind = Kind::departure;
  event.departure = std::make_shared<const Departure>(std::move(departure));
  return event;
}

std::string get(const Event& event, std::string_view name) {
  const auto reference = resolve_field(name);
  if (!reference) return "error: " + reference.error().what;
  return value_text(reference->get({.event = event, .names = nullptr, .number = 1, .host = ""}));
}

TEST(Departure, JsonIsTheEventWithWhatIsNew) {
  const Event plain = testing::sample_exec();
  std::string before;
  append_json(before, plain, {});
  std::string json;
  append_json(json, departure_of(plain), {});
  const std::string added =
      "\"baseline\":{\"service\":\"compose:shop/web\",\"what\":\"executable\","
      "\"value\":\"/bin/dash\",\"trigger\":\"exec\",\"state\":\"watching\","
      "\"outside_image\":true,\"learned_s\":86400,\"samples\":1234},";
  const std::size_t at = json.find(added);
  ASSERT_NE(at, std::string::npos) << json;
  json.erase(at, added.size());
  const std::string kind = "\"kind\":\"departure\"";
  ASSERT_NE(json.find(kind), std::string::npos) << json;
  json.replace(json.find(kind), kind.size(), "\"kind\":\"exec\"");
  EXPECT_EQ(json, before);
}

TEST(Departure, FieldsAnswerForBoth) {
  const Event event = departure_of(testing::sample_exec());
  EXPECT_EQ(get(event, "evt.type"), "departure");
  EXPECT_EQ(get(event, "event.kind"), "departure");
  EXPECT_EQ(get(event, "evt.is_async"), "true");
  EXPECT_EQ(get(event, "baseline.service"), "compose:shop/web");
  EXPECT_EQ(get(event, "baseline.what"), "executable");
  EXPECT_EQ(get(event, "baseline.value"), "/bin/dash");
  EXPECT_EQ(get(event, "baseline.trigger"), "exec");
  EXPECT_EQ(get(event, "baseline.state"), "watching");
  EXPECT_EQ(get(event, "baseline.outside_image"), "true");
  EXPECT_EQ(get(event, "baseline.image_changed"), "false");
  EXPECT_EQ(get(event, "baseline.age"), "86400000000000");
  EXPECT_EQ(get(event, "baseline.samples"), "1234");
  EXPECT_EQ(get(event, "proc.exepath"), "/bin/dash");
  EXPECT_EQ(get(event, "container.name"), "web");
  EXPECT_EQ(get(testing::sample_exec(), "baseline.what"), "");
}

TEST(Departure, FilesKeepTheirNames) {
  testing::RecordBuilder builder(COFF_KIND_open);
  builder.text(&coff_file::raw, "/srv/new").text(&coff_file::resolved, "/srv/new");
  const Event event = departure_of(testing::sample_event(builder));
  EXPECT_EQ(get(event, "fd.name"), "/srv/new");
  EXPECT_EQ(get(event, "file.path"), "/srv/new");
  EXPECT_EQ(get(event, "evt.rawres"), "0");
}

TEST(Departure, IsASentence) {
  std::string line;
  append_sentence(line, departure_of(testing::sample_exec()), {});
  EXPECT_NE(line.find("departs from compose:shop/web: new executable /bin/dash"), std::string::npos)
      << line;
  EXPECT_EQ(kind_name(kLastKind), "departure");
  EXPECT_FALSE(kind_doc(kLastKind).empty());
}

}  // namespace
}  // namespace coff::schema
