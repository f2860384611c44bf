#ifndef FOVEA_TOOLS_REPORT_FACTS_H_
#define FOVEA_TOOLS_REPORT_FACTS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fovea::tools {

/// Named values in the order in which they were first set: what is known of a run, and what it achieved.
/// They are printed and kept as JSON. (That library's header takes seconds to compile; this one does not.)
class Facts {
 public:
  using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;
  struct Fact {
    std::string name;
    Value value;
  };

  Facts() = default;
  Facts(std::initializer_list<Fact> facts);
  /// Reads an object of plain values. Throws where the text is anything else.
  static Facts from_json(const std::string& text);

  /// The value of that name, made when there is none.
  Value& operator[](const std::string& name);
  /// Sets all that `other` has.
  void update(const Facts& other);

  /// Null where there is none.
  const Value* find(const std::string& name) const;
  /// One that is a double; `otherwise` where there is none, or an Error.
  double number(const std::string& name, std::optional<double> otherwise = {}) const;

  auto begin() const { return facts_.begin(); }
  auto end() const { return facts_.end(); }

 private:
  std::vector<Fact> facts_;
};

/// An object, each value on a line of its own, or all on one.
std::string to_json(const Facts& facts, bool one_line = false);
/// One with `below` as an object of its own at the end.
std::string to_json(const Facts& facts, const std::string& name, const Facts& below);
/// An array of objects; of one alone that object.
std::string to_json(const std::vector<Facts>& all);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_REPORT_FACTS_H_
