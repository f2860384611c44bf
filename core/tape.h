#ifndef FOVEA_CORE_TAPE_H_
#define FOVEA_CORE_TAPE_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "fovea/core/arena.h"
#include "fovea/core/into.h"
#include "fovea/core/tensor.h"

/// Reverse-mode automatic differentiation.
///
///     Tape tape;                                  // from here on this thread records
///     Tensor loss = mse_loss(model.forward(x), y);
///     tape.backward(loss);                        // every parameter's grad() has been added to
///
/// While a Tape is alive, every op with a tracked input appends one Step: its name, the slots of its inputs
/// and outputs, and a lambda that knows the derivative. A slot is a number for a tensor; gradients live in an
/// array indexed by it. Steps are appended in the order they run, so that order is a topological order of the
/// graph, and backward() is one loop over the steps from last to first.
///
/// Rules: one Tape a thread, used on the thread that made it. Derivatives are first order. A tensor that is
/// tracked cannot be changed in place. backward() finishes the tape (unless `keep`): its memory is given back
/// step by step, tensors recorded on it are stale, and using one in a recorded op throws. Steps whose result
/// is never used stay until backward() or rewind(): keep no tape open over a loop that needs none.

namespace fovea {

class Tape;

/// Gradients of parameters kept apart from the parameters' own, for threads that share parameters:
/// each thread passes its own to Tape::backward, and one of them adds all up afterwards.
class Gradients {
 public:
  /// The gradient gathered for p; undefined when none was.
  Tensor operator[](const Parameter& p) const;
  /// Adds every gradient to its parameter's own and forgets it.
  void add_to_parameters();

 private:
  friend class Tape;
  Tensor& of(const Parameter& p);
  std::vector<std::pair<Parameter, Tensor>> entries_;
};

/// The inputs or outputs of a step: `{x, w}` or a span of tensors. An undefined tensor stands for "none".
class TensorList {
 public:
  class Item {
   public:
    Item(const Tensor& t) : tensor(&t) {}  // implicit, so that a list of tensors can be written in braces
    const Tensor* tensor;
  };
  TensorList(std::initializer_list<Item> items) : items_(items), size_(items.size()) {}
  TensorList(const Tensor& one) : tensors_(&one), size_(1) {}
  TensorList(std::span<const Tensor> tensors) : tensors_(tensors.data()), size_(tensors.size()) {}
  std::size_t size() const { return size_; }
  const Tensor& operator[](std::size_t i) const { return tensors_ ? tensors_[i] : *items_.begin()[i].tensor; }

 private:
  std::initializer_list<Item> items_;  // lives to the end of the full expression that calls record()
  const Tensor* tensors_ = nullptr;
  std::size_t size_;
};

/// What a step's lambda sees while backward() runs it: the gradients of its outputs, and where those of its
/// inputs go. Inputs and outputs are counted as they were given to record().
class Backward {
 public:
  /// The gradient of output i, row-major; undefined when nothing used that output (only with several
  /// outputs).
  const Tensor& dy(int output = 0) const;
  /// Whether input i is tracked; if not, its gradient need not be computed.
  bool wants(int input) const { return link("input", input, inputs_) >= 0; }
  /// Contributes `dx`, of the input's shape. Shares the buffer when it can, so `dx` must not be changed
  /// later.
  void add(int input, Tensor dx);
  /// A buffer of the input's shape for a kernel to write into, and whether to set it or to add to it. Only
  /// for an input that wants() a gradient, as defer() is.
  struct Target {
    Tensor dx;
    Into into;
  };
  Target target(int input);

  /// Called for the pairs deferred to one slot: dx += what the pairs stand for.
  using Flush = void (*)(Tensor& dx, std::span<const std::pair<Tensor, Tensor>> pairs);
  /// Leaves a contribution to input i for later, so that those of a weight used at every step of a recurrence
  /// are made at once. `flush` runs before backward() returns.
  void defer(int input, Tensor a, Tensor b, Flush flush);

 private:
  friend class Tape;
  Backward(Tape& tape, const std::int32_t* links, std::uint32_t inputs, std::uint32_t outputs)
      : tape_(tape), links_(links), inputs_(static_cast<int>(inputs)), outputs_(static_cast<int>(outputs)) {}
  // The slot of an input, or of an output, whose links come after those of the inputs.
  std::int32_t link(const char* what, int i, int count, int first = 0) const {
    if (i < 0 || i >= count) none(what, i, count);
    return links_[first + i];
  }
  std::int32_t tracked(const char* call, int input) const;
  [[noreturn]] void none(const char* what, int i, int count) const;
  Tape& tape_;
  const std::int32_t* links_;
  int inputs_, outputs_;
};

/// A tensor that a step keeps for its backward. Remembers the storage's version and refuses, naming op and
/// shape, when the elements have been changed since.
class Saved {
 public:
  Saved(const Tensor& t);  // implicit: captured as [y = Saved(y)] it reads as a tensor in the lambda
  operator const Tensor&() const { return get(); }
  const Tensor& get() const;
  const Tensor* operator->() const { return &get(); }

 private:
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

/// Records the ops of this thread and walks them backwards. See the file's head.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// The tape that records on this thread now; null when there is none or it is paused.
  static Tape* current() { return recording_; }
  /// Whether t has a slot on the live tape of this thread.
  static bool tracks(const Tensor& t);

  /// The same values as x, tracked: gradient() gives its gradient after backward().
  Tensor watch(const Tensor& x);
  /// d loss / d x for a tensor returned by watch(); zeros when the loss did not depend on it.
  Tensor gradient(const Tensor& watched) const;

