-- A module (Lmod) for a build in a folder of yours: put it into a folder of MODULEPATH and set `root`.
help("sweep_runner and aggregate_results. More: docs/slurm.md in the folder of the sources")
local root = os.getenv("SWEEP_ROOT") or pathJoin(os.getenv("HOME"), "sweep")
prepend_path("PATH", pathJoin(root, "build", "bin"))
