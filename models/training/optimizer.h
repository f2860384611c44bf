#ifndef FOVEA_MODELS_TRAINING_OPTIMIZER_H_
#define FOVEA_MODELS_TRAINING_OPTIMIZER_H_

#include <span>
#include <string>
#include <vector>

#include "fovea/core/named_tensor.h"
#include "fovea/models/layers/flat.h"

/// Optimizers over flat parameters:
///
///     Adam optimizer(flatten(model), {.lr = 1e-3});
///     ...
///     tape.backward(loss);
///     optimizer.step();  // one sweep: updates the values and sets the gradients to 0
///
/// Defaults are PyTorch's. Below, w is a value, g its gradient, lr the learning rate, and all states start at
/// 0.

namespace fovea {

/// What all optimizers have in common.
class Optimizer {
 public:
  /// Options of every optimizer.
  struct Common {
    double lr = 1e-3;
    double weight_decay = 0;    ///< adds weight_decay w to g (AdamW: see there)
    bool decay_vectors = true;  ///< false keeps weight decay from biases, gains and other vectors
  };

  virtual ~Optimizer() = default;

  /// Updates every parameter that is not frozen, and sets all gradients to 0.
  void step() { step({}, 0); }
  /// The same where the host has not looked at the loss yet, so that all of a training step can be captured:
  /// `seen` is what loss_and_norm() gave. Gradients are scaled as clip_by_norm(max_norm) does, unless
  /// max_norm is 0. Where the loss or the norm is not finite, nothing is changed but the count of steps: the
  /// gradients stay, until zero_gradients().
  void step(const Tensor& seen, double max_norm);
  /// Updates made so far.
  Index steps() const { return steps_; }
  /// For a step that has changed nothing.
  void set_steps(Index steps) { steps_ = steps; }

  double lr() const { return common_.lr; }
  /// From the next step on. Schedules call it before every step.
  void set_lr(double lr);

  /// Gives the parameters whose names start with `prefix` a learning rate of their own, `factor` times the
  /// optimizer's: "localisation.", 0.1. Throws when there is none. A step that has been captured keeps what
  /// it had.
  void scale_lr(const std::string& prefix, double factor);

  /// The buffers it works on, for clipping and checking.
  const FlatParameters& parameters() const { return flat_; }

  /// All it takes to go on bit for bit: the count of steps, the learning rate and, under the names of the
  /// parameters, "hidden.weight/exp_avg" and so on. The tensors share storage with the optimizer's.
  std::vector<NamedTensor> state() const;
  /// Takes over what state() gave. Throws an Error that lists what is missing, unexpected or of another
  /// shape; then nothing has been changed.
  void load_state(std::span<const NamedTensor> state);

 protected:
  Optimizer(FlatParameters flat, const Common& common, std::vector<std::string> state_names);
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;

  /// A stretch of the flat buffers to be treated alike.
  struct Stretch {
    Index begin, length;
    double weight_decay, lr_scale;
    const double* seen;
    double max_norm;
  };
  double lr(const Stretch& s) const { return common_.lr * s.lr_scale; }
  /// Updates one stretch and sets its gradients to 0.
  virtual void update(const Stretch& s) = 0;

  FlatParameters flat_;
  Common common_;
  Index steps_ = 0;             // during update(): this one included
  std::vector<Tensor> states_;  // [N] each, as the values

 private:
  std::vector<std::string> state_names_;
};

/// Stochastic gradient descent. With momentum (Polyak 1964): v = momentum v + g, w -= lr v; with Nesterov's
/// look-ahead (Sutskever et al. 2013): w -= lr (g + momentum v).
class Sgd : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3;
    double momentum = 0;
    bool nesterov = false;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  Sgd(FlatParameters flat, const Options& options);

 private:
  void update(const Stretch& s) override;
  Options options_;
};

/// Adam (Kingma and Ba 2015), t counting steps from 1:
///   m += (1 - beta1) (g - m),  v = beta2 v + (1 - beta2) g^2,
///   w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
class Adam : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  Adam(FlatParameters flat, const Options& options) : Adam(std::move(flat), options, false) {}

 protected:
  Adam(FlatParameters flat, const Options& options, bool decoupled);

 private:
  void update(const Stretch& s) override;
  Options options_;
  bool decoupled_;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): first w *= 1 - lr weight_decay, then Adam
/// without decay.
class AdamW : public Adam {
 public:
  struct Options {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 1e-2;
    bool decay_vectors = true;
  };
  AdamW(FlatParameters flat, const Options& o)
      : Adam(std::move(flat), {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.decay_vectors}, true) {}
};

/// RMSProp as PyTorch has it (Tieleman and Hinton 2012): n = alpha n + (1 - alpha) g^2,  w -= lr g / (sqrt(n)
/// + eps). Centred, n is lessened by the square of m += (1 - alpha) (g - m). With momentum, d = momentum d +
/// g / (...) and w -= lr d.
class RmsProp : public Optimizer {
 public:
  struct Options {
    double lr = 1e-2;
    double alpha = 0.99;
    double eps = 1e-8;
    double momentum = 0;
    bool centred = false;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  RmsProp(FlatParameters flat, const Options& options);

 private:
  void update(const Stretch& s) override;
  Options options_;
};

/// RMSProp as in Graves 2013 (arXiv 1308.0850, eqs 38-41): centred, with momentum, eps inside the root.
///   n = alpha n + (1 - alpha) g^2,  m = alpha m + (1 - alpha) g,
///   d = momentum d - lr g / sqrt(n - m^2 + eps),  w += d
class GravesRmsProp : public Optimizer {
 public:
  struct Options {
    double lr = 1e-4;
    double alpha = 0.95;
    double eps = 1e-4;
    double momentum = 0.9;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  GravesRmsProp(FlatParameters flat, const Options& options);

 private:
  void update(const Stretch& s) override;
  Options options_;
};

/// Adadelta (Zeiler 2012): n = rho n + (1 - rho) g^2,  d = sqrt(u + eps) / sqrt(n + eps) g,
///   u = rho u + (1 - rho) d^2,  w -= lr d
class Adadelta : public Optimizer {
 public:
  struct Options {
    double lr = 1;
    double rho = 0.9;
    double eps = 1e-6;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  Adadelta(FlatParameters flat, const Options& options);

 private:
  void update(const Stretch& s) override;
  Options options_;
};

/// Adagrad (Duchi et al. 2011): n += g^2,  w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(n) + eps), t counting
/// steps from 1; n starts at initial_accumulator.
class Adagrad : public Optimizer {
 public:
  struct Options {
    double lr = 1e-2;
    double lr_decay = 0;
    double initial_accumulator = 0;
    double eps = 1e-10;
    double weight_decay = 0;
    bool decay_vectors = true;
  };
  Adagrad(FlatParameters flat, const Options& options);

 private:
  void update(const Stretch& s) override;
  Options options_;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_OPTIMIZER_H_
