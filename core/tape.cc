#include "fovea/core/tape.h"

#include <algorithm>
#include <atomic>

#include "fovea/core/arithmetic.h"

namespace fovea {

constinit thread_local Tape* Tape::recording_ = nullptr;
thread_local Tape* Tape::alive_ = nullptr;
thread_local std::unique_ptr<Tape::Store> Tape::spare_;

namespace {

std::uint32_t next_generation() {
  static std::atomic<std::uint32_t> generation{0};
  return ++generation;
}

// Nobody else holds the buffer: neither the tensor itself nor, when it is a view, its storage.
bool unshared(const Tensor& t) {
  const auto once = [](const detail::Node& n) { return n.references.load(std::memory_order_acquire) == 1; };
  return once(*t.node()) && (!t.node()->base || once(*t.node()->base));
}

}  // namespace

Tape::Tape() {
  require(alive_ == nullptr, "tape", "this thread already has a live Tape; finish or destroy it first");
  store_ = spare_ ? std::move(spare_) : std::make_unique<Store>();
  segments_.push_back({0, next_generation()});
  alive_ = recording_ = this;
}

Tape::~Tape() {
  finish();
  alive_ = recording_ = nullptr;
  spare_ = std::move(store_);
}

// --- recording
// -------------------------------------------------------------------------------------------------

bool Tape::current_handle(const detail::Node& node) const {
  if (node.generation == segments_.back().generation) return true;
  const auto slot = static_cast<std::size_t>(node.slot);
  for (std::size_t i = segments_.size() - 1; i-- > 0;)
    if (segments_[i].generation == node.generation) return slot < segments_[i + 1].first;
  return false;
}

bool Tape::tracks(const Tensor& t) {
  return t.defined() && t.node()->slot >= 0 && alive_ && alive_->current_handle(*t.node());
}

std::int32_t Tape::new_slot(const Tensor& t, Slot::Kind kind) {
  store_->slots.push_back({Tensor(), t.shape(), t.dtype(), t.device(), kind});
  return static_cast<std::int32_t>(store_->slots.size()) - 1;
}

std::int32_t Tape::parameter_slot(const Tensor& t) {
  const auto number = static_cast<std::size_t>(t.node()->parameter);
  auto& table = store_->slot_of_parameter;
  if (number >= table.size()) table.resize(number + 1, -1);
  if (table[number] < 0) {
    table[number] = new_slot(t, Slot::parameter);
    store_->parameters.emplace_back(table[number], Parameter::of(t));
  }
  return table[number];
}

std::int32_t Tape::known_slot(const Tensor& t) {
  const detail::Node& node = *t.node();
  if (node.parameter >= 0 && !node.frozen) return parameter_slot(t);
  return node.slot >= 0 && current_handle(node) ? node.slot : -1;
}

std::int32_t Tape::slot_of(const char* op, const Tensor& t) {
  if (!t.defined()) return -1;
  const detail::Node& node = *t.node();
  if (node.parameter >= 0) return node.frozen ? -1 : parameter_slot(t);
  if (node.slot < 0) return -1;
  require(current_handle(node), op, "an input of shape ", t.shape(),
          " was recorded on a tape that is finished, rewound or another thread's; use detach() to go on with "
          "its values");
  return node.slot;
}

bool Tape::begin_step(const char* op, const TensorList& inputs, const TensorList& outputs) {
  Store& s = *store_;
  const auto first = s.links.size();
  const auto noted = s.steps.empty() ? 0 : s.steps.back().notes_end;
  bool any = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::int32_t slot = slot_of(op, inputs[i]);
    any |= slot >= 0;
    s.links.push_back(slot);
  }
  if (!any) {
    s.links.resize(first);
    s.notes.resize(noted);
    return false;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    detail::Node& node = *outputs[i].node();
    require(node.slot < 0 && node.parameter < 0 && is_float(node.dtype), op, "output ", i,
            " must be a fresh tensor of a float type");
    node.slot = new_slot(outputs[i], Slot::result);
    node.generation = segments_.back().generation;
    s.links.push_back(node.slot);
  }
  s.steps.push_back({op, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(inputs.size()),
                     static_cast<std::uint32_t>(outputs.size()), static_cast<std::uint32_t>(s.notes.size())});
  return true;
}

Tensor Tape::watch(const Tensor& x) {
  require(is_float(x.dtype()), "watch", "needs a float tensor, not ", x.dtype());
  Tensor alias = x.detach();
  alias.node()->slot = new_slot(alias, Slot::watched);
  alias.node()->generation = segments_.back().generation;
  store_->watched.emplace_back(alias.node()->slot, alias);
  return alias;
}

Saved::Saved(const Tensor& t) : tensor_(t) {
  if (!t.defined()) return;
  version_ = t.node()->owner().version;
  if (Tape* tape = Tape::current()) tape->store_->notes.push_back({tape->known_slot(t), t.bytes()});
}

