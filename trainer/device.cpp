#include "trainer/device.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <link.h>
#include <torch/cuda.h>

#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "attacks/recorded_function.hpp"
#include "cluster/host.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "trainer/memory.hpp"

namespace sweep::trainer {
namespace {

/// The driver's library: without it there is no GPU, and LibTorch's CUDA libraries (gigabytes) need
/// not be loaded to learn that. Never closed: CUDA uses it to the end.
void* cuda_driver() {
  static void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  return library;
}

/// The program links LibTorch's CPU part alone; its CUDA part lies in the same folder.
std::filesystem::path libtorch_folder() {
  void* const library = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  link_map* map = nullptr;
  if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return {};
  return std::filesystem::path(map->l_name).parent_path();
}

/// Whether all GPUs are of the architectures that the module has code for, 8.0 and later.
bool gpus_can_run_module() {
  constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  using GetDevice = int (*)(int* device, int index);
  using GetAttribute = int (*)(int* value, int attribute, int device);
  const auto get_device = reinterpret_cast<GetDevice>(dlsym(cuda_driver(), "cuDeviceGet"));
  const auto get = reinterpret_cast<GetAttribute>(dlsym(cuda_driver(), "cuDeviceGetAttribute"));
  if (!get_device || !get) return false;
  for (int index = 0; index < static_cast<int>(torch::cuda::device_count()); ++index) {
    int device = 0, major = 0;
    if (get_device(&device, index) != 0 || get(&major, kMajor, device) != 0 || major < 8)
      return false;
  }
  return true;
}

/// Graphs and kernels (trainer/cuda), beside the program. Where they are not, as in a build without
/// CUDA's headers, LibTorch's own ways are taken.
void load_cuda_module() {
  if (!gpus_can_run_module()) return;
  const auto folder = cluster::program_folder();
  for (const auto& path : {folder / "sweep_cuda.so", folder.parent_path() / "bin/sweep_cuda.so"}) {
    if (!std::filesystem::exists(path)) continue;
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const make = library ? dlsym(library, "sweep_make_recorder") : nullptr;
    if (!make)
      log_warning(concat("'", path.string(), "' can't be loaded (", dlerror(),
                         "); the GPU works without its graphs and kernels: build again with this "
                         "LibTorch"));
    else
      attacks::set_recorder_factory(at::kCUDA, reinterpret_cast<attacks::RecorderFactory>(make));
    return;
  }
}

/// Empty, or why CUDA can't be used.
std::string load_cuda() {
  if (!cuda_driver()) return "no NVIDIA driver (libcuda.so.1) is installed";
  const auto path = libtorch_folder() / "libtorch_cuda.so";
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return dlerror();
  if (!torch::cuda::is_available()) return "the driver reports no usable GPU";
  static const bool once = (load_cuda_module(), true);
  static_cast<void>(once);
  return {};
}

/// From the driver's C interface, which needs no CUDA headers.
std::string gpu_name(int index) {
  using GetDevice = int (*)(int* device, int index);
  using GetName = int (*)(char* name, int size, int device);
  const auto get_device = reinterpret_cast<GetDevice>(dlsym(cuda_driver(), "cuDeviceGet"));
  const auto get_name = reinterpret_cast<GetName>(dlsym(cuda_driver(), "cuDeviceGetName"));
  int device = 0;
  char name[256] = "";
  if (get_device && get_name && get_device(&device, index) == 0 &&
      get_name(name, sizeof name, device) == 0)
    return name;
  return concat("cuda:", index);
}

/// As gpu_name. The first of the names gives a part of a GPU (MIG) the UUID of its own.
std::string gpu_uuid(int index) {
  using GetDevice = int (*)(int* device, int index);
  using GetUuid = int (*)(unsigned char* uuid, int device);
  const auto get_device = reinterpret_cast<GetDevice>(dlsym(cuda_driver(), "cuDeviceGet"));
  void* symbol = dlsym(cuda_driver(), "cuDeviceGetUuid_v2");
  if (!symbol) symbol = dlsym(cuda_driver(), "cuDeviceGetUuid");
  const auto get_uuid = reinterpret_cast<GetUuid>(symbol);
  int device = 0;
  unsigned char bytes[16];
  if (!get_device || !get_uuid || get_device(&device, index) != 0 || get_uuid(bytes, device) != 0)
    return {};
  std::ostringstream text;
  text << "GPU" << std::hex << std::setfill('0');
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text << '-';
    text << std::setw(2) << static_cast<int>(bytes[i]);
  }
  return text.str();
}

/// 0 where NCCL is not loaded. It comes with LibTorch's CUDA part.
int nccl_version() {
  using GetVersion = int (*)(int* version);
  void* const library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD);
  if (!library) return 0;
  const auto get_version = reinterpret_cast<GetVersion>(dlsym(library, "ncclGetVersion"));
  int version = 0;
  return get_version && get_version(&version) == 0 ? version : 0;
}

at::Device parse(const std::string& text) {
  try {
    return at::Device(text);
  } catch (const c10::Error&) {
    throw InputError(
        concat("there is no device '", text,
               "' (a task computes on a processor or a GPU); choose auto, cpu, cuda or "
               "cuda:NUMBER"));
  }
}

}  // namespace

c10::Device select_device(const std::string& text) {
  const bool automatic = text == "auto";
  const at::Device device = automatic ? at::Device(at::kCUDA, 0) : parse(text);
  if (device.is_cpu()) return device;
  if (!device.is_cuda())
    throw InputError(concat("the device '", text, "' is not supported; choose auto, cpu or cuda"));
  std::string fault = load_cuda();
  if (fault.empty() && device.index() >= static_cast<int>(torch::cuda::device_count()))
    fault = concat("there are only ", static_cast<int>(torch::cuda::device_count()), " GPUs");
  if (fault.empty()) return {at::kCUDA, std::max<at::DeviceIndex>(device.index(), 0)};
  if (automatic) return at::kCPU;
  throw InputError(concat("the device '", text, "' can't be used (", fault,
                          "); choose auto or cpu, or start on a machine with a GPU"));
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "CPU";
}

std::string device_name(const c10::Device& device) {
  return device.is_cuda() ? gpu_name(device.index()) : cpu_name();
}

std::string device_uuid(const c10::Device& device) {
  return device.is_cuda() ? gpu_uuid(device.index()) : std::string();
}

Json device_libraries(const c10::Device& device) {
  if (!device.is_cuda()) return Json::object();
  const auto& cuda = at::detail::getCUDAHooks();
  const long runtime = cuda.versionCUDART(), cudnn = cuda.versionRuntimeCuDNN();
  Json versions{{"cuda", concat(runtime / 1000, '.', runtime % 1000 / 10)},
                {"cudnn", concat(cudnn / 10000, '.', cudnn % 10000 / 100, '.', cudnn % 100)}};
  if (const int nccl = nccl_version(); nccl > 0)
    versions["nccl"] = concat(nccl / 10000, '.', nccl % 10000 / 100, '.', nccl % 100);
  return versions;
}

void configure_torch(int threads) {
  at::set_num_threads(threads);
  // The number of inter-op threads can be set once in a process; later calls would throw.
  static const bool once = (at::set_num_interop_threads(1), true);
  static_cast<void>(once);
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  // float32 is float32, unless the user asks for less: see trainer/precision.hpp.
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  at::Context::setFlushDenormal(true);
  keep_freed_memory();
}

}  // namespace sweep::trainer
