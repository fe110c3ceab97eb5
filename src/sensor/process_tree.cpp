// Every process of the host as it was at any recent moment, kept from the kernel's records.
#include "sensor/process_tree.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "schema/make_event.hpp"

namespace coff::sensor {

std::uint64_t process_id(std::string_view boot_id, std::uint32_t pid, std::uint64_t start_boot_ns) {
  char numbers[12];
  std::memcpy(numbers, &pid, sizeof pid);
  std::memcpy(numbers + 4, &start_boot_ns, sizeof start_boot_ns);
  const Hash digest = sha256({boot_id, std::string_view(numbers, sizeof numbers)});
  std::uint64_t id = 0;
  for (size_t at = 0; at < 8; ++at) id = id << 8 | digest[at];
  return id;
}

namespace {

bool same(const Credentials& a, const Credentials& b) {
  return a.uid == b.uid && a.gid == b.gid && a.euid == b.euid && a.egid == b.egid &&
         a.loginuid == b.loginuid && a.sessionid == b.sessionid;
}

// A chain of ancestors grows with every fork of a daemon that forks itself; copy the nearest ones
// and let the rest go.
ProcessPtr shorten(const Process& process, std::uint32_t keep) {
  Process copy = process;
  if (keep == 0 || process.parent == nullptr) {
    copy.parent = nullptr;
    copy.depth = 0;
  } else {
    copy.parent = shorten(*process.parent, keep - 1);
    copy.depth = copy.parent->depth + 1;
  }
  return std::make_shared<const Process>(std::move(copy));
}

}  // namespace

ProcessTree::Node* ProcessTree::node_of(std::uint32_t pid, std::uint64_t start_boot_ns) {
  const auto found = nodes_.find(pid);
  if (found == nodes_.end() || found->second.current->start_boot_ns != start_boot_ns) {
    return nullptr;
  }
  return &found->second;
}

void ProcessTree::replace(Node& node, Process&& next) {
  node.past.push_back(std::move(node.current));
  if (node.past.size() > kPastMax) node.past.erase(node.past.begin());
  node.current = std::make_shared<const Process>(std::move(next));
}

ProcessPtr ProcessTree::link_to_parent(Process&& child, ProcessPtr parent) {
  if (parent != nullptr && parent->depth + 1 >= kDepthMax) parent = shorten(*parent, kDepthMax / 2);
  child.id = process_id(boot_id_, child.pid, child.start_boot_ns);
  if (child.person == nullptr && parent != nullptr) child.person = parent->person;
  child.depth = parent == nullptr ? 0 : parent->depth + 1;
  child.parent = std::move(parent);
  return std::make_shared<const Process>(std::move(child));
}

void ProcessTree::keep_environment(Process& process) const {
  if (process.program == nullptr || process.program->env.empty()) return;
  Program program = *process.program;
  std::erase_if(program.env, [&](const std::string& variable) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    return std::find(environment_.begin(), environment_.end(), name) == environment_.end();
  });
  process.program = std::make_shared<const Program>(std::move(program));
}

ProcessPtr ProcessTree::add(Process process) {
  if (const Node* known = node_of(process.pid, process.start_boot_ns)) return known->current;
  const std::uint32_t pid = process.pid;
  keep_environment(process);
  ProcessPtr parent = find(process.ppid);
  ProcessPtr added = link_to_parent(std::move(process), std::move(parent));
  nodes_[pid] = Node{.current = added};
  return added;
}

ProcessPtr ProcessTree::apply_fork(const schema::Record& record) {
  const coff_fork& fork = record.fork();
  const ProcessPtr parent = find_at(fork.hdr.pid, fork.hdr.start, fork.hdr.time);
  Process unknown_parent;
  unknown_parent.credentials = schema::credentials_of(fork.hdr);
  ProcessPtr child = link_to_parent(
      schema::make_child(record, parent == nullptr ? unknown_parent : *parent), parent);
  nodes_[fork.child_pid] = Node{.current = child};
  return child;
}

void ProcessTree::apply_exec(const schema::Record& record) {
  const coff_exec& exec = record.exec();
  Process next = schema::make_process(record);
  if (Node* node = node_of(exec.hdr.pid, exec.hdr.start)) {
    next.id = node->current->id;
    next.parent = node->current->parent;
    next.depth = node->current->depth;
    next.container = node->current->container;
    next.person = node->current->person;
    keep_environment(next);
    replace(*node, std::move(next));
    return;
  }
  add(std::move(next));
}

