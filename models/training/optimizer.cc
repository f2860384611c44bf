#include "fovea/models/training/optimizer.h"

#include <cmath>
#include <utility>

#include "fovea/core/captured.h"
#include "fovea/kernels/optimizer.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

std::byte* at(const Tensor& t, Index offset) {
  return static_cast<std::byte*>(const_cast<void*>(t.raw())) +
         offset * static_cast<Index>(size_of(t.dtype()));
}

// Makes one sweep with the rule that `rule()` gives: now, or, in a captured step, before every replay.
template <class F, class Stretch>
void apply(const F& rule, const FlatParameters& flat, const std::vector<Tensor>& states, const Stretch& s) {
  using Rule = decltype(rule());
  Sweep sweep{flat.values.dtype(), s.length, at(flat.values, s.begin), at(flat.gradients, s.begin), {}};
  sweep.seen = s.seen;
  sweep.max_norm = s.max_norm;
  sweep.rule =
      detail::captured_input(flat.values.device(), sizeof(Rule), [rule](void* to) { new (to) Rule(rule()); });
  for (std::size_t i = 0; i < states.size(); ++i) sweep.state[i] = at(states[i], s.begin);
  std::visit([&](auto d) { optimizer_step(d, rule(), sweep); }, flat.values.device());
}

// The part of a flat state that belongs to one parameter.
Tensor part(const Tensor& state, const FlatParameters::Segment& s) {
  return state.view(s.parameter.shape(), row_major_strides(s.parameter.shape()), s.offset);
}

void check_fraction(const char* name, double value) {
  require(value >= 0 && value < 1, "optimizer", name, " is ", value, "; it must be in [0, 1)");
}

}  // namespace

Optimizer::Optimizer(FlatParameters flat, const Common& common, std::vector<std::string> state_names)
    : flat_(std::move(flat)), common_(common), state_names_(std::move(state_names)) {
  set_lr(common.lr);
  require(common.weight_decay >= 0, "optimizer", "weight_decay is ", common.weight_decay,
          "; it must not be negative");
  for (std::size_t i = 0; i < state_names_.size(); ++i) states_.push_back(zeros_like(flat_.values));
}

void Optimizer::set_lr(double lr) {
  require(lr >= 0 && std::isfinite(lr), "optimizer", "lr is ", lr, "; it must be finite and not negative");
  common_.lr = lr;
}

void Optimizer::scale_lr(const std::string& prefix, double factor) {
  require(factor >= 0 && std::isfinite(factor), "optimizer", "the factor of the learning rate is ", factor,
          "; it must be finite and not negative");
  bool any = false;
  for (auto& segment : flat_.segments)
    if (segment.name.starts_with(prefix)) {
      segment.lr_scale = factor;
      any = true;
    }
  require(any, "optimizer", "no parameter's name starts with '", prefix, "'");
}

void Optimizer::step(const Tensor& seen, double max_norm) {
  flat_.check_current("step");
  require(!seen.defined() || (seen.dtype() == DType::f64 && seen.shape() == Shape{2} &&
                              seen.device() == flat_.values.device()),
          "step", "what was seen must be loss_and_norm()'s f64 [2] on ", flat_.values.device());
  require(max_norm >= 0, "step", "max_norm is ", max_norm, "; it must not be negative");
  flat_.values.note_change();
  flat_.gradients.note_change();
  if (!detail::captured_input(flat_.values.device(), 0, [this](void*) { ++steps_; })) ++steps_;
  // Neighbours that are treated alike make one sweep; between them lies padding, which is 0 and stays 0.
  Stretch s{0, 0, 0, 0, seen.defined() ? static_cast<const double*>(seen.raw()) : nullptr, max_norm};
  bool frozen = false;
  const auto finish = [&] {
    if (frozen)
      apply([] { return FrozenRule{}; }, flat_, {}, s);
    else if (s.length > 0)
      update(s);
  };
  for (const auto& segment : flat_.segments) {
    const bool decays = segment.group == FlatParameters::weights || common_.decay_vectors;
    const double decay = decays ? common_.weight_decay : 0;
    const bool now_frozen = segment.parameter.frozen();
    if (s.length > 0 && (now_frozen != frozen || decay != s.weight_decay || segment.lr_scale != s.lr_scale)) {
      finish();
      s.length = 0;
    }
    if (s.length == 0) s.begin = segment.offset;
    s.length = segment.offset + segment.length - s.begin;
    s.weight_decay = decay;
    s.lr_scale = segment.lr_scale;
    frozen = now_frozen;
  }
  finish();
}

std::vector<NamedTensor> Optimizer::state() const {
  std::vector<NamedTensor> out{{"steps", full({}, static_cast<double>(steps_), DType::f64)},
                               {"lr", full({}, common_.lr, DType::f64)}};
  for (std::size_t i = 0; i < states_.size(); ++i)
    for (const auto& s : flat_.segments) out.push_back({s.name + "/" + state_names_[i], part(states_[i], s)});
  return out;
}

