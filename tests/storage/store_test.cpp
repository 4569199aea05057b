#include "storage/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "core/text.hpp"
#include "storage/artifact_file.hpp"
#include "storage/journal.hpp"
#include "tests/storage/contents.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

namespace fs = std::filesystem;
using test_support::content_of;
using test_support::message_of;
using ::testing::HasSubstr;

double value_of(const Content& content) {
  return content.array("value").values<double>()[0];
}

void damage(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(700);
  file.put('!');
}

class StoreTest : public ::testing::Test {
 protected:
  std::size_t damaged_files() const {
    const fs::path folder = store_.root() / "damaged";
    return fs::exists(folder) ? std::distance(fs::directory_iterator(folder), {}) : 0;
  }

  const test_support::TemporaryFolder folder_;
  const Store store_{folder_ / "out"};
  const ArtifactId id_{ArtifactKind::model, std::string(64, 'a')};
};

TEST(ArtifactId, HasAShortNameForPeople) {
  EXPECT_EQ((ArtifactId{ArtifactKind::model, "1f2e3d4c5b6a"}.short_name()), "model 1f2e3d4c");
}

TEST(ArtifactKind, HasANameThatLeadsBackToIt) {
  for (int i = 0; i <= static_cast<int>(ArtifactKind::evaluation); ++i) {
    const auto kind = static_cast<ArtifactKind>(i);
    EXPECT_EQ(artifact_kind_from(to_string(kind)), kind);
  }
  EXPECT_THROW(artifact_kind_from("thing"), Error);
}

TEST_F(StoreTest, HoldsWhatWasPublished) {
  const StoreLock lock(store_);
  EXPECT_FALSE(store_.contains(id_));
  EXPECT_FALSE(store_.verify(id_));
  store_.publish(id_, content_of(1.5), lock.epoch());
  EXPECT_TRUE(store_.contains(id_));
  EXPECT_TRUE(store_.verify(id_));
  EXPECT_EQ(value_of(store_.read(id_)), 1.5);
  EXPECT_EQ(store_.artifact_path(id_), folder_ / "out/artifacts/model" / (id_.hash + ".h5"));
  store_.remove(id_);
  EXPECT_FALSE(store_.contains(id_));
  store_.remove(id_);
}

TEST_F(StoreTest, ReadingWhatIsNotThereIsAStorageError) {
  message_of([&] { store_.read(id_); }, FailureType::storage);
}

TEST_F(StoreTest, DamagedArtifactsAreSetAsideAndCanBeMadeAgain) {
  const StoreLock lock(store_);
  for (std::size_t times = 1; times <= 3; ++times) {
    store_.publish(id_, content_of(2), lock.epoch());
    damage(store_.artifact_path(id_));
    if (times % 2 == 1) {
      message_of([&] { store_.read(id_); }, FailureType::bad_data);
    } else {
      EXPECT_FALSE(store_.verify(id_));
    }
    EXPECT_FALSE(store_.contains(id_));
    EXPECT_EQ(damaged_files(), times) << "every one of them is kept";
  }
  store_.publish(id_, content_of(2), lock.epoch());
  EXPECT_TRUE(store_.verify(id_));
}

TEST_F(StoreTest, CheckpointsLiveUntilTheyAreRemoved) {
  const StoreLock lock(store_);
  EXPECT_FALSE(store_.read_checkpoint(id_));
  store_.write_checkpoint(id_, content_of(1), lock.epoch());
  store_.write_checkpoint(id_, content_of(2), lock.epoch());
  EXPECT_EQ(value_of(store_.read_checkpoint(id_).value()), 2);
  EXPECT_FALSE(store_.contains(id_)) << "a checkpoint is no artifact";
  store_.remove_checkpoint(id_);
  EXPECT_FALSE(store_.read_checkpoint(id_));
  store_.remove_checkpoint(id_);
}

TEST_F(StoreTest, DamagedCheckpointCountsAsNone) {
  const StoreLock lock(store_);
  store_.write_checkpoint(id_, content_of(1), lock.epoch());
  damage(store_.checkpoint_path(id_));
  EXPECT_FALSE(store_.read_checkpoint(id_));
  EXPECT_EQ(damaged_files(), 1u);
}

