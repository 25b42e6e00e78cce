#include "native/host/callbacks.h"

#include "native/host/session.h"

namespace daf {

struct PluginCallbacks {
  template <typename Context>
  static PluginSession* Of(Context* context) {
    return static_cast<PluginSession*>(context->host);
  }
  template <typename Context>
  static bool Emit(Context* c, const void* key, size_t key_size, const void* value,
                   size_t value_size) {
    PluginSession* session = Of(c);
    session->Beat();
    if (session->Folds(key_size, value_size)) {
      session->gain_.Took();
      return session->fold_.Add(session->KeyOf(static_cast<const uint8_t*>(key), key_size),
                                static_cast<const uint8_t*>(value), value_size);
    }
    return session->Emit(key, key_size, value, value_size);
  }
  template <typename Context>
  static bool EmitPart(Context* c, const void* key, size_t key_size, const void* part, size_t size,
                       bool more) {
    return Of(c)->EmitPart(key, key_size, part, size, more);
  }
  template <typename Context>
  static void* Scratch(Context* c, size_t size) {
    char* out = nullptr;
    PluginSession* session = Of(c);
    Arena& arena = session->folding_ != nullptr ? session->fold_scratch_ : session->scratch_;
    return arena.Allocate(size, &out).ok() ? out : nullptr;
  }
  template <typename Context>
  static bool Cancelled(Context* c) {
    return Of(c)->port_->Cancelled();
  }
  template <typename Context>
  static bool Fail(Context* c, const char* message) {
    if (Of(c)->message_.empty() && message != nullptr) Of(c)->message_ = message;
    return false;
  }
  template <typename Context>
  static void Log(Context* c, DafLogLevel level, const char* message) {
    if (message != nullptr) Of(c)->port_->Log(static_cast<int>(level), message);
  }
  template <typename Context>
  static void Counter(Context* c, const char* name, int64_t amount) {
    if (name != nullptr) Of(c)->Count(name, amount);
  }
  template <typename Context>
  static const char* Param(Context* c, const char* name) {
    const auto& params = Of(c)->params_;
    const auto found = name != nullptr ? params.find(name) : params.end();
    return found == params.end() ? nullptr : found->second.c_str();
  }
  static bool Next(ReduceContext* c) {
    PluginSession* session = Of(c);
    session->Beat();
    return session->folding_ != nullptr ? session->NextFolded() : session->NextValue();
  }
  static bool NextPart(ReduceContext* c) {
    Of(c)->Beat();
    return Of(c)->NextPart();
  }

  // The entries that both contexts share.
  template <typename Context>
  static void Fill(Context* c, PluginSession* session) {
    c->abi = DAF_ABI;
    c->size = sizeof(Context);
    c->host = session;
    c->emit_fn = Emit<Context>;
    c->emit_part_fn = EmitPart<Context>;
    c->scratch_fn = Scratch<Context>;
    c->cancelled_fn = Cancelled<Context>;
    c->fail_fn = Fail<Context>;
    c->log_fn = Log<Context>;
    c->counter_fn = Counter<Context>;
    c->param_fn = Param<Context>;
  }
};

MapContext MapCallbacks(PluginSession* session) {
  MapContext context{};
  PluginCallbacks::Fill(&context, session);
  return context;
}

ReduceContext ReduceCallbacks(PluginSession* session) {
  ReduceContext context{};
  PluginCallbacks::Fill(&context, session);
  context.next_fn = PluginCallbacks::Next;
  context.next_part_fn = PluginCallbacks::NextPart;
  return context;
}

}  // namespace daf
