/// \file
/// Cuts a stream into lines.
#pragma once

#include <string>
#include <string_view>

namespace autoarchive::tar_external {

/// Holds at most one line that is not complete, and no more than 1 MiB of it. Not thread-safe.
class LineBuffer {
 public:
  /// Calls `call` with each line that is complete, without its end.
  template <class Call>
  void feed(std::string_view bytes, const Call& call) {
    text_ += bytes;
    std::size_t begin = 0;
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
      call(std::string_view(text_).substr(begin, end - begin));
      begin = end + 1;
    }
    text_.erase(0, begin);
    if (text_.size() > kMaxBytes) finish(call);
  }
  /// The same with what is left.
  template <class Call>
  void finish(const Call& call) {
    if (!text_.empty()) call(std::string_view(text_));
    text_.clear();
  }

 private:
  static constexpr std::size_t kMaxBytes = 1U << 20U;
  std::string text_;
};

}  // namespace autoarchive::tar_external
