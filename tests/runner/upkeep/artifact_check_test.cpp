#include "runner/upkeep/artifact_check.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "runner/upkeep/store_scan.hpp"
#include "storage/artifact_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::upkeep {
namespace {

constexpr int kArtifacts = 24;

class ArtifactCheck : public ::testing::Test {
 protected:
  /// Every fourth is damaged.
  void SetUp() override {
    for (int i = 0; i < kArtifacts; ++i) {
      const std::string spec = concat(R"({"kind":"model","seed":)", i, "}");
      const storage::ArtifactId id{storage::ArtifactKind::model, sha256(spec)};
      storage::Content content;
      content.attributes = {{"kind", "model"}, {"name", id.hash}, {"spec", spec}};
      create_folders(store_.artifact_path(id).parent_path());
      storage::write_artifact(store_.artifact_path(id), content);
      if (i % 4 != 0) continue;
      std::fstream file(store_.artifact_path(id), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(600).put('\x7f');
    }
  }
  std::vector<bool> faults(int jobs) const {
    std::vector<bool> found;
    for (const auto& result : check_artifacts(scan_store(store_).artifacts, jobs, {}))
      found.push_back(result.fault.has_value());
    return found;
  }

  const sweep::test_support::TemporaryFolder folder_;
  const storage::Store store_{folder_ / "out"};
};

TEST_F(ArtifactCheck, GivesTheSameForAnyNumberOfThreads) {
  const auto alone = faults(1);
  EXPECT_EQ(std::count(alone.begin(), alone.end(), true), kArtifacts / 4);
  for (const int jobs : {2, 5, 64}) EXPECT_EQ(faults(jobs), alone) << jobs;
}

}  // namespace
}  // namespace sweep::upkeep
