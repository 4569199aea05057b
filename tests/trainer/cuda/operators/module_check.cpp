#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sweep {
namespace {

/// Names of the operators that a kernel of the module stands behind, and of all.
struct Operators {
  std::vector<std::string> all, served;
};

Operators operators() {
  Operators found;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (!name.name.starts_with("sweep::")) continue;
    found.all.push_back(name.name);
    if (c10::Dispatcher::singleton().findOp(name)->hasKernelForDispatchKey(c10::DispatchKey::CUDA))
      found.served.push_back(name.name);
  }
  return found;
}

/// LibTorch refuses kernels whose types are not those of the schema, when they are loaded.
TEST(CudaModule, HasAKernelForEveryOperatorOrForNone) {
  EXPECT_GE(operators().all.size(), 12);
  EXPECT_THAT(operators().served, ::testing::IsEmpty());
  ASSERT_TRUE(dlopen(SWEEP_TORCH_CUDA, RTLD_NOW | RTLD_GLOBAL)) << dlerror();
  void* const module = dlopen(SWEEP_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(module) << dlerror();
  EXPECT_TRUE(dlsym(module, "sweep_make_recorder"));
  const auto [all, served] = operators();
#ifdef SWEEP_HAS_KERNELS
  EXPECT_THAT(served, ::testing::UnorderedElementsAreArray(all));
#else
  EXPECT_THAT(served, ::testing::IsEmpty()) << all.size();
#endif
}

}  // namespace
}  // namespace sweep
