// Translates items of detections: fields with values, keywords, what auditd alone has.
#include <algorithm>

#include "sigma/match_texts.hpp"
#include "sigma/translate.hpp"

namespace coff::sigma {

namespace {

using rules::Operator;
using How = Prepared::How;

std::vector<const Pattern*> pointers(const std::vector<Pattern>& patterns) {
  std::vector<const Pattern*> list;
  for (const Pattern& pattern : patterns) list.push_back(&pattern);
  return list;
}

// What each value gives, as "all" says; without it the values are asked together.
template <typename Ask>
Part for_values(const Prepared& prepared, Ask&& ask) {
  std::vector<Part> parts;
  if (prepared.all) {
    for (const Wanted& wanted : prepared.wanted) parts.push_back(ask(std::span(&wanted, 1)));
  } else {
    parts.push_back(ask(std::span<const Wanted>(prepared.wanted)));
  }
  return part_chain(prepared.all, std::move(parts));
}

template <typename Ask>
Part for_names(const Meaning& meaning, Ask&& ask) {
  std::vector<Part> parts;
  for (const std::string& name : meaning.names) parts.push_back(ask(name));
  return part_chain(false, std::move(parts));
}

// Whether a text that is known now fits.
Part decide(const Prepared& prepared, std::string_view text) {
  return for_values(prepared, [&](std::span<const Wanted> values) {
    return Part::of(std::ranges::any_of(values, [&](const Wanted& wanted) {
      return std::ranges::any_of(wanted.patterns, [&](const Pattern& pattern) {
        return matches(pattern, text, !prepared.cased);
      });
    }));
  });
}

}  // namespace

std::expected<Part, ItemProblem> ItemTranslator::translate(const FieldItem& item, bool forwarded) {
  const auto prepared = prepare(item, job_.placeholders);
  if (!prepared) return std::unexpected(prepared.error());
  // "not" of what the kernel may answer too often would be too seldom.
  Part part = by_how(item, *prepared, forwarded && !prepared->negated);
  if (problem_) return std::unexpected(std::move(*problem_));
  return prepared->negated ? part_not(std::move(part)) : std::move(part);
}

Part ItemTranslator::refuse(std::string message, Where where) {
  if (!problem_) problem_ = {std::move(message), where};
  return Part::of(false);
}

Part ItemTranslator::by_how(const FieldItem& item, const Prepared& prepared, bool forwarded) {
  if (item.field.empty()) return keywords(prepared);
  const bool is_text = prepared.how == How::kText;
  if (!view_.record_type.empty() && is_text) {
    if (item.field == "type") return record_type(prepared);
    const bool call = item.field == "SYSCALL" || item.field == "syscall";
    if (call && view_.kind == View::Kind::kSyscall) return syscalls(prepared);
    if (item.field == "key" && view_.kind == View::Kind::kSyscall) return audit_key(prepared);
  }
  const auto meaning = view_.meaning(item.field);
  if (meaning) return on_field(prepared, *meaning, forwarded);
  notes_.unknown_fields[item.field].insert(view_.kind);
  if (prepared.how == How::kExists) return Part::of(!prepared.exists);
  return for_values(prepared, [](std::span<const Wanted> values) {
    return Part::of(std::ranges::any_of(values, &Wanted::null));
  });
}

Part ItemTranslator::keywords(const Prepared& prepared) {
  if (prepared.how != How::kText && prepared.how != How::kRegex) {
    return refuse("this modifier needs a field", prepared.wanted.front().where);
  }
  const Meaning meaning{.names = view_.keywords, .network = {}};
  if (prepared.how == How::kRegex) return regexes(prepared, meaning);
  return for_values(prepared, [&](std::span<const Wanted> values) {
    std::vector<Pattern> open;
    for (const Wanted& wanted : values) {
      for (Pattern pattern : wanted.patterns) {
        pattern.open_front();
        pattern.open_back();
        open.push_back(std::move(pattern));
      }
    }
    return for_names(meaning, [&](const std::string& name) {
      return match_texts(name, pointers(open), prepared.cased);
    });
  });
}

Part ItemTranslator::record_type(const Prepared& prepared) {
  constexpr std::string_view kTypes[] = {"EXECVE", "SYSCALL", "PATH"};
  for (const Wanted& wanted : prepared.wanted) {
    const bool known = std::ranges::any_of(kTypes, [&](std::string_view type) {
      return std::ranges::any_of(
          wanted.patterns, [&](const Pattern& pattern) { return matches(pattern, type, true); });
    });
    if (known || wanted.patterns.empty()) continue;
    notes_.here.insert("auditd records of type " + to_text(wanted.patterns.front()) +
                       " are not available here");
  }
  return decide(prepared, view_.record_type);
}

Part ItemTranslator::syscalls(const Prepared& prepared) {
  std::vector<std::string> calls;
  for (const Wanted& wanted : prepared.wanted) {
    for (const Pattern& pattern : wanted.patterns) {
      bool some = false;
      for (const std::string& call : job_.syscalls) {
        if (!matches(pattern, call, true)) continue;
        some = true;
        if (std::ranges::find(calls, call) == calls.end()) calls.push_back(call);
      }
      if (some) continue;
      notes_.here.insert("the system call " + to_text(pattern) + " is not observed");
    }
  }
  if (calls.empty()) return Part::of(false);
  return Part::of(check(field_operand("evt.type"), Operator::kIn, list_operand(calls)));
}

Part ItemTranslator::audit_key(const Prepared& prepared) {
  std::vector<Part> parts;
  for (const Wanted& wanted : prepared.wanted) {
    for (const Pattern& pattern : wanted.patterns) {
      const std::string key = to_text(pattern);
      if (key == "network_connect_4") {
        std::vector<Part> connected;
        connected.push_back(
            Part::of(check(field_operand("evt.type"), Operator::kEqual, text_operand("connect"))));
        connected.push_back(
            Part::of(check(field_operand("fd.type"), Operator::kEqual, text_operand("ipv4"))));
        parts.push_back(part_chain(true, std::move(connected)));
        continue;
      }
      const auto paths = watched_paths(job_.rule.source.definition, key);
      if (paths.empty()) {
        notes_.here.insert("the audit key '" + key + "' is not known: the rule does not define it");
        continue;
      }
      std::vector<Part> executed;
      executed.push_back(Part::of(
          check(field_operand("evt.type"), Operator::kIn, list_operand({"execve", "execveat"}))));
      std::vector<Part> either;
      for (const std::string_view name : {"proc.exepath", "proc.filename"}) {
        either.push_back(Part::of(check(field_operand(name), Operator::kIn, list_operand(paths))));
      }
      executed.push_back(part_chain(false, std::move(either)));
      parts.push_back(part_chain(true, std::move(executed)));
    }
  }
  return part_chain(false, std::move(parts));
}

Part ItemTranslator::on_field(const Prepared& prepared, const Meaning& meaning, bool forwarded) {
  switch (prepared.how) {
    case How::kExists: {
      Part known = for_names(meaning, is_known);
      return prepared.exists ? std::move(known) : part_not(std::move(known));
    }
    case How::kNumber: return numbers(prepared, meaning);
    case How::kRegex: return regexes(prepared, meaning);
    case How::kNetwork: return networks(prepared, meaning);
    case How::kField: return other_field(prepared, meaning);
    case How::kText: break;
  }
  return texts(prepared, meaning, forwarded);
}

Part ItemTranslator::texts(const Prepared& prepared, const Meaning& meaning, bool forwarded) {
  using schema::Type;
  if (meaning.type == Type::kAddress) return addresses(prepared, meaning);
  const bool is_text = meaning.type == Type::kText || meaning.type == Type::kPath;
  if (!is_text) return numbers(prepared, meaning);
  return for_values(prepared, [&](std::span<const Wanted> values) {
    std::vector<const Pattern*> patterns;
    for (const Wanted& wanted : values) {
      for (const Pattern& pattern : wanted.patterns) patterns.push_back(&pattern);
    }
    const bool null = std::ranges::any_of(values, &Wanted::null);
    if (forwarded && meaning.is_path && !null) return match_opened(patterns);
    return for_names(meaning, [&](const std::string& name) {
      std::vector<Part> parts;
      if (null) parts.push_back(is_absent(name));
      if (!patterns.empty()) parts.push_back(match_texts(name, patterns, prepared.cased));
      return part_chain(false, std::move(parts));
    });
  });
}

}  // namespace coff::sigma
