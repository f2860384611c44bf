#include "fovea/models/layers/batch_norm2d.h"
#include "fovea/ops/grid_sample.h"
#include "fovea/ops/pool2d.h"
#include "fovea/ops/upsample.h"
#include "tests/golden.h"

// Ops on images against PyTorch's. tests/golden/images.py makes the file and says what its entries are.

namespace fovea::tests {
namespace {

const NpzFile& file() {
  static const NpzFile npz = golden("images.npz");
  return npz;
}

void check_case(const std::string& name, const Function& f) {
  check_layer(file(), name, {}, [&](const Inputs& x) { return std::vector{f(x)}; });
}

const std::pair<AlignCorners, std::string> both_corners[] = {{AlignCorners::no, "no"},
                                                             {AlignCorners::yes, "yes"}};

TEST_CASE("golden: grids and their sampling") {
  for (const auto& [corners, tag] : both_corners) {
    check_case("affine_grid_" + tag,
               [c = corners](const Inputs& x) { return affine_grid(x[0], 3, 4, c).points; });
    check_case("affine_grid_one_" + tag,
               [c = corners](const Inputs& x) { return affine_grid(x[0], 1, 4, c).points; });
    for (const auto& [mode, mode_name] :
         {std::pair{Interpolation::bilinear, "bilinear"}, {Interpolation::nearest, "nearest"}})
      for (const auto& [padding, padding_name] :
           {std::pair{Surroundings::zeros, "zeros"}, {Surroundings::border, "border"}})
        check_case(cat("grid_sample_", mode_name, "_", padding_name, "_", tag),
                   [c = corners, m = mode, p = padding](const Inputs& x) {
                     return grid_sample(x[0], SamplingGrid(x[1], c), {.mode = m, .padding = p});
                   });
  }
}

TEST_CASE("golden: upsample") {
  for (const auto& [corners, tag] : both_corners)
    for (const HeightWidth& size : {HeightWidth(9, 10), HeightWidth(3, 2)})
      check_case(cat("upsample_bilinear_", size.h, "_", tag),
                 [=, c = corners](const Inputs& x) { return upsample(x[0], {.size = size, .corners = c}); });
  for (const auto& [scale, number] : {std::pair{2.0, "2.0"}, {1.5, "1.5"}}) {
    check_case(cat("upsample_bilinear_scale_", number),
               [s = scale](const Inputs& x) { return upsample(x[0], {.scale = s}); });
    check_case(cat("upsample_nearest_scale_", number), [s = scale](const Inputs& x) {
      return upsample(x[0], {.scale = s, .mode = Interpolation::nearest});
    });
  }
  check_case("upsample_nearest_7", [](const Inputs& x) {
    return upsample(x[0], {.size = {7, 3}, .mode = Interpolation::nearest});
  });
}

TEST_CASE("golden: pooling") {
  check_case("max_pool2d", [](const Inputs& x) { return max_pool2d(x[0]); });
  check_case("max_pool2d_3_2_1",
             [](const Inputs& x) { return max_pool2d(x[0], {.kernel = 3, .stride = 2, .padding = 1}); });
  check_case("avg_pool2d", [](const Inputs& x) { return avg_pool2d(x[0]); });
  check_case("avg_pool2d_3_2_1",
             [](const Inputs& x) { return avg_pool2d(x[0], {.kernel = 3, .stride = 2, .padding = 1}); });
  check_case("avg_pool2d_no_pad", [](const Inputs& x) {
    return avg_pool2d(x[0], {.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false});
  });
  check_case("adaptive_avg_pool2d", [](const Inputs& x) { return adaptive_avg_pool2d(x[0], {3, 4}); });
  check_case("adaptive_max_pool2d", [](const Inputs& x) { return adaptive_max_pool2d(x[0], {3, 4}); });
}

TEST_CASE("golden: BatchNorm2d and its running statistics") {
  for (const std::string name : {"batch_norm2d_train", "batch_norm2d_eval"}) {
    BatchNorm2d layer({.features = 3, .dtype = DType::f64});
    Generator random(1);
    if (name == "batch_norm2d_train") training_mode(layer, random);
    const auto buffers = [&] {
      return std::vector<NamedTensor>{{"running_mean", layer.running_mean},
                                      {"running_var", layer.running_var},
                                      {"num_batches_tracked", layer.num_batches_tracked}};
    };
    for (const auto& [buffer, t] : buffers()) assign(t, file().get(cat(name, "/b/", buffer)));
    check_layer(file(), name, named_parameters(layer),
                [&](const Inputs& x) { return std::vector{layer.forward(x[0])}; });
    for (const auto& [buffer, t] : buffers())
      CHECK_MESSAGE(difference(t, file().get(cat(name, "/a/", buffer))) <= 1e-12, cat(name, ": ", buffer));
  }
}

}  // namespace
}  // namespace fovea::tests
