namespace sweep::slurm {

extern const char* const kScriptBody;

/// What every job does. The launcher's exit status says nothing of the sweep: status.json does,
/// which names the job that wrote it.
const char* const kScriptBody = R"BASH(restart=${SLURM_RESTART_COUNT:-0}
asked=no ended_by_slurm=no

say() { printf '%s job %s: %s\n' "$(date +%FT%T)" "$SLURM_JOB_ID" "$*"; }

# The file in which this start of this job says how the sweep stands.
status_file() {
  local file
  for file in "$run_folder/status.json" "$run_folder"@*/status.json; do
    if grep -qsx " \"slurm_job\": \"$SLURM_JOB_ID\",\?" "$file" &&
      grep -qsx " \"slurm_restart\": $restart,\?" "$file"; then
      printf '%s\n' "$file"
      return
    fi
  done
  return 1
}

# The value of a key of that file.
status_of() { sed -n "s/^ \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$(status_file)" 2>/dev/null; }

warn() {
  say "$1; running tasks save and end"
  [[ -z ${launcher:-} ]] || kill -USR1 "$launcher" 2>/dev/null
}
trap 'warn "the end of the job is near (USR1)"' USR1
trap 'asked=yes; warn "asked to stop (USR2)"' USR2
trap 'ended_by_slurm=yes; warn "SLURM ends the job (TERM)"' TERM

again() {
  # Cancelled, or preempted: whether it comes back is not for the job to say.
  if [[ $ended_by_slurm == yes ]]; then
    say "$1; submit it again to go on, where SLURM does not bring it back"
    exit 75
  fi
  if [[ $chained == yes ]]; then
    say "$1; the next job of the chain goes on"
    exit 75
  fi
  if ((restart >= requeues)); then
    say "$1; it has gone back to the queue $restart times, which is the limit (slurm.requeues); submit it again to go on"
    exit 75
  fi
  say "$1; it goes back to the queue ($((restart + 1)) of $requeues)"
  if ! scontrol requeue "$SLURM_JOB_ID"; then
    say "SLURM refuses to requeue the job; submit it again to go on"
    exit 75
  fi
  trap '' TERM
  sleep 60  # SLURM ends this script
  exit 75
}

say "start $((restart + 1)) on $SLURM_JOB_NODELIST"
end=$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %e 2>/dev/null)
if [[ $end == [0-9]* ]] && end_s=$(date --date "$end" +%s 2>/dev/null); then
  export SWEEP_SLURM_END=$end_s SWEEP_SAVE_AT=$((end_s - warning))
  say "time limit at $end; running tasks save and end $warning s before it"
else
  say "no time limit is known"
fi

"${launch[@]}" "${sweep[@]}" &
launcher=$!
written= since=$SECONDS end_since= lost=
while kill -0 "$launcher" 2>/dev/null; do
  sleep 2 &
  wait -n
  # Where a node was lost, the launcher may wait for its ranks for ever.
  ended=$(status_of exit_code)
  if [[ -n $ended && $ended != null ]]; then
    : "${end_since:=$SECONDS}"
    ((SECONDS - end_since < 20)) || lost="the sweep has ended, its launcher has not"
  fi
  # A run that lives writes its status every second.
  now=$(stat --format=%y "$(status_file)" 2>/dev/null)
  if [[ -z $now || $now != "$written" ]]; then written=$now since=$SECONDS; fi
  ((SECONDS - since < 90)) || lost="the coordinator has been silent for 90 s"
  if [[ -n $lost ]]; then
    say "$lost; the launcher is killed"
    kill -KILL "$launcher"
    break
  fi
done
wait "$launcher"
code=$?

ended=$(status_of exit_code)
case ${ended:-none} in
  0) say "the sweep is finished" ;;
  1 | 2) say "the sweep has failed with status $ended (see above); it does not go back to the queue" ;;
  75)
    if [[ $asked == yes || $(status_of by_request) == true ]]; then
      say "the sweep was stopped on request; submit it again to go on"
      exit 75
    fi
    again "the sweep was interrupted"
    ;;
  null) again "the sweep died with its launcher (status $code)" ;;
  *)
    if ((code == 2)); then
      say "the sweep could not start (see above); it does not go back to the queue"
      exit 2
    fi
    again "the sweep did not start (the launcher ended with $code)"
    ;;
esac
exit "$ended"
)BASH";

}  // namespace sweep::slurm
