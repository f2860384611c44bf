#ifndef FOVEA_MODELS_LAYERS_RNN_H_
#define FOVEA_MODELS_LAYERS_RNN_H_

#include <vector>

#include "fovea/models/layers/recurrent.h"
#include "fovea/ops/rnn_cell.h"

namespace fovea {

/// One step of a simple recurrent network with its weights. See rnn_cell().
template <RnnActivation activation>
struct BasicRnnCell : CellWeights<1> {
  using State = Tensor;
  using CellWeights<1>::CellWeights;

  /// x [B,I], h [B,H] -> the next h.
  Tensor forward(const Tensor& x, const Tensor& h) const {
    return rnn_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh, activation);
  }
  Tensor initial_state(Index batch) const { return zero_state(batch); }

  // What Recurrent needs to know of the state.
  static bool defined(const Tensor& h) { return h.defined(); }
  static const Tensor& output(const Tensor& h) { return h; }
  static Tensor choose(const Tensor& mask, const Tensor& a, const Tensor& b) { return where(mask, a, b); }
  static Tensor part(const Tensor& all, Index i) { return select(all, 0, i); }
  static Tensor join(const std::vector<Tensor>& parts) { return stack(parts, 0); }
};

using RnnCell = BasicRnnCell<RnnActivation::tanh>;
using ReluRnnCell = BasicRnnCell<RnnActivation::relu>;

/// Simple recurrent networks (Elman 1990), stacked and bidirectional. See Recurrent.
using Rnn = Recurrent<RnnCell>;
using ReluRnn = Recurrent<ReluRnnCell>;

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_RNN_H_
