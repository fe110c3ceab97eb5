// An answer as JSON, as CSV, and for a person.
#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "exposure/answer.hpp"

namespace coff::exposure {
namespace {

void write_concern(JsonWriter& json, const Concern& concern) {
  json.begin_object()
      .member("advisory", concern.advisory)
      .member("feed", concern.feed)
      .member("status", status_name(concern.status))
      .member("fixed", concern.fixed)
      .member("available", concern.available)
      .member("severity", concern.severity)
      .member("note", concern.note)
      .member("known_exploited", concern.threat.known_exploited);
  if (concern.threat.known_exploited) {
    json.member("exploited_since", concern.threat.added)
        .member("ransomware", concern.threat.ransomware);
  }
  if (concern.threat.epss) {
    json.member("epss", *concern.threat.epss)
        .member("epss_percentile", concern.threat.epss_percentile.value_or(0));
  }
  json.end_object();
}

void write_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object()
      .member("grade", grade_name(finding.grade))
      .member("certainty", certainty_name(finding.certainty));
  json.key("container").begin_object();
  json.member("id", finding.container)
      .member("name", finding.container_name)
      .member("image", finding.image)
      .end_object();
  json.member("package", finding.package)
      .member("version", finding.version)
      .member("on_disk_version", finding.on_disk_version)
      .member("source", finding.source)
      .member("ecosystem", finding.ecosystem)
      .member("path", finding.path)
      .member("deleted", finding.deleted)
      .member("build_id", finding.build_id)
      .member("why", finding.why);
  json.key("advisories").begin_array();
  for (const Concern& concern : finding.concerns) write_concern(json, concern);
  json.end_array().key("processes").begin_array();
  for (const FindingProcess& process : finding.processes) {
    json.begin_object()
        .member("pid", process.pid)
        .member("started", format_time(process.started_ns))
        .member("uid", process.user)
        .member("name", process.name)
        .end_object();
  }
  json.end_array().end_object();
}

/// RFC 4180; a cell that a spreadsheet would take for a formula begins with an apostrophe.
void append_cell(std::string& line, std::string_view text) {
  if (!line.empty() && !line.ends_with('\n')) line += ',';
  line += '"';
  if (!text.empty() && std::string_view("=+-@\t\r").contains(text.front())) line += '\'';
  for (const char c : printable(text)) line.append(c == '"' ? 2 : 1, c);
  line += '"';
}

std::string advisories_of(const Finding& finding) {
  std::string names;
  for (const Concern& concern : finding.concerns) {
    names.append(names.empty() ? "" : " ").append(concern.advisory);
  }
  return names;
}

std::string fixes_of(const Finding& finding) {
  std::string fixes;
  for (const Concern& concern : finding.concerns) {
    if (concern.fixed.empty() || fixes.find(concern.fixed) != std::string::npos) continue;
    fixes.append(fixes.empty() ? "" : " ").append(concern.fixed);
  }
  return fixes;
}

std::string who(const Finding& finding) {
  if (finding.container.empty()) return "host";
  std::string text = finding.container.substr(0, 12);
  if (!finding.container_name.empty()) text += "  " + finding.container_name;
  if (!finding.image.empty()) text += "  " + finding.image;
  return text;
}

constexpr std::string_view heading(Grade grade) {
  switch (grade) {
    case Grade::kMappedNow: return "MAPPED NOW";
    case Grade::kOnDiskOwned: return "ON DISK, owned by a package";
    case Grade::kOnDiskUnowned: return "ON DISK, owned by nobody";
    case Grade::kDeclared: return "DECLARED ONLY";
  }
  return "";
}

void append_concern(std::string& text, const Concern& concern) {
  text += "    " + printable(concern.advisory);
  if (concern.status != Status::kAffected) {
    text += fmt::format("  [{}]", status_name(concern.status));
  }
  text += concern.fixed.empty() ? "  no fix" : "  fixed in " + printable(concern.fixed);
  if (!concern.severity.empty()) text += "  " + printable(concern.severity);
  if (concern.threat.known_exploited) text += "  KNOWN EXPLOITED since " + concern.threat.added;
  if (concern.threat.epss) text += fmt::format("  EPSS {:.3f}", *concern.threat.epss);
  if (!concern.note.empty()) text += "  " + printable(concern.note);
  text += '\n';
}

void append_finding(std::string& text, const Finding& finding) {
  constexpr std::size_t kConcernsShown = 20;
  const std::string package = finding.package.empty() ? "(nobody's)" : finding.package;
  const std::string version = finding.version.empty() ? "version not known" : finding.version;
  text += fmt::format("  {}\n", printable(who(finding)));
  text += fmt::format("    {} {}", printable(package), printable(version));
  if (finding.certainty != Certainty::kConfirmed) {
    text += fmt::format("  ({})", certainty_name(finding.certainty));
  }
  text += '\n';
  if (!finding.path.empty()) {
    text +=
        fmt::format("    {}{}{}\n", printable(finding.path), finding.deleted ? " (deleted)" : "",
                    finding.build_id.empty() ? "" : "  build id " + finding.build_id);
  }
  text += "    " + printable(finding.why) + "\n";
  for (std::size_t at = 0; at < finding.concerns.size(); ++at) {
    if (at == kConcernsShown) {
      text += fmt::format("    and {} more\n", finding.concerns.size() - at);
      break;
    }
    append_concern(text, finding.concerns[at]);
  }
  for (const FindingProcess& process : finding.processes) {
    text += fmt::format("    {:>8}  uid {:<6}  since {:.19}Z  {}\n", process.pid, process.user,
                        format_time(process.started_ns), printable(process.name));
  }
}

}  // namespace

