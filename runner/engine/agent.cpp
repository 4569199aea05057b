#include "runner/engine/agent.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cluster/host.hpp"
#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/clock.hpp"
#include "runner/engine/executor_message.hpp"
#include "runner/engine/messages.hpp"

namespace sweep::engine {
namespace {

/// The GPU of this rank, in the form of CUDA_VISIBLE_DEVICES; nothing on a host without one.
/// Several ranks share a device when there are more of them.
std::optional<std::string> device_of(const cluster::MessageBus& bus, const std::string& wanted) {
  if (wanted == "cpu") return std::nullopt;
  const auto devices = cluster::cuda_devices();
  if (devices.empty()) return std::nullopt;
  return devices[static_cast<std::size_t>(bus.local_rank()) % devices.size()];
}

int threads_of(const cluster::MessageBus& bus, int wanted) {
  return wanted > 0 ? wanted : std::max(1, cluster::available_cores() / bus.local_size());
}

}  // namespace

Agent::Agent(cluster::MessageBus& bus) : bus_(bus), last_sign_of_life_(Clock::now()) {
  cluster::reset_affinity();
}

void Agent::on_message(const Json& message) {
  const std::string type = message.at("type");
  if (type == "setup") setup(message);
  if (type == "task") start_task(message);
  if (type == "stop" || type == "prune") pass_on(type);
  if (type == "kill") kill_executor(FailureType::communication, message.at("why"));
  if (type == "exit") {
    exit_code_ = message.at("code").get<int>();
    all_here_ = message.at("all_here");
  }
}

void Agent::setup(const Json& message) {
  setup_ = message;
  start_executor();
  const auto device = device_of(bus_, setup_.at("run").at("device"));
  report({{"type", "hello"},
          {"host", host_name()},
          {"device", device ? "cuda " + *device : "cpu"},
          {"memory_bytes", cluster::memory_bytes()}});
}

void Agent::start_executor() {
  const Json& run = setup_.at("run");
  const auto device = device_of(bus_, run.at("device"));
  const int cores = threads_of(bus_, run.at("threads").get<int>());
  const std::string threads = std::to_string(cores);
  const std::string program = setup_.at("executor");
  cluster::ChildOptions child{
      .program = program.empty() ? cluster::program_folder() / "trial_executor"
                                 : std::filesystem::path(program),
      .arguments = {"work", "--threads", threads, "--device", run.at("device").get<std::string>()},
      .environment = {{"OMP_NUM_THREADS", threads}, {"CUDA_VISIBLE_DEVICES", device.value_or("")}},
      .log = std::filesystem::path(setup_.at("logs").get<std::string>()) /
             concat("rank", bus_.rank(), ".log"),
      .cores = cluster::cores_of_rank(bus_.local_rank(), bus_.local_size(), cores)};
  executor_ = std::make_unique<cluster::ExecutorProcess>(child);
}

void Agent::start_task(const Json& message) {
  if (!executor_) start_executor();
  running_ = Running{message.at("id"), message.at("attempt"), message.at("number"), Clock::now()};
  Json task{{"type", "task"},
            {"task", message.at("task")},
            {"attempt", message.at("attempt")},
            {"memory_level", message.at("memory_level")},
            {"log", message.at("log")},
            {"store", setup_.at("store")},
            {"epoch", setup_.at("epoch")},
            {"run", setup_.at("run")}};
  if (message.contains("group")) task["group"] = message.at("group");
  join_group(task);
  executor_->send(task.dump());
  report({{"type", "started"}, {"pid", executor_->pid()}});
}

void Agent::join_group(const Json& task) {
  const auto early = std::exchange(early_, {});
  if (!task.contains("group")) return;
  collectives_ = std::make_unique<Collectives>(task.at("group"), bus_, executor_->pid());
  for (const auto& message : early) on_reduction(message);
}

void Agent::leave_group() {
  running_.reset();
  collectives_.reset();
}

template <class Action>
void Agent::in_group(const Action& action) {
  try {
    action();
    for (const Json& answer : collectives_->take_answers()) executor_->send(answer.dump());
  } catch (const Error& error) {
    kill_executor(FailureType::communication, error.what());
  }
}

void Agent::on_reduction(cluster::Message message) {
  if (collectives_ && cluster::group_of(message.text) == collectives_->number())
    in_group([&] { collectives_->receive(message); });
  else
    early_.push_back(std::move(message));
}

void Agent::pass_on(const std::string& type) {
  if (executor_ && running_) executor_->send(Json{{"type", type}}.dump());
}

void Agent::kill_executor(FailureType type, const std::string& why) {
  if (!running_) return;
  executor_.reset();  // kills it
  report_failure(std::string(to_string(type)), why);
}

void Agent::report(Json message) {
  message["to"] = messages::kToCoordinator;
  if (running_) {
    message["id"] = running_->id;
    message["attempt"] = running_->attempt;
    message["number"] = running_->number;
  }
  last_sign_of_life_ = Clock::now();
  bus_.send(0, message.dump());
}

void Agent::report_failure(const std::string& failure, const std::string& text) {
  report({{"type", "failed"}, {"failure", failure}, {"message", text}});
  leave_group();
}

void Agent::on_executor_line(const std::string& line) {
  if (!running_) return;
  const auto message = parse_executor_message(line);
  if (!message)
    return kill_executor(FailureType::crash,
                         "the executor said what is no message, and was killed");
  const std::string type = message->at("type");
  if (type == "progress" || type == "epoch") report(*message);
  if (type == "reduce" && collectives_) in_group([&] { collectives_->start(*message); });
  if (type == "failed") report_failure(message->at("failure"), message->at("message"));
  if (type == "done" || type == "stopped" || type == "pruned") {
    report({{"type", type}, {"seconds", seconds_since(running_->since)}});
    leave_group();
  }
}

void Agent::check_executor() {
  if (!executor_) return;
  for (const auto& line : executor_->receive()) on_executor_line(line);
  if (!executor_) return;
  if (const auto ended = executor_->poll_exit()) {
    executor_.reset();
    const std::string text = concat("the executor ", ended->text());
    if (running_) {
      report_failure(std::string(to_string(FailureType::crash)), text);
    } else {
      log_warning(concat(text, " between two tasks; the next task starts a new one"));
    }
    return;
  }
  if (!running_) return;
  const double deadline = setup_.at("run").at("hang_timeout").get<double>();
  const double limit = setup_.at("run").at("task_timeout").get<double>();
  const double seconds = seconds_since(running_->since);
  if (executor_->silence_s() > deadline && seconds > deadline)
    kill_executor(FailureType::timeout,
                  concat("the executor gave no sign of life for ", duration_text(deadline),
                         " (run.hang_timeout) and was killed"));
  else if (limit > 0 && seconds > limit)
    kill_executor(FailureType::timeout,
                  concat("the attempt took longer than ", duration_text(limit),
                         " (run.task_timeout) and was killed"));
}

void Agent::wait(std::chrono::microseconds time) const {
  // MPI moves large messages only while somebody asks for them.
  constexpr std::chrono::microseconds kBetweenParts(20);
  if (collectives_ && collectives_->pending()) time = std::min(time, kBetweenParts);
  pollfd socket{executor_ ? executor_->descriptor() : -1, POLLIN, 0};
  const timespec limit{0, std::chrono::nanoseconds(time).count()};
  ::ppoll(&socket, 1, &limit, nullptr);
}

bool Agent::tick() {
  const auto before = last_sign_of_life_;
  check_executor();
  if (seconds_since(last_sign_of_life_) > 1 && !setup_.is_null()) {
    report({{"type", "alive"}});
    return false;
  }
  return last_sign_of_life_ != before;
}

}  // namespace sweep::engine
