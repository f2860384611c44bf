#include "fovea/core/tape.h"

namespace fovea {
namespace {

void print_bytes(std::ostream& out, std::size_t bytes) {
  if (bytes < 1024)
    out << bytes << " B";
  else if (bytes < 1024 * 1024)
    out << (bytes + 512) / 1024 << " KiB";
  else
    out << (bytes + 512 * 1024) / (1024 * 1024) << " MiB";
}

}  // namespace

void Tape::print(std::ostream& out) const {
  const Store& s = *store_;
  const auto print_slot = [&](std::int32_t slot) {
    if (slot < 0)
      out << " _";
    else
      out << " %" << slot;
  };
  for (const auto& [slot, p] : s.parameters)
    out << '%' << slot << " parameter " << p.dtype() << p.shape() << '\n';
  for (const auto& [slot, x] : s.watched) out << '%' << slot << " watched " << x.dtype() << x.shape() << '\n';
  std::size_t note = 0;
  for (std::size_t i = 0; i < s.steps.size(); ++i) {
    const Step& step = s.steps[i];
    out << '#' << i << ' ' << step.op;
    const std::int32_t* link = &s.links[step.first_link];
    for (std::uint32_t k = 0; k < step.inputs; ++k) print_slot(*link++);
    out << " ->";
    for (std::uint32_t k = 0; k < step.outputs; ++k) {
      const Slot& slot = s.slots[static_cast<std::size_t>(*link)];
      print_slot(*link++);
      out << ' ' << slot.dtype << slot.shape;
    }
    std::size_t bytes = 0;
    if (note < step.notes_end) out << " saves";
    for (; note < step.notes_end; ++note) {
      print_slot(s.notes[note].slot);
      bytes += s.notes[note].bytes;
    }
    if (bytes) print_bytes(out << ' ', bytes);
    out << '\n';
  }
}

void Tape::graphviz(std::ostream& out) const {
  const Store& s = *store_;
  out << "digraph tape {\n  rankdir=LR; node [shape=box, fontname=Helvetica];\n";
  for (const auto& [slot, p] : s.parameters)
    out << "  s" << slot << " [label=\"parameter\\n"
        << p.shape() << "\", style=filled, fillcolor=lightblue];\n";
  for (const auto& [slot, x] : s.watched)
    out << "  s" << slot << " [label=\"watched\\n"
        << x.shape() << "\", style=filled, fillcolor=lightyellow];\n";
  for (std::size_t i = 0; i < s.steps.size(); ++i) {
    const Step& step = s.steps[i];
    const std::int32_t* inputs = &s.links[step.first_link];
    const std::int32_t* outputs = inputs + step.inputs;
    out << "  o" << i << " [label=\"" << step.op << "\", shape=ellipse];\n";
    for (std::uint32_t k = 0; k < step.inputs; ++k)
      if (inputs[k] >= 0) out << "  s" << inputs[k] << " -> o" << i << ";\n";
    for (std::uint32_t k = 0; k < step.outputs; ++k)
      out << "  s" << outputs[k] << " [label=\"%" << outputs[k] << "\\n"
          << s.slots[static_cast<std::size_t>(outputs[k])].shape << "\"];\n  o" << i << " -> s" << outputs[k]
          << ";\n";
  }
  out << "}\n";
}

}  // namespace fovea
