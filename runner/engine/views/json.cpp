#include <ostream>

#include "runner/engine/progress.hpp"

namespace sweep::engine {
namespace {

class JsonView final : public Progress {
 public:
  explicit JsonView(std::ostream& out) : out_(out) {}

  void note(const std::string& text) override { print({{"event", "note"}, {"text", text}}); }
  void ended(const RankView& rank, const std::string& event, const RunView& view) override {
    Json line = to_json(rank);
    line["event"] = "ended";
    line["outcome"] = event;
    line["counts"] = view.counts;
    print(std::move(line));
  }
  void tick(const RunView& view) override {
    if (seconds_since(last_) < 1) return;
    last_ = Clock::now();
    Json line = to_json(view);
    line["event"] = "status";
    print(std::move(line));
  }

 private:
  void print(const Json& line) {
    out_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }

  std::ostream& out_;
  Clock::time_point last_;
};

}  // namespace

std::unique_ptr<Progress> make_json_view(std::ostream& out) {
  return std::make_unique<JsonView>(out);
}

}  // namespace sweep::engine
