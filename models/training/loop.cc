#include "fovea/models/training/loop.h"

#include "fovea/models/training/metrics.h"

namespace fovea {

Index Loop::run(Index from) const {
  Mean cost;
  Index done = from, saved = from;
  const auto due = [&](Index every) { return every > 0 && done % every == 0; };
  while (done < steps && !(stop && stop->load())) {
    const double c = step();
    ++done;
    cost.add(c);
    if (after) after(done, c);
    if (log && (due(log_every) || done == steps)) {
      log(done, cost.value());
      cost = Mean();
    }
    if (save && due(checkpoint_every)) {
      save(done);
      saved = done;
    }
  }
  if (save && saved != done) save(done);
  return done;
}

}  // namespace fovea
