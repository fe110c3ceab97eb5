// Private to the room: a detection rule as a condition of the rules' room.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rules/rules.hpp"
#include "sigma/condition.hpp"
#include "sigma/item.hpp"
#include "sigma/part.hpp"
#include "sigma/problem.hpp"

namespace coff::sigma {

/// What a translation learns about a rule beside its condition.
struct Notes {
  std::set<std::string> here;  ///< Sentences: what can never be true on this sensor.
  std::map<std::string, std::set<View::Kind>> unknown_fields;  ///< With the views without them.
};

/// What the translation of one rule needs. Borrows everything.
struct Job {
  const DetectionRule& rule;
  const Placeholders& placeholders;
  std::set<std::string> syscalls;  ///< Named by the rule for SYSCALL records.
};

/// Translates one detection's items for one view.
class ItemTranslator {
 public:
  ItemTranslator(const Job& job, const View& view, Notes& notes)
      : job_(job), view_(view), notes_(notes) {}

  /// For `forwarded` the result may hold for more events, and says of the paths of opens what the
  /// kernel can look for.
  std::expected<Part, ItemProblem> translate(const FieldItem& item, bool forwarded);

 private:
  Part by_how(const FieldItem& item, const Prepared& prepared, bool forwarded);
  Part keywords(const Prepared& prepared);
  Part record_type(const Prepared& prepared);
  Part audit_key(const Prepared& prepared);
  Part syscalls(const Prepared& prepared);
  Part on_field(const Prepared& prepared, const Meaning& meaning, bool forwarded);
  Part texts(const Prepared& prepared, const Meaning& meaning, bool forwarded);
  Part numbers(const Prepared& prepared, const Meaning& meaning);
  Part addresses(const Prepared& prepared, const Meaning& meaning);
  Part regexes(const Prepared& prepared, const Meaning& meaning);
  Part networks(const Prepared& prepared, const Meaning& meaning);
  Part other_field(const Prepared& prepared, const Meaning& meaning);
  Part refuse(std::string message, Where where);

  const Job& job_;
  const View& view_;
  Notes& notes_;
  std::optional<ItemProblem> problem_;
};

/// What is wrong with the names of a condition: each must be that of a detection.
std::optional<ConditionProblem> check_names(const Condition& condition,
                                            const std::vector<Detection>& detections);
/// Names of calls that the rule's SYSCALL items ask for, and those that its keys stand for.
std::set<std::string> syscalls_of(const DetectionRule& rule);
/// Paths that the rule's own definition watches for execution under a key: "-w PATH -p x -k KEY".
std::vector<std::string> watched_paths(std::string_view definition, std::string_view key);

struct Translated {
  rules::MadeRule made;
  bool blind = false;  ///< Nothing that it asks for is observed here.
  std::vector<std::string> notes;
};

/// Translates a rule for its views, which are not empty. Nothing after an error, which was
/// reported. `number` makes the names of its parts unique.
std::optional<Translated> translate(const DetectionRule& rule, const Placeholders& placeholders,
                                    size_t number, Reporter& reporter);

}  // namespace coff::sigma
