// Compiles what the rule files defined: lists into conditions, macros, rules.
#include <algorithm>

#include "rules/item_reader.hpp"
#include "rules/lists.hpp"
#include "rules/parser.hpp"
#include "rules/rule_set.hpp"
#include "rules/text_match.hpp"

namespace coff::rules {

namespace {

constexpr size_t kManyTypes = 100;

void collect_identifiers(const Expression& expression, std::vector<const Expression*>& out) {
  if (expression.type == Expression::Type::kIdentifier) out.push_back(&expression);
  for (const Expression& child : expression.children) collect_identifiers(child, out);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

class Loader::State {
 public:
  explicit State(LoadOptions options) : options_(std::move(options)) {}

  void add(std::string name, std::string text) {
    ItemReader(sources_, definitions_, problems_).read_file(std::move(name), std::move(text));
  }

  void add(MadeRule made) { made_.push_back(std::move(made)); }

  Loaded finish() {
    auto set = std::make_shared<RuleSet>();
    set->program_ = std::make_unique<Program>(options_.extra_fields);
    ListTable lists(definitions_, kExpandedBytesMax);
    parse_macros(lists);
    for (const RuleDefinition& rule : definitions_.rules()) {
      if (!rule.unknown_source) compile_rule(rule, lists, *set);
    }
    for (MadeRule& made : made_) compile_made(std::move(made), *set);
    set->program_->index_texts();
    warn_of_unused(lists);
    Loaded loaded;
    loaded.rules = std::move(set);
    loaded.problems = std::move(problems_);
    loaded.lists = definitions_.lists().size();
    loaded.macros = definitions_.macros().size();
    return loaded;
  }

 private:
  using Severity = Problem::Severity;

  void report(Severity severity, std::string_view code, std::string message,
              const ItemPlace& where) {
    problems_.push_back({.severity = severity,
                         .code = code,
                         .message = std::move(message),
                         .file = sources_.files[where.place.file].name,
                         .line = where.place.line,
                         .column = where.place.column,
                         .context = where.context,
                         .snippet = {}});
  }

  // About a place in a text that came from files.
  void report_at(Severity severity, std::string_view code, std::string message,
                 const SourceText& text, const Place& place, const ItemPlace& item,
                 std::string_view part) {
    ItemPlace where = item;
    const SourceText::Origin origin = text.origin(place.offset);
    if (origin.piece != SourceText::kMade) {
      const Piece& piece = sources_.pieces[origin.piece];
      where.place = locate(piece, sources_.files[piece.file].text, origin.offset);
    }
    where.context.append(", ").append(part);
    report(severity, code, std::move(message), where);
    problems_.back().snippet = snippet(text.text(), place);
  }

  bool expand(SourceText& text, ListTable& lists, const ItemPlace& where) {
    if (lists.expand(text)) return true;
    report(Severity::kError, "LOAD_ERR_COMPILE_CONDITION",
           "the condition is too large with its lists put in", where);
    return false;
  }

  void parse_macros(ListTable& lists) {
    for (const MacroDefinition& macro : definitions_.macros()) {
      SourceText& text = macro_texts_[macro.name] = macro.condition;
      if (!expand(text, lists, macro.where)) continue;
      auto parsed = parse_condition(text.text());
      if (!parsed) {
        report_at(Severity::kError, "LOAD_ERR_COMPILE_CONDITION", parsed.error().message, text,
                  parsed.error().place, macro.where, "condition");
        continue;
      }
      if (macro_sees_its_macros(macro, *parsed, text))
        macros_.emplace(macro.name, std::move(*parsed));
    }
  }

  // A macro sees those that were defined before its own last change.
  bool macro_sees_its_macros(const MacroDefinition& macro, const Expression& expression,
                             const SourceText& text) {
    std::vector<const Expression*> names;
    collect_identifiers(expression, names);
    for (const Expression* each : names) {
      const MacroDefinition* used = definitions_.find_macro(each->name);
      const bool loop = used == &macro;
      if (used == nullptr || loop || used->index >= macro.visibility) {
        report_at(Severity::kError, "LOAD_ERR_VALIDATE",
                  loop ? "reference loop in macro '" + each->name + "'"
                       : "Undefined macro '" + each->name + "' used in filter.",
                  text, each->place, macro.where, "condition");
        return false;
      }
      used_macros_.insert(each->name);
    }
    return true;
  }

  void compile_rule(const RuleDefinition& definition, ListTable& lists, RuleSet& set) {
    auto text = with_exceptions(definition);
    if (!text) {
      report(Severity::kError, "LOAD_ERR_VALIDATE", text.error().message, text.error().where);
      return;
    }
    CompiledRule compiled{.rule = describe(definition, text->text())};
    if (!expand(*text, lists, definition.where)) return;
    auto parsed = parse_condition(text->text());
    if (!parsed) {
      report_at(Severity::kError, "LOAD_ERR_COMPILE_CONDITION", parsed.error().message, *text,
                parsed.error().place, definition.where, "condition");
      return;
    }
    std::vector<const Expression*> names;
    collect_identifiers(*parsed, names);
    for (const Expression* each : names) used_macros_.insert(each->name);
    if (!compile_output_of(definition, *set.program_, compiled)) return;
    if (!compile_condition_of(definition, *text, *parsed, *set.program_, compiled)) return;
    warn_of_many_types(definition, *set.program_, compiled.condition);
    set.compiled_.push_back(std::move(compiled));
  }

  void compile_made(MadeRule made, RuleSet& set) {
    apply_selections(options_, made.rule);
    CompiledRule compiled{.rule = std::move(made.rule)};
    const auto refuse = [&](std::string_view code, std::string message) {
      problems_.push_back({.code = code,
                           .message = std::move(message),
                           .file = compiled.rule.file,
                           .line = compiled.rule.line,
                           .column = made.column,
                           .context = "rule '" + compiled.rule.name + "'",
                           .snippet = {}});
    };
    for (auto& [name, part] : made.parts) macros_.insert_or_assign(name, std::move(part));
    std::vector<CompileWarning> warnings;
    const auto node = set.program_->add(made.condition, macros_, warnings);
    if (!node) return refuse("LOAD_ERR_COMPILE_CONDITION", node.error().message);
    compiled.condition = *node;
    if (made.forwarded) {
      const auto forwarded = set.program_->add(*made.forwarded, macros_, warnings);
      if (!forwarded) return refuse("LOAD_ERR_COMPILE_CONDITION", forwarded.error().message);
      compiled.forwarded = *forwarded;
    }
    std::string text = compiled.rule.output;
    if (!options_.append_output.empty()) text += ' ' + options_.append_output;
    auto output = compile_output(*set.program_, text);
    if (!output) return refuse("LOAD_ERR_COMPILE_OUTPUT", output.error().message);
    compiled.output = std::move(*output);
    set.compiled_.push_back(std::move(compiled));
  }

  bool compile_condition_of(const RuleDefinition& definition, const SourceText& text,
                            const Expression& expression, Program& program,
                            CompiledRule& compiled) {
    std::vector<CompileWarning> warnings;
    const auto node = program.add(expression, macros_, warnings);
    for (const CompileWarning& warning : warnings) {
      report_in(Severity::kWarning, warning.code, warning.message, warning, text, definition);
    }
    if (node) {
      compiled.condition = *node;
      return true;
    }
    const CompileError& error = node.error();
    if (error.kind == CompileError::Kind::kUnknownField && definition.skip_if_unknown_filter) {
      report_in(Severity::kWarning, "LOAD_UNKNOWN_FILTER", error.message, error, text, definition);
      return false;
    }
    const bool macro = error.kind == CompileError::Kind::kUnknownMacro;
    const bool broken = macro && !error.message.empty() && names_broken_macro(error.message);
    report_in(Severity::kError, macro ? "LOAD_ERR_VALIDATE" : "LOAD_ERR_COMPILE_CONDITION",
              error.message + (broken ? " It has an error of its own." : ""), error, text,
              definition);
    return false;
  }

  [[nodiscard]] bool names_broken_macro(const std::string& message) const {
    const size_t begin = message.find('\'') + 1;
    return definitions_.find_macro(message.substr(begin, message.find('\'', begin) - begin)) !=
           nullptr;
  }

  // The place is in the rule's condition or in that of a macro.
  template <typename Finding>
  void report_in(Severity severity, std::string_view code, std::string message,
                 const Finding& finding, const SourceText& text, const RuleDefinition& definition) {
    if (finding.macro.empty()) {
      report_at(severity, code, std::move(message), text, finding.place, definition.where,
                "condition");
      return;
    }
    ItemPlace where = definition.where;
    where.context += ", macro '" + finding.macro + "'";
    report_at(severity, code, std::move(message), macro_texts_[finding.macro], finding.place, where,
              "condition");
  }

  bool compile_output_of(const RuleDefinition& definition, Program& program,
                         CompiledRule& compiled) {
    std::string text = compiled.rule.output;
    if (!options_.append_output.empty()) text += ' ' + options_.append_output;
    if (text.find("%container.info") != text.npos) {
      report(Severity::kWarning, "LOAD_DEPRECATED_ITEM",
             "%container.info is deprecated: name the fields that you need", definition.where);
      replace_all(text, "%container.info",
                  "container_id=%container.id container_name=%container.name");
    }
    auto output = compile_output(program, text);
    if (!output) {
      const bool skip = output.error().kind == CompileError::Kind::kUnknownField &&
                        definition.skip_if_unknown_filter;
      Place place{.offset = static_cast<std::uint32_t>(output.error().offset)};
      report_at(skip ? Severity::kWarning : Severity::kError,
                skip ? "LOAD_UNKNOWN_FILTER" : "LOAD_ERR_COMPILE_OUTPUT", output.error().message,
                definition.output, place, definition.where, "output");
      problems_.back().snippet = snippet(text, place);
      return false;
    }
    for (const Output::Part& part : output->parts) {
      if (part.source == kNone) continue;
      warn_of_deprecated(program.sources()[part.source].name, definition);
    }
    compiled.output = std::move(*output);
    return true;
  }

  void warn_of_deprecated(const std::string& name, const RuleDefinition& definition) {
    const Operand field{.type = Operand::Type::kField, .text = name, .argument = {}};
    const auto meaning = find_meaning(field);
    if (!meaning || !meaning->deprecated) return;
    ItemPlace where = definition.where;
    where.context += ", output";
    report(Severity::kWarning, "LOAD_DEPRECATED_ITEM",
           "usage of deprecated field '" + name + "' has been detected in the rule output", where);
  }

  void warn_of_many_types(const RuleDefinition& definition, const Program& program, NodeId node) {
    if (!definition.warn_evttypes) return;
    const std::vector<bool> types = possible_types(program, node);
    if (static_cast<size_t>(std::ranges::count(types, true)) <= kManyTypes) return;
    report(Severity::kWarning, "LOAD_NO_EVTTYPE",
           "Rule matches too many evt.type values. This has a significant performance penalty.",
           definition.where);
  }

  Rule describe(const RuleDefinition& definition, std::string condition) const {
    Rule rule{.name = definition.name,
              .description = definition.description,
              .condition = std::move(condition),
              .output = definition.output.text(),
              .source = definition.source,
              .priority = definition.priority,
              .tags = definition.tags,
              .enabled = definition.enabled,
              .capture = definition.capture,
              .capture_duration_ms = definition.capture_duration_ms,
              .exceptions = {},
              .file = sources_.files[definition.where.place.file].name,
              .line = definition.where.place.line,
              .provenance = {}};
    for (const ExceptionDefinition& each : definition.exceptions)
      rule.exceptions.push_back(each.name);
    apply_selections(options_, rule);
    return rule;
  }

  void warn_of_unused(const ListTable& lists) {
    for (const MacroDefinition& macro : definitions_.macros()) {
      if (used_macros_.contains(macro.name)) continue;
      report(Severity::kWarning, "LOAD_UNUSED_MACRO",
             "Macro not referred to by any other rule/macro", macro.where);
    }
    for (const ListDefinition* list : lists.unused()) {
      report(Severity::kWarning, "LOAD_UNUSED_LIST", "List not referred to by any other rule/macro",
             list->where);
    }
  }

  LoadOptions options_;
  Sources sources_;
  Definitions definitions_;
  std::vector<Problem> problems_;
  Macros macros_;
  std::map<std::string, SourceText> macro_texts_;
  std::set<std::string> used_macros_;
  std::vector<MadeRule> made_;
};

void apply_selections(const LoadOptions& options, Rule& rule) {
  for (const Selection& each : options.selections) {
    const bool named = each.rule.empty() || glob_match(each.rule, rule.name, false);
    const bool tagged = each.tag.empty() || rule.tags.contains(each.tag);
    if (named && tagged) rule.enabled = each.enable;
  }
  rule.enabled = rule.enabled && rule.priority <= options.priority_max;
}

Loader::Loader(LoadOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Loader::~Loader() = default;
void Loader::add(std::string name, std::string text) {
  state_->add(std::move(name), std::move(text));
}
void Loader::add(MadeRule rule) { state_->add(std::move(rule)); }
Loaded Loader::finish() { return state_->finish(); }

}  // namespace coff::rules