void Optimizer::load_state(std::span<const NamedTensor> state) {
  detail::Parts parts;
  for (const NamedTensor& t : this->state()) parts.entries.push_back({t.name, t.tensor, false, {}});
  detail::load_tensors(parts, state, true, "the optimizer's state");
  const auto steps = parts.entries[0].tensor.item<double>(), lr = parts.entries[1].tensor.item<double>();
  require(steps >= 0 && steps < 0x1p53, "load_state", "a count of ", steps, " steps makes no sense");
  set_lr(lr);
  steps_ = static_cast<Index>(steps);
}

// ---- The rules --------------------------------------------------------------------------------------

Sgd::Sgd(FlatParameters flat, const Options& o)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors},
                o.momentum > 0 ? std::vector<std::string>{"momentum_buffer"} : std::vector<std::string>{}),
      options_(o) {
  check_fraction("momentum", o.momentum);
  require(!o.nesterov || o.momentum > 0, "Sgd", "nesterov needs a momentum above 0");
}

void Sgd::update(const Stretch& s) {
  const double m = options_.momentum;
  const bool ahead = options_.nesterov;
  if (states_.empty())
    apply([=, this] { return SgdRule{lr(s), s.weight_decay}; }, flat_, states_, s);
  else
    apply(
        [=, this] {
          return MomentumRule{lr(s), s.weight_decay, m, ahead ? 1. : 0., ahead ? m : 1.};
        },
        flat_, states_, s);
}

Adam::Adam(FlatParameters flat, const Options& o, bool decoupled)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors}, {"exp_avg", "exp_avg_sq"}),
      options_(o),
      decoupled_(decoupled) {
  check_fraction("beta1", o.beta1);
  check_fraction("beta2", o.beta2);
}

void Adam::update(const Stretch& s) {
  const auto rule = [=, this] {
    const auto t = static_cast<double>(steps_);
    const Options& o = options_;
    return AdamRule{
        lr(s), decoupled_ ? 0 : s.weight_decay, decoupled_ ? 1 - lr(s) * s.weight_decay : 1, o.beta1, o.beta2,
        o.eps, 1 - std::pow(o.beta1, t),        std::sqrt(1 - std::pow(o.beta2, t))};
  };
  apply(rule, flat_, states_, s);
}

RmsProp::RmsProp(FlatParameters flat, const Options& o)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors},
                o.centred || o.momentum > 0
                    ? std::vector<std::string>{"square_avg", "grad_avg", "momentum_buffer"}
                    : std::vector<std::string>{"square_avg"}),
      options_(o) {
  check_fraction("alpha", o.alpha);
  check_fraction("momentum", o.momentum);
}

void RmsProp::update(const Stretch& s) {
  const Options o = options_;
  const double centred = o.centred ? 1 : 0;
  if (states_.size() == 1)
    apply([=, this] { return RmsPropRule{lr(s), s.weight_decay, o.alpha, o.eps}; }, flat_, states_, s);
  else
    apply(
        [=, this] { return MomentumRmsPropRule{lr(s), s.weight_decay, o.alpha, o.eps, o.momentum, centred}; },
        flat_, states_, s);
}

GravesRmsProp::GravesRmsProp(FlatParameters flat, const Options& o)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors},
                {"square_avg", "grad_avg", "momentum_buffer"}),
      options_(o) {
  check_fraction("alpha", o.alpha);
  check_fraction("momentum", o.momentum);
}

void GravesRmsProp::update(const Stretch& s) {
  const Options o = options_;
  apply(
      [=, this] {
        return GravesRmsPropRule{lr(s), s.weight_decay, o.alpha, o.eps, o.momentum};
      },
      flat_, states_, s);
}

Adadelta::Adadelta(FlatParameters flat, const Options& o)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors}, {"square_avg", "acc_delta"}),
      options_(o) {
  check_fraction("rho", o.rho);
}

void Adadelta::update(const Stretch& s) {
  apply(
      [=, this] {
        return AdadeltaRule{lr(s), s.weight_decay, options_.rho, options_.eps};
      },
      flat_, states_, s);
}

Adagrad::Adagrad(FlatParameters flat, const Options& o)
    : Optimizer(std::move(flat), {o.lr, o.weight_decay, o.decay_vectors}, {"sum"}), options_(o) {
  require(o.initial_accumulator >= 0, "Adagrad", "initial_accumulator is ", o.initial_accumulator,
          "; it must not be negative");
  for (const auto& s : flat_.segments)
    assign(part(states_[0], s), full(s.parameter.shape(), o.initial_accumulator, flat_.values.dtype()));
}

void Adagrad::update(const Stretch& s) {
  const auto rule = [=, this] {
    const double lr_now = lr(s) / (1 + static_cast<double>(steps_ - 1) * options_.lr_decay);
    return AdagradRule{lr_now, s.weight_decay, options_.eps};
  };
  apply(rule, flat_, states_, s);
}

}  // namespace fovea
