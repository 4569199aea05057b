#include "runner/data/card.hpp"

#include <gmock/gmock.h>

namespace sweep::data {
namespace {

using ::testing::HasSubstr;

TEST(CardText, SaysEverythingOnTheCard) {
  const Json card{
      {"dataset", "rsna"},
      {"class_names", {"Normal", "Lung Opacity"}},
      {"train_counts", {12, 345}},
      {"test_counts", {6, 7}},
      {"skipped",
       {{{"id", "p-1"}, {"split", "test"}, {"class", "Normal"}, {"reason", "is missing"}}}},
      {"notes", {"16 images have no person"}},
      {"images_sha256", {{"train", "abc"}, {"test", "def"}}},
      {"source_fingerprint", "123"}};
  const std::string text = card_text(card);
  for (const std::string part :
       {"rsna\n", "  Normal             12        6       18\n",
        "  Lung Opacity      345        7      352\n",
        "  all               357       13      370\n", "skipped: 1\n",
        "p-1 (test, Normal) is missing", "note: 16 images have no person",
        "SHA-256 of the train images: abc", "SHA-256 of the test images: def", "source: 123"})
    EXPECT_THAT(text, HasSubstr(part));
}

}  // namespace
}  // namespace sweep::data
