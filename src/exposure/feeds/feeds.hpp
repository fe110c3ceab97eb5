// Files of advisories, as their publishers write them, into the store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "exposure/advisory.hpp"
#include "exposure/store.hpp"

namespace coff::exposure {

/// Formats that are read.
enum class FeedFormat : unsigned char {
  kDebianTracker,  ///< security-tracker.debian.org/tracker/data/json
  kDebianList,     ///< The security tracker's data/DSA/list and data/DLA/list.
  kAlpine,         ///< secdb, YAML or JSON.
  kOsv,            ///< OSV schema 1.x, one JSON object or an array of them.
  kKev,            ///< CISA's known exploited vulnerabilities, JSON.
  kEpss,           ///< FIRST's scores, CSV.
};
std::string_view format_name(FeedFormat format);

/// Tells the format from the beginning of a file; nothing for everything else.
std::optional<FeedFormat> format_of(std::string_view text);

/// One file of a feed: hundreds of megabytes for the tracker, of which only parts are in memory
/// at once.
inline constexpr std::size_t kFeedBytesMax = std::size_t{1} << 30U;
/// Files of a folder that are read.
inline constexpr std::size_t kFeedFilesMax = 1'000'000;

/// What became of one import.
struct Imported {
  std::vector<std::string> feeds;  ///< Names that are now in the store.
  std::uint64_t files = 0;
  std::uint64_t entries = 0;
  std::vector<std::string> problems;  ///< "file: why", at most 100; their files are left out.
};

/// Imports a file, or every file below a folder, by format. A feed replaces its former import as a
/// whole. kInvalid: nothing in it could be read.
Result<Imported> import_feeds(Store& store, const std::string& path);

/// Where a reader's advisories go.
using Sink = std::function<Result<void>(const Advisory&)>;

// One reader for each format; errors name the place.
Result<void> read_debian_tracker(std::string_view text, const Sink& sink);
Result<void> read_debian_list(std::string_view text, const Sink& sink);
Result<void> read_alpine(std::string_view text, const Sink& sink);
Result<void> read_osv(std::string_view text, const Sink& sink);
/// `published_ns`: what the file says of itself.
Result<void> read_kev(std::string_view text, std::int64_t& published_ns,
                      const std::function<Result<void>(const std::string&, const Threat&)>& sink);
Result<void> read_epss(std::string_view text, std::int64_t& published_ns,
                       const std::function<Result<void>(const std::string&, const Threat&)>& sink);

/// "Debian:12" for "bookworm", "Debian:sid" for "sid"; "" for a release that is not known.
std::string debian_ecosystem(std::string_view codename);

}  // namespace coff::exposure
