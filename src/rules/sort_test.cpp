// What is decided once for a sort of events is the same for each of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <map>
#include <random>

#include "rules/bucket.hpp"
#include "rules/rules.hpp"
#include "rules/testing/ask.hpp"
#include "rules/testing/load.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules {
namespace {

using schema::testing::RecordBuilder;

class Sorts : public ::testing::Test {
 protected:
  template <typename List>
  auto pick(const List& list) {
    return list[random_() % std::size(list)];
  }

  Event file_event() {
    constexpr coff_kind kKinds[] = {COFF_KIND_open, COFF_KIND_open, COFF_KIND_rename,
                                    COFF_KIND_chmod};
    constexpr int kCalls[] = {SYS_open, SYS_openat, SYS_creat, SYS_renameat2, SYS_fchmod};
    constexpr unsigned kFlags[] = {0, O_CREAT, O_DIRECTORY, O_TMPFILE, O_CLOEXEC, O_PATH};
    RecordBuilder builder(pick(kKinds));
    builder.header().syscall = pick(kCalls);
    builder.header().ret = random_() % 3 == 0 ? -ENOENT : 5;
    builder.file().fd = random_() % 3 == 0 ? -1 : 5;
    builder.file().open_flags = static_cast<std::uint32_t>(random_() % 4) | pick(kFlags);
    for (auto& argument : builder.file().args) argument = random_() % 3 == 0 ? 0755 : 0;
    constexpr unsigned kFileFlags[] = {0, 0, COFF_FILE_CREATED, COFF_FILE_MEMFD, COFF_FILE_DELETED};
    builder.file().file_flags = pick(kFileFlags);
    builder.file().mode = random_() % 2 == 0 ? S_IFREG : S_IFDIR;
    builder.text(&coff_file::raw, random_() % 2 == 0 ? "/etc/shadow" : "/tmp/x");
    return schema::testing::sample_event(builder);
  }

  Event socket_event() {
    constexpr coff_kind kKinds[] = {COFF_KIND_connect, COFF_KIND_accept, COFF_KIND_socket,
                                    COFF_KIND_bind, COFF_KIND_sendto};
    constexpr int kFamilies[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, 200};
    constexpr int kTypes[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    constexpr int kProtocols[] = {0, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP};
    RecordBuilder builder(pick(kKinds));
    builder.header().syscall = SYS_connect;
    builder.header().ret = random_() % 3 == 0 ? -EINPROGRESS : 0;
    builder.sock().family = static_cast<std::uint16_t>(pick(kFamilies));
    builder.sock().type = static_cast<std::uint16_t>(pick(kTypes));
    builder.sock().protocol = static_cast<std::uint32_t>(pick(kProtocols));
    builder.sock().remote_port = static_cast<std::uint16_t>(random_());
    builder.sock().fd = random_() % 2 == 0 ? 3 : -1;
    return schema::testing::sample_event(builder);
  }

  Event event() {
    Event event = random_() % 2 == 0 ? file_event() : socket_event();
    if (random_() % 10 == 0) event = schema::testing::sample_exec();
    if (random_() % 2 == 0) event.container = nullptr;
    return event;
  }

  std::mt19937 random_{17};
};

TEST_F(Sorts, EqualOnesHaveEqualFacts) {
  std::map<std::uint64_t, Event> firsts;
  size_t compared = 0;
  for (int at = 0; at < 4000; ++at) {
    const Event each = event();
    for (const Sort& sort : {Sort::of(each), Sort::of(each).coarse()}) {
      const Event& first = firsts.emplace(sort.key(), each).first->second;
      for (const schema::FieldGroup& group : schema::field_groups()) {
        for (const schema::Field& field : group.fields) {
          const bool plain = field.takes == schema::Takes::kNothing;
          if (!plain || !sort.decides(field.name)) continue;
          ++compared;
          ASSERT_EQ(field.get({.event = each, .number = 1}, {}),
                    field.get({.event = first, .number = 2}, {}))
              << field.name;
        }
      }
    }
  }
  EXPECT_GT(firsts.size(), 300U);
  EXPECT_GT(compared, 100'000U);
}

// More sorts than buckets are kept for, against the conditions as they are written.
TEST_F(Sorts, ManyOfThemChangeNoAnswer) {
  const std::string conditions[] = {"evt.failed = true",
                                    "evt.failed = false and fd.typechar = f",
                                    "evt.is_open_exec = true and not fd.typechar = d",
                                    "evt.res = SUCCESS or evt.res = ENOENT",
                                    "not evt.is_open_create = true",
                                    "fd.l4proto in (icmp, udp) or fd.sockfamily = unix",
                                    "fd.connected = true or evt.arg.flags contains O_CREAT",
                                    "not evt.arg.mode exists",
                                    "not k8s.ns.name exists and fd.type = ipv4",
                                    "evt.arg.newpath exists or evt.count.error = 1"};
  std::string text;
  for (const std::string& condition : conditions) {
    text += "- rule: r" + std::to_string(text.size()) +
            "\n  desc: d\n  priority: INFO\n  output: o\n  condition: " + condition + "\n";
  }
  Evaluator evaluator(testing::load(text));
  std::map<std::uint64_t, bool> sorts;
  size_t held = 0;
  for (int at = 0; at < 6000; ++at) {
    Event each = event();
    each.syscall = at % 2 == 0 ? each.syscall : static_cast<std::int32_t>(random_() % 40);
    sorts[Sort::of(each).key()] = true;
    const auto found = evaluator.matches({.event = each, .number = 1});
    for (std::uint32_t rule = 0; rule < std::size(conditions); ++rule) {
      const bool holds = testing::holds_for(each, conditions[rule]);
      ASSERT_EQ(std::ranges::find(found, rule) != found.end(), holds) << conditions[rule];
      held += holds ? 1U : 0U;
    }
  }
  EXPECT_GT(sorts.size(), 500U);
  EXPECT_GT(held, 5000U);
}

}  // namespace
}  // namespace coff::rules
