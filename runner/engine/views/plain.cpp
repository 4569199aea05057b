#include <ostream>

#include "core/text.hpp"
#include "runner/engine/progress.hpp"
#include "runner/engine/views/lines.hpp"

namespace sweep::engine {
namespace {

class PlainView final : public Progress {
 public:
  explicit PlainView(std::ostream& out) : out_(out) {}

  void note(const std::string& text) override { print(text); }
  void ended(const RankView& rank, const std::string& event, const RunView& view) override {
    print(views::ended_line(rank, event, view));
  }
  void tick(const RunView& view) override {
    if (view.counts.running == 0 || seconds_since(last_) < kSecondsBetweenStatus) return;
    std::string line = views::summary(view);
    for (const auto& rank : view.ranks)
      if (rank.task)
        line += concat("  | ", rank.label, " ", views::percent(rank.fraction), " ", rank.text);
    print(line);
  }

 private:
  static constexpr double kSecondsBetweenStatus = 30;

  void print(const std::string& line) {
    out_ << line << std::endl;
    last_ = Clock::now();
  }

  std::ostream& out_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

std::unique_ptr<Progress> make_plain_view(std::ostream& out) {
  return std::make_unique<PlainView>(out);
}

}  // namespace sweep::engine
