#include "core/atomic_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>

#include "core/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using test_support::message_of;
using test_support::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string storage_message(const std::function<void()>& action) {
  return message_of(action, FailureType::storage);
}

TEST(WriteAtomically, ReplacesTheWholeFile) {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "a long old text");
  write_atomically(folder / "a", "new");
  EXPECT_EQ(read_text(folder / "a"), "new");
  write_atomically(folder / "a", "");
  EXPECT_EQ(read_text(folder / "a"), "");
  EXPECT_THAT(files_in(folder.path()), ElementsAre("a"));
}

TEST(WriteAtomically, WritesPiecesInTheirOrder) {
  const TemporaryFolder folder;
  const std::string one(100000, '1'), two, three = "3";
  const std::array pieces{std::as_bytes(std::span(one)), std::as_bytes(std::span(two)),
                          std::as_bytes(std::span(three))};
  write_atomically(folder / "a", pieces);
  EXPECT_EQ(read_text(folder / "a"), one + "3");
}

TEST(WriteAtomically, FilesAreReadableByOthers) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(022);
  write_atomically(folder / "a", "text");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST(WriteAtomically, AcceptsABareFileName) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_atomically("bare", "text");
  fs::current_path(before);
  EXPECT_EQ(read_text(folder / "bare"), "text");
}

TEST(WriteAtomically, FullDiskLeavesTheOldFileAndNoTemporary) {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  EXPECT_EQ(test_support::in_child([&] {
              test_support::limit_file_size(1000);
              const std::string message =
                  storage_message([&] { write_atomically(folder / "a", std::string(5000, 'x')); });
              EXPECT_THAT(message, HasSubstr("cannot write"));
            }),
            0);
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_THAT(files_in(folder.path()), ElementsAre("a"));
}

TEST(WriteAtomically, FailedRenameLeavesNoTemporary) {
  const TemporaryFolder folder;
  create_folders(folder / "taken/inside");
  EXPECT_THAT(storage_message([&] { write_atomically(folder / "taken", "x"); }),
              HasSubstr("cannot rename to"));
  EXPECT_THAT(files_in(folder.path()), ElementsAre("taken"));
}

TEST(WriteAtomically, NamesTheFolderThatCannotBeWritten) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "x");
  EXPECT_THAT(storage_message([&] { write_atomically(folder / "file/below", "x"); }),
              HasSubstr("Not a directory"));
  EXPECT_THAT(storage_message([&] { write_atomically(folder / "none/below", "x"); }),
              HasSubstr("No such file or directory"));
}

// In a container a process gets the number of the one that was killed before it.
TEST(WriteAtomically, IsNotHinderedByTemporariesOfTheSameName) {
  const TemporaryFolder folder;
  for (int n = 0; n < 500; ++n)
    std::ofstream(folder / concat("a.", ::getpid(), "-", n, ".tmp")) << "left behind";
  write_atomically(folder / "a", "new");
  EXPECT_EQ(read_text(folder / "a"), "new");
}

TEST(WriteAll, ReportsAFullDevice) {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const std::string text = "x";
  EXPECT_THAT(storage_message([&] { write_all(full.get(), std::as_bytes(std::span(text)), "f"); }),
              HasSubstr("cannot write 'f' (No space left on device); free space there"));
}

TEST(IsTemporary, KnowsItsOwnNamesOnly) {
  EXPECT_TRUE(is_temporary("folder/model.h5.123-4.tmp"));
  for (const char* other : {"thesis.tmp", "a.h5", ".1-2.tmp", "a.1-2.tmp.h5", "a.12.tmp"})
    EXPECT_FALSE(is_temporary(other)) << other;
}

TEST(CreateFolders, CreatesParentsAndAcceptsWhatIsThere) {
  const TemporaryFolder folder;
  create_folders(folder / "a/b/c");
  create_folders(folder / "a/b/c/");
  create_folders(folder / "x/");
  create_folders("");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(fs::is_directory(folder / "x"));
}

TEST(CreateFolders, FailsBelowAFile) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "x");
  EXPECT_THAT(storage_message([&] { create_folders(folder / "file"); }), HasSubstr("File exists"));
  EXPECT_THAT(storage_message([&] { create_folders(folder / "file/a/b"); }),
              HasSubstr("cannot create the folder"));
}

TEST(ReadText, FailsForWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(storage_message([&] { read_text(folder / "none"); }), HasSubstr("cannot read"));
  EXPECT_THAT(storage_message([&] { read_text(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(FileDescriptor, ClosesOnceWhoeverOwnsIt) {
  const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) >= 0; };
  FileDescriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = first.get();
  {
    const FileDescriptor second(std::move(first));
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace sweep
