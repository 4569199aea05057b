#include "storage/members.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <set>

#include "core/text.hpp"
#include "storage/store.hpp"
#include "tests/storage/contents.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

namespace fs = std::filesystem;
using test_support::content_of;
using test_support::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kHash(64, 'a');

/// A process that does something with a lock of its own, says so, and waits to be killed.
class Member {
 public:
  template <class Action>
  Member(const Store& store, Action action) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      try {
        const StoreLock lock(store, Access::joined, "other");
        action(lock);
        (void)!::write(ready[1], "x", 1);
        for (;;) ::pause();
      } catch (const std::exception& error) {
        ::_exit(1);
      }
    }
    ::close(ready[1]);
    char byte = 0;
    began_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member() { kill(); }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  bool began() const { return began_; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  bool began_ = false;
};

/// Claims and releases; true when it never met anybody inside, and was there itself.
bool claim_again_and_again(const Store& store, int times, const fs::path& inside) {
  try {
    const StoreLock lock(store, Access::joined);
    for (int won = 0; won < times;) {
      lock.member().remove_dead();
      if (!lock.member().claim(kHash)) {
        ::usleep(50);
        continue;
      }
      if (::mkdir(inside.c_str(), 0700) != 0) return false;
      ::usleep(200);
      if (::rmdir(inside.c_str()) != 0) return false;
      lock.member().release(kHash);
      ++won;
    }
    return true;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
    return false;
  }
}

class MembersTest : public ::testing::Test {
 protected:
  static StoreLock joined(const Store& store) { return StoreLock(store, Access::joined); }

  const test_support::TemporaryFolder folder_;
  const Store store_{folder_ / "out"};
  const ArtifactId id_{ArtifactKind::model, kHash};
};

TEST_F(MembersTest, ThoseThatJoinHaveNumbersOfTheirOwnAndAreNamed) {
  const StoreLock first(store_, Access::joined, "one");
  const StoreLock second(store_, Access::joined, "two");
  EXPECT_EQ(first.epoch(), 1);
  EXPECT_EQ(second.epoch(), 2);
  EXPECT_THAT(living_members(store_.root()), SizeIs(2));
  EXPECT_THAT(lock_holder(store_).value(), HasSubstr("sweep 'two'"));
  store_.publish(id_, content_of(1), first.epoch());
  store_.write_checkpoint(id_, content_of(1), second.epoch());
}

TEST_F(MembersTest, WhoIsAloneAndWhoSharesKeepEachOtherOut) {
  {
    const StoreLock shared(store_, Access::joined, "one");
    EXPECT_THAT(message_of([&] { StoreLock alone(store_); }),
                HasSubstr(concat("in use by another run (process ", ::getpid())));
    message_of([&] { FolderLock mends(store_); });
  }
  EXPECT_FALSE(lock_holder(store_));
  {
    const StoreLock alone(store_);
    message_of([&] { joined(store_); });
  }
  const FolderLock mends(store_);
  EXPECT_THAT(message_of([&] { joined(store_); }), HasSubstr(concat("process ", ::getpid())));
}

TEST_F(MembersTest, AnArtifactIsClaimedByOneUntilItIsReleased) {
  const StoreLock a(store_, Access::joined), b(store_, Access::joined);
  EXPECT_TRUE(a.member().claim(kHash));
  EXPECT_TRUE(a.member().claim(kHash)) << "it is its own";
  EXPECT_FALSE(b.member().claim(kHash));
  EXPECT_TRUE(b.member().is_claimed(kHash));
  b.member().release(kHash);
  EXPECT_FALSE(b.member().claim(kHash)) << "nobody releases what others have claimed";
  EXPECT_THAT(b.member().remove_dead(), IsEmpty());
  a.member().release(kHash);
  EXPECT_FALSE(a.member().is_claimed(kHash));
  EXPECT_TRUE(b.member().claim(kHash));
}

TEST_F(MembersTest, WhoEndsGivesUpWhatItHasClaimed) {
  const StoreLock stays(store_, Access::joined);
  {
    const StoreLock ends(store_, Access::joined);
    ASSERT_TRUE(ends.member().claim(kHash));
    ASSERT_TRUE(stays.member().claim("b"));
  }
  EXPECT_TRUE(stays.member().claim(kHash));
  EXPECT_TRUE(stays.member().is_claimed("b"));
  EXPECT_FALSE(is_member(store_.root(), 2));
}

