#include "tools/bench/bench.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "fovea/core/error.h"
#include "fovea/core/memory.h"
#include "tools/bench/timing.h"
#include "tools/bench/workloads.h"
#include "tools/report/facts.h"

namespace fovea::tools {
namespace {

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = [] {
    std::vector<Workload> out;
    for (const auto make : {recurrent_workloads, image_workloads, transformer_workloads, kernel_workloads})
      for (Workload& w : make()) out.push_back(std::move(w));
    return out;
  }();
  return all;
}

// All, or those that --bf16 is for.
std::vector<std::string> workload_names(bool bf16 = false) {
  std::vector<std::string> names;
  for (const Workload& w : workloads())
    if (w.bf16 || !bf16) names.push_back(w.name);
  return names;
}

const Workload& workload(const std::string& name) {
  return *std::ranges::find(workloads(), name, &Workload::name);
}

// What is timed, when everything lazy has happened.
Recorded warmed(const Work& work, const Device& device, bool as_graph) {
  for (int i = 0; i < 3; ++i) work.step();
  return as_graph ? recorded(work.step, device) : Recorded{work.step};
}

// The best that a kernel without reuse, or one with all of it, does here, called as what it is compared with.
double best_rate(const char* name, const BenchOptions& o, bool as_graph) {
  BenchOptions plain;
  plain.device = o.device;
  plain.bf16 = o.bf16;
  const Work work = workload(name).make(plain);
  return (work.bytes + work.flops) /
         time(warmed(work, o.device, as_graph).step, o.device, 0.3, true).ms.front();
}

Facts measure(const std::string& name, const BenchOptions& o) {
  const Work work = workload(name).make(o);
  const Recorded step = warmed(work, o.device, true);
  const auto [ms, calls] = time(step.step, o.device, o.seconds, work.bytes + work.flops > 0);
  Facts facts = {{"name", name},
                 {"device", cat(arithmetic_of(o.device), o.bf16 ? ", bf16" : "")},
                 {"min_ms", ms.front()},
                 {"median_ms", ms[ms.size() / 2]},
                 {"n", std::uint64_t{ms.size()}}};
  facts["peak_bytes"] = std::uint64_t{std::visit([](auto d) { return memory_stats(d).peak; }, o.device)};
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  facts["peak_rss_mib"] = static_cast<double>(usage.ru_maxrss) / 1024;
  if (!is_cpu(o.device)) {
    facts["calls_per_sample"] = std::int64_t{calls};
    facts["captured"] = step.captured;
    if (!step.captured) facts["eager_because"] = step.eager_because;
  }
  if (work.tokens > 0) facts["tokens_per_s"] = work.tokens / ms.front() * 1e3;
  if (work.bytes > 0) {
    facts["gb_per_s"] = work.bytes / ms.front() / 1e6;
    if (name != "copy") facts["of_copy"] = work.bytes / ms.front() / best_rate("copy", o, step.captured);
  }
  if (work.flops > 0) {
    facts["gflop_per_s"] = work.flops / ms.front() / 1e6;
    if (name != "matmul")
      facts["of_matmul"] = work.flops / ms.front() / best_rate("matmul", o, step.captured);
    if (const std::optional<double> peak = peak_flops(o.device, work.factors)) {
      facts["peak_gflop_per_s"] = *peak / 1e9;
      facts["of_peak"] = work.flops / ms.front() * 1e3 / *peak;
    }
  }
  return facts;
}

void print(const Facts& facts) {
  std::printf("%-11s min %9.4f ms   median %9.4f ms   n %6llu   tensors %7.2f MiB   process %6.1f MiB",
              std::get<std::string>(*facts.find("name")).c_str(), facts.number("min_ms"),
              facts.number("median_ms"),
              static_cast<unsigned long long>(std::get<std::uint64_t>(*facts.find("n"))),
              static_cast<double>(std::get<std::uint64_t>(*facts.find("peak_bytes"))) / (1 << 20),
              facts.number("peak_rss_mib"));
  if (facts.find("tokens_per_s")) std::printf("   %7.0f tokens/s", facts.number("tokens_per_s"));
  if (facts.find("gb_per_s")) std::printf("   %7.1f GB/s", facts.number("gb_per_s"));
  if (facts.find("of_copy")) std::printf(", %3.0f %% of copy", 100 * facts.number("of_copy"));
  if (facts.find("gflop_per_s")) {
    std::printf("   %7.1f GFLOP/s", facts.number("gflop_per_s"));
    if (facts.find("of_matmul")) std::printf(", %3.0f %% of matmul", 100 * facts.number("of_matmul"));
    if (facts.find("of_peak"))
      std::printf(", %3.0f %% of the peak of %.1f TFLOP/s", 100 * facts.number("of_peak"),
                  facts.number("peak_gflop_per_s") / 1e3);
    else
      std::printf(", peak unknown");
  }
  if (facts.find("eager_because"))
    std::printf("   eager: %s", std::get<std::string>(*facts.find("eager_because")).c_str());
  else if (facts.find("captured"))
    std::printf("   captured");
  std::printf("\n");
}

struct Bench : BenchOptions {
  // The same command for one workload, in a process of its own, so that peak memory and warm caches are this
  // workload's alone.
  bool run_alone(const std::string& name) const {
    std::vector<std::string> words = {"fovea", "bench", name};
    const auto add = [&](const char* option, const auto& value) {
      words.push_back(option);
      words.push_back(cat(value));
    };
    add("--seconds", seconds);
    add("--device", common.device);
    add("--threads", common.threads);
    if (batch_size) add("--batch-size", *batch_size);
    if (length) add("--length", *length);
    if (hidden_size) add("--hidden-size", *hidden_size);
    if (products_only) words.push_back("--products-only");
    if (bf16) words.push_back("--bf16");
    if (common.tf32) words.push_back("--tf32");
    if (json) words.push_back("--json");
    std::vector<char*> arguments;
    for (std::string& w : words) arguments.push_back(w.data());
    arguments.push_back(nullptr);
    std::cout.flush();
    const pid_t child = fork();
    require(child >= 0, "bench", "cannot start a process");
    if (child == 0) {
      execv("/proc/self/exe", arguments.data());
      std::perror("fovea: [bench] cannot start itself");
      _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0;
  }

  int operator()() {
    common.apply();
    for (const std::string& name : names) {
      require(!products_only || has_products_only(name), "bench",
              "--products-only is of transformer and gpt, not ", name);
      require(!bf16 || workload(name).bf16, "bench", name, " has no bf16; --bf16 is for ",
              listed(workload_names(true)));
    }
    require(!products_only || !names.empty(), "bench", "--products-only needs a name: transformer or gpt");
    device = common.chosen_device();
    if (names.size() != 1) {
      if (names.empty())
        for (const Workload& w : workloads())
          if ((!w.on_request || !is_cpu(device)) && (!bf16 || w.bf16)) names.push_back(w.name);
      const auto failed = std::count_if(names.begin(), names.end(),
                                        [&](const std::string& name) { return !run_alone(name); });
      return failed > 0;
    }
    const Facts facts = measure(names[0], *this);
    if (json)
      std::cout << to_json(facts, true) << std::endl;
    else
      print(facts);
    return 0;
  }
};

}  // namespace

void add_bench(Commands& commands) {
  Command command = commands.root.add("bench", "Time training steps and kernels; one workload per process");
  Bench& b = command.calls<Bench>();
  command
      .option("names", b.names, "Which (default: on a GPU all; else training steps, convolutions, attention)")
      .one_of(workload_names());
  command.option("--seconds", b.seconds, "How long to measure each").with_default().positive();
  command.option("--batch-size", b.batch_size, "Another batch size").positive();
  command.option("--length", b.length, "Another length: vectors to copy, steps, or adds").positive();
  command.option("--hidden-size", b.hidden_size, "Another size of the LSTM").positive();
  command.flag("--products-only", b.products_only,
               "Only the products of matrices of transformer or gpt, on random numbers");
  command.flag("--bf16", b.bf16, "Activations in bf16; for " + listed(workload_names(true)));
  command.flag("--json", b.json, "One JSON line a workload");
  b.common.add_to(command);
}

}  // namespace fovea::tools
