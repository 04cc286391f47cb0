// Stands in for libFuzzer: gives a target each file of its corpus, and then some thousand inputs that are made from
// them, always the same ones.
//
// usage: NAME_fuzz CORPUS [INPUTS]; NAME_fuzz FILE for a single one. An input that fails is left in fault.NAME of the
// working directory.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  // NOLINT
// Of every sanitizer; null without one.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());  // NOLINT

namespace {

constexpr int kDefaultInputs = 2000;
constexpr unsigned kMaxSeconds = 20;              // for one input; it takes some milliseconds
constexpr long kMaxResidentKilobytes = 1L << 20;  // with a sanitizer's own
constexpr std::size_t kMaxInputBytes = 1U << 16U;

// Of the input that is being looked at, for whoever ends the process.
std::string fault_name;
std::string current;

void keep_current() {
  const int fd = ::open(fault_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, current.data(), current.size()) < 0) return;
  ::close(fd);
}

extern "C" void on_signal(int number) {
  keep_current();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void take(std::string input) {
  current = std::move(input);
  ::alarm(kMaxSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
  ::alarm(0);
}

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The files of a directory in the order of their names, or the one file.
std::vector<std::string> read_corpus(const std::filesystem::path& place) {
  if (std::filesystem::is_regular_file(place)) return {read(place)};
  std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(place), {});
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) corpus.push_back(read(file));
  return corpus;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    auto input = pick();
    for (auto steps = 1 + below(4); steps != 0; --steps) change(input);
    if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  const std::string& pick() { return corpus_[below(corpus_.size())]; }

  void change(std::string& input) {
    const auto at = below(input.size() + 1);
    const auto length = std::min(below(2) == 0 ? 1 + below(8) : below(input.size() + 1), input.size() - at);
    switch (below(8)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << below(8));
        break;
      case 1:
        for (std::size_t i = at; i < at + std::min<std::size_t>(length, 4); ++i)
          input[i] = "\0\1\x7f\x80\xff 09/=\n"[below(11)];
        break;
      case 2:
        input.erase(at, length);
        break;
      case 3:
        input.insert(at, input.substr(below(input.size() + 1), length));
        break;
      case 4:
        input.insert(at, std::to_string(std::uint64_t{1} << below(64)));
        break;
      case 5:
        input.resize(at);
        break;
      case 6:
        input.replace(at, length, std::string(below(40), static_cast<char>(random_())));
        break;
      default:
        const auto& other = pick();
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_{1};
};

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [INPUTS]\n", words[0]);
    return 2;
  }
  fault_name = "fault." + std::filesystem::path(words[0]).filename().string();
  for (const int number : {SIGABRT, SIGALRM, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_current);
  const auto corpus = read_corpus(words[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no file in it\n", words[1]);
    return 2;
  }
  for (const auto& input : corpus) take(input);
  if (std::filesystem::is_regular_file(words[1])) return 0;
  const int inputs = count > 2 ? std::atoi(words[2]) : kDefaultInputs;
  Mutator mutator(corpus);
  for (int i = 0; i < inputs; ++i) take(mutator.next());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu files and %d changed ones, %ld MiB\n", corpus.size(), inputs, usage.ru_maxrss / 1024);
  autoarchive::fuzz::expect(usage.ru_maxrss < kMaxResidentKilobytes, "memory is bounded");
}
