#ifndef FOVEA_MODELS_LAYERS_RECURRENT_H_
#define FOVEA_MODELS_LAYERS_RECURRENT_H_

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "fovea/models/layers/dropout.h"
#include "fovea/models/layers/init.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/views.h"
#include "fovea/ops/where.h"

/// What LSTM, GRU and the simple RNN have in common: the weights of one step, and the loop over time, layers
/// and directions.

namespace fovea {

/// The weights of one recurrent step with G gates: weight_ih [G H,I], weight_hh [G H,H], biases [G H]. They
/// start as PyTorch's: U(-1/sqrt(H), 1/sqrt(H)).
template <int G>
struct CellWeights {
  struct Options {
    Index input_size = 0;   ///< I
    Index hidden_size = 0;  ///< H
    bool bias = true;
    DType dtype = DType::f32;
  };

  Parameter weight_ih, weight_hh, bias_ih, bias_hh;

  CellWeights() = default;
  CellWeights(const Options& o, Generator& random) {
    const Index I = o.input_size, H = o.hidden_size;
    require(I > 0 && H > 0, "recurrent", "input_size is ", I, " and hidden_size ", H,
            "; both must be at least 1");
    weight_ih = Parameter(Tensor::empty({G * H, I}, o.dtype));
    weight_hh = Parameter(Tensor::empty({G * H, H}, o.dtype));
    if (o.bias) {
      bias_ih = Parameter(Tensor::empty({G * H}, o.dtype));
      bias_hh = Parameter(Tensor::empty({G * H}, o.dtype));
    }
    const double a = 1 / std::sqrt(static_cast<double>(H));
    for (const Parameter& p : {weight_ih, weight_hh, bias_ih, bias_hh})
      if (p.defined()) init::uniform(p, random, -a, a);
  }

  Index hidden_size() const { return weight_hh.size(1); }
  Tensor zero_state(Index batch) const {
    return zeros({batch, hidden_size()}, weight_hh.dtype(), weight_hh.device());
  }

  /// `suffix` tells the cells of a stack apart: weight_ih_l0, weight_ih_l0_reverse.
  void each(Visitor& v, const std::string& suffix = "") {
    v("weight_ih" + suffix, weight_ih);
    v("weight_hh" + suffix, weight_hh);
    v("bias_ih" + suffix, bias_ih);
    v("bias_hh" + suffix, bias_hh);
  }
};

/// A recurrent network of one or more layers, in one or both directions, over x [B,T,I]. A layer above the
/// first reads the outputs of the one below, forward and backward ones side by side. Parameters are named as
/// PyTorch names them: weight_ih_l0, weight_ih_l0_reverse, weight_ih_l1 ...
///
/// Cell is LstmCell, GruCell or RnnCell; its State holds [B,H] tensors for one step, and the same tensors as
/// [layers * directions,B,H] for the whole network (layer 0 forward, layer 0 backward, layer 1 forward ...).
template <class Cell>
struct Recurrent {
  using State = typename Cell::State;

  struct Options {
    Index input_size = 0;   ///< I
    Index hidden_size = 0;  ///< H
    int num_layers = 1;
    bool bidirectional = false;
    bool bias = true;
    double dropout = 0;  ///< between layers, in training mode
    DType dtype = DType::f32;
  };

  struct Output {
    Tensor
        output;  ///< the last layer's h at every step: [B,T,H], or [B,T,2H] in both directions; 0 past an end
    State state;  ///< after the last step of each layer and direction
  };

  std::vector<Cell> cells;  ///< layer by layer; forward, then backward
  int directions = 1;
  Dropout dropout;

  Recurrent() = default;
  Recurrent(const Options& o, Generator& random)
      : directions(o.bidirectional ? 2 : 1), dropout{o.dropout, {}} {
    require(o.num_layers > 0, "recurrent", "num_layers is ", o.num_layers, "; it must be at least 1");
    for (int layer = 0; layer < o.num_layers; ++layer)
      for (int d = 0; d < directions; ++d)
        cells.push_back(Cell({.input_size = layer == 0 ? o.input_size : o.hidden_size * directions,
                              .hidden_size = o.hidden_size,
                              .bias = o.bias,
                              .dtype = o.dtype},
                             random));
  }

