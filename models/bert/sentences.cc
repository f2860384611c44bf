#include "fovea/models/bert/sentences.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"

namespace fovea::bert {
namespace {

// The mean of `count` rows of E values.
void mean_of(const float* rows, Index count, Index E, float* out) {
  std::fill_n(out, E, 0.0f);
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < E; ++j) out[j] += rows[i * E + j];
  const float share = 1 / static_cast<float>(count);
  for (Index j = 0; j < E; ++j) out[j] *= share;
}

// To a length of 1; what is 0 stays so.
void normalize(float* x, Index E) {
  double squares = 0;
  for (Index j = 0; j < E; ++j) squares += static_cast<double>(x[j]) * static_cast<double>(x[j]);
  const auto scale = static_cast<float>(1 / std::max(std::sqrt(squares), 1e-12));
  for (Index j = 0; j < E; ++j) x[j] *= scale;
}

/// Calls f(0), ..., f(n - 1), the first ones first. On the host a thread takes a whole call when there are
/// enough of them: that keeps threads from waiting for each other in every product, which costs most where
/// others use the processor, too.
template <class F>
void each_in_parallel(const Device& device, std::size_t n, F&& f) {
  if (!is_cpu(device) || n < static_cast<std::size_t>(omp_get_max_threads())) {
    for (std::size_t i = 0; i < n; ++i) f(i);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < n; ++i) try {
      f(i);
    } catch (...) {
#pragma omp critical
      error = std::current_exception();
    }
  if (error) std::rethrow_exception(error);
}

}  // namespace

Tensor embed(const Encoder& encoder, std::span<const std::vector<std::int32_t>> sentences,
             const SentenceOptions& options, Index batch_tokens) {
  const Index N = static_cast<Index>(sentences.size()), E = encoder.embeddings.word.weight.size(1);
  require(encoder.embeddings.word.weight.dtype() == DType::f32, "embed", "the model must be f32");
  const auto length = [&](Index i) {
    return static_cast<Index>(sentences[static_cast<std::size_t>(i)].size());
  };

  const Device device = encoder.embeddings.word.weight.device();
  const bool all = options.pooling == Pooling::none;
  std::vector<Index> row(sentences.size() + 1, 0), order(sentences.size());
  for (Index i = 0; i < N; ++i) {
    require(length(i) > 0, "embed", "sentence ", i, " has no tokens; [CLS] and [SEP] are the least");
    row[static_cast<std::size_t>(i) + 1] = row[static_cast<std::size_t>(i)] + (all ? length(i) : 1);
  }
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return length(a) > length(b); });

  Tensor out = Tensor::empty({row.back(), E}, DType::f32);
  float* const vectors = out.mutable_data<float>();
  const auto run = [&](std::span<const Index> batch) {
    const Pause pause;
    const Index B = static_cast<Index>(batch.size()), L = length(batch[0]);
    Input input{zeros({B, L}, DType::i32)};
    const bool padded = length(batch.back()) < L;
    if (padded) input.keep_mask = zeros({B, L}, DType::u8);
    for (Index b = 0; b < B; ++b) {
      const auto& ids = sentences[static_cast<std::size_t>(batch[static_cast<std::size_t>(b)])];
      std::copy(ids.begin(), ids.end(), input.ids.mutable_data<std::int32_t>() + b * L);
      if (padded) std::fill_n(input.keep_mask.mutable_data<std::uint8_t>() + b * L, ids.size(), 1);
    }
    input.ids = to(input.ids, device);
    if (padded) input.keep_mask = to(input.keep_mask, device);
    const Tensor hidden = to(contiguous(encoder.forward(input)), Cpu{});
    for (Index b = 0; b < B; ++b) {
      const Index sentence = batch[static_cast<std::size_t>(b)];
      const Index at = row[static_cast<std::size_t>(sentence)],
                  end = row[static_cast<std::size_t>(sentence) + 1];
      const float* from = hidden.data<float>() + b * L * E;
      if (options.pooling == Pooling::mean)
        mean_of(from, length(sentence), E, vectors + at * E);
      else
        std::copy_n(from, (end - at) * E, vectors + at * E);
      if (options.normalize)
        for (Index i = at; i < end; ++i) normalize(vectors + i * E, E);
      require(std::all_of(vectors + at * E, vectors + end * E, [](float v) { return std::isfinite(v); }),
              "embed", "the weights give numbers that are not finite, for sentence ", sentence);
    }
  };
  std::vector<std::span<const Index>> batches;  // each begins with its longest
  for (std::span<const Index> left = order; !left.empty(); left = left.subspan(batches.back().size())) {
    const auto most = static_cast<std::size_t>(std::max<Index>(batch_tokens / length(left[0]), 1));
    batches.push_back(left.first(std::min(most, left.size())));
  }
  each_in_parallel(device, batches.size(), [&](std::size_t i) { run(batches[i]); });
  return out;
}

}  // namespace fovea::bert
