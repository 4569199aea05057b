#include "trainer/device.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <link.h>
#include <torch/cuda.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "core/text.hpp"

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

/// Empty, or why CUDA can't be used.
std::string load_cuda() {
  if (!cuda_driver()) return "no NVIDIA driver (libcuda.so.1) is installed";
  const auto path = libtorch_folder() / "libtorch_cuda.so";
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return dlerror();
  if (!torch::cuda::is_available()) return "the driver reports no usable GPU";
  return {};
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "CPU";
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

std::string device_name(const c10::Device& device) {
  return device.is_cuda() ? gpu_name(device.index()) : cpu_name();
}

void configure_torch(int threads) {
  at::set_num_threads(threads);
  // The number of inter-op threads can be set once in a process; later calls would throw.
  static const bool once = (at::set_num_interop_threads(1), true);
  static_cast<void>(once);
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  at::Context::setFlushDenormal(true);
}

}  // namespace sweep::trainer
