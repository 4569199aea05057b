#include "core/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/atomic_file.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep {
namespace {

using test_support::message_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kText[] = R"(title = "grid"
[training]
epochs = 80
rate = 0.5
flip = true
[grid]
"training.seed" = [0, 1]
model.depth = [18,
  50]
[[exclude]]
defence = "none"
[[exclude]]
defence = "hgd"
)";

Document example() {
  return parse_toml(kText, "t.toml");
}

Document with_override(const std::string& assignment) {
  Document document = example();
  apply_override(document, assignment);
  return document;
}

TEST(Document, HoldsTheValues) {
  EXPECT_EQ(example().root, Json::parse(R"({"title": "grid",
                            "training": {"epochs": 80, "rate": 0.5, "flip": true},
                            "grid": {"training.seed": [0, 1], "model": {"depth": [18, 50]}},
                            "exclude": [{"defence": "none"}, {"defence": "hgd"}]})"));
}

TEST(Document, KnowsWhereEveryValueWasWritten) {
  const Document document = example();
  EXPECT_EQ(document.location_of("title"), "t.toml:1:1");
  EXPECT_EQ(document.location_of("training"), "t.toml:2:2");
  EXPECT_EQ(document.location_of("training.rate"), "t.toml:4:1");
  EXPECT_EQ(document.location_of("grid.training.seed"), "t.toml:7:1");
  EXPECT_EQ(document.location_of("grid.training.seed[1]"), "t.toml:7:23");
  EXPECT_EQ(document.location_of("grid.model.depth"), "t.toml:8:7");
  EXPECT_EQ(document.location_of("grid.model.depth[1]"), "t.toml:9:3");
  EXPECT_EQ(document.location_of("exclude[1].defence"), "t.toml:13:1");
}

TEST(Document, PlacesAMissingKeyAtItsNearestParent) {
  const Document document = example();
  EXPECT_EQ(document.location_of("training.momentum"), "t.toml:2:2");
  EXPECT_EQ(document.location_of("exclude[1].attack.name"), document.location_of("exclude[1]"));
  EXPECT_EQ(document.location_of("nowhere.at.all"), "t.toml");
}

TEST(Document, BadTomlIsPlacedByLineAndColumn) {
  const auto parse = [](const std::string& text) {
    return message_of([&] { parse_toml(text, "t.toml"); });
  };
  EXPECT_THAT(parse("a = 1\nb = [1, 2\nc = 3\n"), StartsWith("t.toml:3:"));
  EXPECT_THAT(parse("a = 1\na = 2\n"), StartsWith("t.toml:2:"));
  EXPECT_THAT(parse("a = nope\n"), HasSubstr("not valid TOML"));
  EXPECT_THAT(parse("a = \"\xff\"\n"), StartsWith("t.toml:1:"));
}

TEST(Document, DatesAreRefusedByName) {
  EXPECT_THAT(message_of([] { parse_toml("[run]\nday = 2026-01-31\n", "t.toml"); }),
              StartsWith("t.toml:2:7: run.day is a date"));
}