// Any record tells the credentials and the control group of its process afresh.
void ProcessTree::refresh(Node& node, const schema::Record& record) {
  const coff_hdr& header = record.header();
  const Credentials now = schema::credentials_of(header);
  const bool changed = record.kind() == COFF_KIND_setid || record.kind() == COFF_KIND_capset ||
                       record.kind() == COFF_KIND_setsid || record.kind() == COFF_KIND_chdir ||
                       node.current->credentials.loginuid != now.loginuid ||
                       node.current->cgroup != header.cgroup;
  if (!changed || header.ret < 0 || header.time < node.current->since_boot_ns) return;
  Process next = *node.current;
  next.since_boot_ns = header.time;
  next.cgroup = header.cgroup;
  // A thread may change its own credentials; the process's are those of its leader.
  if (header.tid == header.pid || same(next.credentials, now)) next.credentials = now;
  if (record.shape() == schema::Shape::call && header.tid == header.pid) {
    next.capabilities.permitted = record.call().cap_permitted;
    next.capabilities.effective = record.call().cap_effective;
    next.capabilities.inheritable = record.call().cap_inheritable;
  }
  if (record.kind() == COFF_KIND_chdir) next.cwd = record.text(record.file().resolved);
  replace(node, std::move(next));
}

TreeAnswer ProcessTree::apply_flow(const schema::Record& record) {
  const coff_flow& flow = record.flow();
  TreeAnswer answer{.process = find_at(flow.hdr.pid, flow.hdr.start, flow.hdr.time)};
  if (answer.process == nullptr) ++unknown_;
  if (flow.worker_pid != 0) {
    answer.other = find_at(flow.worker_pid, flow.worker_start, flow.hdr.time);
  }
  return answer;
}

TreeAnswer ProcessTree::apply(const schema::Record& record) {
  // Tells of its owner what was true when the connection began.
  if (record.shape() == schema::Shape::flow) return apply_flow(record);
  const coff_hdr& header = record.header();
  TreeAnswer answer;
  if (const ProcessPtr before = find_at(header.pid, header.start, header.time)) {
    answer.before = before->credentials;
    answer.has_before = true;
    answer.login_changed = before->credentials.loginuid != header.loginuid;
  }
  if (record.kind() == COFF_KIND_fork) answer.other = apply_fork(record);
  if (record.kind() == COFF_KIND_exec && header.ret >= 0) apply_exec(record);
  if (Node* node = node_of(header.pid, header.start)) {
    refresh(*node, record);
    if (record.kind() == COFF_KIND_exit) {
      node->ended_boot_ns = header.time;
      ended_.emplace_back(header.time, header.pid);
    }
  }
  answer.process = find_at(header.pid, header.start, header.time);
  if (answer.process == nullptr) ++unknown_;
  if (record.shape() == schema::Shape::call && record.call().target_pid != 0) {
    answer.other = find_at(record.call().target_pid, record.call().target_start, header.time);
  }
  return answer;
}

ProcessPtr ProcessTree::set_person(std::uint32_t pid, std::uint64_t start_boot_ns,
                                   PersonPtr person) {
  Node* node = node_of(pid, start_boot_ns);
  if (node == nullptr) return nullptr;
  Process next = *node->current;
  next.person = std::move(person);
  node->current = std::make_shared<const Process>(std::move(next));
  return node->current;
}

ProcessPtr ProcessTree::find(std::uint32_t pid) const {
  const auto found = nodes_.find(pid);
  return found == nodes_.end() ? nullptr : found->second.current;
}

ProcessPtr ProcessTree::find_at(std::uint32_t pid, std::uint64_t start_boot_ns,
                                std::uint64_t boot_ns) const {
  const auto found = nodes_.find(pid);
  if (found == nodes_.end()) return nullptr;
  const Node& node = found->second;
  if (start_boot_ns != 0 && node.current->start_boot_ns != start_boot_ns) return nullptr;
  if (node.current->since_boot_ns <= boot_ns || node.past.empty()) return node.current;
  for (auto past = node.past.rbegin(); past != node.past.rend(); ++past) {
    if ((*past)->since_boot_ns <= boot_ns) return *past;
  }
  return node.past.front();
}

void ProcessTree::forget_ended(std::uint64_t boot_ns) {
  const auto keep = std::find_if(ended_.begin(), ended_.end(), [&](const auto& ended) {
    return ended.first + kKeepEndedNs > boot_ns;
  });
  for (auto ended = ended_.begin(); ended != keep; ++ended) {
    const auto found = nodes_.find(ended->second);
    // The pid may belong to a younger process by now.
    if (found != nodes_.end() && found->second.ended_boot_ns == ended->first) nodes_.erase(found);
  }
  ended_.erase(ended_.begin(), keep);
}

void ProcessTree::retain(const std::function<bool(const Process&)>& exists) {
  std::erase_if(nodes_, [&](const auto& entry) {
    return entry.second.ended_boot_ns == 0 && !exists(*entry.second.current);
  });
}

void ProcessTree::for_each(const std::function<void(const Process&)>& visit) const {
  for (const auto& [pid, node] : nodes_) {
    if (node.ended_boot_ns == 0) visit(*node.current);
  }
}

}  // namespace coff::sensor
