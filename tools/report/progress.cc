#include "tools/report/progress.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "tools/figures/utf8.h"

namespace fovea::tools {
namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0;
}

bool is_interactive(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) && !is_set("CI") && term != nullptr && std::string_view(term) != "dumb";
}

bool terminal_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    if (!is_set(name)) continue;
    const std::string_view locale = std::getenv(name);
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

std::size_t terminal_columns(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// Blocks SIGPIPE on this thread while alive and swallows the one that a write raised: a reader of stderr that
// goes away must not end a training run.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipe() {
    constexpr timespec at_once{};
    if (raised_ && !was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

  void raised() { raised_ = true; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false, raised_ = false;
};

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string rate_text(double rate) {
  if (rate >= 1000) return with_commas(static_cast<std::uint64_t>(std::lround(rate))) + "/s";
  char digits[32];
  const int decimals = rate >= 100 ? 0 : rate >= 10 ? 1 : 2;
  const auto end = std::to_chars(digits, digits + sizeof digits, rate, std::chars_format::fixed, decimals);
  return std::string(digits, end.ptr) + "/s";
}

std::string two_digits(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds < 1e9)) return "?";
  const auto s = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m" + two_digits(s % 60) + "s";
  if (s < 86400) return std::to_string(s / 3600) + "h" + two_digits(s / 60 % 60) + "m";
  return std::to_string(s / 86400) + "d" + two_digits(s / 3600 % 24) + "h";
}

Progress::Progress(std::string_view label, std::uint64_t total, const ProgressOptions& options)
    : options_(options),
      label_(valid_utf8(label)),
      total_(total),
      done_(options.start),
      measured_done_(options.start),
      started_(Clock::now()),
      shown_(started_),
      staged_(started_ - options.line_interval),
      measured_(started_) {
  silent_ = options.quiet || ::fcntl(options.descriptor, F_GETFD) == -1;
  if (silent_) return;
  bar_ = options.bar.value_or(is_interactive(options.descriptor));
  color_ = options.color.value_or(!is_set("NO_COLOR"));
  unicode_ = terminal_is_utf8();
  if (bar_) draw();
}

Progress::~Progress() {
  try {
    finish();
  } catch (...) {  // out of memory for a line of text: no reason to end the program
  }
}

void Progress::update(std::uint64_t done, std::string_view metric) {
  done_ = done;
  if (silent_) return;
  const auto now = Clock::now();
  const bool had_stage = !stage_.empty();
  if (had_stage) stage_.clear();
  if (now - shown_ < (bar_ ? options_.bar_interval : options_.line_interval)) {
    if (metric_ != metric) metric_ = metric;  // for finish()
    return;
  }
  metric_ = metric;
  measure(now);
  if (bar_) {
    draw();
    shown_ = now;
  } else {
    print_line(now);
  }
}

void Progress::stage(std::string_view text) {
  if (silent_ || text == stage_) return;
  stage_ = text;
  const auto now = Clock::now();
  if (bar_) {
    if (now - shown_ < options_.bar_interval && now - staged_ < options_.bar_interval) return;
    draw();
    shown_ = staged_ = now;
  } else if (!stage_.empty() && now - staged_ >= options_.line_interval) {
    staged_ = now;
    put(label_ + "  " + valid_utf8(stage_, ' ') + "\n");
  }
}

void Progress::finish() {
  if (silent_) return;
  stage_.clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  if (seconds > 0 && done_ >= options_.start) rate_ = static_cast<double>(done_ - options_.start) / seconds;
  std::string last = label_ + "  " + with_commas(done_);
  if (total_ > 0 && done_ != total_) last += "/" + with_commas(total_);
  last += " in " + duration_text(seconds);
  if (rate_ > 0) last += "  " + rate_text(rate_);
  if (!metric_.empty()) last += "  " + valid_utf8(metric_, ' ');
  put((line_open_ ? "\r\x1b[K" : "") + last + "\n");
  silent_ = true;
}

// An average whose weights fade over ten seconds: it follows a change of speed without jumping.
void Progress::measure(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - measured_).count();
  if (seconds <= 0 || done_ <= measured_done_) return;
  const double current = static_cast<double>(done_ - measured_done_) / seconds;
  const double weight = rate_ > 0 ? 1 - std::exp(-seconds / 10) : 1;
  rate_ += weight * (current - rate_);
  measured_ = now;
  measured_done_ = done_;
}

// The bar's line in at most `columns` characters; what has no room is left out.
std::string Progress::line(std::size_t columns) const {
  const double part =
      total_ > 0 ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 0;
  std::string head = label_ + " ";
  std::string tail = " " + with_commas(done_);
  if (total_ > 0) {
    const std::string percent = std::to_string(static_cast<int>(100 * part)) + "%";
    head += std::string(4 - percent.size(), ' ') + percent + " ";
    tail += "/" + with_commas(total_);
  }
  if (!stage_.empty()) {
    tail += "  " + valid_utf8(stage_, ' ');
  } else {
    if (rate_ > 0) tail += "  " + rate_text(rate_);
    if (rate_ > 0 && total_ > done_)
      tail += "  ETA " + duration_text(static_cast<double>(total_ - done_) / rate_);
    if (!metric_.empty()) tail += "  " + valid_utf8(metric_, ' ');
  }
  const std::size_t used = utf8_length(head) + utf8_length(tail);
  const std::size_t room = columns > used ? std::min<std::size_t>(30, columns - used) : 0;
  if (total_ == 0 || room < 5) return std::string(utf8_prefix(head + tail, columns));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(room));
  std::string bar = color_ ? "\x1b[32m" : "";
  for (std::size_t i = 0; i < room; ++i) {
    if (i == full && color_) bar += "\x1b[2;39m";
    if (unicode_) {
      bar += i < full ? "━" : "─";
    } else {
      bar += i < full ? '#' : '-';
    }
  }
  if (color_) bar += "\x1b[0m";
  return head + bar + tail;
}

void Progress::draw() {
  // One column stays free: some terminals wrap after writing the last.
  put("\r" + line(terminal_columns(options_.descriptor) - 1) + "\x1b[K");
  line_open_ = true;
}

void Progress::print_line(Clock::time_point now) {
  shown_ = now;
  std::string text = label_ + "  " + with_commas(done_);
  if (total_ > 0) {
    text += "/" + with_commas(total_) + "  " +
            std::to_string(static_cast<int>(
                100 * std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)))) +
            "%";
  }
  if (rate_ > 0) text += "  " + rate_text(rate_);
  if (rate_ > 0 && total_ > done_)
    text += "  ETA " + duration_text(static_cast<double>(total_ - done_) / rate_);
  if (!metric_.empty()) text += "  " + valid_utf8(metric_, ' ');
  put(text + "\n");
}

void Progress::put(const std::string& text) {
  NoBrokenPipe guard;
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(options_.descriptor, rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else {
      if (n < 0 && errno == EPIPE) guard.raised();
      if (n == 0 || errno != EAGAIN) silent_ = true;  // a full non-blocking pipe only loses this line
      return;
    }
  }
}

}  // namespace fovea::tools
