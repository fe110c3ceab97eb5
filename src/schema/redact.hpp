// Finds secrets in arguments and environments, so that a trail can hold a commitment instead.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coff::schema {

/// Turns one secret into the text that stands for it, e.g. a salted hash; called once for each.
using Commit = std::function<std::string(std::string_view secret)>;

/// What an installation adds to the built-in rules. Patterns are case-insensitive, "*" stands for
/// anything, "-" equals "_".
struct RedactRules {
  std::vector<std::string> secret_names;  ///< E.g. "*_DSN": values of such names are secrets.
  std::vector<std::string> public_names;  ///< Never secret by name, whatever else says so.
};

/// Place of a secret within a string, bytes.
struct Secret {
  size_t begin = 0;
  size_t size = 0;
};

/// Replaces the places, which must be sorted and disjoint, through `commit`.
std::string replace_secrets(std::string_view text, std::span<const Secret> secrets,
                            const Commit& commit);

/// Built-in rules, by name: NAME=value, --name=value, --name value and "Name: value" where a word
/// of the name is PASSWORD, PASSWD, PASSPHRASE, SECRET, TOKEN, CREDENTIAL, KEY or the like; the
/// password options of mysql, redis-cli, curl, sshpass, ldap tools, docker login. By content:
/// Authorization headers, user:password@ in URLs, AWS access keys, tokens of well-known services,
/// JSON Web Tokens, private key blocks, card numbers (issuer range and Luhn). An argument that is
/// itself a command line (sh -c) is examined word by word.
/// Not found: a secret that only its reader knows to be one. Thread-safe, linear in the input.
class Redactor {
 public:
  explicit Redactor(RedactRules rules = {}) : rules_(std::move(rules)) {}

  /// The arguments (argv[0] included) with each secret replaced.
  [[nodiscard]] std::vector<std::string> redact_arguments(std::span<const std::string> argv,
                                                          const Commit& commit) const;
  /// The environment ("NAME=value") with each secret replaced.
  [[nodiscard]] std::vector<std::string> redact_environment(std::span<const std::string> env,
                                                            const Commit& commit) const;

  /// One text that may be a command line of its own, e.g. "exec_create: mysql -psecret".
  [[nodiscard]] std::string redact_text(std::string_view text, const Commit& commit) const;

 private:
  [[nodiscard]] bool secret_pair(std::string_view name, std::string_view value) const;

  RedactRules rules_;
};

/// Secrets recognised by their content alone, in order of appearance, disjoint.
std::vector<Secret> find_by_content(std::string_view text);

}  // namespace coff::schema
