// Lists, macros and rules as the files define, extend and replace them.
#include "rules/definitions.hpp"

#include <algorithm>

namespace coff::rules {

namespace {

std::unexpected<Refusal> refuse(std::string message, const ItemPlace& where) {
  return std::unexpected(Refusal{std::move(message), where});
}

// A new definition keeps the place of the first one in the order.
template <typename T>
void put(std::vector<T>& all, std::map<std::string, size_t>& places, T item, std::uint32_t order) {
  item.visibility = order;
  const auto found = places.find(item.name);
  if (found != places.end()) {
    item.index = all[found->second].index;
    all[found->second] = std::move(item);
    return;
  }
  item.index = order;
  places.emplace(item.name, all.size());
  all.push_back(std::move(item));
}

template <typename T>
T* find(std::vector<T>& all, const std::map<std::string, size_t>& places, const std::string& name) {
  const auto found = places.find(name);
  return found == places.end() ? nullptr : &all[found->second];
}

void join(SourceText& text, const SourceText& more) {
  if (more.empty()) return;
  text.append(" ");
  text.append(more);
}

Accepted append_exception(RuleDefinition& rule, ExceptionDefinition exception) {
  const auto known = std::ranges::find(rule.exceptions, exception.name, &ExceptionDefinition::name);
  if (known == rule.exceptions.end()) {
    if (!exception.fields.present) {
      return refuse("Rule exception must have fields property with a list of fields",
                    exception.where);
    }
    if (exception.values.empty()) {
      return refuse("Rule exception must have values property with a list of values",
                    exception.where);
    }
    const Accepted checked = check_exception(exception);
    if (!checked) return checked;
    rule.exceptions.push_back(std::move(exception));
    return {};
  }
  if (exception.fields.present) {
    return refuse("Can not append exception fields to existing exception, only values",
                  exception.where);
  }
  if (exception.comps.present) {
    return refuse("Can not append exception comps to existing exception, only values",
                  exception.where);
  }
  known->values.insert(known->values.end(), exception.values.begin(), exception.values.end());
  return {};
}

}  // namespace

const ListDefinition* Definitions::find_list(const std::string& name) const {
  const auto found = list_of_.find(name);
  return found == list_of_.end() ? nullptr : &lists_[found->second];
}

const MacroDefinition* Definitions::find_macro(const std::string& name) const {
  const auto found = macro_of_.find(name);
  return found == macro_of_.end() ? nullptr : &macros_[found->second];
}

RuleDefinition* Definitions::find_rule(const std::string& name) {
  return find(rules_, rule_of_, name);
}

Accepted Definitions::define(ListDefinition list) {
  put(lists_, list_of_, std::move(list), next_++);
  return {};
}

Accepted Definitions::append(const ListDefinition& list) {
  ListDefinition* known = find(lists_, list_of_, list.name);
  if (known == nullptr) {
    return refuse(
        "List uses 'append' or 'override.items: append' but no list by that name already exists",
        list.where);
  }
  known->items.insert(known->items.end(), list.items.begin(), list.items.end());
  known->visibility = next_++;
  return {};
}

Accepted Definitions::define(MacroDefinition macro) {
  put(macros_, macro_of_, std::move(macro), next_++);
  return {};
}

Accepted Definitions::append(const MacroDefinition& macro) {
  MacroDefinition* known = find(macros_, macro_of_, macro.name);
  if (known == nullptr) {
    return refuse(
        "Macro uses 'append' or 'override.condition: append' but no macro by that name already "
        "exists",
        macro.where);
  }
  join(known->condition, macro.condition);
  known->visibility = next_++;
  return {};
}

Accepted Definitions::define(RuleDefinition rule) {
  RuleDefinition* known = find_rule(rule.name);
  if (known != nullptr && known->source != rule.source) {
    return refuse("Rule has been re-defined with a different source", rule.where);
  }
  for (ExceptionDefinition& exception : rule.exceptions) {
    if (!exception.fields.present) {
      return refuse("Rule exception item must have fields property with a list of fields",
                    exception.where);
    }
    const Accepted checked = check_exception(exception);
    if (!checked) return checked;
  }
  ++next_;
  if (known != nullptr) {
    *known = std::move(rule);
    return {};
  }
  rule_of_.emplace(rule.name, rules_.size());
  rules_.push_back(std::move(rule));
  return {};
}

Accepted Definitions::append(RuleUpdate update) {
  RuleDefinition* rule = find_rule(update.name);
  if (rule == nullptr) {
    return refuse(
        "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists",
        update.where);
  }
  const bool anything =
      update.condition || update.output || update.description || update.tags || update.exceptions;
  if (!anything) {
    return refuse("Appended rule must have exceptions or condition property", update.where);
  }
  if (update.condition) join(rule->condition, *update.condition);
  if (update.output) join(rule->output, *update.output);
  if (update.description) rule->description += ' ' + *update.description;
  if (update.tags) rule->tags.insert(update.tags->begin(), update.tags->end());
  if (update.exceptions) {
    for (ExceptionDefinition& exception : *update.exceptions) {
      const Accepted done = append_exception(*rule, std::move(exception));
      if (!done) return done;
    }
  }
  ++next_;
  return {};
}

Accepted Definitions::replace(RuleUpdate update) {
  RuleDefinition* rule = find_rule(update.name);
  if (rule == nullptr) {
    return refuse(
        "An 'override.<key>: replace' to a rule was requested but no rule by that name already "
        "exists",
        update.where);
  }
  if (update.exceptions) {
    for (ExceptionDefinition& exception : *update.exceptions) {
      if (!exception.fields.present) {
        return refuse("Rule exception must have fields property with a list of fields",
                      exception.where);
      }
      const Accepted checked = check_exception(exception);
      if (!checked) return checked;
    }
    rule->exceptions = std::move(*update.exceptions);
  }
  if (update.condition) rule->condition = std::move(*update.condition);
  if (update.output) rule->output = std::move(*update.output);
  if (update.description) rule->description = std::move(*update.description);
  if (update.tags) rule->tags = std::move(*update.tags);
  rule->priority = update.priority.value_or(rule->priority);
  rule->enabled = update.enabled.value_or(rule->enabled);
  rule->capture = update.capture.value_or(rule->capture);
  rule->capture_duration_ms = update.capture_duration_ms.value_or(rule->capture_duration_ms);
  rule->warn_evttypes = update.warn_evttypes.value_or(rule->warn_evttypes);
  rule->skip_if_unknown_filter =
      update.skip_if_unknown_filter.value_or(rule->skip_if_unknown_filter);
  ++next_;
  return {};
}

Accepted Definitions::enable(const std::string& name, bool enabled, const ItemPlace& where) {
  RuleDefinition* rule = find_rule(name);
  if (rule == nullptr) {
    return refuse("Rule has 'enabled' key but no rule by that name already exists", where);
  }
  rule->enabled = enabled;
  return {};
}

}  // namespace coff::rules
