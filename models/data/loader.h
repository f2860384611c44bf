#ifndef FOVEA_MODELS_DATA_LOADER_H_
#define FOVEA_MODELS_DATA_LOADER_H_

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

namespace fovea {

struct LoaderOptions {
  Index batch_size = 32;
  bool shuffle = true;     ///< a new order every epoch; otherwise 0, 1, 2, ...
  bool drop_last = false;  ///< leaves out an epoch's last batch when it is smaller
  int prefetch = 2;        ///< batches made ahead, on a thread of the loader's own; 0: made when asked for
};

/// Batches without end, epoch after epoch, of samples 0, ..., count - 1.
///
///     Loader batches(digits.size(), [&](std::span<const Index> indices, Index epoch) {
///       const auto b = cluttered(digits, indices, {}, Generator(seed, epoch));
///       return std::vector{to_unit(b.images), b.labels};
///     }, {.batch_size = 256}, Generator(seed));
///     ...
///     const auto batch = batches.next();   // batch[0]: images, batch[1]: labels
///
/// A batch depends on its indices and its epoch alone, so it is the same however far it is made ahead. The
/// function runs on the loader's thread: it must not change what others read, records on no tape, and its ops
/// run on one core. What it throws next() throws, with the same message; the next call tries that batch
/// again. The loader may go at any time; it waits for the batch in hand. It serves one thread.
class Loader {
 public:
  using Batch = std::vector<Tensor>;
  /// Makes the batch of these samples in this epoch (0, 1, ...).
  using Make = std::function<Batch(std::span<const Index> indices, Index epoch)>;

  /// `random` decides on the orders.
  Loader(Index count, Make make, const LoaderOptions& options, const Generator& random);
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  /// The next batch.
  Batch next();

  Index batches_per_epoch() const;
  /// The epoch of the batch that next() gives, and its place in it.
  Index epoch() const;
  Index position() const;

  /// Where it stands, as checkpoints keep it: the orders' generator, its offset counting the batches given.
  /// Another loader of the same count, batch size and options goes on from there with the same batches.
  Generator::State state() const;
  void set_state(const Generator::State& state);

 private:
  class Worker;
  struct Plan;
  std::unique_ptr<Plan> plan_;
  std::unique_ptr<Worker> worker_;  // none until a batch is asked for
  std::uint64_t given_ = 0;
};

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_LOADER_H_