TEST_F(StoreTest, WhatCannotBeRemovedIsAStorageError) {
  create_folders(store_.artifact_path(id_) / "inside");
  EXPECT_THAT(message_of([&] { store_.remove(id_); }, FailureType::storage),
              HasSubstr("cannot remove"));
}

TEST_F(StoreTest, OlderRunMayNoLongerPublish) {
  std::int64_t old_epoch = 0;
  {
    const StoreLock old(store_);
    old_epoch = old.epoch();
    store_.publish(id_, content_of(1), old_epoch);
  }
  const StoreLock lock(store_);
  EXPECT_EQ(lock.epoch(), old_epoch + 1);
  const auto publish = [&] { store_.publish(id_, content_of(2), old_epoch); };
  EXPECT_THAT(message_of(publish, FailureType::storage),
              HasSubstr(concat("run number ", lock.epoch(), " has taken it over")));
  message_of([&] { store_.write_checkpoint(id_, content_of(2), old_epoch); }, FailureType::storage);
  EXPECT_EQ(value_of(store_.read(id_)), 1);
  store_.remove(id_);
  store_.publish(id_, content_of(3), lock.epoch());
  EXPECT_EQ(value_of(store_.read(id_)), 3);
}

TEST_F(StoreTest, WhatWasPublishedFirstStays) {
  const StoreLock lock(store_);
  store_.publish(id_, content_of(1), lock.epoch());
  store_.publish(id_, content_of(2), lock.epoch());
  EXPECT_EQ(value_of(store_.read(id_)), 1);
  damage(store_.artifact_path(id_));
  store_.publish(id_, content_of(2), lock.epoch());
  EXPECT_EQ(value_of(store_.read(id_)), 2) << "but for what is damaged";
  EXPECT_EQ(damaged_files(), 1u);
}

TEST_F(StoreTest, DamagedEpochIsTheUsersToMend) {
  StoreLock{store_};
  write_atomically(store_.root() / "epoch", "garbage");
  EXPECT_THAT(message_of([&] { StoreLock lock(store_); }), HasSubstr("does not hold a number"));
}

