// A field's passes for inference, lent to one thread at a time: as many are made as threads ask at
// once, and kept for the next ones.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "native/nerf/field.h"

namespace daf::nerf {

class PassPool {
 public:
  // Of the field's own network or of its coarse one.
  explicit PassPool(bool coarse = false) : coarse_(coarse) {}

  // Goes back to its pool, which must outlive it, when it leaves scope.
  class Loan {
   public:
    Loan() = default;
    Loan(Loan&& other) noexcept
        : pool_(other.pool_), kind_(other.kind_), pass_(std::move(other.pass_)) {}
    Loan& operator=(Loan&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(kind_, other.kind_);
      std::swap(pass_, other.pass_);
      return *this;
    }
    ~Loan() {
      if (pass_ == nullptr) return;
      const std::lock_guard<std::mutex> lock(pool_->mutex_);
      pool_->idle_[static_cast<size_t>(kind_)].push_back(std::move(pass_));
    }
    FieldPass& operator*() const { return *pass_; }
    FieldPass* operator->() const { return pass_.get(); }

   private:
    friend class PassPool;
    PassPool* pool_ = nullptr;
    PassKind kind_ = PassKind::kInference;
    std::unique_ptr<FieldPass> pass_;
  };

  // Thread-safe. `field` is the same in every call. Errors: as Field::NewPass.
  Status Borrow(const Field& field, PassKind kind, Loan* out) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& idle = idle_[static_cast<size_t>(kind)];
    Loan loan;
    loan.pool_ = this;
    loan.kind_ = kind;
    if (idle.empty()) {
      DAF_RETURN_IF_ERROR(coarse_ ? field.NewCoarsePass(kind, &arena_, &loan.pass_)
                                  : field.NewPass(kind, &arena_, &loan.pass_));
    } else {
      loan.pass_ = std::move(idle.back());
      idle.pop_back();
    }
    DAF_RETURN_IF_ERROR(loan.pass_->Prepare());
    *out = std::move(loan);
    return Status::Ok();
  }

 private:
  const bool coarse_;
  std::mutex mutex_;
  Arena arena_;
  std::vector<std::unique_ptr<FieldPass>> idle_[3];  // by the kind of inference
};

}  // namespace daf::nerf
