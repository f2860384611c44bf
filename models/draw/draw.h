#ifndef FOVEA_MODELS_DRAW_DRAW_H_
#define FOVEA_MODELS_DRAW_DRAW_H_

#include <vector>

#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/layers/module.h"

namespace fovea::draw {

/// What happened at every step, for figures. Filled when asked for. draw_grids() says where windows lie.
struct Trace {
  std::vector<Tensor> canvases;       ///< [B,C,H,W], the logits c_t after step t
  std::vector<Tensor> read_windows;   ///< [B,5], with attention
  std::vector<Tensor> write_windows;  ///< [B,5], with attention
};

/// A bound on -ln p(x) in nats, estimated with one draw of the latents a picture, as a mean over the batch.
struct Bound {
  Tensor reconstruction;  ///< [], L^x of equation 9: -ln D(x | c_T)
  Tensor kl;              ///< [T], L^z of equation 11, step by step
  Tensor total() const;   ///< [], what training lessens and the paper reports
};

/// DRAW, a network that draws a picture step by step (Gregor, Danihelka, Graves, Rezende, Wierstra 2015).
/// Section 2, for a picture x and t = 1..T:
///   r_t = read(x, x - sigmoid(c_{t-1}), h^dec_{t-1})
///   h^enc_t = LSTM([r_t, h^dec_{t-1}]),  z_t ~ N(mu(h^enc_t), sigma(h^enc_t)^2)
///   h^dec_t = LSTM(z_t),  c_t = c_{t-1} + write(h^dec_t)
/// sigmoid(c_T) are the probabilities of the pixels, so x is binary or at least in [0, 1]. With attention,
/// read and write see the picture through windows of N x N filters (see draw_attention.h) that h^dec places;
/// without, read is both pictures whole and write a linear layer. Channels share the windows.
struct Draw {
  struct Options {
    Index height = 28, width = 28, channels = 1;
    Index steps = 10;    ///< T
    Index latent = 10;   ///< numbers in z_t
    Index hidden = 256;  ///< of both LSTMs
    bool attention = true;
    Index read_size = 5, write_size = 5;  ///< N of either window
    bool learned_start = true;            ///< c_0 and the LSTMs' states are learned, as in the paper; else 0
    DType dtype = DType::f32;
  };

  Draw() = default;
  Draw(const Options& options, Generator& random);

  /// The bound for images [B,C,H,W] in [0, 1]; fresh noise from `random` at every step.
  Bound loss(const Tensor& images, Generator& random, Trace* trace = nullptr) const;

  /// n pictures of its own (section 2.3), z_t ~ N(0, 1): the probabilities sigmoid(c_T) [n,C,H,W].
  Tensor generate(Index n, Generator& random, Trace* trace = nullptr) const;

  void each(Visitor& v);

  Options options;
  LstmCell encoder, decoder;
  Linear latent;     // of h^enc: mu, then log sigma
  Linear heads;      // of h^dec: the patch, the windows to write it through and to read next; or the canvas
  Parameter canvas;  // what a picture starts with, if learned: [C,H,W] and four times [hidden]
  Parameter encoder_h, encoder_c, decoder_h, decoder_c;

 private:
  struct State;
  State start(Index batch) const;
  void look(State& s) const;
  Tensor read(const Tensor& images, const State& s, Trace* trace) const;
  void write(State& s, Trace* trace) const;
};

/// Makes outputs `first` and the four after it a window that starts out as the whole picture: weights N(0,
/// 0.01^2), biases 0.
void init_window(Linear& layer, Index first, Generator& random);

/// An LSTM cell whose forget gates start open: as PyTorch's, but with one bias, which is 1 on the forget
/// gates and else 0.
LstmCell remembering_cell(Index inputs, Index hidden, DType dtype, Generator& random);

}  // namespace fovea::draw

#endif  // FOVEA_MODELS_DRAW_DRAW_H_
