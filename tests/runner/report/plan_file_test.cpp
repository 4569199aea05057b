#include "runner/report/plan_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/error.hpp"
#include "runner/report/load.hpp"
#include "runner/report/missing.hpp"
#include "tests/runner/report/small_store.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::report {
namespace {

using test_support::message_of;
using ::testing::HasSubstr;

class PlanFile : public ::testing::Test {
 protected:
  std::string refusal(const std::string& text) {
    files_.write_plan("small", text);
    return message_of([&] { load_plan(files_.store(), "small"); });
  }

  /// Of the small plan with one value changed.
  std::string refusal_with(const std::string& pointer, const Json& value) {
    Json plan = SmallStore::plan();
    plan.at(Json::json_pointer(pointer)) = value;
    return refusal(plan.dump());
  }

  SmallStore files_;
};

TEST_F(PlanFile, HoldsWhatThePlannerSays) {
  files_.write_plan("small", SmallStore::plan().dump());
  const Plan plan = load_plan(files_.store(), "small");
  EXPECT_EQ(plan.title, "A small table");
  EXPECT_TRUE(plan.rows[0].baseline);
  EXPECT_TRUE(plan.rows[1].control);
  EXPECT_EQ(plan.rows[1].trials[1].evaluations.at("cw"), "c2.cw");
  EXPECT_EQ(plan.rows[1].trials[1].adversarial_sets.at("cw"), "set");
  EXPECT_EQ(plan.rows[1].trials[1].spec, SmallStore::spec(2));
  EXPECT_EQ(plan.columns[1].adversarial_set, "set");
  EXPECT_EQ(plan.datasets, std::vector<std::string>{"data"});
}

TEST_F(PlanFile, RefusesWhatIsNoPlan) {
  for (const char* text : {"", "{", "[]", "null", "3", "{\"version\": 2", "\xff\xfe", "1e999"})
    EXPECT_THAT(refusal(text), HasSubstr("is damaged (it is not a JSON object)")) << text;
}

TEST_F(PlanFile, RefusesOtherVersions) {
  EXPECT_THAT(refusal("{}"), HasSubstr("has version null"));
  EXPECT_THAT(refusal(R"({"version": 1, "table": {}})"),
              HasSubstr("has version 1 (this program reads 3); use the aggregate_results of the "
                        "same release"));
  EXPECT_THAT(refusal(R"({"version": "2"})"), HasSubstr("has version \"2\""));
}

TEST_F(PlanFile, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(refusal_with("/table/title", 1), HasSubstr("table.title is not a text"));
  EXPECT_THAT(refusal_with("/table/columns/1/pixels", "uint16"),
              HasSubstr("table.columns[1].pixels is not \"float32\" or \"uint8\""));
  EXPECT_THAT(refusal_with("/table/columns/1/label", "clean"), HasSubstr("two columns have it"));
  EXPECT_THAT(refusal_with("/table/columns/1/attack", "cw"),
              HasSubstr("table.columns[1].attack is not a table"));
  EXPECT_THAT(refusal_with("/table/rows/0/published/cw", 101),
              HasSubstr("table.rows[0].published.cw is not a number from 0 to 100"));
  EXPECT_THAT(refusal_with("/table/rows/0/published/cw", 1e300), HasSubstr("0 to 100"));
  EXPECT_THAT(refusal_with("/table/rows/0/trials/0/seed", 18446744073709551615ULL),
              HasSubstr("table.rows[0].trials[0].seed is not an integer of 64 bit"));
  EXPECT_THAT(refusal_with("/table/rows/0/trials/0/seed", 1.5), HasSubstr("seed is not"));
}

/// They become names of files.
TEST_F(PlanFile, RefusesNamesThatLeaveTheStore) {
  for (const char* hash : {"../../secret", "/etc/passwd", "..", "", "a/b", ".hidden", "a\nb"}) {
    EXPECT_THAT(refusal_with("/table/rows/0/trials/0/evaluations/cw", hash),
                HasSubstr("evaluations.cw is not the name of an artifact"));
    EXPECT_THAT(refusal_with("/table/columns/1/adversarial_set", hash), HasSubstr("name of an"));
    EXPECT_THAT(refusal_with("/datasets/0", hash), HasSubstr("datasets[0] is not the name"));
  }
}

/// Every value of the plan, replaced by each type in turn, and left out: an error or a plan, never
/// a crash.
TEST_F(PlanFile, SurvivesEveryWrongType) {
  const Json plan = SmallStore::plan(), flat = plan.flatten();
  std::set<std::string> places;
  for (const auto& [pointer, leaf] : flat.items())
    for (auto path = Json::json_pointer(pointer); !path.empty(); path.pop_back())
      places.insert(path.to_string());
  files_.write_plan("small", plan.dump());
  int refused = 0, tried = 0;
  for (const auto& place : places)
    for (const Json& value :
         {Json(), Json(-1), Json(1e308), Json("../x"), Json::array({1}), Json::object()}) {
      Json changed = plan;
      changed.at(Json::json_pointer(place)) = value;
      std::ofstream(files_.store().run_folder("small") / "plan.json") << changed.dump();
      ++tried;
      try {
        Artifacts artifacts(files_.store());
        const Plan read = load_plan(files_.store(), "small");
        filling_sweep(read, load_table(read, artifacts));
      } catch (const InputError& error) {
        ++refused;
        EXPECT_THAT(error.what(), HasSubstr("plan.json"));
      }
    }
  EXPECT_GT(refused, tried / 3);
}

TEST_F(PlanFile, RefusesEveryMissingKey) {
  const Json plan = SmallStore::plan();
  const std::vector<std::string> pointers{"/datasets",
                                          "/sweep",
                                          "/resolved",
                                          "/resolved/attacker",
                                          "/resolved/attackers",
                                          "/resolved/attacks",
                                          "/resolved/columns",
                                          "/table",
                                          "/table/title",
                                          "/table/row_keys",
                                          "/table/columns",
                                          "/table/columns/1/label",
                                          "/table/columns/1/attack",
                                          "/table/columns/1/attacker",
                                          "/table/columns/1/pixels",
                                          "/table/columns/1/adversarial_set",
                                          "/table/rows",
                                          "/table/rows/0/label",
                                          "/table/rows/0/group",
                                          "/table/rows/0/control",
                                          "/table/rows/0/baseline",
                                          "/table/rows/0/keys",
                                          "/table/rows/0/published",
                                          "/table/rows/0/trials",
                                          "/table/rows/0/trials/0/seed",
                                          "/table/rows/0/trials/0/spec",
                                          "/table/rows/0/trials/0/evaluations",
                                          "/table/rows/0/trials/0/adversarial_sets"};
  for (const auto& text : pointers) {
    const Json::json_pointer pointer(text);
    Json changed = plan;
    changed.at(pointer.parent_pointer()).erase(pointer.back());
    EXPECT_THAT(refusal(changed.dump()), HasSubstr(" is missing)")) << text;
  }
}

TEST_F(PlanFile, RefusesDeepNesting) {
  const std::size_t depth = 1'000'000;
  EXPECT_THAT(refusal(std::string(depth, '[') + std::string(depth, ']')), HasSubstr("is damaged"));
  std::string nested;
  for (std::size_t i = 0; i < depth; ++i) nested += "{\"a\":";
  EXPECT_THAT(refusal(nested + "1" + std::string(depth, '}')), HasSubstr("is damaged"));
}

TEST_F(PlanFile, RefusesTablesBeyondMeasure) {
  Json plan = SmallStore::plan();
  plan["table"]["columns"] = Json::array();
  for (int i = 0; i < 2000; ++i) {
    Json column = SmallStore::plan()["table"]["columns"][0];
    column["label"] = std::to_string(i);
    plan["table"]["columns"].push_back(column);
  }
  plan["table"]["rows"] = Json(std::vector<int>(1000, 0));
  EXPECT_THAT(refusal(plan.dump()),
              HasSubstr("table.rows is not a table of at most 1000000 cells"));
}

}  // namespace
}  // namespace sweep::report
