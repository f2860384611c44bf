#include <omp.h>

#include <iostream>

#include "fovea/core/memory.h"
#include "fovea/ops/blas.h"
#include "tools/bench/bench.h"
#include "tools/commands.h"
#include "tools/figures/canvas.h"
#include "tools/gradcheck.h"

namespace fovea::tools {
namespace {

int list(const Commands& commands) {
  for (const Commands::Family& family : commands.families) {
    std::cout << family.name << "  " << family.about << '\n';
    for (const auto& [task, about] : family.tasks)
      std::cout << "  --task " << task << std::string(14 - std::min<std::size_t>(13, task.size()), ' ')
                << about << '\n';
  }
  return 0;
}

int info() {
  const BlasInfo blas = blas_info();
  std::cout << "fovea     " << FOVEA_VERSION << "\ncompiler  " << __VERSION__ << "\ndevices   cpu";
#ifdef FOVEA_CUDA
  for (int i = 0; i < cuda_device_count(); ++i) std::cout << ", " << Device(Cuda{i});
#endif
  std::cout << "\nthreads   " << omp_get_max_threads() << "\nblas      " << blas.config
            << "\n          kernels for " << blas.core
            << (blas.uses_openmp ? ", threads by OpenMP"
                                 : ", threads of its own: kept to one; libopenblas-openmp-dev is faster")
            << "\nfigures   " << (figures_available() ? "yes" : "no (built without Cairo or giflib)") << '\n';
  return 0;
}

}  // namespace

void add_general(Commands& commands) {
  commands.root.add("list", "Models and tasks").on_call([&] { return list(commands); });
  commands.root.add("info", "This build and this machine").on_call(info);
  add_bench(commands);
  add_gradcheck(commands);
}

}  // namespace fovea::tools
