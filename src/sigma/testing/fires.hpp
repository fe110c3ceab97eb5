// Asks Sigma rules about events, for tests of the room.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "rules/testing/scene.hpp"
#include "sigma/correlator.hpp"
#include "sigma/sigma.hpp"

namespace coff::sigma::testing {

using rules::testing::Scene;

inline Loaded load(std::string text, Options options = {}) {
  Loader loader({}, std::move(options));
  loader.add("test.yml", std::move(text));
  return loader.finish();
}

/// The rules of a text that must be right.
inline Loaded load_right(std::string text, Options options = {}) {
  Loaded loaded = load(std::move(text), std::move(options));
  for (const rules::Problem& problem : loaded.rules.problems) {
    EXPECT_NE(problem.severity, rules::Problem::Severity::kError) << rules::to_text(problem);
  }
  return loaded;
}

/// The message of the only error of a text.
inline std::string only_error(const Loaded& loaded) {
  std::string text;
  for (const rules::Problem& problem : loaded.rules.problems) {
    if (problem.severity == rules::Problem::Severity::kError)
      text += rules::to_text(problem) + '\n';
  }
  return text;
}

/// Titles of the rules that an event makes fire.
inline std::set<std::string> firing(const Loaded& loaded, const Event& event) {
  rules::Evaluator evaluator(loaded.rules.rules);
  schema::UserNames names;
  names.add_user(0, "root");
  names.add_user(33, "www-data");
  const auto all = loaded.rules.rules->rules();
  std::set<std::string> titles;
  const schema::Subject subject{.event = event, .names = &names, .number = 1, .host = "box"};
  for (const std::uint32_t rule : evaluator.matches(subject)) titles.insert(all[rule]->name);
  return titles;
}

/// An event with the arguments given one by one; argv[0] too.
inline Event with_arguments(const Event& event, std::vector<std::string> arguments) {
  Event changed = event;
  Process process = *event.process;
  coff::Program program = *process.program;
  program.argv = std::move(arguments);
  process.program = std::make_shared<const coff::Program>(std::move(program));
  changed.process = std::make_shared<const Process>(std::move(process));
  return changed;
}

/// A successful exec of "/usr/bin/NAME" with the words of a line, argv[0] first.
inline Event executed(std::string_view line, std::string_view exe = "") {
  std::vector<std::string> words;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  const std::string name = words.front().substr(words.front().rfind('/') + 1);
  Scene scene = rules::testing::run(name);
  if (!exe.empty()) scene.exe(exe);
  return with_arguments(scene.event(), std::move(words));
}

/// A rule about processes with these detections, each line indented by four blanks.
inline std::string process_rule(const std::string& detections, const std::string& condition) {
  return "title: T\nlogsource:\n  category: process_creation\n  product: linux\ndetection:\n" +
         detections + "  condition: " + condition + "\n";
}

/// Whether "selection: { item }" holds for an exec with that line.
inline bool holds(const std::string& item, std::string_view line, Options options = {}) {
  const Loaded loaded =
      load_right(process_rule("  selection:\n    " + item + "\n", "selection"), std::move(options));
  return firing(loaded, executed(line)).contains("T");
}

}  // namespace coff::sigma::testing
