#include "bindings/scene_sessions.h"

#include <map>
#include <mutex>
#include <utility>

namespace daf::node {
namespace {

struct Sessions {
  std::mutex mutex;
  std::map<uint32_t, std::shared_ptr<SceneSession>> live;
  uint32_t last = 0;
};

// Process-wide, and holds nothing of JavaScript. Never destroyed: threads may outlive static
// objects.
Sessions& All() {
  static Sessions* const sessions = new Sessions;
  return *sessions;
}

}  // namespace

uint32_t BeginSession(std::shared_ptr<SceneSession> session) {
  Sessions& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.live.emplace(++all.last, std::move(session));
  return all.last;
}

std::shared_ptr<SceneSession> FindSession(uint32_t id) {
  Sessions& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.live.find(id);
  return found == all.live.end() ? nullptr : found->second;
}

void EndSession(uint32_t id) {
  std::shared_ptr<SceneSession> ended;  // freed after the lock
  Sessions& all = All();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.live.find(id);
  if (found == all.live.end()) return;
  ended = std::move(found->second);
  all.live.erase(found);
}

}  // namespace daf::node
