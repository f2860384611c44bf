#include "fovea/models/translation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

Tensor i32(const std::vector<std::int32_t>& values) {
  return Tensor::from(values, {static_cast<Index>(values.size())});
}

// What the model says, checked; `rows` were asked.
Tensor ask(const Writer& writer, const std::vector<std::int32_t>& last) {
  const Tensor log_probs = writer.next(i32(last));
  require(log_probs.rank() == 2 && log_probs.size(0) == static_cast<Index>(last.size()) &&
              log_probs.dtype() == DType::f32,
          "beam_search", "the model gave ", log_probs.shape(), " ", log_probs.dtype(), " for ", last.size(),
          " sentences; it must be [R,V] f32");
  return to(log_probs, Cpu{});
}

void check(const WriteOptions& o) {
  for (Index most : o.most) require(most >= 0, "beam_search", "a greatest length of ", most, " is below 0");
}

bool is_in(const std::vector<std::int32_t>& ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// An unfinished sentence, and the continuation of one.
struct Hypothesis {
  std::vector<std::int32_t> ids;
  double log_prob = 0;
};
struct Continuation {
  std::size_t from;  // which hypothesis of the sentence
  std::int32_t id;
  double log_prob;
};

// The sentences in hand: hypotheses of one lie side by side in the model's rows.
struct Sentence {
  std::size_t number;
  std::vector<Hypothesis> live;
  std::vector<Written> ended;
};

// The `count` likeliest continuations, the likeliest first; of equals the one of the lower row and id.
std::vector<Continuation> likeliest(const Sentence& s, const float* log_probs, Index V, std::size_t count,
                                    const std::vector<std::int32_t>& never) {
  const auto better = [](const Continuation& a, const Continuation& b) {
    if (a.log_prob != b.log_prob) return a.log_prob > b.log_prob;
    return a.from != b.from ? a.from < b.from : a.id < b.id;
  };
  std::vector<Continuation> best;  // a heap whose first is the worst
  for (std::size_t k = 0; k < s.live.size(); ++k) {
    const float* row = log_probs + static_cast<Index>(k) * V;
    for (std::int32_t id = 0; id < V; ++id) {
      const double log_prob = s.live[k].log_prob + static_cast<double>(row[id]);
      if (best.size() == count && !(log_prob > best.front().log_prob)) continue;
      if (std::isnan(log_prob) || log_prob == -std::numeric_limits<double>::infinity()) continue;
      if (is_in(never, id)) continue;
      if (best.size() == count) {
        std::pop_heap(best.begin(), best.end(), better);
        best.pop_back();
      }
      best.push_back({k, id, log_prob});
      std::push_heap(best.begin(), best.end(), better);
    }
  }
  std::sort_heap(best.begin(), best.end(), better);
  return best;
}

Written best_of(const Sentence& s, double alpha) {
  std::vector<Written> all = s.ended;
  if (all.empty())
    for (const Hypothesis& h : s.live) all.push_back({h.ids, h.log_prob, false});
  return *std::max_element(all.begin(), all.end(), [&](const Written& a, const Written& b) {
    return a.score(alpha) < b.score(alpha);
  });
}

// The best score of unfinished sentences as they stand.
double best_live(const std::vector<Hypothesis>& live, double alpha) {
  double best = -std::numeric_limits<double>::infinity();
  for (const Hypothesis& h : live) best = std::max(best, Written{h.ids, h.log_prob, false}.score(alpha));
  return best;
}

// One step of a sentence; what goes on is left in `live`, and the rows it goes on from in `rows`. Returns
// whether it is done.
bool advance(Sentence& s, const float* log_probs, Index V, std::int32_t first_row, const BeamOptions& o,
             std::vector<std::int32_t>& rows) {
  const auto beam = static_cast<std::size_t>(o.beam);
  const bool last = static_cast<Index>(s.live[0].ids.size()) >= o.most[s.number];
  std::vector<Hypothesis> next;
  const auto all = likeliest(s, log_probs, V, 2 * beam, o.never);
  require(!all.empty(), "beam_search", "the model gives no token a probability, of ", V);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Continuation& c = all[i];
    Hypothesis h{s.live[c.from].ids, c.log_prob};
    if (c.id == o.end) {
      // An end that is not among the `beam` best would be one of a wider beam's.
      if (i < beam) s.ended.push_back({std::move(h.ids), c.log_prob, true});
    } else if (!last && next.size() < beam) {
      h.ids.push_back(c.id);
      next.push_back(std::move(h));
      rows.push_back(first_row + static_cast<std::int32_t>(c.from));
    }
  }
  const bool done =
      next.empty() || (s.ended.size() >= beam && best_of(s, o.length_penalty).score(o.length_penalty) >=
                                                     best_live(next, o.length_penalty));
  if (done)
    rows.resize(rows.size() - next.size());
  else
    s.live = std::move(next);
  return done;
}

}  // namespace

double Written::score(double alpha) const {
  const auto n = static_cast<double>(ids.size()) + (ended ? 1 : 0);
  return log_prob / std::pow((5 + n) / 6, alpha);
}

std::vector<Written> write_greedily(const Writer& writer, const WriteOptions& o) {
  check(o);
  std::vector<Written> out(o.most.size());
  std::vector<std::int32_t> last(o.most.size(), o.begin);
  std::size_t open = out.size();
  for (Index t = 0; open > 0; ++t) {
    const Tensor log_probs = ask(writer, last);
    const Index V = log_probs.size(1);
    for (std::size_t i = 0; i < out.size(); ++i) {
      Written& w = out[i];
      if (w.ended || static_cast<Index>(w.ids.size()) < t) continue;  // done
      const float* row = log_probs.data<float>() + static_cast<Index>(i) * V;
      const bool full = t >= o.most[i];
      std::int32_t best = -1;
      for (std::int32_t id = 0; id < V; ++id)
        if ((best < 0 || row[id] > row[best]) && !is_in(o.never, id)) best = id;
      require(best >= 0, "beam_search", "the model gives no token a probability, of ", V);
      last[i] = best;
      w.ended = best == o.end;
      if (w.ended || !full) w.log_prob += static_cast<double>(row[best]);
      if (!w.ended && !full) w.ids.push_back(best);
      open -= w.ended || full;
    }
  }
  return out;
}

std::vector<Written> beam_search(const Writer& writer, const BeamOptions& o) {
  require(o.beam >= 1, "beam_search", "beam is ", o.beam, "; it must be at least 1");
  check(o);
  std::vector<Written> out(o.most.size());
  std::vector<Sentence> open;
  for (std::size_t i = 0; i < out.size(); ++i) open.push_back({i, {Hypothesis{}}, {}});
  while (!open.empty()) {
    std::vector<std::int32_t> last, rows;
    for (const Sentence& s : open)
      for (const Hypothesis& h : s.live) last.push_back(h.ids.empty() ? o.begin : h.ids.back());
    const Tensor log_probs = ask(writer, last);
    const Index V = log_probs.size(1);
    std::int32_t first_row = 0;
    std::vector<Sentence> left;
    for (Sentence& s : open) {
      const auto count = static_cast<std::int32_t>(s.live.size());
      if (advance(s, log_probs.data<float>() + first_row * V, V, first_row, o, rows))
        out[s.number] = best_of(s, o.length_penalty);
      else
        left.push_back(std::move(s));
      first_row += count;
    }
    open = std::move(left);
    if (!open.empty()) writer.keep_rows(i32(rows));
  }
  return out;
}

}  // namespace fovea
