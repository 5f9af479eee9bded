/**
 * AES-256-CTR in place, through the OpenSSL that the running Node brings along. The streams of a thread stand in one table:
 * nothing waits for the garbage collector, and what the table holds is bounded. A stream is named by a handle. One that had
 * to make room for another is stale, which its owner is told when it comes back, and opens it again.
 */
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include <new>

namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kBlockBytes = 16;
/** About 1 KB each while it is open. */
constexpr uint32_t kStreams = 4096;
/** Two streams take turns on pieces of this size, so that the second finds the bytes in a near cache. */
constexpr size_t kPieceBytes = 16384;
/** OpenSSL takes lengths as int. */
constexpr double kMaxLength = 0x7fffffff;
/** The largest whole number that a double holds for sure. */
constexpr double kMaxHandle = 9007199254740991;

struct Stream {
  /** Null when closed. */
  EVP_CIPHER_CTX* ctx;
  /** How often this place of the table was taken, so that no handle comes twice. */
  uint64_t generation;
  uint32_t next_free;
  /** Whether it did something since the hand came by. */
  bool used;
};

class Table {
 public:
  ~Table() {
    for (uint32_t i = 0; i < touched_; i++) EVP_CIPHER_CTX_free(streams_[i].ctx);
    EVP_CIPHER_free(cipher_);
  }

  bool Init() {
    cipher_ = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
    return cipher_ != nullptr;
  }

  /** Null when stale. */
  Stream* Find(double handle) {
    uint64_t number = static_cast<uint64_t>(handle);
    Stream* stream = &streams_[number % kStreams];
    if (stream->ctx == nullptr || stream->generation != number / kStreams) return nullptr;
    stream->used = true;
    return stream;
  }

  /** A handle, which is never 0; or 0 when OpenSSL refuses or has no memory. */
  double Open(const uint8_t* key, const uint8_t* counter, int skip) {
    Stream* stream = Take();
    stream->generation++;
    stream->used = true;
    bool fresh = stream->ctx == nullptr;
    if (fresh) stream->ctx = EVP_CIPHER_CTX_new();
    uint8_t block[kBlockBytes] = {};
    int count = 0;
    bool ready = stream->ctx != nullptr &&
                 EVP_EncryptInit_ex(stream->ctx, fresh ? cipher_ : nullptr, nullptr, key, counter) == 1 &&
                 (skip == 0 || EVP_EncryptUpdate(stream->ctx, block, &count, block, skip) == 1);
    OPENSSL_cleanse(block, sizeof block);
    if (!ready) {
      Close(stream);
      return 0;
    }
    return static_cast<double>(stream->generation * kStreams + static_cast<uint64_t>(stream - streams_));
  }

  /** Forget the key and free the memory. */
  void Close(Stream* stream) {
    EVP_CIPHER_CTX_free(stream->ctx);
    stream->ctx = nullptr;
    stream->next_free = free_;
    free_ = static_cast<uint32_t>(stream - streams_);
  }

 private:
  /** A place that is free, or else one that has not been used for a while. */
  Stream* Take() {
    if (free_ != kStreams) {
      Stream* stream = &streams_[free_];
      free_ = stream->next_free;
      return stream;
    }
    if (touched_ < kStreams) return &streams_[touched_++];
    while (streams_[hand_].used) {
      streams_[hand_].used = false;
      hand_ = (hand_ + 1) % kStreams;
    }
    Stream* stream = &streams_[hand_];
    hand_ = (hand_ + 1) % kStreams;
    return stream;
  }

  EVP_CIPHER* cipher_ = nullptr;
  Stream streams_[kStreams] = {};
  /** Places below this one have been taken before. */
  uint32_t touched_ = 0;
  /** First of the list of closed places; kStreams ends it. */
  uint32_t free_ = kStreams;
  uint32_t hand_ = 0;
};

struct Bytes {
  uint8_t* data;
  size_t length;
};

bool ThrowType(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return false;
}

bool ThrowRange(napi_env env, const char* message) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
  return false;
}

napi_value ThrowFailure(napi_env env, const char* message) {
  napi_throw_error(env, "ERR_ACCELERATOR", message);
  return nullptr;
}

/** The first `count` arguments, undefined where not given, and the table of this thread; or an exception. */
bool Begin(napi_env env, napi_callback_info info, size_t count, napi_value* values, Table** table) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok || data == nullptr) {
    ThrowFailure(env, "the accelerator is not loaded");
    return false;
  }
  *table = static_cast<Table*>(data);
  return true;
}

/** A whole number from 0 to `max`, or an exception. */
bool GetNumber(napi_env env, napi_value value, double max, double* out) {
  if (napi_get_value_double(env, value, out) != napi_ok) return ThrowType(env, "not a number");
  // What is no number fails the comparison, and within the range the conversion is exact.
  if (!(*out >= 0 && *out <= max) || *out != static_cast<double>(static_cast<uint64_t>(*out))) {
    return ThrowRange(env, "not a whole number in range");
  }
  return true;
}

