#ifndef FOVEA_MODELS_LAYERS_GRU_H_
#define FOVEA_MODELS_LAYERS_GRU_H_

#include <vector>

#include "fovea/models/layers/recurrent.h"
#include "fovea/ops/gru_cell.h"

namespace fovea {

/// One step of a GRU with its weights; gates in the order r, z, n. See gru_cell().
struct GruCell : CellWeights<3> {
  using State = Tensor;
  using CellWeights<3>::CellWeights;

  /// x [B,I], h [B,H] -> the next h.
  Tensor forward(const Tensor& x, const Tensor& h) const {
    return gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh);
  }
  Tensor initial_state(Index batch) const { return zero_state(batch); }

  // What Recurrent needs to know of the state.
  static bool defined(const Tensor& h) { return h.defined(); }
  static const Tensor& output(const Tensor& h) { return h; }
  static Tensor choose(const Tensor& mask, const Tensor& a, const Tensor& b) { return where(mask, a, b); }
  static Tensor part(const Tensor& all, Index i) { return select(all, 0, i); }
  static Tensor join(const std::vector<Tensor>& parts) { return stack(parts, 0); }
};

/// Gated recurrent units (Cho et al. 2014, in PyTorch's form), stacked and bidirectional. See Recurrent.
using Gru = Recurrent<GruCell>;

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_GRU_H_
