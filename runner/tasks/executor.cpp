#include "runner/tasks/executor.hpp"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <new>
#include <optional>

#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/tasks/provenance.hpp"
#include "runner/tasks/task.hpp"
#include "storage/journal.hpp"
#include "trainer/device.hpp"
#include "trainer/memory.hpp"
#include "trainer/models/recomputation.hpp"

namespace sweep::tasks {
namespace {

/// Standard output and error go to the attempt's own log from here on.
void redirect_output(const std::string& log) {
  const int file =
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return;  // the rank's log stays in use
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
}

storage::ArtifactId artifact_from(const Json& json) {
  return {storage::artifact_kind_from(json.at("kind").get<std::string>()),
          json.at("hash").get<std::string>()};
}

void make(const Task& task) {
  const std::string started = storage::utc_time();
  const trainer::MemoryLevel memory_level(task.memory_level);
  storage::Content content = makers().at(task.output.kind)(task);
  if (task.group.index > 0) return;  // the lead has the same
  content.attributes["kind"] = storage::to_string(task.output.kind);
  content.attributes["spec"] = task.spec.dump();
  content.attributes["name"] = task.output.hash;
  // The one attribute that does not follow from the spec.
  content.attributes["provenance"] = provenance_of(task, started).dump();
  task.store.publish(task.output, content, task.epoch);
  task.store.remove_checkpoint(task.output);
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// The type of what LibTorch and our kernels throw: they have few types of their own.
FailureType type_of(const std::string& text) {
  if (contains(text, "out of memory") || contains(text, "can't allocate memory") ||
      contains(text, "not enough memory"))
    return FailureType::out_of_memory;
  if (contains(text, "CUDA error") || contains(text, "CUDNN")) return FailureType::device_lost;
  return FailureType::internal;
}

Json failed(FailureType type, const std::string& message) {
  log_error(concat(to_string(type), ": ", message));
  return {{"type", "failed"}, {"failure", to_string(type)}, {"message", message}};
}

Json outcome_of(const Task& task) {
  try {
    make(task);
    return {{"type", "done"}};
  } catch (const Stopped& stopped) {
    const bool pruned = stopped.reason == StopReason::prune;
    log_info(pruned ? "pruned" : "stopped on request");
    return {{"type", pruned ? "pruned" : "stopped"}};
  } catch (const Error& error) {
    return failed(error.type(), error.what());
  } catch (const c10::Error& error) {
    return failed(type_of(error.what_without_backtrace()), error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return failed(FailureType::out_of_memory, "the host has no memory left for this task");
  } catch (const std::exception& error) {
    return failed(type_of(error.what()), error.what());
  }
}

/// Starts the same program with the same arguments in this process, with the same socket: memory
/// that is full, or in pieces, is left behind, and the agent notices nothing. Comes back if it
/// can't.
void begin_anew(int socket) {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> texts;
  for (std::string text; std::getline(file, text, '\0');) texts.push_back(text);
  std::vector<char*> arguments;
  for (auto& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  // Files of the driver would keep the device's memory.
  constexpr unsigned kCloseOnExec = 1U << 2;  // linux/close_range.h
  ::syscall(SYS_close_range, socket + 1, ~0U, kCloseOnExec);
  ::execv("/proc/self/exe", arguments.data());
  log_warning("cannot start the executor anew; the agent will");
}

/// Bytes that are left for the next task: small ones would wait for their pages longer than they
/// work.
constexpr std::size_t kKeptBetweenTasks = 512 << 20;

/// For tests of what happens when memory runs out: SWEEP_TEST_TENSOR_MEMORY is the number of bytes
/// that tensors on the CPU may take.
std::optional<std::int64_t> tensor_memory_limit() {
  const char* text = std::getenv("SWEEP_TEST_TENSOR_MEMORY");
  if (!text) return std::nullopt;
  const std::string_view digits = text;
  std::int64_t bytes = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), bytes);
  if (error != std::errc() || end != digits.end() || bytes <= 0)
    throw InputError(concat("SWEEP_TEST_TENSOR_MEMORY is '", text,
                            "' (tests limit the bytes of tensors by it); unset it"));
  log_warning(concat("SWEEP_TEST_TENSOR_MEMORY: tensors may take ", bytes, " bytes"));
  return bytes;
}

Group group_of(const Json& message) {
  if (!message.contains("group")) return {};
  const Json& group = message.at("group");
  return {group.at("index"), static_cast<int>(group.at("ranks").size())};
}

Task task_of(const Json& message, int threads, Channel& channel, const c10::Device& device) {
  const Json& described = message.at("task");
  std::vector<storage::ArtifactId> inputs;
  for (const auto& input : described.at("inputs")) inputs.push_back(artifact_from(input));
  return {.output = artifact_from(described),
          .inputs = std::move(inputs),
          .spec = described.at("spec"),
          .locations = described.at("locations"),
          .run = message.at("run"),
          .store = storage::Store(message.at("store").get<std::string>()),
          .epoch = message.at("epoch"),
          .attempt = message.value("attempt", std::int64_t{1}),
          .memory_level = message.value("memory_level", 0),
          .threads = threads,
          .group = group_of(message),
          .channel = channel,
          .device = device};
}

}  // namespace

int serve(int socket, int threads, const std::string& device_text) {
  trainer::configure_torch(threads);
  const c10::Device device = trainer::select_device(device_text);
  std::optional<trainer::TensorMemory> limited;
  if (const auto bytes = tensor_memory_limit()) limited.emplace(*bytes);
  Channel channel(socket, [device] { return trainer::memory_in_use(device); });
  while (const auto message = channel.next()) {
    redirect_output(message->at("log"));
    const Task task = task_of(*message, threads, channel, device);
    log_info(message->at("task").at("label").get<std::string>());
    if (task.memory_level > 0) log_info(concat("saving memory, level ", task.memory_level));
    const Json outcome = outcome_of(task);
    channel.send(outcome);
    trainer::give_back_freed_memory(kKeptBetweenTasks);
    const std::string failure = outcome.value("failure", "");
    // An error of the device sticks to the process: the agent starts a new one.
    if (failure == to_string(FailureType::device_lost)) return 1;
    if (failure == to_string(FailureType::out_of_memory)) {
      begin_anew(socket);
      return 1;
    }
  }
  return 0;
}

}  // namespace sweep::tasks
