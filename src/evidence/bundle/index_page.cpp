// index.html of a bundle: every item explained to an examiner who doesn't know containers.
#include "evidence/bundle/seal.hpp"

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace coff::evidence {
namespace {

struct Explanation {
  std::string_view beginning;
  std::string_view title;
  std::string_view text;
};
/// The first whose beginning fits explains an item.
constexpr Explanation kExplanations[] = {
    {"meta/clock", "Clocks",
     "The host's clocks at the start: by them, times in this bundle can be compared with others."},
    {"meta/order", "Order of collection",
     "What was read when, from where. Things that vanish first were read first (RFC 3227)."},
    {"meta/gaps", "What is missing",
     "Everything that could not be read, and why. Read this before you conclude from an absence."},
    {"meta/", "About the collection", "Facts about this collection."},
    {"custody/", "Chain of custody",
     "Who did what to this evidence. Each line holds the hash of the line before."},
    {"memory/", "Memory of a process",
     "A .core file is the memory and the registers of one running process, as a standard ELF core. "
     "It may hold passwords and keys. The .json beside it says how long the process stood still, "
     "and which memory is not in it."},
    {"process/", "A process",
     "What the kernel tells of one process: its program, arguments, environment, rights, open "
     "files and memory map. The folder's name is the process's number on the host; inside of the "
     "container it has another, see NSpid in its status."},
    {"network/", "Network",
     "Connections, listening sockets, routes and neighbours as the container sees them. A "
     "container usually has a network of its own, so the host's lists don't show these."},
    {"files/upper", "Changes to the file system",
     "A container starts from an image that is never written. All changes go into a layer above "
     "it, which this is: new and changed files, and marks (whiteouts) for deleted ones. "
     "upper.jsonl says for each whether it was added, changed or deleted."},
    {"files/volume", "A volume",
     "Files of a folder that lives outside of the container's own file system."},
    {"files/", "Open and deleted files",
     "Files that a process holds open or runs although they have no name any more, and files that "
     "only ever lived in memory (memfd). Malware hides in both."},
    {"mounts/", "Mounts", "Which file systems the processes see, and from where."},
    {"runtime/logs", "Log of the container", "What the container wrote to its output."},
    {"runtime/", "The container engine",
     "What the engine knows of the container: image, command, mounts, networks, limits."},
    {"events/", "Events before",
     "What the sensor recorded of this container before the collection."},
    {"pcap/", "Network packets",
     "Packets captured at the container's network. The .json beside it says how many the kernel "
     "dropped."},
    {"README.txt", "How to verify", "One page for a third party."},
    {"", "Item", ""},
};

const Explanation& explain(std::string_view path) {
  for (const Explanation& one : kExplanations) {
    if (path.starts_with(one.beginning)) return one;
  }
  return kExplanations[std::size(kExplanations) - 1];
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Evidence</title><style>
body{font:16px/1.5 sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}
td.n{text-align:right;white-space:nowrap}code{font-size:.85em;word-break:break-all}
.warn{border-left:4px solid #b00;padding-left:1rem}
</style></head><body>
)";

void row(std::string& page, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  page +=
      "<tr><th scope=\"row\">" + std::string(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

}  // namespace

std::string index_page(const OpenBundle& bundle, const SealFacts& facts) {
  std::string page(kHead);
  page += "<h1>Evidence " + escaped(facts.id) + "</h1>\n<table>\n";
  row(page, "Case", facts.case_id);
  row(page, "Handling", facts.marking);
  row(page, "Container", facts.target.container);
  row(page, "Name", facts.container_name);
  row(page, "Image", facts.image);
  row(page, "Begun", format_time(facts.begun_wall_ns));
  row(page, "Collected by", facts.operator_name);
  row(page, "Why", facts.purpose);
  row(page, "Allowed by", facts.authority);
  page += "</table>\n<p class=\"warn\">" + std::to_string(bundle.gaps()) +
          " things could not be read; <code>meta/gaps.jsonl</code> names each with its reason. "
          "Files of this bundle come from a container that may be hostile: do not run them.</p>\n"
          "<p>A container is a group of processes of the host that see a file system, a network "
          "and process numbers of their own. <code>README.txt</code> says how to verify this "
          "bundle with standard tools.</p>\n";
  std::string_view title;
  for (const auto& [path, item] : bundle.items()) {
    const Explanation& about = explain(path);
    if (about.title != title) {
      if (!title.empty()) page += "</table>\n";
      title = about.title;
      page += "<h2>" + std::string(title) + "</h2>\n<p>" + std::string(about.text) +
              "</p>\n<table><tr><th>File</th><th>Bytes</th><th>SHA-256</th></tr>\n";
    }
    page += "<tr><td><code>" + escaped(path) + "</code></td><td class=\"n\">" +
            std::to_string(item.size_bytes) + "</td><td><code>" + to_hex(item.sha256) +
            "</code></td></tr>\n";
  }
  if (!title.empty()) page += "</table>\n";
  page += "</body></html>\n";
  return page;
}

}  // namespace coff::evidence
