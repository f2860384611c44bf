#ifndef FOVEA_MODELS_SEQ2SEQ_DECODER_H_
#define FOVEA_MODELS_SEQ2SEQ_DECODER_H_

#include <optional>
#include <string>
#include <vector>

#include "fovea/models/layers/gru.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/layers/rnn_attention.h"

/// The two ways to put attention into an encoder-decoder, between the embeddings and the layer over the
/// words, which are Seq2Seq's.

namespace fovea::seq2seq {

/// What both are made of.
struct NetOptions {
  std::string attention = "concat";  ///< a name of attentions()
  Index embedding = 128;             ///< D
  Index hidden = 256;                ///< H, of the decoder
  Index encoder_hidden = 0;   ///< of each direction; 0: half of H, so that states are as wide as queries
  int layers = 1;             ///< of encoder and decoder (Luong's)
  Index half_width = 10;      ///< of local attention's window
  bool input_feeding = true;  ///< Luong's
  Index features = 0;         ///< F, RnnSearch's; 0: half of H, as in the paper
  double dropout = 0;         ///< between layers
  DType dtype = DType::f32;

  Index direction_size() const { return encoder_hidden > 0 ? encoder_hidden : hidden / 2; }
};

/// none, and attention_names().
std::vector<std::string> attentions();

/// Where B sentences stand: what is looked at, and the decoder's own tensors [B,*].
struct State {
  AttentionMemory memory;
  std::vector<Tensor> parts;
  Index position = 0;  ///< steps made

  /// The sentences of these numbers: i32 [R].
  State rows(const Tensor& numbers) const;
};

/// What a step gives.
struct Step {
  Tensor features;  ///< [B,F], from which the next word is predicted
  Tensor weights;   ///< [B,S]; undefined without attention
  Tensor log_prob;  ///< [B], of hard attention
  Tensor middle;    ///< [B], of local attention's window
};

/// RNNsearch (Bahdanau, Cho, Bengio 2015): a bidirectional GRU encodes; every step of the decoder, a GRU,
/// starts by looking with the state s before it.
///   c = look(s),  s' = gru([E y; c], s),  t = W [s'; c; E y] + b,  features_j = max(t_j, t_(F+j))
/// s starts as tanh(W_s h_1 + b), h_1 being the backward state at the first word. As PyTorch ports do, the
/// GRU is PyTorch's (the reset gate acts after the product) and the maxout sees s', where the paper's sees s.
/// Without attention c is the encoder's last state of both directions, at every step the same (Cho et al.
/// 2014).
struct RnnSearch {
  Gru encoder;
  Linear start;  ///< W_s
  std::optional<RnnAttention> attention;
  GruCell cell;
  Linear maxout;  ///< W

  RnnSearch() = default;
  RnnSearch(const NetOptions& options, Generator& random);
  Index features() const { return maxout.weight.size(0) / 2; }

  /// x [B,S,D], the words' vectors, padded behind; keep u8 [B,S], lengths i32 [B].
  State encode(const Tensor& x, const Tensor& keep, const Tensor& lengths) const;
  /// One step from words y [B,D].
  Step step(const Tensor& y, State& state) const;
  void each(Visitor& v);
};

/// Luong, Pham, Manning 2015: a stack of LSTMs looks with its new state h, and the attentional state a
/// predicts.
///   h = lstm([E y; a_before]),  c = look(h),  a = tanh(W_c [c; h])
/// The decoder's layers start as the encoder's end. The encoder is bidirectional, each direction half as
/// wide; the states side by side are as wide as the decoder's. Without input feeding a_before is left out;
/// without attention a = h.
struct Luong {
  Lstm encoder;
  std::vector<LstmCell> cells;
  std::optional<RnnAttention> attention;
  Linear combine;  ///< W_c
  Dropout dropout;
  bool feeds = false;

  Luong() = default;
  Luong(const NetOptions& options, Generator& random);
  Index features() const { return cells[0].hidden_size(); }

  State encode(const Tensor& x, const Tensor& keep, const Tensor& lengths) const;
  Step step(const Tensor& y, State& state) const;
  void each(Visitor& v);
};

}  // namespace fovea::seq2seq

#endif  // FOVEA_MODELS_SEQ2SEQ_DECODER_H_
