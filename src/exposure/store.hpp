// The file that keeps advisories, what is known to be exploited, and which build ids were learned.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/database.hpp"
#include "base/result.hpp"
#include "exposure/advisory.hpp"

namespace coff::exposure {

/// One imported source of advisories.
struct Feed {
  std::string name;               ///< Unique: "debian-tracker", "osv AlmaLinux", "kev".
  std::string source;             ///< File or folder that it was imported from.
  std::int64_t imported_ns = 0;   ///< Wall clock.
  std::int64_t published_ns = 0;  ///< What the source says of its own date; 0 when it says none.
  std::uint64_t entries = 0;
};

/// CISA's list of what is known to be exploited, and FIRST's estimate of what will be.
struct Threat {
  bool known_exploited = false;
  std::string added;        ///< Date of the KEV entry.
  bool ransomware = false;  ///< Known use in ransomware campaigns.
  std::optional<double> epss;
  std::optional<double> epss_percentile;
};

struct StoredAffected {
  std::string advisory;
  std::string feed;
  std::string severity;
  std::string summary;
  Affected affected;
};

/// A build id that an owned file on disk had.
struct LearnedBuild {
  std::string build_id;
  std::string package;
  std::string version;
  std::string source;
  std::string source_version;
};

/// Opened by one process at a time for writing, by any number for reading. The file's format has a
/// number; another one is refused.
class Store {
 public:
  static constexpr std::int64_t kFormat = 1;

  /// Makes the file (0640) when it is not there, unless `mode` is read only (kNotFound then).
  static Result<Store> open(const std::string& path, Database::Mode mode);

  /// An empty one that is gone with this object.
  static Result<Store> in_memory();

  /// Takes advisories of one feed. What a former import of that name brought is gone when finish()
  /// has returned, not before; without finish() nothing changes.
  class Import {
   public:
    Result<void> add(const Advisory& advisory);
    Result<void> add_threat(const std::string& cve, const Threat& threat);
    /// Number of entries so far.
    [[nodiscard]] std::uint64_t entries() const { return entries_; }
    /// Remembers this point; undo() takes back what came after it.
    Result<void> mark();
    Result<void> undo();
    Result<void> finish(std::int64_t published_ns);
    Import(Import&& other) noexcept;
    Import& operator=(Import&&) = delete;
    Import(const Import&) = delete;
    Import& operator=(const Import&) = delete;
    ~Import();

   private:
    friend class Store;
    Import(Store& store, std::int64_t feed);
    Store* store_;
    std::int64_t feed_;
    std::uint64_t entries_ = 0;
    std::uint64_t marked_entries_ = 0;
    std::optional<Statement> advisory_;
    std::optional<Statement> alias_;
    std::optional<Statement> affected_;
    std::optional<Statement> threat_;
  };
  Result<Import> begin(const std::string& feed, const std::string& source);

  Result<std::vector<Feed>> feeds();
  /// Everything that advisories of this name or alias say; empty when no feed knows it.
  Result<std::vector<StoredAffected>> of_advisory(std::string_view name);
  /// Everything that is said about a package of an ecosystem.
  Result<std::vector<StoredAffected>> of_package(std::string_view ecosystem,
                                                 std::string_view package);
  /// Names that an advisory goes by, its own first.
  Result<std::vector<std::string>> names_of(std::string_view advisory);
  Result<Threat> threat_of(std::string_view cve);

  /// Remembers build ids of one container ("" is the host): they are believed there alone.
  Result<void> learn(std::string_view container, const std::vector<LearnedBuild>& builds);
  Result<std::map<std::string, LearnedBuild>> learned(std::string_view container);

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  Result<void> prepare_tables();
  Result<std::vector<StoredAffected>> rows(Statement& statement);

  Database database_;
};

}  // namespace coff::exposure
