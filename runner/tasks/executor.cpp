#include "runner/tasks/executor.hpp"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <torch/version.h>
#include <unistd.h>

#include <new>

#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "runner/tasks/task.hpp"
#include "trainer/device.hpp"

namespace sweep::tasks {
namespace {

/// Standard output and error go to the attempt's own log from here on.
void redirect_output(const std::string& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return;  // the rank's log stays in use
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
}

storage::ArtifactId artifact_from(const Json& json) {
  return {storage::artifact_kind_from(json.at("kind").get<std::string>()),
          json.at("hash").get<std::string>()};
}

/// How the artifact came about. No times and no host: equal work gives equal files.
void add_provenance(storage::Content& content, const Task& task) {
  content.attributes["kind"] = storage::to_string(task.output.kind);
  content.attributes["spec"] = task.spec.dump();
  content.attributes["name"] = task.output.hash;
  content.attributes["sweep_runner_version"] = kVersion;
  content.attributes["git_revision"] = kGitRevision;
  content.attributes["torch_version"] = TORCH_VERSION;
  content.attributes["device"] = trainer::device_name(task.device);
  content.attributes["threads"] = task.threads;
}

void make(const Task& task) {
  storage::Content content = makers().at(task.output.kind)(task);
  add_provenance(content, task);
  task.store.publish(task.output, content, task.epoch);
  task.store.remove_checkpoint(task.output);
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// The type of what LibTorch throws: it has few types of its own.
FailureType type_of(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
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
  } catch (const Stopped&) {
    log_info("stopped on request");
    return {{"type", "stopped"}};
  } catch (const Error& error) {
    return failed(error.type(), error.what());
  } catch (const c10::Error& error) {
    return failed(type_of(error), error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return failed(FailureType::out_of_memory, "the host has no memory left for this task");
  } catch (const std::exception& error) {
    return failed(FailureType::internal, error.what());
  }
}

}  // namespace

int serve(int socket, int threads, const std::string& device_text) {
  trainer::configure_torch(threads);
  const c10::Device device = trainer::select_device(device_text);
  Channel channel(socket);
  while (const auto message = channel.next()) {
    redirect_output(message->at("log"));
    const Json& described = message->at("task");
    std::vector<storage::ArtifactId> inputs;
    for (const auto& input : described.at("inputs")) inputs.push_back(artifact_from(input));
    const Task task{artifact_from(described),
                    inputs,
                    described.at("spec"),
                    described.at("locations"),
                    message->at("run"),
                    storage::Store(message->at("store").get<std::string>()),
                    message->at("epoch"),
                    threads,
                    channel,
                    device};
    log_info(described.at("label").get<std::string>());
    const Json outcome = outcome_of(task);
    channel.send(outcome);
    // An error of the device sticks to the process: the agent starts a new one.
    if (outcome.value("failure", "") == to_string(FailureType::device_lost)) return 1;
  }
  return 0;
}

}  // namespace sweep::tasks
