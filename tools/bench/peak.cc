#include "tools/bench/peak.h"

#include "fovea/core/cuda.h"

namespace fovea::tools {
namespace {

constexpr std::optional<double> peak_flops(const GpuInfo& gpu, Factors factors) {
  struct Cycle {
    int major, minor;
    double f32, tf32, bf16;  // FLOP of one multiprocessor
  };
  for (const Cycle& c : {Cycle{8, 0, 128, 1024, 2048}, {9, 0, 256, 2048, 4096}, {10, 0, 256, 4096, 8192}})
    if (gpu.major == c.major && gpu.minor == c.minor)
      return (factors == Factors::f32    ? c.f32
              : factors == Factors::tf32 ? c.tf32
                                         : c.bf16) *
             gpu.multiprocessors * gpu.kilohertz * 1e3;
  return {};
}

// NVIDIA's tables, in TFLOP/s, for the clocks that they are of.
constexpr bool is(double tflops, const GpuInfo& gpu, Factors factors) {
  const double ratio = *peak_flops(gpu, factors) / (tflops * 1e12);
  return 0.99 < ratio && ratio < 1.01;
}
constexpr GpuInfo a100{8, 0, 108, 1410000}, h100{9, 0, 132, 1980000}, h100_tensor{9, 0, 132, 1830000},
    b200{10, 0, 148, 1965000}, b200_tensor{10, 0, 148, 1850000};
static_assert(is(19.5, a100, Factors::f32) && is(156, a100, Factors::tf32) && is(312, a100, Factors::bf16));
static_assert(is(66.9, h100, Factors::f32) && is(494.7, h100_tensor, Factors::tf32) &&
              is(989.4, h100_tensor, Factors::bf16));
static_assert(is(75, b200, Factors::f32) && is(1125, b200_tensor, Factors::tf32) &&
              is(2250, b200_tensor, Factors::bf16));

}  // namespace

std::optional<double> peak_flops(const Device& device, Factors factors) {
#ifdef FOVEA_CUDA
  if (const auto* cuda = std::get_if<Cuda>(&device)) return peak_flops(gpu_info(*cuda), factors);
#else
  (void)device, (void)factors;
#endif
  return {};
}

}  // namespace fovea::tools
