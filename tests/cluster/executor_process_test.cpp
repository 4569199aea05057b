#include "cluster/executor_process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include <functional>
#include <thread>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::cluster {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
  return condition();
}

class ExecutorProcessTest : public ::testing::Test {
 protected:
  ChildOptions shell(const std::string& script) const {
    return {.program = "/bin/sh", .arguments = {"-c", script}, .log = folder_ / "log"};
  }
  static std::vector<std::string> lines(ExecutorProcess& process, std::size_t count) {
    std::vector<std::string> all;
    wait_until([&] {
      for (auto& line : process.receive()) all.push_back(line);
      return all.size() >= count;
    });
    return all;
  }
  static std::string ending(ExecutorProcess& process) {
    std::optional<ChildExit> exit;
    wait_until([&] {
      process.receive();
      if (!exit) exit = process.poll_exit();
      return exit.has_value();
    });
    return exit ? exit->text() : "did not end";
  }
  std::string log() const { return read_text(folder_ / "log"); }

  sweep::test_support::TemporaryFolder folder_;
};

TEST_F(ExecutorProcessTest, ALineWithoutEndEndsTheProcess) {
  ExecutorProcess process(shell("exec head -c 100000000 /dev/zero >&3"));
  EXPECT_EQ(ending(process), "was killed by signal 9 (Killed)");
}

TEST_F(ExecutorProcessTest, TalksInLines) {
  ExecutorProcess process(shell("while read -r line <&3; do echo \"got $line\" >&3; done"));
  process.send("one");
  process.send("two words");
  EXPECT_THAT(lines(process, 2), ElementsAre("got one", "got two words"));
  EXPECT_FALSE(process.poll_exit());
}

TEST_F(ExecutorProcessTest, SaysEverythingBeforeItsEnd) {
  ExecutorProcess process(shell("for i in 1 2 3; do echo $i >&3; done; printf unfinished >&3"));
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_FALSE(process.poll_exit()) << "its lines have not been taken yet";
  EXPECT_THAT(process.receive(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(ending(process), "exited with status 0");
}

TEST_F(ExecutorProcessTest, KnowsTheExactEnd) {
  ExecutorProcess status(shell("exit 7")), killed(shell("kill -9 $$")), fault(shell("kill -11 $$"));
  EXPECT_EQ(ending(status), "exited with status 7");
  EXPECT_EQ(ending(killed), "was killed by signal 9 (Killed)");
  EXPECT_EQ(ending(fault), "was killed by signal 11 (Segmentation fault)");
}

TEST_F(ExecutorProcessTest, ProgramThatCannotBeRunSaysSo) {
  ExecutorProcess process({.program = "/nowhere/executor", .log = folder_ / "deep/log"});
  EXPECT_EQ(ending(process), "exited with status 127");
  EXPECT_THAT(read_text(folder_ / "deep/log"),
              HasSubstr("cannot run '/nowhere/executor' (No such file or directory)"));
}

TEST_F(ExecutorProcessTest, OutputAndErrorsGoToTheLog) {
  ExecutorProcess process(shell("echo output; echo error >&2"));
  ending(process);
  EXPECT_EQ(log(), "output\nerror\n");
}

TEST_F(ExecutorProcessTest, InheritsNothingOfTheLauncher) {
  ::setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  ::setenv("PMIX_RANK", "3", 1);
  ::setenv("SWEEP_TEST_KEPT", "kept", 1);
  ::setenv("SWEEP_TEST_SET", "old", 1);
  ChildOptions options = shell("env");
  options.environment = {{"SWEEP_TEST_SET", "new"}};
  ExecutorProcess process(options);
  ending(process);
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("PMIX_RANK");
  EXPECT_THAT(log(), ::testing::Not(HasSubstr("RANK=3")));
  EXPECT_THAT(log(), HasSubstr("SWEEP_TEST_KEPT=kept"));
  EXPECT_THAT(log(), HasSubstr("SWEEP_TEST_SET=new"));
  EXPECT_THAT(log(), ::testing::Not(HasSubstr("SWEEP_TEST_SET=old")));
}

TEST_F(ExecutorProcessTest, HasNoFilesButItsOwn) {
  const FileDescriptor open_here(::open("/dev/null", O_RDONLY));
  ExecutorProcess process(shell("exec ls /proc/self/fd"));
  ending(process);
  EXPECT_EQ(log(), "0\n1\n2\n3\n4\n") << "4 is the folder that ls reads";
}

TEST_F(ExecutorProcessTest, HasAGroupOfItsOwn) {
  ExecutorProcess process(shell("exec cut -d' ' -f1,5 /proc/self/stat"));
  ending(process);
  EXPECT_EQ(log(), concat(process.pid(), " ", process.pid(), "\n"));
}

TEST_F(ExecutorProcessTest, RunsOnItsCores) {
  cpu_set_t given;
  ASSERT_EQ(::sched_getaffinity(0, sizeof given, &given), 0);
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &given)) --last;
  auto options = shell("exec grep Cpus_allowed_list /proc/self/status");
  options.cores = {last};
  ExecutorProcess process(options);
  ending(process);
  EXPECT_THAT(log(), HasSubstr(concat("\t", last, "\n")));
}

TEST_F(ExecutorProcessTest, StartsWithAnEmptySignalMask) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ExecutorProcess process(shell("exec grep SigBlk /proc/self/status"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ending(process);
  EXPECT_THAT(log(), HasSubstr("0000000000000000"));
}

TEST_F(ExecutorProcessTest, TakesItsChildrenWithIt) {
  pid_t grandchild = 0;
  {
    ExecutorProcess process(shell("sleep 100 & echo $! >&3; wait"));
    const auto said = lines(process, 1);
    ASSERT_EQ(said.size(), 1U);
    grandchild = std::stoi(said.front());
    EXPECT_EQ(::kill(grandchild, 0), 0);
  }
  EXPECT_TRUE(wait_until([&] { return ::kill(grandchild, 0) != 0; }));
}

TEST_F(ExecutorProcessTest, DiesWithItsParent) {
  const auto pid_file = folder_ / "pid";
  const int status = sweep::test_support::in_child([&] {
    const auto* process = new ExecutorProcess(shell("sleep 100"));  // never destroyed
    write_atomically(pid_file, std::to_string(process->pid()));
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  const pid_t pid = std::stoi(read_text(pid_file));
  EXPECT_TRUE(wait_until([&] {
    std::error_code missing;
    // An orphan's last trace, a zombie, is gone once its new parent has seen it.
    return ::kill(pid, 0) != 0 ||
           read_text(concat("/proc/", pid, "/stat")).find(") Z") != std::string::npos;
  }));
}

TEST_F(ExecutorProcessTest, SilenceIsMeasuredFromTheLastWord) {
  ExecutorProcess process(shell("echo hello >&3; sleep 100"));
  lines(process, 1);
  EXPECT_LT(process.silence_s(), 0.1);
  std::this_thread::sleep_for(milliseconds(150));
  process.receive();
  EXPECT_GE(process.silence_s(), 0.15);
}

}  // namespace
}  // namespace sweep::cluster