const Tensor& Saved::get() const {
  if (tensor_.defined() && tensor_.node()->owner().version != version_) [[unlikely]] {
    const Tape* tape = Tape::alive_;
    fail(tape && tape->running_ ? tape->running_ : "backward", "a tensor of shape ", tensor_.shape(),
         " that was saved for backward has been changed since; change a copy, or change it after backward");
  }
  return tensor_;
}

// --- the walk back
// ---------------------------------------------------------------------------------------------

void Tape::backward(const Tensor& y, const Options& options) {
  require(tracks(y), "backward",
          "the given tensor is not on this tape: it depends on no parameter and no watched tensor, "
          "or the tape is finished (use keep to run backward twice)");
  require(y.numel() == 1 || options.seed.defined(), "backward", "a tensor of shape ", y.shape(),
          " needs a seed; without one only a single element can be differentiated");
  Pause pause;
  Store& s = *store_;
  for (auto& [slot, parameter] : s.parameters)
    s.slots[static_cast<std::size_t>(slot)].gradient =
        options.gradients ? options.gradients->of(parameter) : parameter.grad();
  results_.clear();
  try {
    contribute(y.node()->slot, options.seed.defined() ? options.seed : detail::filled_like(y, 1));
    walk(options.keep);
    for (Deferred& d : s.deferred) flush(d);
    for (auto& [slot, x] : s.watched) {
      Tensor& gradient = s.slots[static_cast<std::size_t>(slot)].gradient;
      results_.emplace_back(x, gradient.defined() ? std::move(gradient) : detail::filled_like(x, 0));
    }
  } catch (const OutOfMemory& e) {
    const char* op = running_;
    finish();
    throw e.during(cat("in backward", op ? cat(" of ", op) : ""));
  } catch (...) {
    finish();
    throw;
  }
  if (!options.keep) return finish();
  s.deferred.clear();
  for (Slot& slot : s.slots) slot.gradient = Tensor();
}

// This loop is reverse-mode differentiation; everything else is bookkeeping.
void Tape::walk(bool keep) {
  Store& s = *store_;
  for (std::size_t i = s.steps.size(); i-- > 0;) {
    Step& step = s.steps[i];
    const std::int32_t* links = &s.links[step.first_link];
    const std::int32_t* outputs = links + step.inputs;
    bool reached = false;
    for (std::uint32_t o = 0; o < step.outputs; ++o)
      reached |= s.slots[static_cast<std::size_t>(outputs[o])].gradient.defined();
    if (reached) {
      running_ = step.op;
      Backward context(*this, links, step.inputs, step.outputs);
      step.run(step.state, context);
      running_ = nullptr;
      for (std::uint32_t o = 0; o < step.outputs; ++o)
        s.slots[static_cast<std::size_t>(outputs[o])].gradient = Tensor();
    }
    if (!keep) drop_steps(i);
  }
}

const Tensor& Backward::dy(int output) const {
  return tape_.store_->slots[static_cast<std::size_t>(link("output", output, outputs_, inputs_))].gradient;
}

void Backward::add(int input, Tensor dx) {
  if (wants(input)) tape_.contribute(links_[input], std::move(dx));
}

Backward::Target Backward::target(int input) { return tape_.target(tracked("target", input)); }

void Backward::none(const char* what, int i, int count) const {
  fail(tape_.running_, "its backward asks for ", what, " ", i, ", and there ", count == 1 ? "is " : "are ",
       count, "; they are counted from 0, as they were given to record()");
}

std::int32_t Backward::tracked(const char* call, int input) const {
  require(wants(input), tape_.running_, "input ", input, " is not tracked; ask wants(", input, ") before ",
          call, "(", input, ")");
  return links_[input];
}

namespace {
Tensor copy_of(const Tensor& x) {
  Tensor own = detail::filled_like(x, 0);
  detail::accumulate(own, x);
  return own;
}

// Kernels of bf16 take gradients by 16 bytes; a part of another tensor may start anywhere.
bool starts_well(const Tensor& x) {
  return x.dtype() != DType::bf16 || reinterpret_cast<std::uintptr_t>(x.raw()) % 16 == 0;
}
}  // namespace

void Tape::contribute(std::int32_t slot, Tensor dx) {
  Slot& s = store_->slots[static_cast<std::size_t>(slot)];
  require(dx.shape() == s.shape && dx.dtype() == s.dtype, running_ ? running_ : "backward",
          "contributed a gradient ", dx.dtype(), dx.shape(), " to an input ", s.dtype, s.shape);
  require(dx.device() == s.device, running_ ? running_ : "backward", "contributed a gradient on ",
          dx.device(), " to an input on ", s.device);
  if (!s.gradient.defined()) {
    s.own = false;
    if (!dx.contiguous())
      s.gradient = detail::packed(dx);
    else
      s.gradient = starts_well(dx) ? std::move(dx) : copy_of(dx);
    return;
  }
  Backward::Target t = target(slot);
  detail::accumulate(t.dx, dx);
}

