#include "runner/inspect/trial_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/inspect/trial_report.hpp"
#include "tests/runner/inspect/small_run.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::inspect {
namespace {

using test_support::message_of;
using test_support::SmallRun;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

storage::Content evaluation(double accuracy) {
  storage::Content content;
  content.attributes["accuracy"] = accuracy;
  content.arrays["labels"] = storage::Array::own(std::vector<std::int64_t>{0, 1}, {2});
  return content;
}

class ListOfTrials : public ::testing::Test {
 protected:
  ListOfTrials() {
    files_.add_run();
    files_.make({SmallRun::dataset, SmallRun::attacker, SmallRun::set, SmallRun::model_0});
    files_.make(SmallRun::clean_0, evaluation(0.625));
    files_.make(SmallRun::attacked_0, evaluation(0.25));
    files_.make(SmallRun::clean_2, evaluation(0.75));
    files_.add("failed", SmallRun::model_1, {{"failure", "crash"}, {"message", "a,b"}});
  }
  TrialList list(const ListRequest& request = {}) { return list_trials(files_.view(), request); }
  std::vector<Json> ids(const ListRequest& request) {
    std::vector<Json> ids;
    for (const auto& row : list(request).rows) ids.push_back(row.front());
    return ids;
  }
  std::string refusal(const ListRequest& request) {
    return message_of([&] { list(request); });
  }

