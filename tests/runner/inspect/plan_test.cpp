#include "runner/inspect/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "runner/inspect/select.hpp"
#include "tests/runner/inspect/small_run.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::inspect {
namespace {

using test_support::message_of;
using test_support::SmallRun;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InspectedPlan : public ::testing::Test {
 protected:
  std::string refusal(const std::string& text) {
    run_.write_plan(text);
    return message_of([&] { read(); });
  }
  std::string refusal_with(const std::string& pointer, const Json& value) {
    Json plan = SmallRun::small_plan();
    plan[Json::json_pointer(pointer)] = value;
    return refusal(plan.dump());
  }
  Plan read() { return read_plan(run_.path() / "plan.json"); }

  SmallRun run_;
};

TEST_F(InspectedPlan, HasTasksAndTrials) {
  const Plan plan = read();
  EXPECT_EQ(plan.columns, (std::vector<std::string>{"clean", "fgsm"}));
  ASSERT_EQ(plan.trials.size(), 3U);
  EXPECT_EQ(plan.trials[1].row, "Defended");
  EXPECT_EQ(plan.trials[1].evaluations.at("fgsm"), SmallRun::attacked_1);
  EXPECT_THAT(needed_tasks(plan, plan.trials[1]), ElementsAre(0, 1, 2, 3, 4, 8, 9, 10));
  EXPECT_THAT(models_of(plan, plan.trials[2]), ElementsAre(SmallRun::attacker));
}

TEST_F(InspectedPlan, RefusesWhatIsNoPlan) {
  for (const char* text : {"", "{", "[]", "null", "\xff\xfe"})
    EXPECT_THAT(refusal(text), HasSubstr("is damaged (it is not a JSON object)")) << text;
  EXPECT_THAT(refusal("{}"), HasSubstr("has version null (this program reads 3)"));
  EXPECT_THAT(refusal(R"({"version": 3})"), HasSubstr("table is missing"));
}

TEST_F(InspectedPlan, RefusesWhatIsNestedTooDeeply) {
  const std::string deep =
      R"({"version": 3, "x": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(refusal(deep), HasSubstr("is damaged (it is not a JSON object)"));
}

TEST_F(InspectedPlan, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(refusal_with("/tasks/1/kind", "modell"),
              HasSubstr("tasks[1].kind is not the kind of an artifact"));
  EXPECT_THAT(refusal_with("/tasks/1/inputs/0", 1),
              HasSubstr("tasks[1].inputs[0] is not the index of a task that stands before"));
  EXPECT_THAT(refusal_with("/tasks/1/inputs/0", -1), HasSubstr("tasks[1].inputs[0] is not"));
  EXPECT_THAT(refusal_with("/tasks/1/inputs", "all"), HasSubstr("tasks[1].inputs is not a list"));
  EXPECT_THAT(refusal_with("/tasks/1/hash", "da7a"), HasSubstr("two tasks have it"));
  EXPECT_THAT(refusal_with("/tasks/1/cost", "much"), HasSubstr("tasks[1].cost is not a number"));
  EXPECT_THAT(refusal_with("/table/rows/0/trials/0/id", 1e30), HasSubstr("trials[0].id is not"));
  EXPECT_THAT(refusal_with("/table/rows/0/trials/0/evaluations/clean", "feed"),
              HasSubstr("evaluations.clean is not the artifact of a task"));
}

TEST_F(InspectedPlan, RefusesNamesThatLeaveTheStore) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "..", "", "a/b", ".hidden"})
    EXPECT_THAT(refusal_with("/tasks/1/hash", name),
                HasSubstr("tasks[1].hash is not the name of an artifact"))
        << name;
}

TEST_F(InspectedPlan, IsNotReadFromAPipe) {
  std::filesystem::remove(run_.path() / "plan.json");
  ASSERT_EQ(::mkfifo((run_.path() / "plan.json").c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { read(); }), HasSubstr("is not a file"));
}

TEST_F(InspectedPlan, FindsATrialByItsNames) {
  const Plan plan = read();
  EXPECT_EQ(find_trial(plan, "1"), 1U);
  EXPECT_EQ(find_trial(plan, "defended seed=1"), 1U);
  EXPECT_EQ(find_trial(plan, "NA"), 2U);
  EXPECT_EQ(find_trial(plan, "beef1"), 1U);
  EXPECT_EQ(find_trial(plan, "a77a"), 2U);
}

TEST_F(InspectedPlan, SaysWhichTrialsANameMayMean) {
  const Plan plan = read();
  const auto refused = [&](const std::string& name) {
    return message_of([&] { find_trial(plan, name); });
  };
  EXPECT_THAT(refused("Defended"),
              HasSubstr("'Defended' means 2 trials: 0 'defended seed=0', 1 'defended seed=1'"));
  EXPECT_THAT(refused("beef"), HasSubstr("'beef' means 2 trials"));
  EXPECT_THAT(refused("seed=1"), HasSubstr("did you mean 1 'defended seed=1'?"));
  EXPECT_THAT(refused("defendet seed=0"), HasSubstr("did you mean 'defended seed=0'?"));
  EXPECT_THAT(refused("7"), HasSubstr("there is no trial '7' (it has 3 trials)"));
  EXPECT_THAT(refused("a77"), HasSubstr("there is no trial 'a77'"));  // too short for a hash
  EXPECT_THAT(refused("\x1b[2J"), HasSubstr("there is no trial ' [2J'"));
}

}  // namespace
}  // namespace sweep::inspect
