// Playbooks from outside: every public file is classified as expected and survives a round trip.
#include "playbook/playbook.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "playbook/condition.hpp"
#include "playbook/signature.hpp"
#include "playbook/variables.hpp"

namespace coff::playbook {
namespace {

std::string shared_data() {
  const char* given = std::getenv("COFF_SHARED");
  return (given != nullptr ? std::string(given) : std::string(COFF_SOURCE_DIR "/../shared")) +
         "/data/cacao";
}

bool data_required() {
  const char* required = std::getenv("COFF_REQUIRE");
  return required != nullptr && std::string_view(required).find("data") != std::string_view::npos;
}

#define NEED_DATA()                                                \
  if (!std::filesystem::is_directory(shared_data())) {             \
    if (data_required()) FAIL() << shared_data() << " is missing"; \
    GTEST_SKIP() << "no third-party data at " << shared_data();    \
  }

std::string shown(const Checked& checked) {
  std::string text;
  for (const Problem& problem : checked.problems.list()) {
    text +=
        std::string(kind_name(problem.kind)) + ' ' + problem.place + ": " + problem.message + '\n';
  }
  return text;
}

TEST(PublicPlaybooks, AreClassifiedAsExpected) {
  NEED_DATA();
  struct Expected {
    std::string_view file;
    bool valid;
    bool sound;
  };
  // The last two of the playbooks leave out what the schemas require; one example of the committee
  // names a target that it does not define.
  constexpr Expected kExpected[] = {
      {"oasis-tc/Examples/CACAO-2.0/basic-example-1.json", true, true},
      {"oasis-tc/Examples/CACAO-2.0/spec-3.1-example.json", true, true},
      {"oasis-tc/Examples/CACAO-2.0/locky-bart-mbc-examples.json", true, false},
      {"signature-vector/signed-playbook.json", false, false},
      {"oasis-tc/Extensions/layout/examples/playbook--aa1898b6-5251-49b4-aeb7-fd5e912583ff.json",
       false, false},
  };
  for (const Expected& expected : kExpected) {
    const auto text = read_file(shared_data() + '/' + std::string(expected.file), 1 << 20U);
    ASSERT_TRUE(text) << expected.file;
    const Checked checked = check_playbook(*text);
    EXPECT_EQ(checked.valid(), expected.valid) << expected.file << '\n' << shown(checked);
    EXPECT_EQ(checked.sound(), expected.sound) << expected.file << '\n' << shown(checked);
    const auto document = parse_document(*text);
    ASSERT_TRUE(document);
    const auto again = parse_document(pretty(*document));
    ASSERT_TRUE(again);
    EXPECT_EQ(canonical(*again), canonical(*document)) << expected.file;
    EXPECT_EQ(*again, *document) << expected.file;
    if (checked.valid()) {
      EXPECT_EQ(checked.playbook->document, *document);
    }
  }
}

TEST(PublicPlaybooks, OnlyPlaybooksAreTakenForPlaybooks) {
  NEED_DATA();
  size_t files = 0;
  size_t valid = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared_data())) {
    if (entry.path().extension() != ".json") continue;
    const auto text = read_file(entry.path().string(), 1 << 20U);
    ASSERT_TRUE(text) << entry.path();
    ++files;
    valid += check_playbook(*text).valid() ? 1 : 0;
  }
  EXPECT_GE(files, 50U);
  EXPECT_EQ(valid, 3U);
}

TEST(PublicPlaybooks, TheCommitteesSignatureIsGood) {
  NEED_DATA();
  const auto text = read_file(shared_data() + "/signature-vector/signed-playbook.json", 1 << 20U);
  ASSERT_TRUE(text);
  auto document = parse_document(*text);
  ASSERT_TRUE(document);
  auto checks = check_signatures(*document, "2023-02-01T00:00:00Z", {});
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_FALSE(checks[0].valid);
  EXPECT_TRUE(checks[1].valid) << checks[1].problem;
  EXPECT_FALSE(checks[1].trusted);
  EXPECT_TRUE(check_signatures(*document, "2023-02-01T00:00:00Z", {checks[1].key})[1].trusted);
  EXPECT_FALSE(check_signatures(*document, "2024-02-01T00:00:00Z", {})[1].valid);
  document->as_object()["name"] = "Playbook 2";
  EXPECT_FALSE(check_signatures(*document, "2023-02-01T00:00:00Z", {})[1].valid);
}

TEST(PublicPlaybooks, TheCanonicalFormIsTheCommittees) {
  NEED_DATA();
  const auto text = read_file(shared_data() + "/signature-vector/canonical.json", 1 << 20U);
  ASSERT_TRUE(text);
  EXPECT_EQ(canonical(*parse_document(*text)), *text);
}

TEST(Document, CanonicalFormFollowsRfc8785) {
  const auto canonical_of = [](std::string_view text) {
    const auto value = parse_document(text);
    return value ? canonical(*value) : "refused: " + value.error().what;
  };
  EXPECT_EQ(canonical_of(R"({"b":1,"a":{"d":[1,2.50,1e21,1e-7,333333333.33333329,-0.0]}})"),
            R"({"a":{"d":[1,2.5,1e+21,1e-7,333333333.3333333,0]},"b":1})");
  EXPECT_EQ(canonical_of(R"(["\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"\/", 1E30, 4.50, 0.002,
                            0.000000000000000000000000001])"),
            "[\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",1e+30,4.5,0.002,1e-27]");
  // By UTF-16 units, U+1F600 (D83D …) stands before U+FB33.
  EXPECT_EQ(canonical_of("{\"\uFB33\":1,\"\U0001F600\":2,\"1\":3}"),
            "{\"1\":3,\"\U0001F600\":2,\"\uFB33\":1}");
  EXPECT_TRUE(canonical_of(R"({"a":1,"a":2})").starts_with("refused"));
  EXPECT_TRUE(canonical_of(R"({"a:":":","b":{"c":1,"c":1}})").starts_with("refused"));
  EXPECT_EQ(canonical_of(R"({"a:\"":":","b":{"c":1}})"), R"({"a:\"":":","b":{"c":1}})");
}

