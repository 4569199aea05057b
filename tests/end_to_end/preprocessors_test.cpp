// Table 4 shrunk to seconds: preprocessors, their training sets and white-box columns, as a user
// runs them.

#include <gtest/gtest.h>

#include <algorithm>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"
#include "tests/end_to_end/same_results.hpp"

namespace sweep::test_support {
namespace {

std::string shrunk_table4(const std::filesystem::path& out, int ranks,
                          const std::string& more = "") {
  return concat(
      (binaries() / "sweep_runner").string(), " --np ", ranks, " ",
      (sources() / "sweeps/quick/table4.toml").string(), " --out ", out.string(),
      " --set dataset.image_size=32 --set dataset.train_per_class=4"
      " --set dataset.test_per_class=3 --set training.epochs=1 --set training.batch_size=8"
      " --set attacks.cw.iterations=2 --set attacks.cw.binary_search_steps=1"
      " --set attacks.ifgsm10_eps4.steps=2 --set attacks.ifgsm10_eps8.steps=2"
      " --set preprocessor.reformer.epochs=2 --set preprocessor.hgd.epochs=1"
      " --set preprocessor.hgd.width=2 --set run.threads=1 ",
      more);
}

/// The last run's plan.
Json plan_of(const std::filesystem::path& out) {
  return Json::parse(read_text(out / "runs/quick_table4/plan.json"));
}

storage::Content artifact(const std::filesystem::path& out, const std::string& kind,
                          const std::string& hash) {
  return storage::read_artifact(out / "artifacts" / kind / (hash + ".h5"));
}

const Json& row_of(const Json& plan, const std::string& label) {
  const Json& rows = plan.at("table").at("rows");
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const Json& row) { return row.at("label") == label; });
}

TEST(Preprocessors, GiveTheSameResultsOnAnyNumberOfRanksAndInAnyShards) {
  const TemporaryFolder folder;
  const Outcome one = run_shell(shrunk_table4(folder / "one", 1));
  ASSERT_EQ(one.status, 0) << one.output;
  const Outcome two = run_shell(shrunk_table4(folder / "two", 2, "--set run.shard_size=5"));
  ASSERT_EQ(two.status, 0) << two.output;
  expect_same_results(folder / "one", folder / "two");

  const Json plan = plan_of(folder / "one");
  const auto evaluation = [&](const std::string& row, const std::string& column) {
    const Json& trial = row_of(plan, row).at("trials").front();
    return artifact(folder / "one", "evaluation",
                    trial.at("evaluations").at(column).get<std::string>());
  };
  const auto differ = [](const storage::Content& a, const storage::Content& b) {
    const auto x = a.array("logits").values<float>(), y = b.array("logits").values<float>();
    return !std::equal(x.begin(), x.end(), y.begin());
  };
  EXPECT_TRUE(differ(evaluation("NA", "clean"), evaluation("R", "clean")))
      << "one classifier, without and with a reformer before it";
  EXPECT_TRUE(differ(evaluation("R", "ifgsm10_eps8"), evaluation("R", "ifgsm10_eps8_whitebox")));

  // What a white-box set says of its model is what the evaluation finds.
  const Json& trial = row_of(plan, "HGD* + L_n").at("trials").front();
  const auto set =
      artifact(folder / "one", "adversarial_set",
               trial.at("adversarial_sets").at("ifgsm10_eps8_whitebox").get<std::string>());
  const auto predicted = set.array("predictions").values<std::int64_t>();
  const auto evaluated = evaluation("HGD* + L_n", "ifgsm10_eps8_whitebox");
  const auto found = evaluated.array("predictions").values<std::int64_t>();
  EXPECT_TRUE(std::equal(predicted.begin(), predicted.end(), found.begin(), found.end()));
}

TEST(Pixels, AreRoundedBeforeAModelSeesThem) {
  const TemporaryFolder folder;
  const std::string command = concat(
      (binaries() / "sweep_runner").string(), " ",
      (sources() / "sweeps/quick/table2.toml").string(), " --out ", (folder / "out").string(),
      " --set dataset.image_size=32 --set dataset.train_per_class=4 --set dataset.test_per_class=3"
      " --set training.epochs=1 --set attacks.cw.iterations=2 --set table.white_box=false"
      " --set run.threads=1 ");
  ASSERT_EQ(run_shell(command).status, 0);
  const auto logits = [&] {
    const Json plan = Json::parse(read_text(folder / "out/runs/quick_table2/plan.json"));
    const Json& trial = row_of(plan, "L_n 1").at("trials").front();
    const auto evaluation =
        artifact(folder / "out", "evaluation", trial.at("evaluations").at("cw").get<std::string>());
    const auto values = evaluation.array("logits").values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  const auto exact = logits();
  const Outcome rounded = run_shell(command + "--set table.pixels=uint8");
  ASSERT_EQ(rounded.status, 0) << rounded.output;
  EXPECT_NE(logits(), exact);
  EXPECT_EQ(rounded.output.find("train "), std::string::npos) << "only evaluations are made anew";
}

}  // namespace
}  // namespace sweep::test_support
