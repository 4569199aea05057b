#include "runner/scheduling/early_stopping.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace sweep::scheduling {
namespace {

EarlyStopping asha(const std::string& metric = "loss") {
  return EarlyStopping({.rule = "asha", .metric = metric, .min_epochs = 2, .reduction = 2});
}

TEST(Asha, OnlyTheBestGoOnPastARung) {
  EarlyStopping stopping = asha();
  EXPECT_TRUE(stopping.keep_going(0, 2, 0.5)) << "the first has nobody beside it";
  EXPECT_FALSE(stopping.keep_going(1, 2, 0.6));
  EXPECT_TRUE(stopping.keep_going(2, 2, 0.4)) << "best of 3";
  EXPECT_FALSE(stopping.keep_going(3, 2, 0.55)) << "third of 4, 2 go on";
  EXPECT_TRUE(stopping.keep_going(4, 2, 0.45)) << "second of 5";
}

TEST(Asha, DecidesAtRungsOnly) {
  EarlyStopping stopping = asha();
  for (std::size_t training = 0; training < 8; ++training) {
    const double worse = static_cast<double>(training);
    EXPECT_TRUE(stopping.keep_going(training, 1, worse));
    EXPECT_TRUE(stopping.keep_going(training, 3, worse));
    EXPECT_TRUE(stopping.keep_going(training, 6, worse));
    EXPECT_EQ(stopping.keep_going(training, 4, worse), training == 0) << "2 * 2^1";
    EXPECT_EQ(stopping.keep_going(training, 8, worse), training == 0) << "2 * 2^2";
  }
}

TEST(Asha, HigherAccuracyIsBetter) {
  EarlyStopping stopping = asha("accuracy");
  EXPECT_TRUE(stopping.keep_going(0, 2, 0.5));
  EXPECT_TRUE(stopping.keep_going(1, 2, 0.6));
  EXPECT_FALSE(stopping.keep_going(2, 2, 0.4));
}

TEST(Asha, ARepeatedEpochCountsOnceAndNotFiniteIsWorst) {
  EarlyStopping stopping = asha();
  EXPECT_TRUE(stopping.keep_going(0, 2, 0.5));
  EXPECT_TRUE(stopping.keep_going(0, 2, 0.5));
  EXPECT_TRUE(stopping.keep_going(0, 2, 0.5));
  EXPECT_FALSE(stopping.keep_going(1, 2, 0.6)) << "the second of 2, not of 4";
  EXPECT_FALSE(stopping.keep_going(2, 2, std::nan("")));
}

TEST(Median, StopsWhatIsWorseThanTheMedianOfRunningAverages) {
  EarlyStopping stopping({.rule = "median", .metric = "loss", .min_epochs = 2, .grace = 3});
  const double end[] = {1.0, 2.0, 3.0};  // running averages at epoch 2: 5.5, 6, 6.5
  for (std::size_t training = 0; training < 3; ++training) {
    EXPECT_TRUE(stopping.keep_going(training, 1, 10));
    EXPECT_TRUE(stopping.keep_going(training, 2, end[training])) << "nothing is complete yet";
  }
  stopping.complete(0);
  stopping.complete(1);
  EXPECT_TRUE(stopping.keep_going(3, 2, 100)) << "two are complete, three are needed";
  stopping.complete(2);
  EXPECT_TRUE(stopping.keep_going(4, 1, 100)) << "before min_epochs";
  EXPECT_FALSE(stopping.keep_going(4, 2, 6.1));
  EXPECT_TRUE(stopping.keep_going(5, 2, 6.0)) << "equal is not worse";
  EXPECT_TRUE(stopping.keep_going(6, 1, 5.9));
  EXPECT_TRUE(stopping.keep_going(6, 2, 50)) << "the best so far counts";
  EXPECT_TRUE(stopping.keep_going(6, 3, 50)) << "nothing complete had a third epoch";
}

TEST(EarlyStopping, IsOffByDefault) {
  EarlyStopping stopping({});
  EXPECT_TRUE(stopping.keep_going(0, 1, 0));
  EXPECT_TRUE(stopping.keep_going(1, 1, INFINITY));
  EXPECT_THROW(EarlyStopping({.rule = "ahsa"}), Error);
}

}  // namespace
}  // namespace sweep::scheduling