TEST_F(StoreTest, ToAskForTheHolderKeepsNobodyOut) {
  { const FolderLock makes_the_folder(store_); }
  std::atomic<bool> ended{false};
  std::thread asking([&] {
    while (!ended) lock_holder(store_);
  });
  int failures = 0;
  for (int i = 0; i < 200; ++i) {
    try {
      const FolderLock lock(store_);
    } catch (const InputError&) {
      ++failures;
    }
  }
  ended = true;
  asking.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(StoreTest, IsLockedAgainstOtherProcesses) {
  const StoreLock lock(store_);
  const pid_t owner = ::getpid();
  EXPECT_EQ(test_support::in_child([&] {
              EXPECT_THAT(message_of([&] { StoreLock second(store_); }),
                          HasSubstr(concat("is in use by another run (process ", owner, " on ")));
            }),
            0);
}

TEST_F(StoreTest, LockIsFreedWhenItsOwnerIsKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const StoreLock lock(store_);
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(message_of([&] { StoreLock lock(store_); }), HasSubstr(concat("process ", owner)));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_EQ(StoreLock(store_).epoch(), 2);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(StoreTest, LockRemovesWhatAKilledRunLeftHalfWritten) {
  const fs::path root = store_.root();
  const std::vector<fs::path> halves{
      root / "epoch.12-0.tmp", root / "artifacts/model/x.h5.12-3.tmp",
      root / "checkpoints/y.h5.9-0.tmp", root / "runs/one/plan.json.9-1.tmp"};
  const std::vector<fs::path> others{root / "thesis.tmp", root / "mine/z.h5.1-1.tmp",
                                     root / "runs/one/logs/notes.tmp"};
  for (const auto& list : {halves, others})
    for (const auto& path : list) {
      create_folders(path.parent_path());
      std::ofstream(path) << "half";
    }
  const StoreLock lock(store_);
  for (const auto& path : halves) EXPECT_FALSE(fs::exists(path)) << path;
  for (const auto& path : others) EXPECT_TRUE(fs::exists(path)) << path;
  EXPECT_FALSE(fs::exists(root / "probe"));
}

TEST_F(StoreTest, FolderThatCannotBeMadeIsTheUsersToMend) {
  write_atomically(folder_ / "file", "x");
  EXPECT_THAT(message_of([&] { StoreLock lock(Store(folder_ / "file/out")); }),
              HasSubstr("the output folder can't be used: cannot create the folder"));
  EXPECT_THAT(message_of([&] { StoreLock lock(Store("/proc/sweep_test/out")); }),
              HasSubstr("the output folder can't be used"));
}

TEST_F(StoreTest, PartsOfTheFolderThatCannotBeWrittenAreTheUsersToMend) {
  create_folders(store_.root() / "lock");
  EXPECT_THAT(message_of([&] { StoreLock lock(store_); }), HasSubstr("can't be used: cannot open"));
}

TEST_F(StoreTest, FullDiskIsFoundBeforeTheRunStarts) {
  EXPECT_EQ(test_support::in_child([&] {
              test_support::limit_file_size(100000);
              EXPECT_THAT(message_of([&] { StoreLock lock(store_); }),
                          HasSubstr("the output folder can't be used: cannot write"));
            }),
            0);
  for (const auto& entry : fs::recursive_directory_iterator(store_.root()))
    EXPECT_THAT(entry.path().filename(), ::testing::AnyOf("lock", "members"));
}

TEST_F(StoreTest, FullDiskLeavesNoHalfArtifact) {
  EXPECT_EQ(test_support::in_child([&] {
              const StoreLock lock(store_);
              test_support::limit_file_size(1000);
              EXPECT_THAT(message_of([&] { store_.publish(id_, content_of(1), lock.epoch()); },
                                     FailureType::storage),
                          HasSubstr("cannot write"));
              EXPECT_FALSE(store_.contains(id_));
            }),
            0);
  EXPECT_TRUE(fs::is_empty(store_.artifact_path(id_).parent_path()));
}

// A writer that is killed at any moment: the artifact is whole, or it is not there.
TEST_F(StoreTest, NoReaderSeesHalfAFileOfAKilledWriter) {
  Content content;
  content.arrays["value"] = Array::own(std::vector<double>(100000, 1.0), {100000});
  for (int delay_us : {0, 500, 1000, 2000, 3000, 5000, 8000, 12000}) {
    const StoreLock lock(store_);
    const pid_t writer = ::fork();
    if (writer == 0)
      for (;;) {
        store_.publish(id_, content, lock.epoch());
        store_.remove(id_);
      }
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    if (store_.contains(id_)) {
      EXPECT_TRUE(store_.verify(id_));
    }
  }
}

TEST_F(StoreTest, LinksOutOfTheStoreAreRefused) {
  const fs::path elsewhere = folder_ / "elsewhere";
  create_folders(elsewhere);
  create_folders(store_.root() / "artifacts");
  fs::create_directory_symlink(elsewhere, store_.root() / "artifacts/model");
  EXPECT_THAT(
      message_of([&] { store_.refuse_links(store_.artifact_path(id_)); }, FailureType::bad_input),
      HasSubstr("artifacts/model' is a link"));
  EXPECT_THAT(message_of([&] { StoreLock lock(store_); }, FailureType::bad_input),
              HasSubstr("artifacts/model' is a link"));
  store_.refuse_links(store_.checkpoint_path(id_));
}

TEST_F(StoreTest, ALockThatIsALinkLeavesAlone) {
  write_atomically(folder_ / "mine", "mine");
  create_folders(store_.root());
  fs::create_symlink(folder_ / "mine", store_.root() / "lock");
  EXPECT_THAT(message_of([&] { FolderLock lock(store_); }, FailureType::bad_input),
              HasSubstr("lock"));
  EXPECT_EQ(read_text(folder_ / "mine"), "mine");
}

TEST_F(StoreTest, ALinkIsNoArtifact) {
  const StoreLock lock(store_);
  store_.publish(id_, content_of(1.5), lock.epoch());
  fs::rename(store_.artifact_path(id_), folder_ / "moved");
  fs::create_symlink(folder_ / "moved", store_.artifact_path(id_));
  EXPECT_FALSE(store_.contains(id_));
  store_.publish(id_, content_of(2.5), lock.epoch());
  EXPECT_TRUE(store_.contains(id_));
  EXPECT_EQ(value_of(read_artifact(folder_ / "moved")), 1.5);
}

}  // namespace
}  // namespace sweep::storage
