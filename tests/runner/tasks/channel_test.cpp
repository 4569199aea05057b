#include "runner/tasks/channel.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>

namespace sweep::tasks {
namespace {

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
  ~ChannelTest() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void agent_says(const std::string& lines) const {
    EXPECT_EQ(::write(ends_[0], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
  }
  Json agent_hears() const {
    char text[4096];
    const ssize_t n = ::recv(ends_[0], text, sizeof text, MSG_DONTWAIT);
    return n > 0 ? Json::parse(std::string(text, static_cast<std::size_t>(n))) : Json();
  }
  int end() const { return ends_[1]; }

 private:
  int ends_[2];
};

TEST_F(ChannelTest, ProgressHasOnlyWhatMeansSomething) {
  Channel channel(end());
  channel.progress({.fraction = 0.5, .text = "half"});
  EXPECT_EQ(agent_hears(), Json({{"type", "progress"}, {"fraction", 0.5}, {"text", "half"}}));
}

TEST_F(ChannelTest, BytesThatAreNoTextAreReplaced) {
  Channel channel(end());
  channel.send({{"type", "failed"}, {"message", "'caf\xe9.png' is no image"}});
  EXPECT_EQ(agent_hears().at("message"), "'caf\xef\xbf\xbd.png' is no image");
}

TEST_F(ChannelTest, LinesThatAreNoMessageAreLeftOut) {
  Channel channel(end());
  agent_says("no JSON\n[]\n" + std::string(10'000, '[') + "\n");
  agent_says("{\"type\":\"reduced\"}\n{\"type\":\"reduced\",\"sequence\":-1}\n{\"type\":[]}\n{}\n");
  agent_says("{\"type\": \"task\", \"id\": 3}\n");
  EXPECT_EQ(channel.next()->at("id"), 3);
}

TEST_F(ChannelTest, ProgressOfATrainingHasItsNumbers) {
  Channel channel(end(), [] { return 1234; });
  channel.progress({.fraction = 0.5, .epoch = 2, .loss = 0.25, .images_per_second = 10});
  EXPECT_EQ(agent_hears(), Json({{"type", "progress"},
                                 {"fraction", 0.5},
                                 {"text", ""},
                                 {"epoch", 2},
                                 {"loss", 0.25},
                                 {"images_per_second", 10.0},
                                 {"memory_bytes", 1234}}));
  channel.progress({.fraction = 0.6});
  EXPECT_TRUE(agent_hears().is_null()) << "too soon";
}

TEST_F(ChannelTest, KnowsWhyItHasToStop) {
  Channel channel(end());
  EXPECT_FALSE(channel.stop_requested());
  agent_says("{\"type\":\"prune\"}\n");
  EXPECT_EQ(channel.stop_requested(), StopReason::prune);
  agent_says("{\"type\":\"stop\"}\n");
  EXPECT_EQ(channel.stop_requested(), StopReason::prune) << "the first reason counts";
}

TEST_F(ChannelTest, ARequestIsForTheTaskBeforeIt) {
  Channel channel(end());
  agent_says("{\"type\":\"stop\"}\n{\"type\":\"task\",\"n\":1}\n");
  EXPECT_EQ(channel.next()->at("n"), 1);
  EXPECT_FALSE(channel.stop_requested()) << "it came too late for the task before";
  agent_says("{\"type\":\"task\",\"n\":2}\n{\"type\":\"stop\"}\n");
  EXPECT_EQ(channel.next()->at("n"), 2);
  EXPECT_EQ(channel.stop_requested(), StopReason::stop) << "it came with the task";
}

TEST_F(ChannelTest, WhatIsNoNumberIsNull) {
  Channel channel(end());
  channel.send({{"loss", std::nan("")}});
  EXPECT_TRUE(agent_hears().at("loss").is_null());
}

}  // namespace
}  // namespace sweep::tasks