TEST_F(MembersTest, WhatTheDeadHaveClaimedIsFreeAndTheyPublishNothing) {
  Member victim(store_, [](const StoreLock& lock) { lock.member().claim(kHash); });
  ASSERT_TRUE(victim.began());
  const StoreLock heir(store_, Access::joined);
  EXPECT_THAT(heir.member().remove_dead(), IsEmpty());
  EXPECT_FALSE(heir.member().claim(kHash));
  ::kill(victim.pid(), SIGSTOP);  // stopped is not dead
  EXPECT_THAT(heir.member().remove_dead(), IsEmpty());
  victim.kill();
  EXPECT_FALSE(heir.member().claim(kHash));
  EXPECT_THAT(heir.member().remove_dead(), ElementsAre(1));
  EXPECT_TRUE(heir.member().claim(kHash));
  EXPECT_THAT(message_of([&] { store_.publish(id_, content_of(1), 1); }, FailureType::storage),
              HasSubstr("run number 1 may no longer write"));
  message_of([&] { store_.write_checkpoint(id_, content_of(1), 1); }, FailureType::storage);
  EXPECT_FALSE(store_.contains(id_));
}

TEST_F(MembersTest, TheNextRunFindsTheDead) {
  {
    Member victim(store_, [](const StoreLock& lock) { lock.member().claim(kHash); });
    ASSERT_TRUE(victim.began());
  }
  const StoreLock alone(store_);
  EXPECT_EQ(alone.epoch(), 2);
  EXPECT_FALSE(is_member(store_.root(), 1));
  EXPECT_TRUE(fs::is_empty(store_.root() / "claims"));
}

// Where locks don't reach other hosts, one that lives is taken for dead.
TEST_F(MembersTest, OneThatWasRemovedClaimsNothingAndKeepsNobodyFromAnything) {
  const StoreLock removed(store_, Access::joined), other(store_, Access::joined);
  ASSERT_TRUE(removed.member().claim(kHash));
  fs::remove(store_.root() / "members/1");
  EXPECT_FALSE(removed.member().claim("b"));
  message_of([&] { store_.publish(id_, content_of(1), removed.epoch()); }, FailureType::storage);
  other.member().remove_dead();
  ASSERT_TRUE(other.member().claim(kHash));
  removed.member().release(kHash);
  EXPECT_TRUE(other.member().is_claimed(kHash)) << "it was the other's";
  EXPECT_EQ(joined(store_).epoch(), 3) << "numbers are never used again";
}

TEST_F(MembersTest, ANumberThatIsTakenIsLeftOut) {
  { const StoreLock first(store_); }
  fs::create_directories(store_.root() / "members");
  fs::remove(store_.root() / "epoch");
  const StoreLock shared(store_, Access::joined);
  write_atomically(store_.root() / "epoch", "0\n");
  EXPECT_EQ(joined(store_).epoch(), shared.epoch() + 1);
}

TEST_F(MembersTest, ClaimsThatNobodyCanHaveMadeAreRemoved) {
  fs::create_directories(store_.root() / "claims");
  for (const char* text : {"", "{}", "garbage", R"({"epoch": "x"})", R"({"epoch": 77})"})
    write_atomically(store_.root() / "claims" / concat("c", std::string(text).size()), text);
  const StoreLock lock(store_, Access::joined);
  EXPECT_TRUE(fs::is_empty(store_.root() / "claims"));
}

TEST_F(MembersTest, HalfWrittenFilesOfTheLivingStay) {
  const StoreLock first(store_, Access::joined);
  const fs::path half = store_.root() / "artifacts/model/x.h5.12-3.tmp";
  fs::create_directories(half.parent_path());
  write_atomically(half, "half");
  const StoreLock second(store_, Access::joined);
  EXPECT_TRUE(fs::exists(half));
}

TEST_F(MembersTest, OfManyThatClaimAtOnceOneWins) {
  constexpr int kProcesses = 4, kTimes = 100;
  const fs::path inside = folder_ / "inside";
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) ::_exit(claim_again_and_again(store_, kTimes, inside) ? 0 : 1);
  }
  for (const auto child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

// One after the other is killed with what it has claimed; the others go on.
TEST_F(MembersTest, WhoeverIsKilledLeavesNothingClaimed) {
  for (int times = 0; times < 5; ++times) {
    const StoreLock watcher(store_, Access::joined);
    std::vector<std::unique_ptr<Member>> others;
    for (int i = 0; i < 3; ++i)
      others.push_back(std::make_unique<Member>(
          store_, [&](const StoreLock& lock) { lock.member().claim(concat("task", i)); }));
    others[1]->kill();
    EXPECT_THAT(watcher.member().remove_dead(), SizeIs(1));
    EXPECT_FALSE(watcher.member().claim("task0"));
    EXPECT_TRUE(watcher.member().claim("task1"));
    EXPECT_FALSE(watcher.member().claim("task2"));
  }
  std::set<std::string> left;
  const StoreLock last(store_);
  for (const auto& claim : fs::directory_iterator(store_.root() / "claims"))
    left.insert(claim.path().filename());
  EXPECT_THAT(left, IsEmpty());
}

}  // namespace
}  // namespace sweep::storage
