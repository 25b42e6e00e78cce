#include "bindings/nerf_registry.h"

#include <map>
#include <mutex>

namespace daf::node {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<uint32_t, std::weak_ptr<nerf::Model>> models;
  uint32_t last = 0;
};

// Process-wide, and holds nothing of JavaScript. Never destroyed: threads may outlive static
// objects.
Registry& Shared() {
  static Registry* const registry = new Registry;
  return *registry;
}

}  // namespace

uint32_t ShareModel(const std::shared_ptr<nerf::Model>& model) {
  Registry& registry = Shared();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  for (auto it = registry.models.begin(); it != registry.models.end();) {
    const std::shared_ptr<nerf::Model> known = it->second.lock();
    if (known == model) return it->first;
    it = known == nullptr ? registry.models.erase(it) : std::next(it);
  }
  registry.models.emplace(++registry.last, model);
  return registry.last;
}

std::shared_ptr<nerf::Model> SharedModel(uint32_t id) {
  Registry& registry = Shared();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  const auto found = registry.models.find(id);
  return found == registry.models.end() ? nullptr : found->second.lock();
}

}  // namespace daf::node
