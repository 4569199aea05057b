#pragma once

namespace sweep::cluster {

/// From now on SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 ask for an orderly stop. A second SIGINT or
/// SIGTERM that comes more than a second after the first ends the process at once (mpirun sends
/// each twice).
void install_stop_signals();

/// The signal that has asked for a stop, or 0.
int stop_signal();

}  // namespace sweep::cluster
