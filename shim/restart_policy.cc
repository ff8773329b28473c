// SPDX-License-Identifier: Apache-2.0
#include "restart_policy.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "common/cli.h"

Result<RestartPolicy> RestartPolicy::parse(std::string_view text) {
  const Error wrong{"restart policy '" + std::string(text) + "' is none", EINVAL,
                    "use no, on-failure, on-failure:N, always or unless-stopped"};
  RestartPolicy policy;
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (name == "on-failure") {
    policy.kind_ = Kind::OnFailure;
    if (colon == std::string_view::npos) return policy;
    const auto most = parse_integer(text.substr(colon + 1));
    if (!most || *most < 1 || *most > 1'000'000'000) return wrong;
    policy.most_ = static_cast<unsigned>(*most);
    return policy;
  }
  if (colon != std::string_view::npos) return wrong;
  // The two differ only for a supervisor that outlives a stop, which this does not.
  if (name == "always" || name == "unless-stopped")
    policy.kind_ = Kind::Always;
  else if (name != "no")
    return wrong;
  return policy;
}

std::optional<std::chrono::milliseconds> RestartPolicy::next(int status,
                                                             std::chrono::milliseconds lived,
                                                             bool stopped) {
  if (kind_ == Kind::No || stopped) return std::nullopt;
  if (kind_ == Kind::OnFailure && (status == 0 || (most_ != 0 && count_ >= most_)))
    return std::nullopt;
  delay_ = lived >= kGoodLife ? kFirstDelay : std::clamp(delay_ * 2, kFirstDelay, kLongestDelay);
  ++count_;
  return delay_;
}
