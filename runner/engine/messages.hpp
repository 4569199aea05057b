#pragma once

/// What processes of a run tell each other, one JSON object per message; "type" says which.
///
// clang-format off
/// coordinator -> agent   setup {store, logs, epoch, executor, run}   task {id, attempt, number, memory_level, task, log, group}
///                        stop   prune   kill {why}   exit {code, all_here}
/// agent -> coordinator   hello {host, device, memory_bytes}   started {pid}   stop_requested {why}   alive
///                        progress, epoch, done {seconds}, failed, stopped, pruned: the executor's; all of a task with {id, attempt, number}
/// agent -> executor      task {task, attempt, memory_level, store, epoch, run, log, group}   stop   prune
///                        reduced {sequence}
/// executor -> agent      progress {fraction, text, epoch, loss, images_per_second, memory_bytes}
///                        epoch {epoch, step, metrics}   done   failed {failure, message}   stopped   pruned
///                        reduce {sequence, memory, count, element, reduction}   alive
/// agent -> agent         parts of reductions: cluster/group_reduction.hpp
// clang-format on
///
/// attempt counts from 1 (absent: 1). memory_level is how often the task has run out of memory,
/// or died, which is what it looks like when the system kills what takes too much (absent: 0); from
/// 1 on it saves memory at the cost of time, see trainer/models/recomputation.hpp. Having reported
/// "out of memory", an executor begins anew by itself and takes the next task.
///
/// stop: what can go on later saves first, and "stopped" follows. prune: nobody wants the result
/// any more; nothing is saved, and "pruned" follows. Either may be crossed by another end of the
/// task.
///
/// progress comes at most four times a second, and what means nothing for a task is absent:
/// epoch (under way, from 1), loss, images_per_second. memory_bytes is the resident set of the
/// executor, on a GPU what LibTorch has reserved there.
///
/// An epoch message comes once for every epoch that a training has finished, before its checkpoint
/// is written: after a crash it comes again for epochs behind the last checkpoint, with the same
/// numbers. epoch counts from 1, step counts the steps of all epochs, metrics are those of the
/// artifact's history/ (numbers; null: not a number).
///
/// A task that several ranks work on has a group {number, ranks, index}: the ranks in the order in
/// which their values are added, and the place of the receiver among them. The first is the lead:
/// it alone reports progress and epochs, saves and publishes. All tell how they end. number counts
/// the starts of tasks; what a rank says of an earlier one is ignored. An executor asks its agent
/// to add up memory that both see, a memory file whose descriptor in the executor is `memory`:
/// `count` numbers of the type `element` ("float32", "float64", "bfloat16"), by `reduction` ("sum",
/// "first": what the lead has). All members ask for the same reductions under the same sequence
/// numbers. alive means that it waits for the others.
///
/// Between ranks, "to" is "agent" or "coordinator": rank 0 is both.
namespace sweep::engine::messages {

inline constexpr char kToAgent[] = "agent";
inline constexpr char kToCoordinator[] = "coordinator";

}  // namespace sweep::engine::messages
