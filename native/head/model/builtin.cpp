#include "native/head/model/builtin.h"

#include <mutex>

#include "native/head/model/build.h"

namespace daf::head {

Status BuiltinHead(std::shared_ptr<const HeadModel>* out) {
  static std::mutex mutex;
  static std::shared_ptr<const HeadModel> head;
  const std::lock_guard<std::mutex> lock(mutex);
  if (head == nullptr) {
    const HeadBuild build;
    auto made = std::make_shared<HeadModel>(AssembleHead(build));
    const Status valid = made->Validate();
    if (!valid.ok()) return Status(Code::kInternal, "the embedded head is broken: " + valid.message());
    head = std::move(made);
  }
  *out = head;
  return Status::Ok();
}

}  // namespace daf::head
