#ifndef FOVEA_MODELS_LAYERS_RNN_ATTENTION_H_
#define FOVEA_MODELS_LAYERS_RNN_ATTENTION_H_

#include <span>
#include <string>

#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/module.h"

/// The attention of recurrent networks: a decoder's state looks back at all states of an encoder. What kinds
/// there are differ in the score (attention_scores()), in where they look (Window), and in whether they take
/// a mean or one state (hard).

namespace fovea {

struct RnnAttention;

/// How a query q and a state h of the memory are scored. The states are projected once a sentence.
struct AttentionScore {
  const char* name;
  const char* formula;
  bool projects_memory;  ///< W
  bool projects_query;   ///< U, and v
  /// q [B,T,Q], keys [B,S,K] (projected, if so) -> scores [B,T,S].
  Tensor (*score)(const RnnAttention& layer, const Tensor& q, const Tensor& keys);
};
/// dot, general, concat, cosine and scaled.
std::span<const AttentionScore> attention_scores();

/// Where a query looks.
enum class Window {
  global,   ///< everywhere
  local_m,  ///< at positions p - D to p + D, with p = t, the query's own
  local_p,  ///< with p = S sigmoid(v_p . tanh(W_p q)), and weights times exp(-(s - p)^2 / (2 (D / 2)^2))
};

/// What is looked at: the states of B sentences, padded behind.
struct AttentionMemory {
  Tensor values;   ///< [B,S,E]
  Tensor keys;     ///< [B,S,K]; made by RnnAttention::remember()
  Tensor keep;     ///< u8 [B,S], 1 where there is a state
  Tensor lengths;  ///< i32 [B], the sums of keep

  /// The sentences of these numbers: i32 [R].
  AttentionMemory rows(const Tensor& numbers) const;
};

/// What is seen.
struct Look {
  Tensor context;   ///< [B,T,E] = weights values
  Tensor weights;   ///< [B,T,S]; 0 for padding, and everywhere for a memory of nothing but padding
  Tensor log_prob;  ///< [B,T]: of the state that hard attention has drawn; undefined otherwise
  Tensor middle;    ///< [B,T]: p kept within the sentence, of a window that is not global; else undefined
};

/// Attention of an RNN: a = softmax over s of score(q, h_s), context = sum_s a_s h_s.
///
/// The scores and windows are those of Luong, Pham, Manning 2015 (sections 3.1, 3.2) and Bahdanau, Cho,
/// Bengio 2015 (concat, with two matrices; the query is then the decoder's state before the step). As in
/// their code the Gaussian of local-p multiplies after the softmax over the window, the sum is not made 1
/// again, and the window's middle is floor(p), kept within the sentence: the gradient reaches p through the
/// Gaussian alone. S is the length without padding. `cosine` has a learned factor, as the Neural Turing
/// Machine, because a softmax of numbers in [-1,1] is nearly even.
///
/// Hard attention (Xu et al. 2015, section 4.1) takes one state: drawn in training mode, to be learned with
/// reinforce_loss(log_prob, ...); otherwise the likeliest.
struct RnnAttention {
  struct Options {
    std::string score = "concat";
    Window window = Window::global;
    bool hard = false;
    Index query_size = 0;   ///< Q
    Index memory_size = 0;  ///< E; dot, cosine and scaled need E = Q
    Index hidden_size = 0;  ///< of concat and of local-p's net; 0: Q
    Index half_width = 10;  ///< D
    DType dtype = DType::f32;
  };

  const AttentionScore* rule = nullptr;
  Window window = Window::global;
  bool hard = false;
  Index half_width = 10;
  Linear memory, query;  ///< W, U
  Parameter v;           ///< [A]
  Parameter beta;        ///< [1], of cosine
  Linear position;       ///< W_p
  Parameter position_v;  ///< [A]
  Mode mode;

  RnnAttention() = default;
  RnnAttention(const Options& options, Generator& random);

  /// A memory to look at, its keys made. values [B,S,E], keep u8 [B,S].
  AttentionMemory remember(const Tensor& values, const Tensor& keep) const;

  /// T queries q [B,T,Q], which stand at positions `first`, first + 1, ... (local-m asks).
  Look forward(const Tensor& q, const AttentionMemory& memory, Index first = 0) const;

  void each(Visitor& v);

 private:
  Tensor positions(const Tensor& q, const AttentionMemory& memory, Index first) const;
};

/// Options of attention by name: a score's, or local-m, local-p (with general scores, the best in Luong's
/// tables) and hard (concat). Throws Error, listing the names, for others.
RnnAttention::Options attention_named(const std::string& name);
/// The names.
std::vector<std::string> attention_names();

}  // namespace fovea

#endif  // FOVEA_MODELS_LAYERS_RNN_ATTENTION_H_
