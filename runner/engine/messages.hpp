#pragma once

/// What processes of a run tell each other, one JSON object per message; "type" says which.
///
// clang-format off
/// coordinator -> agent   setup {store, logs, epoch, executor, run}   task {id, attempt, memory_level, task, log}
///                        stop   prune   kill {why}   exit {code}
/// agent -> coordinator   hello {host, device, memory_bytes}   started {id, attempt, pid}   stop_requested {why}   alive
///                        progress, epoch, done {seconds}, failed, stopped, pruned: the executor's, with {id, attempt}
/// agent -> executor      task {task, attempt, memory_level, store, epoch, run, log}   stop   prune
/// executor -> agent      progress {fraction, text, epoch, loss, images_per_second, memory_bytes}
///                        epoch {epoch, step, metrics}   done   failed {failure, message}   stopped   pruned
// clang-format on
///
/// Between ranks, "to" is "agent" or "coordinator": rank 0 is both.
namespace sweep::engine::messages {

inline constexpr char kToAgent[] = "agent";
inline constexpr char kToCoordinator[] = "coordinator";

}  // namespace sweep::engine::messages
