// Private to the room: reads the items of one rule file into definitions.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "rules/definitions.hpp"
#include "rules/rule.hpp"

namespace coff::rules {

/// What the files of one loading share.
struct Sources {
  struct File {
    std::string name;
    std::string text;
  };
  std::deque<File> files;
  std::deque<Piece> pieces;
};

/// One rule file. Reading stops at its first error; what came before it stays.
class ItemReader {
 public:
  ItemReader(Sources& sources, Definitions& definitions, std::vector<Problem>& problems)
      : sources_(sources), definitions_(definitions), problems_(problems) {}

  /// False after an error, which is then among the problems.
  bool read_file(std::string name, std::string text);

 private:
  bool read_item(const YamlNode& item);
  bool read_engine_version(const YamlNode& item);
  bool read_plugin_versions(const YamlNode& list);
  bool read_plugin(const YamlNode& plugin, const ItemPlace& where, std::vector<std::string>& names);
  bool read_list(const YamlNode& item);
  bool read_macro(const YamlNode& item);
  bool read_rule(const YamlNode& item);
  bool read_whole_rule(const YamlNode& item, std::string name, const ItemPlace& where);
  bool read_appended_rule(const YamlNode& item, std::string name, const ItemPlace& where);
  bool read_overridden_rule(const YamlNode& item, std::string name, const ItemPlace& where);

  /// The keys of "override" by what is to be done with them.
  struct Overrides {
    std::set<std::string> append;
    std::set<std::string> replace;
    [[nodiscard]] bool empty() const { return append.empty() && replace.empty(); }
  };
  using Keys = std::vector<std::string_view>;
  bool read_overrides(const YamlNode& item, const Keys& appendable, const Keys& replaceable,
                      const ItemPlace& where, Overrides& out);
  bool read_append(const YamlNode& item, const ItemPlace& where, bool& append);
  bool read_updates(const YamlNode& item, const std::set<std::string>& keys, bool append,
                    RuleUpdate& update);
  bool read_exceptions(const YamlNode& item, const ItemPlace& where, bool append,
                       std::vector<ExceptionDefinition>& out);
  bool read_exception(const YamlNode& item, const ItemPlace& where, bool append,
                      std::vector<ExceptionDefinition>& out);
  bool read_entry(const YamlNode& node, const ItemPlace& where, ExceptionEntry& out);

  // Values of keys. A key that is absent leaves `out` alone when it is optional.
  enum class Need : unsigned char { kOptional, kRequired };
  const YamlNode* scalar(const YamlNode& item, std::string_view key, const ItemPlace& where,
                         Need need, bool& failed);
  bool text(const YamlNode& item, std::string_view key, const ItemPlace& where, Need need,
            std::string& out);
  bool text(const YamlNode& item, std::string_view key, const ItemPlace& where, SourceText& out);
  bool flag(const YamlNode& item, std::string_view key, const ItemPlace& where, Need need,
            bool& out);
  bool number(const YamlNode& item, std::string_view key, const ItemPlace& where,
              std::uint64_t& out);
  bool texts(const YamlNode& item, std::string_view key, const ItemPlace& where, Need need,
             std::vector<std::string>& out);
  bool priority(const YamlNode& item, const ItemPlace& where, Priority& out);

  void warn_unknown_keys(const YamlNode& item, const Keys& known, const ItemPlace& where);
  bool fail(std::string_view code, std::string message, const YamlNode& at, const ItemPlace& where);
  void warn(std::string_view code, std::string message, const ItemPlace& where);
  bool accept(const Accepted& accepted);
  [[nodiscard]] ItemPlace place_of(const YamlNode& node, std::string context) const;
  SourceText piece_text(const YamlNode& node);
  std::uint32_t add_piece(const YamlNode& node);

  Sources& sources_;
  Definitions& definitions_;
  std::vector<Problem>& problems_;
  std::uint32_t file_ = 0;
};

}  // namespace coff::rules
