#ifndef FOVEA_MODELS_LAYERS_LSTM_H_
#define FOVEA_MODELS_LAYERS_LSTM_H_

#include <vector>

#include "fovea/models/layers/recurrent.h"
#include "fovea/ops/lstm_cell.h"

namespace fovea {

/// One step of an LSTM with its weights; gates in the order i, f, g, o. See lstm_cell().
struct LstmCell : CellWeights<4> {
  using State = LstmState;
  using CellWeights<4>::CellWeights;

  /// x [B,I], h and c [B,H] -> the next h and c.
  LstmState forward(const Tensor& x, const LstmState& s) const {
    return lstm_cell(x, s, weight_ih, weight_hh, bias_ih, bias_hh);
  }
  LstmState initial_state(Index batch) const { return {zero_state(batch), zero_state(batch)}; }

  // What Recurrent needs to know of the state.
  static bool defined(const LstmState& s) { return s.h.defined(); }
  static const Tensor& output(const LstmState& s) { return s.h; }
  static LstmState choose(const Tensor& mask, const LstmState& a, const LstmState& b) {
    return {where(mask, a.h, b.h), where(mask, a.c, b.c)};
  }
  static LstmState part(const LstmState& all, Index i) { return {select(all.h, 0, i), select(all.c, 0, i)}; }
  static LstmState join(const std::vector<LstmState>& parts) {
    std::vector<Tensor> h, c;
    for (const LstmState& s : parts) {
      h.push_back(s.h);
      c.push_back(s.c);
    }
    return {stack(h, 0), stack(c, 0)};
  }
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997), stacked and bidirectional. See Recurrent.
using Lstm = Recurrent<LstmCell>;

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_LSTM_H_
