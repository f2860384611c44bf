#include "fovea/models/training/replays.h"

#include <map>
#include <string>

#include "fovea/core/captured.h"
#include "fovea/core/error.h"
#include "fovea/core/memory.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

Batch brought(const Batch& batch, const Device& device) {
  Batch there;
  for (const Tensor& x : batch) there.push_back(x.defined() ? to(x, device) : x);
  return there;
}

#ifdef FOVEA_CUDA

std::string shapes_of(const Batch& batch) {
  std::string all;
  for (const Tensor& x : batch) all += x.defined() ? cat(x.dtype(), x.shape()) : "-";
  return all;
}

#endif

}  // namespace

struct Replays::Graphs {
#ifdef FOVEA_CUDA
  struct Shaped {  // batches of one shape
    bool seen = false, refused = false;
    Batch batch = {};
    std::vector<Tensor> results = {};
    std::unique_ptr<Captured> graph = {};
  };
  std::map<std::string, Shaped> shapes;
#endif
  int count = 0;
  bool stopped = false;
  std::string refusal;
};

Replays::Replays() : graphs_(std::make_unique<Graphs>()) {}
Replays::~Replays() = default;
int Replays::graphs() const { return graphs_->count; }
const std::string& Replays::refusal() const { return graphs_->refusal; }

void Replays::stop() {
  graphs_ = std::make_unique<Graphs>();
  graphs_->stopped = true;
}

std::vector<Tensor> Replays::operator()(const Batch& batch, const Device& device, const Work& work) {
#ifdef FOVEA_CUDA
  const Cuda* cuda = batch.empty() || graphs_->stopped ? nullptr : std::get_if<Cuda>(&device);
  if (!cuda) return work(brought(batch, device));
  Graphs::Shaped& s = graphs_->shapes[shapes_of(batch)];
  // The first time as usual, so that everything lazy has happened.
  const bool capture = !s.graph && s.seen && !s.refused && graphs_->count < most;
  s.seen = true;
  if (!s.graph && !capture) return work(brought(batch, device));
  if (capture) {
    synchronize(device);  // what went wrong before is not for want of a graph
    s.batch = brought(batch, device);
    release_cached_memory(*cuda);  // a graph has memory of its own
    try {
      s.graph = std::make_unique<Captured>(*cuda, [&] { s.results = work(s.batch); });
      ++graphs_->count;
    } catch (const Error& e) {  // it reads what it computes, or there is no memory for a copy of its own
      graphs_->refusal = e.what();
      s = {.seen = true, .refused = true};
      return work(brought(batch, device));
    }
  } else {
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (batch[i].defined()) assign(s.batch[i], batch[i]);
  }
  (*s.graph)();
  return s.results;
#else
  return work(brought(batch, device));
#endif
}

}  // namespace fovea
