// Sessions from the events of logins, forks, programs and ends.
#include "access/sessions.hpp"

#include <gtest/gtest.h>

#include <map>

namespace coff::access {
namespace {

class Watched : public ::testing::Test {
 protected:
  Watched() { names_.add_user(1001, "alice"); }

  schema::UserNames names_;
  std::map<std::uint32_t, Process> processes_;
  std::vector<Session> begun_, ended_;
  Sessions sessions_{
      {.find_origin = [](const Process&) { return Origin{"192.0.2.7", 4022}; },
       .set_person = [this](const Process& process,
                            const PersonPtr& person) { processes_[process.pid].person = person; },
       .on_begin = [this](const Session& session) { begun_.push_back(session); },
       .on_end = [this](const Session& session, std::uint64_t,
                        std::int64_t) { ended_.push_back(session); }}};

  Process& add(std::uint32_t pid, const std::string& exe, std::uint32_t uid = 0) {
    Process process{
        .id = pid * 1000ULL, .pid = pid, .name = exe, .credentials = {.uid = uid, .euid = uid}};
    process.program =
        std::make_shared<const Program>(Program{.exe = "/usr/bin/" + exe, .argv = {exe, "-x"}});
    return processes_[pid] = process;
  }
  Event event(Kind kind, std::uint32_t pid, Detail detail = {}) {
    const Process& process = processes_[pid];
    return {.kind = kind,
            .boot_ns = ++clock_,
            .credentials = process.credentials,
            .process = std::make_shared<const Process>(process),
            .detail = std::move(detail)};
  }
  void take(Kind kind, std::uint32_t pid, Detail detail = {}) {
    sessions_.take(event(kind, pid, std::move(detail)), names_);
  }
  void login(std::uint32_t pid, std::uint32_t session) {
    processes_[pid].credentials.loginuid = 1001;
    processes_[pid].credentials.sessionid = session;
    take(Kind::loginuid, pid);
  }
  void fork(std::uint32_t parent, std::uint32_t child, const std::string& exe) {
    Process next = processes_[parent];
    add(child, exe).credentials = next.credentials;
    processes_[child].person = next.person;
    take(Kind::fork, parent, ForkInfo{std::make_shared<const Process>(processes_[child])});
    take(Kind::exec, child, ExecInfo{});
  }

 private:
  std::uint64_t clock_ = 1000;
};

TEST_F(Watched, BeginsWithALoginAndEndsWithItsLastProcess) {
  add(10, "sshd");
  login(10, 3);
  ASSERT_EQ(begun_.size(), 1U);
  EXPECT_EQ(begun_[0].person->user, "alice");
  EXPECT_EQ(begun_[0].person->address, "192.0.2.7");
  EXPECT_EQ(begun_[0].person->via, "ssh");
  EXPECT_TRUE(begun_[0].person->component.empty());
  fork(10, 11, "bash");
  fork(11, 12, "ls");
  take(Kind::exit, 12);
  take(Kind::exit, 10);
  EXPECT_TRUE(ended_.empty());
  take(Kind::exit, 11);
  ASSERT_EQ(ended_.size(), 1U);
  EXPECT_EQ(ended_[0].programs, 2U);
  EXPECT_EQ(ended_[0].commands, (std::vector<std::string>{"bash -x", "ls -x"}));
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(Watched, OpensAnInnerSessionForSudo) {
  add(10, "sshd");
  login(10, 3);
  fork(10, 11, "bash");
  fork(11, 12, "sudo");
  ASSERT_EQ(begun_.size(), 2U);
  EXPECT_EQ(begun_[1].parent_key, begun_[0].key);
  EXPECT_EQ(begun_[1].person->via, "sudo");
  EXPECT_EQ(begun_[1].person->user, "alice");
  fork(12, 13, "id");
  EXPECT_EQ(processes_[13].person->via, "sudo");
  take(Kind::exit, 13);
  take(Kind::exit, 12);
  ASSERT_EQ(ended_.size(), 1U);
  EXPECT_EQ(ended_[0].target_uid, 0U);
  take(Kind::exit, 11);
  take(Kind::exit, 10);
  ASSERT_EQ(ended_.size(), 2U);
  EXPECT_EQ(ended_[1].programs, 3U);
}

TEST_F(Watched, NamesWhatStartedIt) {
  add(10, "cron");
  login(10, 4);
  EXPECT_EQ(begun_.at(0).person->component, "cron");
}

// An ordinary program may write any login user into its own record, once.
TEST_F(Watched, DoesNotBelieveOrdinaryPrograms) {
  add(10, "php", 33);
  login(10, 5);
  ASSERT_EQ(begun_.size(), 1U);
  EXPECT_TRUE(begun_[0].claimed);
  EXPECT_EQ(begun_[0].person->component, "php");
  Event inside = event(Kind::loginuid, 10);
  inside.credentials.sessionid = 6;
  inside.container = std::make_shared<const Container>();
  sessions_.take(inside, names_);
  EXPECT_EQ(begun_.size(), 1U);
}

TEST_F(Watched, EndsWhatEndedUnseen) {
  add(10, "login");
  login(10, 3);
  sessions_.prune([](std::uint32_t, std::uint64_t) { return false; }, 5000, 5000);
  ASSERT_EQ(ended_.size(), 1U);
  EXPECT_EQ(ended_[0].person->via, "console");
}

TEST_F(Watched, LearnsSessionsThatAreOlder) {
  add(10, "sshd").credentials = {.loginuid = 1001, .sessionid = 3};
  add(11, "bash", 1001).credentials = {.uid = 1001, .loginuid = 1001, .sessionid = 3};
  processes_[11].start_boot_ns = 5;
  sessions_.learn({std::make_shared<const Process>(processes_[11]),
                   std::make_shared<const Process>(processes_[10])},
                  names_, 100, 100);
  ASSERT_EQ(begun_.size(), 1U);
  EXPECT_TRUE(begun_[0].older);
  EXPECT_EQ(begun_[0].person->via, "ssh");
  EXPECT_EQ(processes_[11].person->user, "alice");
}

TEST(TerminalName, NamesPseudoTerminalsAndConsoles) {
  EXPECT_EQ(terminal_name(0), "");
  EXPECT_EQ(terminal_name(136 << 8 | 3), "pts/3");
  EXPECT_EQ(terminal_name(137 << 8 | 1), "pts/257");
  EXPECT_EQ(terminal_name(4 << 8 | 1), "tty1");
  EXPECT_EQ(terminal_name(4 << 8 | 64), "ttyS0");
}

}  // namespace
}  // namespace coff::access
