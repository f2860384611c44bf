#include "tools/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "fovea/core/captured.h"
#include "fovea/core/error.h"

namespace fovea::tools {
namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds from the first of `calls` to the end of the last.
double sample(const Step& step, const Device& device, int calls) {
  const auto start = Clock::now();
  for (int i = 0; i < calls; ++i) step();
  synchronize(device);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

Recorded recorded(const Step& step, const Device& device) {
#ifdef FOVEA_CUDA
  if (const auto* cuda = std::get_if<Cuda>(&device)) {
    try {
      const auto graph = std::make_shared<Captured>(*cuda, step);
      return {[graph] { (*graph)(); }, true};
    } catch (const Error& e) {  // it reads what it computes, as writing token by token does
      return {step, false, e.what()};
    }
  }
#else
  (void)device;
#endif
  return {step};
}

Times time(const Step& step, const Device& device, double seconds, bool kernel) {
  Times out;
  const auto is_short = [&] { return sample(step, device, out.calls) < 1; };
  if (kernel && !is_cpu(device))
    while (is_short() || is_short() || is_short())
      out.calls *= 2;  // the first may be slow, and any disturbed
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end || out.ms.size() < 5)
    out.ms.push_back(sample(step, device, out.calls) / out.calls);
  std::sort(out.ms.begin(), out.ms.end());
  return out;
}

}  // namespace fovea::tools
