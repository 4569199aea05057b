#include "cluster/host.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

namespace fs = std::filesystem;

/// CUDA ends its list at the first name that is none; SLURM writes "NoDevFiles" for no device.
bool names_a_device(const std::string& name) {
  return !name.empty() && (std::isdigit(static_cast<unsigned char>(name[0])) != 0 ||
                           name.rfind("GPU-", 0) == 0 || name.rfind("MIG-", 0) == 0);
}

/// Cores of the control group's CPU quota (version 2), or 0 without one.
int quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || period <= 0) return 0;
  return std::max(1, static_cast<int>(quota / period));
}

}  // namespace

int available_cores() {
  // Not the machine's cores: a job of a cluster may have been given a few of them.
  cpu_set_t given;
  const bool known = ::sched_getaffinity(0, sizeof given, &given) == 0;
  const int cores = known ? CPU_COUNT(&given)
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int quota = quota_cores();
  return quota > 0 ? std::min(cores, quota) : cores;
}

std::vector<int> cores_of_rank(int local_rank, int local_size, int threads) {
  cpu_set_t given;
  if (::sched_getaffinity(0, sizeof given, &given) != 0) return {};
  std::vector<int> all;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &given)) all.push_back(core);
  const auto count = static_cast<int>(all.size());
  if (local_size * threads != count || available_cores() != count) return {};
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(local_rank) * threads;
  return {first, first + threads};
}

double memory_bytes() {
  const double host = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  std::ifstream file("/sys/fs/cgroup/memory.max");
  double limit = 0;  // "max" without one
  return file >> limit && limit > 0 ? std::min(host, limit) : host;
}

void reset_affinity() {
  cpu_set_t all;
  CPU_ZERO(&all);
  const long configured = ::sysconf(_SC_NPROCESSORS_CONF);  // NOLINT(google-runtime-int)
  for (long cpu = 0; cpu < configured && cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);  // NOLINT
  ::sched_setaffinity(0, sizeof all, &all);
}

std::vector<std::string> cuda_devices() {
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::vector<std::string> names = split(visible, ',');
    names.erase(std::find_if_not(names.begin(), names.end(), names_a_device), names.end());
    return names;
  }
  std::vector<std::string> devices;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/dev", ignored)) {
    const std::string name = entry.path().filename();
    const bool is_device = name.rfind("nvidia", 0) == 0 && name.size() > 6 &&
                           std::all_of(name.begin() + 6, name.end(),
                                       [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_device) devices.push_back(name.substr(6));
  }
  std::sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });
  // CUDA numbers the devices that it can see from 0, whatever their device files are called.
  for (std::size_t i = 0; i < devices.size(); ++i) devices[i] = std::to_string(i);
  return devices;
}

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error)
    throw InputError(concat("cannot read /proc/self/exe (", error.message(),
                            "; it says where the programs are that belong to this one); mount "
                            "/proc in this container"));
  return program.parent_path();
}

bool started_by_launcher() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr;
}

bool shows_on_terminal() {
  if (!started_by_launcher()) return ::isatty(STDOUT_FILENO) != 0;
  std::error_code error;
  const fs::path target = fs::read_symlink(concat("/proc/", ::getppid(), "/fd/1"), error);
  return !error && target.string().rfind("/dev/pts/", 0) == 0;
}

}  // namespace sweep::cluster