  struct Options {
    Tensor seed = {};                ///< d objective / d y; needed when y has more than one element
    bool keep = false;               ///< keep the tape for another backward
    Gradients* gradients = nullptr;  ///< where parameters' gradients go instead of into Parameter::grad()
  };
  /// Adds d y / d p to the gradient of every parameter p. Throws when y was not recorded here.
  void backward(const Tensor& y, const Options& options);
  void backward(const Tensor& y) { backward(y, Options{}); }
  void backward(const Tensor& y, Gradients& gradients) { backward(y, Options{.gradients = &gradients}); }

  /// A place on the tape. rewind() forgets what was recorded since; tensors made since become stale.
  struct Mark {
    std::size_t steps, links, slots, notes, parameters, watched;
    detail::Arena::Mark arena;
  };
  Mark mark() const;
  void rewind(const Mark& mark);

  /// Appends a step. `backward` is called with a Backward&; what it captures is what the step saves.
  /// Does nothing when no input is tracked. The public way to make a differentiable op.
  template <class F>
  void record(const char* op, TensorList inputs, TensorList outputs, F&& backward) {
    if (!begin_step(op, inputs, outputs)) return;
    using State = std::decay_t<F>;
    void* state = store_->arena.allocate(sizeof(State), alignof(State));
    new (state) State(std::forward<F>(backward));
    Step& step = store_->steps.back();
    step.state = state;
    step.run = [](void* s, Backward& b) { (*static_cast<State*>(s))(b); };
    if constexpr (!std::is_trivially_destructible_v<State>)
      step.drop = [](void* s) noexcept { static_cast<State*>(s)->~State(); };
  }

  /// The number of steps recorded.
  std::size_t size() const { return store_->steps.size(); }
  /// Writes one line a step: `#12 softmax %7 -> %8 f32(32,128) saves %8 16 KiB`.
  void print(std::ostream& out) const;
  /// Writes the graph in Graphviz's language.
  void graphviz(std::ostream& out) const;

 private:
  friend class Backward;
  friend class Saved;
  friend class Pause;

  struct Step {
    const char* op;
    std::uint32_t first_link;  // inputs' slots, then outputs', in Store::links
    std::uint32_t inputs, outputs;
    std::uint32_t notes_end;  // what the step saves: up to here in Store::notes, from the step before on
    void* state = nullptr;
    void (*run)(void*, Backward&) = nullptr;
    void (*drop)(void*) noexcept = nullptr;
  };
  struct Slot {
    Tensor gradient;
    Shape shape;
    DType dtype;
    Device device;
    enum Kind : std::uint8_t { result, watched, parameter } kind;  // a parameter's gradient is only added to
    bool own =
        false;  // the buffer was made for this slot: no other slot can share it while this one is added to
  };
  struct Note {  // a tensor that a step saves, for print()
    std::int32_t slot;
    std::size_t bytes;
  };
  struct Deferred {
    std::int32_t slot;
    Backward::Flush flush;
    std::vector<std::pair<Tensor, Tensor>> pairs;
    Index rows = 0;
  };
  struct Store {  // handed from one tape to the next on this thread, so that a new tape allocates nothing
    std::vector<Step> steps;
    std::vector<std::int32_t> links;
    std::vector<Slot> slots;
    std::vector<Note> notes;
    std::vector<std::pair<std::int32_t, Parameter>> parameters;  // with their slots
    std::vector<std::int32_t> slot_of_parameter;                 // by the parameter's number; -1: none yet
    std::vector<std::pair<std::int32_t, Tensor>> watched;
    std::vector<Deferred> deferred;
    detail::Arena arena;
  };
  struct Segment {  // slots from `first` on carry `generation`: more than one after a rewind
    std::size_t first;
    std::uint32_t generation;
  };

  bool begin_step(const char* op, const TensorList& inputs, const TensorList& outputs);
  std::int32_t slot_of(const char* op, const Tensor& t);
  std::int32_t parameter_slot(const Tensor& t);
  std::int32_t known_slot(const Tensor& t);
  std::int32_t new_slot(const Tensor& t, Slot::Kind kind);
  bool current_handle(const detail::Node& node) const;
  void contribute(std::int32_t slot, Tensor dx);
  Backward::Target target(std::int32_t slot);
  void flush(Deferred& d);
  void walk(bool keep);
  void drop_steps(std::size_t from) noexcept;
  void finish() noexcept;

  static constinit thread_local Tape* recording_;
  static thread_local Tape* alive_;
  static thread_local std::unique_ptr<Store> spare_;

  std::unique_ptr<Store> store_;
  std::vector<Segment> segments_;
  std::vector<std::pair<Tensor, Tensor>> results_;  // watched tensor, its gradient
  const char* running_ = nullptr;                   // the op whose backward runs
};

/// While one is alive, nothing on this thread is recorded.
class Pause {
 public:
  Pause() : paused_(std::exchange(Tape::recording_, nullptr)) {}
  ~Pause() { Tape::recording_ = paused_; }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Tape* paused_;
};

/// Records a step on this thread's tape, if there is one. What ops call.
template <class F>
void record(const char* op, TensorList inputs, TensorList outputs, F&& backward) {
  if (Tape* tape = Tape::current()) tape->record(op, inputs, outputs, std::forward<F>(backward));
}

}  // namespace fovea

#endif  // FOVEA_CORE_TAPE_H_
