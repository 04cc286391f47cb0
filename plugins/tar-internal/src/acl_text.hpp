/// \file
/// POSIX ACLs: the kernel's attribute value and the text that tar archives hold, e.g.
/// "user::rw-,user:alice:r--:1000,mask::r--,…". Formats: linux/posix_acl_xattr.h (version 2, little-endian) and acl(5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace autoarchive::tar_internal {

inline constexpr std::string_view kAccessAcl = "system.posix_acl_access";
inline constexpr std::string_view kDefaultAcl = "system.posix_acl_default";

/// Entries separated by commas, with numeric ids ("user:1000:r--"), which every tar reads and no name service can
/// change. None if the value is not an ACL.
[[nodiscard]] std::optional<std::string> acl_to_text(std::string_view value);

/// Looks a name up; -1 if there is none.
using IdOfName = std::function<std::int64_t(const std::string&)>;
/// The inverse; also takes names, commas, comments, the fourth field (the number beside a name) and the short forms.
/// None if it is not an ACL text.
[[nodiscard]] std::optional<std::string> acl_from_text(std::string_view text, const IdOfName& uid, const IdOfName& gid);

/// Whether it is such a text, whoever it names, and no attribute's value.
[[nodiscard]] bool is_acl_text(std::string_view value);
/// The mask's rights, as the bits 0..7 of a mode; none if the value is no ACL, or has no mask.
[[nodiscard]] std::optional<std::uint32_t> mask_rights(std::string_view value);
/// What the owning group may do by an ACL, as the bits 0..7 of a mode: what of its rights the mask lets through.
/// `value` is the attribute's, or a text, whoever it names; 0 if it is neither.
[[nodiscard]] std::uint32_t group_rights(std::string_view value);

}  // namespace autoarchive::tar_internal
