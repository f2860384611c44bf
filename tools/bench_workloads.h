#ifndef FOVEA_TOOLS_BENCH_WORKLOADS_H_
#define FOVEA_TOOLS_BENCH_WORKLOADS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/options.h"

/// What `fovea bench` times, and with which options.

namespace fovea::tools {

struct BenchOptions {
  CommonOptions common;
  std::vector<std::string> names;
  double seconds = 3;
  std::optional<std::int64_t> batch_size, length, hidden_size;
  bool products_only = false;
  bool json = false;
};

/// One step of the work, as a function to call again and again.
using Step = std::function<void()>;

/// One training step of an encoder-decoder Transformer: E 128, 4 heads, 4 + 4 layers of width 256, post-norm,
/// one matrix for 10,000 words, 128 pairs of 24 + 24 tokens, dropout 0.1, label smoothing 0.1, clipping by
/// norm 1, Adam.
Step transformer_step(const BenchOptions& o);
/// One training step of nanoGPT's CPU preset: 4 layers, 4 heads, E 128, 12 sequences of 64 of 65 characters,
/// clipping by norm 1, AdamW.
Step gpt_step(const BenchOptions& o);
/// That GPT writes 63 characters after one, token by token, with its keys and values cached: divide 63 B by
/// the time for tokens a second. B is 1.
Step decode_step(const BenchOptions& o);
/// Causal attention alone, [16,12,1024,64], forward and backward.
Step attention_step(const BenchOptions& o);
/// Whether a workload has a version of its products of matrices alone.
bool has_products_only(const std::string& name);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BENCH_WORKLOADS_H_
