#ifndef FOVEA_TOOLS_BENCH_PEAK_H_
#define FOVEA_TOOLS_BENCH_PEAK_H_

#include <optional>

#include "fovea/core/device.h"

namespace fovea::tools {

/// What a product multiplies: f32 as it is, or factors that tensor cores take.
enum class Factors { f32, tf32, bf16 };

/// The FLOP/s that a device could do at most: what its multiprocessors do in a cycle, dense, at its highest
/// clock. (NVIDIA's tables count tensor cores of Hopper and Blackwell at a clock that is 6 to 8 % lower.)
/// None where a cycle's FLOP are not known here: of the host, and of any but compute capabilities 8.0, 9.0
/// and 10.0.
std::optional<double> peak_flops(const Device& device, Factors factors);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BENCH_PEAK_H_
