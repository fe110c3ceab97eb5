// The whole product as a person uses it: the real agent, asked by its command line.
#include "live/agent/product.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace coff::live {

namespace json = boost::json;

std::optional<std::string> ebpf_missing() {
  if (geteuid() != 0) return "loading kernel programs needs root";
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) return "this kernel tells no types (BTF)";
  return {};
}

bool eventually(const std::function<bool()>& holds) {
  for (int attempt = 0; attempt < 150; ++attempt) {
    if (holds()) return true;
    ::usleep(200'000);
  }
  return false;
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* at = &value;
  for (const std::string_view name : path) {
    if (!at->is_object()) return {};
    at = at->get_object().if_contains(name);
    if (at == nullptr) return {};
  }
  return at->is_string() ? std::string(at->get_string()) : json::serialize(*at);
}

Result<std::unique_ptr<Product>> Product::start(const std::vector<std::string>& engines,
                                                const std::string& settings) {
  std::unique_ptr<Product> product(new Product(TRY(Workspace::create())));
  const Workspace& place = product->workspace_;
  std::string sockets;
  for (const auto& socket : engines) sockets += (sockets.empty() ? "'" : ", '") + socket + "'";
  std::ofstream(place / "cofferdam.yaml")
      << "data_dir: " << place / "trail-data" << "\nrun_dir: " << place / "agent-run"
      << "\nengines: [" << sockets << "]\n"
      << settings;
  product->engine_count_ = engines.size();
  TRY(product->start_again());
  return product;
}

Result<void> Product::start_again() {
  agent_ = TRY(Child::start({COFF_PROGRAM, "agent", "--config", workspace_ / "cofferdam.yaml"},
                            workspace_ / "agent.log"));
  const bool ready = eventually([&] {
    const auto status = cofferdam({"status"});
    if (!status || status->status != 0) return false;
    size_t connected = 0;
    constexpr std::string_view kConnected = "\"connected\":true";
    for (size_t at = status->out.find(kConnected); at != std::string::npos;
         at = status->out.find(kConnected, at + 1)) {
      ++connected;
    }
    return status->out.find("kernel.exec.sent") != std::string::npos && connected >= engine_count_;
  });
  if (!ready) return fail(Code::kTimeout, "the agent is not ready: " + told());
  return {};
}

Result<Outcome> Product::cofferdam(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), COFF_PROGRAM);
  arguments.insert(arguments.end(), {"--config", workspace_ / "cofferdam.yaml"});
  return run(arguments, {.output_bytes_max = 64U << 20U});
}

void Product::kill() {
  agent_.signal(SIGKILL);
  while (agent_.running()) ::usleep(5000);
}

std::string Product::shell(std::string_view command) const {
  return std::string(COFF_PROGRAM) + " " + std::string(command) + " --config " +
         (workspace_ / "cofferdam.yaml");
}

std::vector<json::value> Product::events(std::vector<std::string> filter) const {
  filter.insert(filter.begin(), {"events", "--json"});
  const auto outcome = cofferdam(std::move(filter));
  std::vector<json::value> values;
  if (!outcome) return values;
  std::istringstream lines(outcome->out);
  for (std::string line; std::getline(lines, line);) {
    json::error_code problem;
    values.push_back(json::parse(line, problem));
    EXPECT_FALSE(problem) << line;
  }
  return values;
}

std::string Product::told() const {
  const auto status = cofferdam({"status"});
  std::ostringstream text;
  text << (status ? status->out : status.error().message()) << "\n"
       << std::ifstream(workspace_ / "agent.log").rdbuf();
  return text.str();
}

}  // namespace coff::live