std::string to_json(const Answer& answer) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("question").begin_object();
  json.member("subject", subject_name(answer.question.subject))
      .member("text", answer.question.text)
      .end_object();
  json.member("time", format_time(wall_now_ns()));
  json.key("scanned").begin_object();
  json.member("processes", answer.processes)
      .member("containers", answer.containers)
      .member("files", answer.files)
      .member("unreadable", answer.unreadable)
      .end_object();
  json.key("feeds").begin_array();
  for (const Feed& feed : answer.feeds) {
    json.begin_object()
        .member("name", feed.name)
        .member("imported", format_time(feed.imported_ns))
        .member("entries", feed.entries)
        .end_object();
  }
  json.end_array().key("findings").begin_array();
  for (const Finding& finding : answer.findings) write_finding(json, finding);
  json.end_array().key("remarks").begin_array();
  for (const std::string& remark : answer.remarks) json.string(remark);
  json.end_array().end_object();
  return text;
}

std::string to_csv(const Answer& answer) {
  std::string text =
      "grade,certainty,container,container_name,image,package,version,fixed,advisories,path,"
      "deleted,"
      "build_id,pid,started,uid,process,why\n";
  for (const Finding& finding : answer.findings) {
    std::vector<FindingProcess> processes = finding.processes;
    if (processes.empty()) processes.emplace_back();
    for (const FindingProcess& process : processes) {
      const bool runs = process.pid != 0;
      std::string line;
      for (const std::string& cell :
           {std::string(grade_name(finding.grade)), std::string(certainty_name(finding.certainty)),
            finding.container, finding.container_name, finding.image, finding.package,
            finding.version, fixes_of(finding), advisories_of(finding), finding.path,
            std::string(finding.deleted ? "yes" : "no"), finding.build_id,
            runs ? std::to_string(process.pid) : "", runs ? format_time(process.started_ns) : "",
            runs ? std::to_string(process.user) : "", process.name, finding.why}) {
        append_cell(line, cell);
      }
      text += line + "\n";
    }
  }
  return text;
}

std::string to_text(const Answer& answer) {
  std::string text;
  const Grade* last = nullptr;
  for (const Finding& finding : answer.findings) {
    if (last == nullptr || *last != finding.grade) {
      text += std::string(heading(finding.grade)) + "\n";
    }
    last = &finding.grade;
    append_finding(text, finding);
  }
  if (answer.findings.empty()) text += "nothing found\n";
  for (const std::string& remark : answer.remarks) text += "note: " + printable(remark) + "\n";
  text += fmt::format("{} processes, {} containers, {} mapped files; {} findings\n",
                      answer.processes, answer.containers, answer.files, answer.findings.size());
  return text;
}

}  // namespace coff::exposure
