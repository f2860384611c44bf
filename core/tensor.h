#ifndef FOVEA_CORE_TENSOR_H_
#define FOVEA_CORE_TENSOR_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <span>
#include <utility>
#include <vector>

#include "fovea/core/device.h"
#include "fovea/core/dtype.h"
#include "fovea/core/shape.h"

/// A Tensor is a handle of one pointer. It points to a node: one 64-byte-aligned block from the pool that
/// holds the reference count, the shape and then the elements themselves, so making a tensor is one
/// allocation. A view (slice, transpose, reshape ...) is a node of its own whose `base` is the node that owns
/// the storage.
///
/// Handles are values: copying one shares the node. Reading a tensor from several threads is safe, changing
/// one is not.

namespace fovea {

class Tensor;

namespace detail {

/// What a handle points to. Internal; listed here because the handle's accessors are inline.
struct alignas(64) Node {
  std::atomic<std::int32_t> references{1};
  std::int32_t slot = -1;        // place in the tape that recorded it; -1: untracked
  std::uint32_t generation = 0;  // which run of which tape that slot belongs to
  std::uint32_t version = 0;     // changes of the storage; kept by the node that owns it
  std::byte* data = nullptr;
  Node* base = nullptr;                      // the owner of the storage when this is a view
  Node* gradient = nullptr;                  // a parameter's gradient
  std::function<void()>* deleter = nullptr;  // of foreign memory
  std::int32_t parameter = -1;               // a parameter's number; -1: not a parameter
  DType dtype = DType::f32;
  std::uint8_t size_class = 0;
  bool contiguous = true;
  bool frozen = false;     // a parameter that takes no gradient for now
  bool on_device = false;  // `data` is a block from a GPU's pool
  Device device;
  Index numel = 0;
  Shape shape;
  Shape strides;

  Node& owner() { return base ? *base : *this; }
};

void destroy(Node* node) noexcept;

}  // namespace detail

/// An n-dimensional array (row-major unless it is a view) on a device. See the file's head.
class Tensor {
 public:
  /// No tensor at all: defined() is false. Ops take one where an input is optional.
  Tensor() = default;
  Tensor(const Tensor& other) noexcept : node_(other.node_) {
    if (node_) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Tensor(Tensor&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Tensor() {
    if (node_ && (node_->references.load(std::memory_order_acquire) == 1 ||
                  node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1))
      detail::destroy(node_);
  }

  /// A contiguous tensor whose elements are not yet set. Throws OutOfMemory.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32, const Device& device = Cpu{});

  /// A contiguous CPU tensor holding a copy of `values`, row-major; their number must be shape.numel().
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  static Tensor from(std::initializer_list<float> values, const Shape& shape) {
    return from(std::span<const float>(values.begin(), values.size()), shape);
  }

  /// Wraps memory that somebody else owns: contiguous, row-major. `deleter` runs when the last handle is
  /// gone.
  static Tensor wrap(void* data, const Shape& shape, DType dtype, std::function<void()> deleter,
                     const Device& device = Cpu{});

  /// A view of this tensor's storage, `offset` elements on. Untracked; the view ops build on it.
  Tensor view(const Shape& shape, const Shape& strides, Index offset) const;

  bool defined() const { return node_ != nullptr; }
  const Shape& shape() const { return node()->shape; }
  /// Strides in elements.
  const Shape& strides() const { return node()->strides; }
  int rank() const { return node()->shape.rank(); }
  Index numel() const { return node()->numel; }
  /// The size of one dimension; -1 is the last.
  Index size(int dim) const { return node()->shape[node()->shape.axis(dim, "size")]; }
  DType dtype() const { return node()->dtype; }
  const Device& device() const { return node()->device; }
  bool contiguous() const { return node()->contiguous; }
  std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype()); }

  /// The elements of a contiguous CPU tensor, for reading. Throws when T is not its dtype, and for a tensor
  /// on a GPU: copy it with to(x, Cpu{}) first.
  template <class T>
  const T* data() const {
    check_access(dtype_of<T>, "data");
    return reinterpret_cast<const T*>(node_->data);
  }
  /// The same for writing: counts as a change of the storage. Throws on a tensor that a tape tracks.
  template <class T>
  T* mutable_data() {
    check_access(dtype_of<T>, "mutable_data");
    note_change();
    return reinterpret_cast<T*>(node_->data);
  }
  /// A contiguous CPU tensor as a span.
  template <class T>
  std::span<const T> values() const {
    return {data<T>(), static_cast<std::size_t>(numel())};
  }

  /// The only element, of a tensor of one element, converted to T. Waits for the GPU if it lies there, as
  /// at() and printing do.
  template <class T = float>
  T item() const {
    return static_cast<T>(only_element());
  }
  /// One element as a double. Slow; for people and tests.
  double at(std::initializer_list<Index> position) const;

  /// True when a tape tracks it, or when it is a parameter that takes gradients.
  bool tracked() const { return node_ && (node_->slot >= 0 || (node_->parameter >= 0 && !node_->frozen)); }

  /// The same storage, out of the tape: no gradient flows through. Copies nothing.
  Tensor detach() const;

  /// For kernels and file readers: the raw storage at this view's start.
  const void* raw() const { return node()->data; }
  /// For filling a tensor that was just made; neither checks tracking nor counts as a change.
  void* raw_mutable() { return node()->data; }
  /// Says that the storage has been written. Throws when a tape tracks this tensor.
  void note_change();

  detail::Node* node() const {
    if (!node_) [[unlikely]]
      throw_undefined();
    return node_;
  }
  /// Whether two handles share one node.
  bool same(const Tensor& other) const { return node_ == other.node_; }

 protected:
  explicit Tensor(detail::Node* node) : node_(node) {}

 private:
  [[noreturn]] static void throw_undefined();
  void check_access(DType wanted, const char* what) const;
  double only_element() const;

  detail::Node* node_ = nullptr;
};

/// A tensor that is trained: it has a gradient of its own size, to which every backward pass adds.
/// PyTorch's `requires_grad` leaf. Copies share value and gradient.
class Parameter : public Tensor {
 public:
  Parameter() = default;
  /// Takes over a float tensor as the value and makes a zero gradient.
  explicit Parameter(Tensor value);
  /// The parameter that a plain handle stands for. Throws when it is none.
  static Parameter of(const Tensor& handle);
  /// The accumulated gradient; shares storage with the parameter's own.
  Tensor grad() const;
  void zero_grad();
  /// A frozen parameter takes no gradient; ops treat it as a constant.
  void freeze(bool frozen = true) { node()->frozen = frozen; }
  bool frozen() const { return node()->frozen; }
  /// Moves value and gradient into places of larger buffers, `offset` elements on. All handles follow.
  void move_into(const Tensor& values, const Tensor& gradients, Index offset);

 private:
  using Tensor::Tensor;
};

/// Prints shape and elements, eliding the middle of long dimensions.
std::ostream& operator<<(std::ostream& out, const Tensor& t);

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  require(static_cast<Index>(values.size()) == shape.numel(), "from", values.size(),
          " values do not fill shape ", shape);
  Tensor out = empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), static_cast<T*>(out.raw_mutable()));
  return out;
}

}  // namespace fovea

#endif  // FOVEA_CORE_TENSOR_H_
