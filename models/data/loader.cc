#include "fovea/models/data/loader.h"

#include <omp.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "fovea/ops/create.h"

namespace fovea {

// What there is to make: batch n of all, epoch after epoch. Used by one thread at a time.
struct Loader::Plan {
  Index count;
  Make make;
  LoaderOptions options;
  Generator random;
  std::vector<Index> order = {};
  std::uint64_t ordered = ~std::uint64_t{0};  // the epoch that `order` is of

  std::uint64_t batches() const {
    const Index up = options.drop_last ? 0 : options.batch_size - 1;
    return static_cast<std::uint64_t>((count + up) / options.batch_size);
  }

  Batch batch(std::uint64_t n) {
    const std::uint64_t epoch = n / batches();
    if (epoch != ordered) put_in_order(epoch);
    const auto size = static_cast<std::size_t>(options.batch_size);
    const std::size_t from = static_cast<std::size_t>(n % batches()) * size;
    return make(std::span(order).subspan(from, std::min(size, order.size() - from)),
                static_cast<Index>(epoch));
  }

 private:
  void put_in_order(std::uint64_t epoch) {
    order.resize(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), Index{0});
    ordered = epoch;
    if (!options.shuffle) return;
    Generator own = random.fork(epoch);
    for (std::size_t left = order.size(); left > 1; --left)  // Fisher and Yates
      std::swap(order[left - 1], order[own.below(static_cast<std::uint32_t>(left))]);
  }
};

// Makes batches ahead on a thread.
//
// The pool keeps a freed block on the thread that freed it. If the caller freed what this thread allocated,
// every batch would be new memory here and one more cached block there, without end. So the caller gets
// tensors that borrow the memory, and when the last handle of one is gone, the tensor that owns it comes back
// to be freed here.
class Loader::Worker {
 public:
  Worker(Plan& plan, std::uint64_t first) : thread_([this, &plan, first] { run(plan, first); }) {}

  ~Worker() {
    {
      std::lock_guard lock(shared_->mutex);
      shared_->stopping = true;
    }
    shared_->changed.notify_all();
    thread_.join();
  }

  Batch take() {
    Shared& s = *shared_;
    std::unique_lock lock(s.mutex);
    s.changed.wait(lock, [&] { return !s.ready.empty(); });
    Made made = std::move(s.ready.front());
    s.ready.pop_front();
    lock.unlock();
    s.changed.notify_all();
    if (made.error) std::rethrow_exception(made.error);
    for (Tensor& t : made.batch)
      if (t.defined()) t = borrowed(std::move(t));
    return std::move(made.batch);
  }

 private:
  struct Made {
    Batch batch = {};
    std::exception_ptr error = {};
  };
  struct Shared {  // outlives the worker while a borrowed tensor does
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Made> ready;
    std::vector<Tensor> returned;
    bool stopping = false;

    void take_back(Tensor t) noexcept try {
      std::lock_guard lock(mutex);
      if (!stopping) returned.push_back(std::move(t));
    } catch (...) {  // no room to remember it: then it is freed here
    }
  };

  Tensor borrowed(Tensor owner) const {
    void* data = owner.raw_mutable();
    const Shape shape = owner.shape();
    const DType dtype = owner.dtype();
    const Device device = owner.device();
    return Tensor::wrap(
        data, shape, dtype,
        [shared = shared_, owner = std::move(owner)]() mutable { shared->take_back(std::move(owner)); },
        device);
  }

  void run(Plan& plan, std::uint64_t n) {
    omp_set_num_threads(1);  // of this thread's own ops: the cores belong to the training
    Shared& s = *shared_;
    const auto ahead = static_cast<std::size_t>(plan.options.prefetch);
    for (bool failed = false; !failed; ++n) {
      std::vector<Tensor> returned;
      {
        std::unique_lock lock(s.mutex);
        s.changed.wait(lock, [&] { return s.stopping || s.ready.size() < ahead; });
        if (s.stopping) return;
        returned.swap(s.returned);
      }
      returned.clear();
      Made made;
      try {
        made.batch = plan.batch(n);
        for (Tensor& t : made.batch)
          if (t.defined() && !t.contiguous()) t = contiguous(t);
      } catch (...) {
        made = {{}, std::current_exception()};
        failed = true;
      }
      {
        std::lock_guard lock(s.mutex);
        s.ready.push_back(std::move(made));
      }
      s.changed.notify_all();
    }
  }

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::thread thread_;  // last: it uses what stands above
};

Loader::Loader(Index count, Make make, const LoaderOptions& options, const Generator& random)
    : plan_(new Plan{count, std::move(make), options, random}) {
  require(count >= 1, "loader", "there are no samples");
  require(count <= 0xffffffff, "loader", count, " samples are more than 2^32 - 1");
  require(options.batch_size >= 1, "loader", "a batch size of ", options.batch_size, " is no size");
  require(options.prefetch >= 0, "loader", "cannot prefetch ", options.prefetch, " batches");
  require(!options.drop_last || count >= options.batch_size, "loader", "all ", count,
          " samples do not fill a batch of ", options.batch_size,
          "; use a smaller batch or keep the last one");
}

Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&& other) noexcept {
  worker_ = nullptr;  // before the plan that it uses
  plan_ = std::move(other.plan_);
  worker_ = std::move(other.worker_);
  given_ = other.given_;
  return *this;
}

Loader::Batch Loader::next() {
  Batch batch;
  if (plan_->options.prefetch == 0) {
    batch = plan_->batch(given_);
  } else {
    if (!worker_) worker_ = std::make_unique<Worker>(*plan_, given_);
    try {
      batch = worker_->take();
    } catch (...) {
      worker_ = nullptr;  // it has stopped; the next call starts another
      throw;
    }
  }
  ++given_;
  return batch;
}

Index Loader::batches_per_epoch() const { return static_cast<Index>(plan_->batches()); }
Index Loader::epoch() const { return static_cast<Index>(given_ / plan_->batches()); }
Index Loader::position() const { return static_cast<Index>(given_ % plan_->batches()); }

Generator::State Loader::state() const {
  return {plan_->random.state().seed, plan_->random.state().stream, given_};
}

void Loader::set_state(const Generator::State& state) {
  worker_ = nullptr;
  plan_->random = Generator(state.seed, state.stream);
  plan_->ordered = ~std::uint64_t{0};
  given_ = state.offset;
}

}  // namespace fovea
