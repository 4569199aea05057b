// What we write is what others read.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/text.hpp"
#include "storage/artifact_file.hpp"
#include "tests/storage/contents.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::storage {
namespace {

constexpr char kReader[] = R"(
import sys
import h5py
import numpy as np

with h5py.File(sys.argv[1], "r") as f:
    names = []
    f.visititems(lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None)
    assert sorted(names) == sorted(["images", "labels", "metrics/loss", "nothing", "scalar",
                                    "state/bn1.weight", "state/conv1.weight"]), names
    assert f["images"].shape == (2, 3, 100, 100) and f["images"].dtype == np.uint8
    assert np.array_equal(f["images"][:].ravel(), np.arange(60000) % 256)
    assert f["labels"].dtype == np.int64 and f["labels"][:].tolist() == [0, -1, -2**63]
    weight = f["state/conv1.weight"][:]
    assert weight.dtype == np.float32 and weight.shape == (2, 1, 2)
    assert weight[0, 0, 0] == np.float32(0.1) and np.isnan(weight[1, 0, 0])
    assert np.signbit(weight[0, 0, 1]) and weight[1, 0, 1] == np.float32(1e-45)
    assert f["metrics/loss"][:].tolist() == [0.1, -np.inf, 5e-324]
    assert f["scalar"].shape == () and f["scalar"][()] == 2.5
    assert f["nothing"].shape == (0, 3)
    wanted = {"spec": '{"attack":{"epsilon":0.03}}', "title": "Größe 皮膚 🙂", "empty": "",
              "epochs": 80, "offset": -3, "seed": 2**64 - 1, "accuracy": 0.1}
    got = dict(f.attrs)
    assert got == wanted, got
    assert isinstance(got["title"], str), type(got["title"])
)";

TEST(H5py, ReadsEveryValueByItsName) {
  const std::string python = SWEEP_PYTHON;
  if (std::system(concat("'", python, "' -c 'import h5py' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "no h5py in " << python;
  const test_support::TemporaryFolder folder;
  write_artifact(folder / "a.h5", test_support::example_content());
  std::ofstream(folder / "reader.py") << kReader;
  EXPECT_EQ(std::system(concat("'", python, "' '", (folder / "reader.py").string(), "' '",
                               (folder / "a.h5").string(), "'")
                            .c_str()),
            0);
}

}  // namespace
}  // namespace sweep::storage