  SmallRun files_;
};

TEST_F(ListOfTrials, ShowsEveryTrial) {
  EXPECT_EQ(table_of(list(), true).text(),
            "id  label            state    seconds\n"
            "-------------------------------------\n"
            " 0  defended seed=0  done           0\n"
            " 1  defended seed=1  failed         0\n"
            " 2  none seed=0      waiting        0\n");
}

TEST_F(ListOfTrials, ChoosesByStateAndKey) {
  EXPECT_THAT(ids({.states = {"failed", "done"}}), ElementsAre(0, 1));
  EXPECT_THAT(ids({.where = {"defence.lambda_n=1e1"}}), ElementsAre(1));
  EXPECT_THAT(ids({.where = {"row=Defended", "training.epochs=2"}}), ElementsAre(0));
  EXPECT_THAT(ids({.where = {"clean=75"}}), ElementsAre(2));
  EXPECT_THAT(ids({.where = {"defence.lambda_n=many"}}), ElementsAre());
}

TEST_F(ListOfTrials, SortsByAnyKey) {
  EXPECT_THAT(ids({.sort = "-training.epochs"}), ElementsAre(2, 1, 0));
  EXPECT_THAT(ids({.sort = "label"}), ElementsAre(0, 1, 2));
  EXPECT_THAT(ids({.sort = "clean"}), ElementsAre(0, 2, 1));
  EXPECT_THAT(ids({.sort = "-clean"}), ElementsAre(2, 0, 1));  // what is not there stays behind
}

TEST_F(ListOfTrials, ShowsAccuraciesInPercent) {
  const auto found = list({.columns = {"id", "defence.lambda_n", "why"}, .metrics = true});
  EXPECT_THAT(found.keys, ElementsAre("id", "defence.lambda_n", "why", "clean", "fgsm"));
  EXPECT_THAT(found.rows[0], ElementsAre(0, 0.1, Json(), 62.5, 25.0));
  EXPECT_EQ(table_of(found, false).csv(),
            "id,defence.lambda_n,why,clean,fgsm\n"
            "0,0.1,,62.5,25\n"
            "1,10,\"train defended seed=1: crash: a,b\",,\n"
            "2,0,,75,\n");
  EXPECT_EQ(json_of(found)[2].dump(),
            R"({"clean":75.0,"defence.lambda_n":0.0,"fgsm":null,"id":2,"why":null})");
}

TEST_F(ListOfTrials, TellsWhichArtifactsAreDamaged) {
  files_.make(SmallRun::attacked_2);  // empty
  files_.make(SmallRun::clean_2, evaluation(7));
  const auto found = list({.metrics = true});
  ASSERT_EQ(found.problems.size(), 2U);
  EXPECT_THAT(found.problems, ::testing::Contains(HasSubstr("its checksum does not match")));
  EXPECT_THAT(found.problems, ::testing::Contains(HasSubstr("accuracy is not a number from 0")));
  EXPECT_TRUE(std::filesystem::exists(files_.artifact(SmallRun::attacked_2)));
}

TEST_F(ListOfTrials, RefusesWhatMakesNoSense) {
  EXPECT_THAT(refusal({.states = {"fail"}}), HasSubstr("did you mean 'failed'?"));
  EXPECT_THAT(refusal({.where = {"clean"}}), HasSubstr("it is not KEY=VALUE"));
  EXPECT_THAT(
      refusal({.where = {"defence.lambda=1"}}),
      HasSubstr("no trial has the key 'defence.lambda' (did you mean 'defence.lambda_n'?)"));
  EXPECT_THAT(refusal({.columns = {"epochs"}}), HasSubstr("--columns: no trial has"));
  EXPECT_THAT(refusal({.sort = "-sed"}), HasSubstr("--sort: no trial has the key 'sed'"));
}

TEST(TrialReport, ShowsTheTrainingThatIsDone) {
  const SmallRun files;
  files.add_run();
  storage::Content model;
  model.attributes = {{"device", "cpu"}, {"spec", "{}"}};
  model.arrays["history/loss"] = storage::Array::own(std::vector<double>{1.5, 0.5}, {2});
  model.arrays["state/weight"] = storage::Array::own(std::vector<float>{1, 2}, {2});
  files.make(SmallRun::dataset);
  files.make(SmallRun::model_0, model);
  files.make(SmallRun::clean_0, evaluation(0.5));
  files.add("started", SmallRun::model_0, {{"log", "x/model.log"}, {"attempt", 1}});
  files.add("done", SmallRun::model_0, {{"seconds", 61}});
  const Json trial = trial_json(files.view(), 0);
  EXPECT_EQ(trial.at("training").dump(), R"({"finished":true,"history":{"loss":[1.5,0.5]}})");
  EXPECT_EQ(trial.at("provenance").dump(), R"({"device":"cpu"})");
  EXPECT_EQ(trial.at("metrics").dump(), R"({"clean":50.0,"fgsm":null})");
  EXPECT_EQ(trial.at("tasks").size(), 8U);
  EXPECT_EQ(trial.at("files").at("artifacts").size(), 2U);
  const std::string text = trial_text(trial, false);
  for (const char* part :
       {"trial    0  defended seed=0\nrow      Defended\nstate    waiting\ntime     1 min 01 s\n",
        "  defence.lambda_n = 0.1\n", "epoch  loss\n", "    2   0.5\n", "  clean  50.00\n",
        "logs/model.log\n", "  device = cpu\n"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(TrialReport, ShowsTheCheckpointOfATrainingThatRuns) {
  const SmallRun files;
  const std::string progress = R"({"epoch": 12, "step": 0, "history": [)" +
                               std::string(R"({"loss": 0.75},)") +
                               [] {
                                 std::string more;
                                 for (int i = 0; i < 11; ++i)
                                   more += concat(i ? "," : "", R"({"loss": 0.5})");
                                 return more;
                               }() +
                               "]}";
  storage::Content checkpoint;
  checkpoint.arrays["progress"] =
      storage::Array::own(std::vector<std::uint8_t>(progress.begin(), progress.end()),
                          {static_cast<std::int64_t>(progress.size())});
  create_folders(files.out() / "checkpoints");
  storage::write_artifact(files.out() / "checkpoints/beef0000.h5", checkpoint);
  const Json trial = trial_json(files.view(), 0);
  EXPECT_EQ(trial.at("training").at("finished"), false);
  EXPECT_EQ(trial.at("training").at("history").at("loss").size(), 12U);
  EXPECT_EQ(trial.at("files").at("checkpoints").size(), 1U);
  EXPECT_THAT(trial_text(trial, false), HasSubstr("and 2 earlier epochs"));
  EXPECT_THAT(trial_text(trial, false), Not(HasSubstr("0.75")));
  EXPECT_THAT(trial_text(trial, true), HasSubstr("    1  0.75\n"));
}

TEST(TrialReport, SurvivesADamagedModel) {
  const SmallRun files;
  files.make(SmallRun::model_0);
  const Json trial = trial_json(files.view(), 0);
  ASSERT_EQ(trial.at("problems").size(), 1U);
  EXPECT_THAT(trial.at("problems")[0].get<std::string>(), HasSubstr("is damaged"));
  EXPECT_TRUE(trial.at("training").is_null());
}

}  // namespace
}  // namespace sweep::inspect
