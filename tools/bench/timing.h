#ifndef FOVEA_TOOLS_BENCH_TIMING_H_
#define FOVEA_TOOLS_BENCH_TIMING_H_

#include <string>
#include <vector>

#include "fovea/core/device.h"
#include "tools/bench/workloads.h"

/// How `fovea bench` runs a step and takes its time.

namespace fovea::tools {

/// On a GPU the step as one graph, if it can be captured; else the step itself, and why it is.
struct Recorded {
  Step step;
  bool captured = false;
  std::string eager_because = {};
};
Recorded recorded(const Step& step, const Device& device);

struct Times {
  std::vector<double> ms;  ///< of one call, a number for each sample, in order of length
  int calls = 1;           ///< in a sample
};

/// Times calls for `seconds`, at least five samples. On a GPU every call is waited for, as one in training
/// is; but of a single kernel, a sample is of as many calls as take a millisecond together, and waits once:
/// what a launch and a wait take would be most of its time.
Times time(const Step& step, const Device& device, double seconds, bool kernel);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BENCH_TIMING_H_