bool holds(std::string_view text, const Variables& variables) {
  const auto condition = Condition::parse(text);
  EXPECT_TRUE(condition) << text << ": " << (condition ? "" : condition.error().what);
  if (!condition) return false;
  const auto answer = condition->holds([&](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : &found->second;
  });
  EXPECT_TRUE(answer) << text << ": " << (answer ? "" : answer.error().what);
  return answer && *answer;
}

TEST(Conditions, CompareByTheTypeOfTheVariable) {
  const Variables variables = {{"__n__", {.type = "integer", .value = "9"}},
                               {"__s__", {.type = "string", .value = "9"}},
                               {"__ip__", {.type = "ipv4-addr", .value = "10.1.2.3"}},
                               {"__ok__", {.type = "bool", .value = "true"}},
                               {"__empty__", {.type = "string", .value = std::nullopt}},
                               {"__m__", {.type = "integer", .value = "10"}}};
  EXPECT_TRUE(holds("__n__:value < 10", variables));
  EXPECT_TRUE(holds("__n__:value < __m__:value", variables));
  EXPECT_FALSE(holds("__s__:value < '10'", variables));
  EXPECT_TRUE(holds("__n__:value >= 9 AND __ok__:value = true", variables));
  EXPECT_TRUE(holds("__n__:value > 9 OR NOT (__ok__:value = false)", variables));
  EXPECT_TRUE(holds("[__s__:value IN ('1', '9')]", variables));
  EXPECT_TRUE(holds("__s__:value NOT IN ('1', '2')", variables));
  EXPECT_TRUE(holds("__ip__:value ISSUBSET '10.0.0.0/8'", variables));
  EXPECT_FALSE(holds("__ip__:value NOT ISSUBSET '10.0.0.0/8'", variables));
  EXPECT_TRUE(holds("__ip__:value LIKE '10.%.3'", variables));
  EXPECT_TRUE(holds("__ip__:value MATCHES '^10\\\\.'", variables));
  EXPECT_FALSE(holds("__empty__:value = 'a'", variables));
  EXPECT_FALSE(holds("__empty__:value != 'a'", variables));
  EXPECT_TRUE(holds("__n__:value = 1 OR __n__:value = 9 AND __ok__:value = true", variables));
  for (const std::string_view wrong :
       {"", "a", "__n__:value", "__n__:value =", "__n__:value = 'a", "(__n__:value = 1",
        "__n__:value = 1 AND", "__n__:value ~ 1", "__n__:value = 1)", "__n__:value IN 1"}) {
    EXPECT_FALSE(Condition::parse(wrong)) << wrong;
  }
  EXPECT_FALSE(Condition::parse(std::string(40, '(') + "__n__ = 1" + std::string(40, ')')));
}

TEST(Variables, AreFoundCheckedAndPutIn) {
  EXPECT_TRUE(value_fits("ipv4-addr", "10.0.0.0/8"));
  EXPECT_FALSE(value_fits("ipv4-addr", "10.0.0"));
  EXPECT_FALSE(value_fits("integer", "1x"));
  EXPECT_TRUE(value_fits("dictionary", "{\"a\":1}"));
  EXPECT_FALSE(value_fits("bool", "yes"));
  EXPECT_TRUE(value_fits("something-else", "yes"));
  const std::string text = "x __a__:value __b__ __a_b__:value __a__:value";
  EXPECT_EQ(variables_in(text), (std::vector<std::string>{"__a__", "__a_b__"}));
  const auto put = substitute(text, [](std::string_view) { return "__a__:value"; });
  ASSERT_TRUE(put);
  EXPECT_EQ(*put, "x __a__:value __b__ __a__:value __a__:value");
  for (const std::string_view bad : {"", "-x", "a b", "$(id)", "a;b", "a'b", "a\nb", "`x`"}) {
    EXPECT_FALSE(is_plain_word(bad)) << bad;
  }
  EXPECT_TRUE(is_plain_word("registry.example/app@sha256:0a"));
}

constexpr std::string_view kKeyFile = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
)";

TEST(Signatures, OursAreMadeAndChecked) {
  const auto key = Key::private_from_pem(kKeyFile);
  ASSERT_TRUE(key);
  json::value document = {{"id", "playbook--a0777575-5c4c-4710-9f01-15776103837f"},
                          {"modified", "2022-05-18T11:31:31.319Z"},
                          {"name", "x"}};
  const Signing signing = {.signee = "We", .now = "2026-01-01T00:00:00.000Z"};
  auto once = sign_playbook(document, *key, signing);
  ASSERT_TRUE(once);
  const auto twice = sign_playbook(*once, *key, signing);
  ASSERT_TRUE(twice);
  const auto checks = check_signatures(*twice, "2026-02-01T00:00:00Z", {});
  ASSERT_EQ(checks.size(), 2U);
  for (const auto& check : checks) EXPECT_TRUE(check.valid) << check.problem;
  once->as_object()["name"] = "y";
  EXPECT_FALSE(check_signatures(*once, "2026-02-01T00:00:00Z", {})[0].valid);
  EXPECT_FALSE(Key::private_from_pem("x"));
}

}  // namespace
}  // namespace coff::playbook