Backward::Target Tape::target(std::int32_t slot) {
  Slot& s = store_->slots[static_cast<std::size_t>(slot)];
  if (!s.gradient.defined()) {
    s.gradient = Tensor::empty(s.shape, s.dtype, s.device);
    s.own = true;
    return {s.gradient, Into::set};
  }
  if (s.kind != Slot::parameter && !s.own && !unshared(s.gradient)) {
    // The buffer also stands in another slot: part from it before adding.
    s.gradient = copy_of(s.gradient);
  }
  s.own = true;
  return {s.gradient, Into::add};
}

void Backward::defer(int input, Tensor a, Tensor b, Flush flush) {
  constexpr Index most_rows = 1024;  // then the pairs are worth a product of their own
  auto& deferred = tape_.store_->deferred;
  const std::int32_t slot = tracked("defer", input);
  if (tape_.store_->slots[static_cast<std::size_t>(slot)].kind == Tape::Slot::result) {
    // The step that made this tensor comes next: nothing can wait.
    Tape::Deferred now{slot, flush, {{std::move(a), std::move(b)}}};
    return tape_.flush(now);
  }
  auto d = std::find_if(deferred.begin(), deferred.end(),
                        [&](const auto& x) { return x.slot == slot && x.flush == flush; });
  if (d == deferred.end()) d = deferred.insert(d, {slot, flush, {}});
  d->rows += a.shape()[0];
  d->pairs.emplace_back(std::move(a), std::move(b));
  if (d->rows >= most_rows) tape_.flush(*d);
}

void Tape::flush(Deferred& d) {
  if (d.pairs.empty()) return;
  Backward::Target t = target(d.slot);
  if (t.into == Into::set)
    t.dx = store_->slots[static_cast<std::size_t>(d.slot)].gradient = detail::filled_like(t.dx, 0);
  d.flush(t.dx, d.pairs);
  d.pairs.clear();
  d.rows = 0;
}

Tensor Tape::gradient(const Tensor& watched) const {
  for (const auto& [x, gradient] : results_)
    if (x.same(watched)) return gradient;
  fail("gradient", "tensor ", watched.shape(), " was not returned by watch(), or backward() has not run");
}

// --- forgetting
// ------------------------------------------------------------------------------------------------

void Tape::drop_steps(std::size_t from) noexcept {
  auto& steps = store_->steps;
  while (steps.size() > from) {
    if (steps.back().drop) steps.back().drop(steps.back().state);
    steps.pop_back();
  }
}

void Tape::finish() noexcept {
  constexpr std::size_t spare_chunks = 64;
  Store& s = *store_;
  drop_steps(0);
  s.links.clear();
  s.slots.clear();
  s.notes.clear();
  for (auto& [slot, parameter] : s.parameters)
    s.slot_of_parameter[static_cast<std::size_t>(parameter.node()->parameter)] = -1;
  s.parameters.clear();
  s.watched.clear();
  s.deferred.clear();
  s.arena.clear(spare_chunks);
  segments_.assign(1, {0, next_generation()});
  running_ = nullptr;
}

Tape::Mark Tape::mark() const {
  const Store& s = *store_;
  return {s.steps.size(),      s.links.size(),   s.slots.size(), s.notes.size(),
          s.parameters.size(), s.watched.size(), s.arena.mark()};
}

void Tape::rewind(const Mark& m) {
  Store& s = *store_;
  require(m.steps <= s.steps.size() && m.slots <= s.slots.size(), "rewind",
          "the mark is not on this tape any more (backward has finished it, or it was rewound further)");
  drop_steps(m.steps);
  s.links.resize(m.links);
  s.slots.erase(s.slots.begin() + static_cast<std::ptrdiff_t>(m.slots), s.slots.end());
  s.notes.resize(m.notes);
  for (std::size_t i = m.parameters; i < s.parameters.size(); ++i)
    s.slot_of_parameter[static_cast<std::size_t>(s.parameters[i].second.node()->parameter)] = -1;
  s.parameters.resize(m.parameters);
  s.watched.resize(m.watched);
  s.arena.rewind(m.arena);
  while (!segments_.empty() && segments_.back().first >= m.slots && segments_.size() > 1)
    segments_.pop_back();
  segments_.push_back({m.slots, next_generation()});
}

// --- gradients of shared parameters
// ----------------------------------------------------------------------------

Tensor& Gradients::of(const Parameter& p) {
  for (auto& [parameter, gradient] : entries_)
    if (parameter.same(p)) return gradient;
  entries_.emplace_back(p, detail::filled_like(p, 0));
  return entries_.back().second;
}

Tensor Gradients::operator[](const Parameter& p) const {
  for (const auto& [parameter, gradient] : entries_)
    if (parameter.same(p)) return gradient;
  return {};
}

void Gradients::add_to_parameters() {
  for (auto& [parameter, gradient] : entries_) {
    Tensor own = parameter.grad();
    detail::accumulate(own, gradient);
  }
  entries_.clear();
}

}  // namespace fovea