  /// x [B,T,I], T >= 1, from an initial state; from zeros when none is given. Sequences of different lengths
  /// (i32 [B], 1 to T) are padded behind: what lies there changes nothing, the last state is that of a
  /// sequence's own end, and the backward direction starts there. Lengths on a GPU are not looked at by the
  /// host, so that the step can be captured.
  Output forward(const Tensor& x, const State& initial = {}, const Tensor& lengths = {}) const {
    require(x.rank() == 3 && x.size(1) > 0, "recurrent", "input ", x.shape(),
            " must be [B,T,I] with T at least 1");
    const Index B = x.size(0), T = x.size(1);
    const std::vector<Ended> ended = ends(lengths, B, T, x.device());
    // One matrix a step, with one op for all of them.
    std::vector<Tensor> steps = split(reshape(contiguous(transpose(x, 0, 1)), {T * B, x.size(2)}),
                                      std::vector<Index>(std::size_t(T), B), 0);
    std::vector<State> last;
    while (last.size() < cells.size()) {
      if (!last.empty())
        for (Tensor& step : steps) step = dropout.forward(step);
      std::vector<Tensor> h = run(steps, ended, initial, false, last);
      if (directions == 2) {
        const std::vector<Tensor> back = run(steps, ended, initial, true, last);
        for (std::size_t t = 0; t < h.size(); ++t) h[t] = concat({h[t], back[t]}, 1);
      }
      steps = std::move(h);
    }
    return {stack(steps, 1), Cell::join(last)};
  }

  void each(Visitor& v) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto n = static_cast<std::size_t>(directions);
      cells[i].each(v, "_l" + std::to_string(i / n) + (i % n == 0 ? "" : "_reverse"));
    }
    dropout.each(v);
  }

 private:
  using Ended = Tensor;  // u8 [B,1], 1 where a sequence has ended before a step; undefined when none has

  static std::vector<Ended> ends(const Tensor& lengths, Index B, Index T, const Device& device) {
    std::vector<Ended> ended(static_cast<std::size_t>(T));
    if (!lengths.defined()) return ended;
    require(lengths.dtype() == DType::i32 && lengths.shape() == Shape{B}, "recurrent", "lengths ",
            lengths.shape(), " ", lengths.dtype(), " must be ", Shape{B}, " i32");
    if (!is_cpu(lengths.device())) {
      const std::vector<Tensor> steps = split(arange(T, DType::i32, device), T, 0);
      for (std::size_t t = 0; t < steps.size(); ++t)
        ended[t] = less_equal(reshape(lengths, {B, 1}), steps[t]);
      return ended;
    }
    for (Index b = 0; b < B; ++b) {
      const Index length = lengths.data<std::int32_t>()[b];
      require(length >= 1 && length <= T, "recurrent", "sequence ", b, " has length ", length,
              "; it must be 1 to ", T, ", which the input has steps");
      for (Index t = length; t < T; ++t) {
        Ended& at = ended[static_cast<std::size_t>(t)];
        if (!at.defined()) at = zeros({B, 1}, DType::u8);
        at.mutable_data<std::uint8_t>()[b] = 1;
      }
    }
    for (Ended& at : ended)
      if (at.defined()) at = to(at, device);
    return ended;
  }

  // Runs cell number last.size() over the steps; returns h at every step and appends the state after them.
  std::vector<Tensor> run(const std::vector<Tensor>& steps, const std::vector<Ended>& ended,
                          const State& initial, bool reverse, std::vector<State>& last) const {
    const std::size_t n = last.size(), T = steps.size();
    const Cell& cell = cells[n];
    State s = Cell::defined(initial) ? Cell::part(initial, static_cast<Index>(n))
                                     : cell.initial_state(steps[0].size(0));
    std::vector<Tensor> h(T);
    for (std::size_t i = 0; i < T; ++i) {
      const std::size_t t = reverse ? T - 1 - i : i;
      const State next = cell.forward(steps[t], s);
      // A sequence that has ended keeps its state: forward the last one, backward the first.
      s = ended[t].defined() ? Cell::choose(ended[t], s, next) : next;
      h[t] = ended[t].defined() ? masked_fill(Cell::output(s), ended[t], 0) : Cell::output(s);
    }
    last.push_back(std::move(s));
    return h;
  }
};

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_RECURRENT_H_
