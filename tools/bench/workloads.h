#ifndef FOVEA_TOOLS_BENCH_WORKLOADS_H_
#define FOVEA_TOOLS_BENCH_WORKLOADS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/tape.h"
#include "fovea/models/training/clip.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/create.h"
#include "tools/bench/peak.h"
#include "tools/options.h"

/// What `fovea bench` times, and with which options.

namespace fovea::tools {

struct BenchOptions {
  CommonOptions common;
  std::vector<std::string> names;
  double seconds = 3;
  std::optional<std::int64_t> batch_size, length, hidden_size;
  bool products_only = false;
  bool bf16 = false;  ///< activations
  bool json = false;
  Device device = Cpu{};  ///< where the work is done
};

/// x on the device, as activations are there.
inline Tensor activations(const BenchOptions& o, const Tensor& x) {
  const Tensor there = to(x, o.device);
  return o.bf16 ? cast(there, DType::bf16) : there;
}

/// One step of the work, as a function to call again and again.
using Step = std::function<void()>;

/// An update by the gradients of what `cost()` computes, their norm clipped where `max_norm` is above 0.
template <class Cost>
void train_step(Optimizer& optimizer, double max_norm, Cost cost) {
  Tensor seen;
  {
    Tape tape;
    const Tensor loss = cost();
    tape.backward(loss);
    seen = loss_and_norm(loss, optimizer.parameters());
  }
  optimizer.step(seen, max_norm);
}

/// A step, and for single kernels what it must at least move and compute, and of what its products are; for
/// writing, how many tokens.
struct Work {
  Step step;
  double bytes = 0, flops = 0;
  Factors factors = Factors::f32;
  double tokens = 0;

  Work(Step step, double bytes = 0, double flops = 0, Factors factors = Factors::f32)
      : step(std::move(step)), bytes(bytes), flops(flops), factors(factors) {}
};

struct Workload {
  std::string name;
  std::function<Work(const BenchOptions&)> make;
  /// On a host only when it is named: too slow there, or of no interest beside the others.
  bool on_request = false;
  bool bf16 = false;  ///< whether --bf16 is for it
};

/// Training steps of the NTM, of DRAW, of an LSTM cell, and of a chain of additions.
std::vector<Workload> recurrent_workloads();
/// Training steps of the Spatial Transformer, and convolutions alone.
std::vector<Workload> image_workloads();
/// Training steps of the Transformer and GPT, GPT's writing, and attention alone.
std::vector<Workload> transformer_workloads();
/// Single kernels on large tensors, which bytes a second and FLOP/s are told of.
std::vector<Workload> kernel_workloads();

/// Whether a workload has a version of its products of matrices alone.
bool has_products_only(const std::string& name);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BENCH_WORKLOADS_H_