/** A Uint8Array that no other thread shares, or an exception. One that is detached has no bytes. */
bool GetBytes(napi_env env, napi_value value, Bytes* out) {
  napi_typedarray_type type;
  void* data = nullptr;
  napi_value memory = nullptr;
  bool owned = false;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, &memory, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return ThrowType(env, "not a Uint8Array");
  }
  if (napi_is_arraybuffer(env, memory, &owned) != napi_ok || !owned) return ThrowType(env, "shared memory");
  if (data == nullptr) out->length = 0;
  out->data = static_cast<uint8_t*>(data);
  return true;
}

/** Arguments buffer, start and length as bytes, all of them inside the buffer; or an exception. */
bool GetRange(napi_env env, const napi_value* values, Bytes* out) {
  double start;
  double length;
  if (!GetBytes(env, values[0], out) || !GetNumber(env, values[1], kMaxLength, &start) ||
      !GetNumber(env, values[2], kMaxLength, &length)) {
    return false;
  }
  if (start + length > static_cast<double>(out->length)) return ThrowRange(env, "outside of the buffer");
  if (length > 0) out->data += static_cast<size_t>(start);
  out->length = static_cast<size_t>(length);
  return true;
}

bool Crypt(Stream* stream, uint8_t* data, size_t length) {
  int count = 0;
  return EVP_EncryptUpdate(stream->ctx, data, &count, data, static_cast<int>(length)) == 1;
}

napi_value Boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

/** open(key, counter, skip): handle of the stream that begins `skip` bytes into the block of `counter`. */
napi_value Open(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Table* table;
  Bytes key;
  Bytes counter;
  double skip;
  if (!Begin(env, info, 3, values, &table) || !GetBytes(env, values[0], &key) || !GetBytes(env, values[1], &counter) ||
      !GetNumber(env, values[2], kBlockBytes - 1, &skip)) {
    return nullptr;
  }
  if (key.length != kKeyBytes || counter.length != kBlockBytes) {
    ThrowRange(env, "not a key of 32 bytes and a counter of 16");
    return nullptr;
  }
  double handle = table->Open(key.data, counter.data, static_cast<int>(skip));
  if (handle == 0) return ThrowFailure(env, "OpenSSL cannot open a stream");
  napi_value result = nullptr;
  napi_create_double(env, handle, &result);
  return result;
}

/** close(handle): nothing happens when it is stale. */
napi_value Close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Table* table;
  double handle;
  if (!Begin(env, info, 1, values, &table) || !GetNumber(env, values[0], kMaxHandle, &handle)) return nullptr;
  Stream* stream = table->Find(handle);
  if (stream != nullptr) table->Close(stream);
  return nullptr;
}

/** apply(handle, buffer, start, length): false, and nothing has changed, when the handle is stale. */
napi_value Apply(napi_env env, napi_callback_info info) {
  napi_value values[4];
  Table* table;
  double handle;
  Bytes bytes;
  if (!Begin(env, info, 4, values, &table) || !GetNumber(env, values[0], kMaxHandle, &handle) ||
      !GetRange(env, values + 1, &bytes)) {
    return nullptr;
  }
  Stream* stream = table->Find(handle);
  if (stream == nullptr) return Boolean(env, false);
  if (bytes.length > 0 && !Crypt(stream, bytes.data, bytes.length)) return ThrowFailure(env, "OpenSSL failed");
  return Boolean(env, true);
}

/** recrypt(from, to, buffer, start, length): `apply` with two streams; false when either is stale. */
napi_value Recrypt(napi_env env, napi_callback_info info) {
  napi_value values[5];
  Table* table;
  double handles[2];
  Bytes bytes;
  if (!Begin(env, info, 5, values, &table) || !GetNumber(env, values[0], kMaxHandle, &handles[0]) ||
      !GetNumber(env, values[1], kMaxHandle, &handles[1]) || !GetRange(env, values + 2, &bytes)) {
    return nullptr;
  }
  Stream* from = table->Find(handles[0]);
  Stream* to = table->Find(handles[1]);
  if (from == nullptr || to == nullptr) return Boolean(env, false);
  for (size_t at = 0; at < bytes.length; at += kPieceBytes) {
    size_t piece = bytes.length - at < kPieceBytes ? bytes.length - at : kPieceBytes;
    if (!Crypt(from, bytes.data + at, piece) || !Crypt(to, bytes.data + at, piece)) {
      return ThrowFailure(env, "OpenSSL failed");
    }
  }
  return Boolean(env, true);
}

void Destroy(napi_env, void* data, void*) { delete static_cast<Table*>(data); }

}  // namespace

NAPI_MODULE_INIT() {
  Table* table = new (std::nothrow) Table;
  if (table == nullptr || !table->Init() || napi_set_instance_data(env, table, Destroy, nullptr) != napi_ok) {
    delete table;
    return ThrowFailure(env, "OpenSSL has no AES-256-CTR");
  }
  const napi_property_descriptor functions[] = {
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"apply", nullptr, Apply, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"recrypt", nullptr, Recrypt, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) {
    return ThrowFailure(env, "the functions cannot be exported");
  }
  return exports;
}
