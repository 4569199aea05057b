#pragma once

/// What processes of a run tell each other, one JSON object per message; "type" says which.
///
// clang-format off
/// coordinator -> agent   setup {store, logs, epoch, run}   task {id, attempt, task, log}   stop   exit {code}
/// agent -> coordinator   hello {host, device}   started {id, attempt, pid}   progress {id, fraction, text}
///                        done {id, seconds}   failed {id, failure, message}   stopped {id}
///                        stop_requested {why}   alive
/// agent -> executor      task {task, store, epoch, run, log}   stop
/// executor -> agent      progress {fraction, text}   done   failed {failure, message}   stopped
// clang-format on
///
/// Between ranks, "to" is "agent" or "coordinator": rank 0 is both.
namespace sweep::engine::messages {

inline constexpr char kToAgent[] = "agent";
inline constexpr char kToCoordinator[] = "coordinator";

}  // namespace sweep::engine::messages
