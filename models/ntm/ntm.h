#ifndef FOVEA_MODELS_NTM_NTM_H_
#define FOVEA_MODELS_NTM_NTM_H_

#include <vector>

#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/layers/module.h"

namespace fovea::ntm {

/// What a machine did at every step, for figures: the first batch element of each. Filled when asked for.
struct Trace {
  std::vector<Tensor> read_weights;   ///< [R,N] a step
  std::vector<Tensor> write_weights;  ///< [W,N]
  std::vector<Tensor> reads;          ///< [R,M]
  std::vector<Tensor> adds;           ///< [W,M]
};

/// A Neural Turing Machine (Graves, Wayne, Danihelka 2014): a controller with heads that read and write the
/// rows of a memory. One step, for the input x_t:
///   h_t = controller([x_t; r_{t-1}])                     an LSTM of one or more layers, or one tanh layer
///   w_t = addressing(heads(h_t), M_{t-1}, w_{t-1})       every head, equations 5 to 9
///   r_t = w_t M_{t-1}                                    equation 2: reading comes before writing
///   M_t = M_{t-1} erased, then added to                  equations 3 and 4
///   y_t = W [h_t; r_t] + b                               logits
/// The paper leaves the order of reading and writing open; this one is what the known implementations share.
struct Ntm {
  enum class Controller { lstm, feedforward };
  /// How the memory starts. `constant`: 1e-6 everywhere (Collier and Beel 2018); `learned`: a parameter;
  /// `random`: drawn once and fixed, U(-a, a) with a = 1/sqrt(N + M). The first weightings and reads are
  /// learned.
  enum class Start { constant, learned, random };

  struct Options {
    Index inputs = 0;   ///< I
    Index outputs = 0;  ///< O
    Controller controller = Controller::lstm;
    Index controller_size = 100;  ///< C
    int controller_layers = 1;
    Index read_heads = 1;   ///< R
    Index write_heads = 1;  ///< W
    Index rows = 128;       ///< N
    Index width = 20;       ///< M
    Index shifts = 3;       ///< S, odd
    Start start = Start::constant;
    /// Logit that row 0 starts with over the others in the learned first weightings: 0 spreads them about
    /// evenly; 8 lets every head begin at one place, from which shifts can count.
    double focus = 0;
    bool tanh_heads = true;  ///< tanh on keys and adds, which bounds the memory; else both are linear
    DType dtype = DType::f32;
  };

  Ntm() = default;
  Ntm(const Options& options, Generator& random);

  /// input [T,B,I], of the model's type -> logits [scored,B,O] of the last `scored` steps (0: of all).
  Tensor forward(const Tensor& input, Index scored = 0, Trace* trace = nullptr) const;
  void each(Visitor& v);

  Options options;
  std::vector<LstmCell> cells;  // the LSTM controller's layers
  std::vector<Linear> hidden;   // or the feed-forward one's
  Linear read_address, write_address, erase, add, out;
  Parameter memory, read_weights, write_weights, reads;  // what a sequence starts with
  std::vector<Parameter> h, c;                           // and the LSTM's state
  Tensor fixed_memory;  // instead of `memory` when that is not learned: [N,M]
};

/// The paper's baseline: stacked LSTM layers and a linear output.
struct LstmBaseline {
  struct Options {
    Index inputs = 0;
    Index outputs = 0;
    Index size = 256;
    int layers = 3;
    DType dtype = DType::f32;
  };

  LstmBaseline() = default;
  LstmBaseline(const Options& options, Generator& random);

  /// input [T,B,I] -> logits [scored,B,O], as Ntm's.
  Tensor forward(const Tensor& input, Index scored = 0) const;
  void each(Visitor& v);

  Options options;
  std::vector<LstmCell> cells;
  Linear out;
};

}  // namespace fovea::ntm

#endif  // FOVEA_MODELS_NTM_NTM_H_
