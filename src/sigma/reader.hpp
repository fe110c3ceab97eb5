// Private to the room: reads Sigma files into documents.
#pragma once

#include <initializer_list>
#include <optional>

#include "base/yaml.hpp"
#include "sigma/problem.hpp"

namespace coff::sigma {

/// Reads one file. A document with an error is left out; the others stay.
class Reader {
 public:
  /// `license` is that of rules that don't name their own.
  Reader(Reporter& reporter, std::string license, Documents& out)
      : reporter_(reporter), license_(std::move(license)), out_(out) {}

  void read();

 private:
  bool read_document(const YamlNode& document);
  bool read_rule(const YamlNode& document);
  bool read_filter(const YamlNode& document);
  bool read_correlation(const YamlNode& document);
  bool read_correlation_body(const YamlNode& body, CorrelationRule& rule);
  bool read_correlation_condition(const YamlNode& body, CorrelationRule& rule);
  bool read_aliases(const YamlNode& body, CorrelationRule& rule);

  /// Members that detection and correlation rules share.
  template <typename Rule>
  bool read_head(const YamlNode& document, Rule& rule);
  bool read_source(const YamlNode& document, bool required, LogSource& source);
  bool read_detections(const YamlNode& node, std::initializer_list<std::string_view> reserved,
                       std::vector<Detection>& out);
  bool read_detection(const YamlNode& node, Detection& out);
  bool read_alternative(const YamlNode& map, std::vector<FieldItem>& out);
  bool read_values(const YamlNode& node, FieldItem& item);

  // Values of keys; an absent one leaves `out` alone.
  bool text(const YamlNode& node, std::string_view key, std::string& out, size_t bytes_max = 65536);
  bool texts(const YamlNode& node, std::string_view key, std::vector<std::string>& out);
  bool scalars(const YamlNode& node, std::string_view key, std::vector<Scalar>& out);
  bool no_repeated_keys(const YamlNode& map);
  bool refuse(const YamlNode& at, std::string message);

  Reporter& reporter_;
  std::string license_;
  Documents& out_;
  std::string context_;
};

/// "contains|all" of a key; nothing when one is not known, which `unknown` then names.
std::optional<std::vector<Modifier>> parse_modifiers(std::string_view text, std::string& unknown);
std::string_view modifier_name(Modifier modifier);

}  // namespace coff::sigma