TEST(ReadToml, SaysWhatIsWrongWithTheFile) {
  const test_support::TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { read_toml(folder / "none.toml"); }),
              HasSubstr("none.toml' (No such file or directory); give the path of a TOML file"));
  EXPECT_THAT(message_of([&] { read_toml(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(ReadToml, ReadsFilesWithTheirPathAsLocation) {
  const test_support::TemporaryFolder folder;
  const auto path = folder / "a.toml";
  write_atomically(path, "\nkey = 1\n");
  EXPECT_EQ(read_toml(path).location_of("key"), path.string() + ":2:1");
  write_atomically(path, "");
  EXPECT_EQ(read_toml(path).root, Json::object());
}

TEST(Override, ReplacesAndAddsValues) {
  EXPECT_EQ(with_override("training.epochs=3").root["training"]["epochs"], 3);
  EXPECT_EQ(with_override("training.rate=1e-3").root["training"]["rate"], 1e-3);
  EXPECT_EQ(with_override("training.flip=false").root["training"]["flip"], false);
  EXPECT_EQ(with_override("new.table.key=[1, 2]").root["new"]["table"]["key"], Json({1, 2}));
  EXPECT_EQ(with_override("training={epochs = 1}").root["training"], (Json{{"epochs", 1}}));
}

TEST(Override, TakesWhatIsNoTomlAsText) {
  EXPECT_EQ(with_override("title=table one").root["title"], "table one");
  EXPECT_EQ(with_override("title=\"quoted\"").root["title"], "quoted");
  EXPECT_EQ(with_override("title=4/255").root["title"], "4/255");
  EXPECT_EQ(with_override("title=a=b").root["title"], "a=b");
  EXPECT_EQ(with_override("title=").root["title"], "");
  EXPECT_EQ(with_override("title=2026-01-31").root["title"], "2026-01-31");
  EXPECT_EQ(with_override("title=1\nother = 2").root["title"], "1\nother = 2");
}

TEST(Override, KeepsDotsAndEqualsSignsInsideQuotes) {
  const Document seeds = with_override("grid.\"training.seed\"=[5]");
  EXPECT_EQ(seeds.root["grid"]["training.seed"], Json({5}));
  EXPECT_EQ(seeds.root["grid"].size(), 2u);
  EXPECT_EQ(with_override("grid.'training.seed'=[5]").root, seeds.root);
  EXPECT_EQ(with_override("grid . \"training.seed\" = [5]").root, seeds.root);
  EXPECT_EQ(with_override("grid.\"a=b\"=1").root["grid"]["a=b"], 1);
}

TEST(Override, IsTheLocationOfItsValue) {
  const Document document = with_override("training.epochs=3");
  EXPECT_EQ(document.location_of("training.epochs"), "--set training.epochs=3");
  EXPECT_EQ(document.location_of("training.rate"), "t.toml:4:1");
}

TEST(Override, OfATableForgetsWhereItsOldValuesWere) {
  const Document document = with_override("training={rate = 1.0}");
  EXPECT_EQ(document.location_of("training.rate"), "--set training={rate = 1.0}");
}

TEST(Override, RefusesWhatIsNoAssignment) {
  for (const char* text : {"training.epochs", "=3", "", "a..b=3", ".a=3", "a.=3", "a.\"b=3", "#=3"})
    EXPECT_THAT(message_of([&] { with_override(text); }), HasSubstr("write --set key.subkey=value"))
        << text;
}

TEST(Override, RefusesKeysBelowAValue) {
  EXPECT_THAT(message_of([] { with_override("training.epochs.first=3"); }),
              HasSubstr("training.epochs holds a value"));
}

TEST(ToToml, IsReadBackAsItWas) {
  const Json object = Json::parse(R"({
    "text": "say \"hi\"\n\tC:\\ \u0001 \u00e9", "break": "\nfirst", "literal": "it's", "empty": "",
    "integer": -3, "large": 9223372036854775807, "whole": 1.0, "fraction": 0.1,
    "pixel": 0.01568627450980392, "small": 1e-300, "flag": false, "list": [0.5, 0.75],
    "lists": [[0.5, 0.75]], "nothing": [], "table": {}, "dotted.key": 1, "": 2,
    "deep": {"er": {"x.y": true}},
    "rows": [{"where": {"defence.name": "none", "more": {"k": 1}}, "published": {}}, {"label": "L"}]})");
  const Json read = parse_toml(to_toml(object), "t.toml").root;
  EXPECT_EQ(read, object) << to_toml(object);
  EXPECT_TRUE(read.at("whole").is_number_float());
  EXPECT_TRUE(read.at("integer").is_number_integer());
}

TEST(ToToml, IsForPeopleToo) {
  EXPECT_EQ(to_toml(Json::parse(R"({"grid": {"training.seed": [0, 1]}, "name": "a",
                                    "row": [{"where": {"defence.name": "none"}}]})")),
            R"(name = "a"

[grid]
"training.seed" = [ 0, 1 ]

[[row]]
where = { "defence.name" = "none" }
)");
}

TEST(ToToml, RefusesWhatTomlDoesNotHave) {
  const auto refuses = [](const char* json) {
    EXPECT_THAT(message_of([&] { to_toml(Json::parse(json)); }, FailureType::internal),
                HasSubstr("TOML"))
        << json;
  };
  refuses(R"({"a": null})");
  refuses(R"({"a": [{"b": null}]})");
  refuses(R"({"a": 18446744073709551615})");
  refuses("[]");
}

}  // namespace
}  // namespace sweep
