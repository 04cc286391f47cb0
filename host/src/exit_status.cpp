#include "exit_status.hpp"

#include <cerrno>

namespace autoarchive::host {
namespace {

ExitStatus from_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::value_error:
      return ExitStatus::usage;
    case ErrorCode::key_error:
      return ExitStatus::no_such_backup;
    case ErrorCode::type_error:
      return ExitStatus::internal;
    case ErrorCode::not_implemented:
      return ExitStatus::no_provider;
    case ErrorCode::runtime_error:
    case ErrorCode::os_error:
    case ErrorCode::file_exists:
    case ErrorCode::file_not_found:
      return ExitStatus::failed;
  }
  return ExitStatus::internal;
}

int rank(ExitStatus status) noexcept {
  switch (status) {
    case ExitStatus::ok:
      return 0;
    case ExitStatus::warnings:
      return 1;
    case ExitStatus::not_now:
      return 2;
    case ExitStatus::no_such_backup:
      return 3;
    case ExitStatus::no_provider:
      return 4;
    case ExitStatus::not_permitted:
      return 5;
    case ExitStatus::destination:
      return 6;
    case ExitStatus::failed:
      return 7;
    case ExitStatus::internal:
      return 9;
    case ExitStatus::usage:
    case ExitStatus::configuration:
      return 10;
    case ExitStatus::interrupted:
      break;
  }
  return 8;  // 128 + n
}

}  // namespace

ExitStatus exit_status_of(const Error& error) noexcept {
  switch (error.cause()) {
    case ErrorCause::unsupported:
    case ErrorCause::unavailable:
      return ExitStatus::no_provider;
    case ErrorCause::no_such_backup:
      return ExitStatus::no_such_backup;
    case ErrorCause::destination:
      return ExitStatus::destination;
    case ErrorCause::lock_busy:
    case ErrorCause::not_now:
      return ExitStatus::not_now;
    case ErrorCause::not_permitted:
      return ExitStatus::not_permitted;
    case ErrorCause::no_space:
    case ErrorCause::source:
    case ErrorCause::damaged:
    case ErrorCause::state_lost:
    case ErrorCause::cancelled:
      return ExitStatus::failed;
    case ErrorCause::configuration:
      return ExitStatus::configuration;
    case ErrorCause::usage:
      return ExitStatus::usage;
    case ErrorCause::internal:
      return ExitStatus::internal;
    case ErrorCause::unspecified:
      break;
  }
  if (error.os_errno() == EACCES || error.os_errno() == EPERM) return ExitStatus::not_permitted;
  return from_code(error.code());
}

ExitStatus worse(ExitStatus a, ExitStatus b) noexcept {
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace autoarchive::host
