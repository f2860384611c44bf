#include "fovea/core/tensor.h"

#include <algorithm>
#include <iomanip>
#include <mutex>
#include <new>

#include "fovea/core/device_memory.h"
#include "fovea/core/memory.h"
#include "fovea/core/tape.h"

namespace fovea {

using detail::Node;

namespace {

// Parameters are numbered from 0 with numbers reused, so that a tape finds theirs in a small table.
class ParameterNumbers {
 public:
  std::int32_t take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return next_++;
    const auto n = free_.back();
    free_.pop_back();
    return n;
  }
  void give_back(std::int32_t n) {
    std::lock_guard lock(mutex_);
    free_.push_back(n);
  }

 private:
  std::mutex mutex_;
  std::vector<std::int32_t> free_;
  std::int32_t next_ = 0;
};

ParameterNumbers& parameter_numbers() {
  static auto* numbers = new ParameterNumbers;  // outlives every static tensor
  return *numbers;
}

// A node of row-major strides, with room for the elements behind it.
Node* new_node(std::size_t data_bytes, const Shape& shape, DType dtype, const Device& device) {
  const std::size_t bytes = sizeof(Node) + data_bytes;
  auto* node = new (detail::pool_allocate(bytes)) Node;
  node->size_class = static_cast<std::uint8_t>(detail::size_class_of(bytes));
  node->data = reinterpret_cast<std::byte*>(node + 1);
  node->dtype = dtype;
  node->device = device;
  node->shape = shape;
  node->strides = row_major_strides(shape);
  node->numel = shape.numel();
  return node;
}

void release(Node* node) noexcept {
  if (node && node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) detail::destroy(node);
}

Node* share(Node* node) {
  if (node) node->references.fetch_add(1, std::memory_order_relaxed);
  return node;
}

bool is_row_major(const Shape& shape, const Shape& strides) {
  Index step = 1;
  for (int i = shape.rank(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

double element(const Node& node, Index offset) {
  return visit_any(node.dtype, [&]<class T>() {
    T x;
    detail::copy_bytes(Cpu{}, &x, node.device, reinterpret_cast<const T*>(node.data) + offset, sizeof(T));
    return static_cast<double>(x);
  });
}

// Checked: shapes also come from files.
std::size_t checked_bytes(const Shape& shape, DType dtype) {
  std::size_t bytes = size_of(dtype);
  bool empty = false;
  for (Index s : shape) {
    require(s >= 0, "empty", "shape ", shape, " has a negative size");
    empty |= s == 0;
    if (s > 0 && __builtin_mul_overflow(bytes, static_cast<std::size_t>(s), &bytes))
      throw OutOfMemory(cat("[memory] shape ", shape, " has more bytes than can be counted"), ~std::size_t{0},
                        memory_stats().allocated, memory_stats().peak);
  }
  return empty ? 0 : bytes;
}

// Gives back the block that a node on a GPU owns.
void free_block([[maybe_unused]] Node* node) noexcept {
#ifdef FOVEA_CUDA
  if (std::exchange(node->on_device, false))
    detail::device_free(std::get<Cuda>(node->device), node->data,
                        static_cast<std::size_t>(node->numel) * size_of(node->dtype));
#endif
}

}  // namespace

void detail::destroy(Node* node) noexcept {
  release(node->base);
  release(node->gradient);
  if (node->parameter >= 0) parameter_numbers().give_back(node->parameter);
  if (node->deleter) {
    (*node->deleter)();
    delete node->deleter;
  }
  free_block(node);
  const int size_class = node->size_class;
  node->~Node();
  pool_free(node, size_class);
}

Tensor Tensor::empty(const Shape& shape, DType dtype, const Device& device) try {
  const std::size_t bytes = checked_bytes(shape, dtype);
#ifdef FOVEA_CUDA
  if (const Cuda* cuda = std::get_if<Cuda>(&device)) {
    Tensor t(new_node(0, shape, dtype, device));
    t.node_->data = detail::device_allocate(*cuda, bytes);
    t.node_->on_device = true;
    return t;
  }
#endif
  return Tensor(new_node(bytes, shape, dtype, device));
} catch (const OutOfMemory& e) {
  throw e.during(cat("for a tensor ", shape, " ", dtype));
}

Tensor Tensor::wrap(void* data, const Shape& shape, DType dtype, std::function<void()> deleter,
                    const Device& device) {
  checked_bytes(shape, dtype);
  Node* node = new_node(0, shape, dtype, device);
  node->data = static_cast<std::byte*>(data);
  if (deleter) node->deleter = new std::function<void()>(std::move(deleter));
  return Tensor(node);
}

Tensor Tensor::view(const Shape& shape, const Shape& strides, Index offset) const {
  Node* from = node();
  Node* to = new_node(0, shape, from->dtype, from->device);
  to->base = share(&from->owner());
  to->data = from->data + offset * static_cast<Index>(size_of(from->dtype));
  to->strides = strides;
  to->contiguous = is_row_major(shape, strides);
  return Tensor(to);
}

Tensor Tensor::detach() const { return view(shape(), strides(), 0); }

void Tensor::note_change() {
  require(!Tape::tracks(*this), "write", "this tensor ", shape(),
          " is part of a live tape; change a detach()ed copy, or change it after backward");
  ++node_->owner().version;
}

void Tensor::throw_undefined() { fail("tensor", "is undefined (default-constructed or moved from)"); }

void Tensor::check_access(DType wanted, const char* what) const {
  require(dtype() == wanted, what, "tensor is ", dtype(), ", asked for ", wanted);
  require(contiguous(), what, "tensor ", shape(), " is a strided view; take contiguous(x) first");
  require(is_cpu(device()), what, "tensor ", shape(), " lies on ", device(),
          "; copy it with to(x, Cpu{}) first");
}

double Tensor::only_element() const {
  require(numel() == 1, "item", "tensor of shape ", shape(), " does not have exactly one element");
  return element(*node_, 0);
}

double Tensor::at(std::initializer_list<Index> position) const {
  require(static_cast<int>(position.size()) == rank(), "at", position.size(), " positions for shape ",
          shape());
  Index offset = 0;
  int d = 0;
  for (Index p : position) {
    require(p >= 0 && p < shape()[d], "at", "position ", p, " is outside dimension ", d, " of ", shape());
    offset += p * strides()[d++];
  }
  return element(*node_, offset);
}

Parameter::Parameter(Tensor value) : Tensor(value.detach()) {
  require(dtype() == DType::f32 || dtype() == DType::f64, "parameter", "must be f32 or f64, not ", dtype());
  require(contiguous(), "parameter", "must be contiguous; take contiguous(x) first");
  Tensor gradient = Tensor::empty(shape(), dtype(), device());
  detail::zero_bytes(device(), gradient.raw_mutable(), gradient.bytes());
  node()->gradient = share(gradient.node());
  node()->parameter = parameter_numbers().take();
}

Parameter Parameter::of(const Tensor& handle) {
  require(handle.node()->parameter >= 0, "parameter", "tensor ", handle.shape(), " is not a parameter");
  return Parameter(share(handle.node()));
}

namespace {
// Gives access to the constructor from a node.
struct Handle : Tensor {
  explicit Handle(Node* node) : Tensor(node) {}
};
}  // namespace

Tensor Parameter::grad() const { return Handle(share(node()->gradient)); }

void Parameter::zero_grad() { detail::zero_bytes(device(), node()->gradient->data, bytes()); }

void Parameter::move_into(const Tensor& values, const Tensor& gradients, Index offset) {
  const auto move = [&](Node* node, const Tensor& into) {
    require(into.dtype() == dtype() && into.contiguous() && offset + numel() <= into.numel(), "move_into",
            "a buffer of ", into.numel(), " ", into.dtype(), " cannot take ", numel(), " ", dtype(), " at ",
            offset);
    std::byte* to = into.node()->data + offset * static_cast<Index>(size_of(dtype()));
    detail::copy_bytes(into.device(), to, node->device, node->data, bytes());
    if (!node->base) free_block(node);
    Node* old = std::exchange(node->base, share(&into.node()->owner()));
    node->data = to;
    node->device = into.device();
    release(old);
  };
  move(node(), values);
  move(node()->gradient, gradients);
}

namespace {

void print_from(std::ostream& out, const Tensor& t, int dim, Index offset) {
  if (dim == t.rank()) {
    out << std::setprecision(5) << element(*t.node(), offset);
    return;
  }
  constexpr Index edge = 3;  // elements shown at each end of a long dimension
  const Index n = t.shape()[dim];
  out << '[';
  for (Index i = 0; i < n; ++i) {
    if (n > 2 * edge + 1 && i == edge) {
      out << "... ";
      i = n - edge;
    }
    print_from(out, t, dim + 1, offset + i * t.strides()[dim]);
    if (i + 1 == n) break;
    if (dim + 1 < t.rank())
      out << '\n' << std::string(static_cast<std::size_t>(dim) + 1, ' ');
    else
      out << ' ';
  }
  out << ']';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  if (!t.defined()) return out << "undefined tensor";
  const auto precision = out.precision();
  out << t.dtype() << t.shape() << ' ';
  print_from(out, t, 0, 0);
  return out << std::setprecision(static_cast<int>(precision));
}

}  // namespace fovea
