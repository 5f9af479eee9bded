/**
 * AES-256-CTR in place, through the OpenSSL that the running Node brings along, and lanes: relays whose bytes go from socket to
 * socket without JavaScript. The streams and the lanes of a thread stand in tables: nothing waits for the garbage collector, and
 * what they hold is bounded. Both are named by handles. A stream that had to make room for another is stale, which its owner is
 * told when it comes back, and opens it again.
 */
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>
#endif

namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kBlockBytes = 16;
/** Relays that have a lane at once. */
constexpr uint32_t kLanes = 4096;
/** About 1 KB each while it is open. As many as all lanes take, so that lanes do not push each other's out. */
constexpr uint32_t kStreams = 4 * kLanes;
/** So many stay open whether they are used or not. */
constexpr uint32_t kFewStreams = 1024;
/** Places that the hand looks at before the table grows by one: it grows by an eighth while the hand goes round. */
constexpr uint32_t kLooks = 8;
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

class Streams {
 public:
  ~Streams() {
    for (uint32_t i = 0; i < touched_; i++) EVP_CIPHER_CTX_free(streams_[i].ctx);
    free(streams_);
    EVP_CIPHER_free(cipher_);
  }

  bool Init() {
    cipher_ = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
    // Not touched before it is used: most of it never is.
    streams_ = static_cast<Stream*>(calloc(kStreams, sizeof(Stream)));
    return cipher_ != nullptr && streams_ != nullptr;
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
  /**
   * A place that is free, or else one that has not been used since the hand came by, or else a new one. When all clients come
   * at once and are silent then, most of their streams are never made: malloc would not give their memory back.
   */
  Stream* Take() {
    if (free_ != kStreams) {
      Stream* stream = &streams_[free_];
      free_ = stream->next_free;
      return stream;
    }
    for (uint32_t looks = 0; touched_ == kStreams || (touched_ >= kFewStreams && looks < kLooks); looks++) {
      Stream* stream = &streams_[hand_];
      hand_ = (hand_ + 1) % touched_;
      if (!stream->used) return stream;
      stream->used = false;
    }
    return &streams_[touched_++];
  }

  EVP_CIPHER* cipher_ = nullptr;
  Stream* streams_ = nullptr;
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

bool Crypt(Stream* stream, uint8_t* data, size_t length) {
  int count = 0;
  return EVP_EncryptUpdate(stream->ctx, data, &count, data, static_cast<int>(length)) == 1;
}

/** Out of one stream and into the other. */
bool Recrypt(Stream* from, Stream* to, uint8_t* data, size_t length) {
  for (size_t at = 0; at < length; at += kPieceBytes) {
    size_t piece = length - at < kPieceBytes ? length - at : kPieceBytes;
    if (!Crypt(from, data + at, piece) || !Crypt(to, data + at, piece)) return false;
  }
  return true;
}

constexpr size_t kRecordHeader = 5;
/** Largest payload that is sent in one TLS record, and largest that is accepted: `tls-record.ts` has the same. */
constexpr size_t kRecordPayload = 16384;
constexpr uint32_t kRecordAccepted = kRecordPayload + 256;
constexpr uint8_t kChangeCipherSpec = 0x14;
constexpr uint8_t kApplicationData = 0x17;

/** Takes the TLS records off a byte stream, byte for byte as RecordReader of `tls-record.ts` does. */
struct Records {
  /** Payload bytes still to come in the current record. */
  uint32_t left;
  /** Whether they belong to the stream. */
  bool keep;
  /** Bytes of a header so far, as one number, and how many there are. */
  uint64_t header;
  uint32_t header_bytes;

  /** Find the stream's bytes in `data`, moved together behind the first of them; false when this is no record stream. */
  bool Unwrap(Bytes data, Bytes* out) {
    *out = {data.data, 0};
    size_t read = 0;
    while (read < data.length) {
      if (left > 0) {
        size_t count = data.length - read < left ? data.length - read : left;
        if (keep) {
          if (out->length == 0) out->data = data.data + read;
          else memmove(out->data + out->length, data.data + read, count);
          out->length += count;
        }
        left -= static_cast<uint32_t>(count);
        read += count;
        continue;
      }
      header = header << 8 | data.data[read++];
      if (++header_bytes == kRecordHeader && !Open()) return false;
    }
    return true;
  }

 private:
  /** Begin the record whose header is complete. */
  bool Open() {
    uint64_t type = header >> 32;
    uint32_t version = (header >> 16) & 0xffff;
    uint32_t length = header & 0xffff;
    header = 0;
    header_bytes = 0;
    if (version != 0x0303 || length > kRecordAccepted) return false;
    if (type != kApplicationData && (type != kChangeCipherSpec || length != 1)) return false;
    keep = type == kApplicationData;
    left = length;
    return true;
  }
};

/** Places of the array of numbers in which JavaScript and a lane tell each other their state: `native-lanes.ts` has the same. */
enum Place : size_t {
  kClientFd = 0,
  kDcFd = 1,
  /** Two handles, then two more for the other direction; 0 where the bytes go through as they are. */
  kUpStreams = 2,
  kDownStreams = 4,
  kFramed = 6,
  kRecordLeft = 7,
  kRecordKeep = 8,
  kRecordHeaderSoFar = 9,
  kRecordHeaderBytes = 10,
  /** Written at the end: payload bytes since the last `tally`. */
  kUpBytes = 11,
  kDownBytes = 12,
  kPlaces = 13,
};

Records ReadRecords(const double* form) {
  return {static_cast<uint32_t>(form[kRecordLeft]), form[kRecordKeep] != 0,
          static_cast<uint64_t>(form[kRecordHeaderSoFar]), static_cast<uint32_t>(form[kRecordHeaderBytes])};
}

void WriteRecords(const Records& records, double* form) {
  form[kRecordLeft] = records.left;
  form[kRecordKeep] = records.keep ? 1 : 0;
  form[kRecordHeaderSoFar] = static_cast<double>(records.header);
  form[kRecordHeaderBytes] = records.header_bytes;
}

#ifdef __linux__

/** Sockets that are served before libuv comes to its others. */
constexpr int kTurn = 64;
/** Records in one read: normally, and while the other side takes everything. */
constexpr size_t kSteadyRecords = 4;
constexpr size_t kBulkRecords = 16;
/** Full reads in a row that the other side took whole, after which a direction reads in bulk. */
constexpr uint8_t kPromoteAfter = 4;
/** A bulk read with its record headers. */
constexpr size_t kBufferBytes = kBulkRecords * (kRecordPayload + kRecordHeader);

/** The sides of a lane, which are also its directions: where the bytes come from. */
enum Side : uint32_t { kClient = 0, kDc = 1 };

/** Why a lane is handed over. */
enum Reason : uint32_t {
  /** Nothing is lost: read on. It is the end of the stream, or a cipher stream is stale. */
  kReadOn = 0,
  /** A system call failed on the socket of this side. */
  kFailed = 1,
  /** The socket of this side did not take these bytes. */
  kBlocked = 2,
  /** The client sent what is no record. */
  kInvalid = 3,
};

struct Lane {
  /** How often this place of the table was taken, so that no handle comes twice. */
  uint64_t generation;
  /** Whether it is in use, and whether its sockets are watched. */
  bool taken;
  bool running;
  /** Whether it stands in the list of those that moved. */
  bool moved;
  bool framed;
  uint8_t full_reads[2];
  int fds[2];
  /** By direction: handles of the streams that the bytes come out of and go into. */
  double from[2];
  double to[2];
  double bytes[2];
  Records records;
  uint32_t next_free;
};

class Lanes;

/** The watch over a thread's sockets. libuv holds on to it until it is closed, which may be after all else is gone. */
struct Watch {
  uv_poll_t poll;
  int epoll;
  Lanes* lanes;
  napi_async_cleanup_hook_handle hook;
};

/**
 * The relays of this thread that go without JavaScript. Their sockets stand in an epoll set of our own, which libuv watches as
 * one descriptor. Whatever is not bytes from here to there is handed over: the lane stops, and JavaScript carries on.
 */
class Lanes {
 public:
  Lanes(napi_env env, Streams* streams) : env_(env), streams_(streams) {}

  ~Lanes() {
    if (watch_ != nullptr) watch_->lanes = nullptr;
    free(lanes_);
    free(moved_);
    free(buffer_);
  }

  /** Have `hand_over` called from now on; false where it cannot work. */
  bool Start(napi_value hand_over) {
    napi_ref ref = nullptr;
    if (napi_create_reference(env_, hand_over, 1, &ref) != napi_ok) return false;
    if (hand_over_ != nullptr) napi_delete_reference(env_, hand_over_);
    hand_over_ = ref;
    return watch_ != nullptr || (Allocate() && Observe());
  }

  /** A handle, which is never 0; or 0 when there is no room, or the sockets cannot be watched. */
  double Enter(const double* form) {
    if (watch_ == nullptr || (free_ == kLanes && touched_ == kLanes)) return 0;
    Lane* lane = &lanes_[free_ != kLanes ? free_ : touched_++];
    if (free_ != kLanes) free_ = lane->next_free;
    Lane fresh = {};
    fresh.generation = lane->generation + 1;
    fresh.taken = fresh.running = true;
    // Its place may stand in the list still.
    fresh.moved = lane->moved;
    *lane = fresh;
    lane->framed = form[kFramed] != 0;
    for (uint32_t side = kClient; side <= kDc; side++) {
      lane->fds[side] = static_cast<int>(form[kClientFd + side]);
      lane->from[side] = form[kUpStreams + 2 * side];
      lane->to[side] = form[kUpStreams + 2 * side + 1];
    }
    lane->records = ReadRecords(form);
    if (Add(lane, kClient)) {
      if (Add(lane, kDc)) return static_cast<double>(HandleOf(lane));
      epoll_ctl(watch_->epoll, EPOLL_CTL_DEL, lane->fds[kClient], nullptr);
    }
    Release(lane);
    return 0;
  }

  /** Touch its sockets no more, and tell how it stands; false when there is no such lane. */
  bool Leave(double handle, double* form) {
    Lane* lane = Find(static_cast<uint64_t>(handle));
    if (lane == nullptr) return false;
    Stop(lane);
    WriteRecords(lane->records, form);
    form[kUpBytes] = lane->bytes[kClient];
    form[kDownBytes] = lane->bytes[kDc];
    Release(lane);
    return true;
  }

  /** Handle, bytes up and bytes down of the lanes that have moved since they were told of, as far as there is room. */
  size_t Tally(double* out, size_t room) {
    size_t count = 0;
    while (count < room && moved_count_ > 0) {
      Lane* lane = &lanes_[moved_[--moved_count_]];
      lane->moved = false;
      if (!lane->taken) continue;
      *out++ = static_cast<double>(HandleOf(lane));
      *out++ = lane->bytes[kClient];
      *out++ = lane->bytes[kDc];
      lane->bytes[kClient] = lane->bytes[kDc] = 0;
      count++;
    }
    return count;
  }

 private:
  bool Allocate() {
    lanes_ = static_cast<Lane*>(calloc(kLanes, sizeof(Lane)));
    moved_ = static_cast<uint32_t*>(calloc(kLanes, sizeof(uint32_t)));
    buffer_ = static_cast<uint8_t*>(malloc(kBufferBytes));
    return lanes_ != nullptr && moved_ != nullptr && buffer_ != nullptr;
  }

  bool Observe() {
    uv_loop_t* loop = nullptr;
    Watch* watch = new (std::nothrow) Watch();
    if (watch == nullptr) return false;
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (watch->epoll < 0 || napi_get_uv_event_loop(env_, &loop) != napi_ok ||
        uv_poll_init(loop, &watch->poll, watch->epoll) != 0) {
      if (watch->epoll >= 0) close(watch->epoll);
      delete watch;
      return false;
    }
    watch->poll.data = watch;
    if (uv_poll_start(&watch->poll, UV_READABLE, OnReady) != 0 ||
        napi_add_async_cleanup_hook(env_, OnCleanup, watch, &watch->hook) != napi_ok) {
      uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), OnClosed);
      return false;
    }
    // Open sockets do not keep a thread alive that has nothing else to do.
    uv_unref(reinterpret_cast<uv_handle_t*>(&watch->poll));
    watch->lanes = this;
    watch_ = watch;
    return true;
  }

  static void OnReady(uv_poll_t* poll, int, int) {
    Watch* watch = static_cast<Watch*>(poll->data);
    if (watch->lanes != nullptr) watch->lanes->Turn();
  }

  /** The thread ends. */
  static void OnCleanup(napi_async_cleanup_hook_handle, void* data) {
    Watch* watch = static_cast<Watch*>(data);
    if (watch->lanes != nullptr) watch->lanes->watch_ = nullptr;
    watch->lanes = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), OnClosed);
  }

  static void OnClosed(uv_handle_t* handle) {
    Watch* watch = static_cast<Watch*>(handle->data);
    close(watch->epoll);
    if (watch->hook != nullptr) napi_remove_async_cleanup_hook(watch->hook);
    delete watch;
  }

  uint64_t HandleOf(const Lane* lane) { return lane->generation * kLanes + static_cast<uint64_t>(lane - lanes_); }

  /** Null when it was left. */
  Lane* Find(uint64_t handle) {
    if (lanes_ == nullptr) return nullptr;
    Lane* lane = &lanes_[handle % kLanes];
    return lane->taken && lane->generation == handle / kLanes ? lane : nullptr;
  }

  bool Add(Lane* lane, uint32_t side) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = HandleOf(lane) << 1 | side;
    return epoll_ctl(watch_->epoll, EPOLL_CTL_ADD, lane->fds[side], &event) == 0;
  }

  void Stop(Lane* lane) {
    if (!lane->running) return;
    lane->running = false;
    // At the end of the thread the watch goes first.
    if (watch_ == nullptr) return;
    for (int fd : lane->fds) epoll_ctl(watch_->epoll, EPOLL_CTL_DEL, fd, nullptr);
  }

  void Release(Lane* lane) {
    lane->taken = lane->running = false;
    lane->next_free = free_;
    free_ = static_cast<uint32_t>(lane - lanes_);
  }

  /** Serve some sockets, in turns: epoll puts those that are still ready at the end of its list. */
  void Turn() {
    epoll_event events[kTurn];
    int count = epoll_wait(watch_->epoll, events, kTurn, 0);
    for (int i = 0; i < count; i++) {
      // JavaScript may have left this lane, and given its place to another one, since the event was fetched.
      Lane* lane = Find(events[i].data.u64 >> 1);
      if (lane == nullptr || !lane->running) continue;
      if (!Serve(lane, (events[i].data.u64 & 1) == 0 ? kClient : kDc)) return;
    }
  }

  /** One read of `side`, passed on to the other. False when JavaScript can run no more. */
  bool Serve(Lane* lane, Side side) {
    Side other = side == kClient ? kDc : kClient;
    Stream* from = nullptr;
    Stream* to = nullptr;
    if (lane->from[side] != 0) {
      from = streams_->Find(lane->from[side]);
      to = streams_->Find(lane->to[side]);
      // Before anything is read, so that nothing has to be brought back.
      if (from == nullptr || to == nullptr) return HandOver(lane, kReadOn, side);
    }
    bool bulk = lane->full_reads[side] > kPromoteAfter;
    size_t records = bulk ? kBulkRecords : kSteadyRecords;
    bool frame = lane->framed && side == kDc;
    ssize_t count = frame ? ReadApart(lane->fds[side], records)
                          : recv(lane->fds[side], buffer_, records * kRecordPayload, MSG_DONTWAIT);
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR || HandOver(lane, kFailed, side, errno);
    }
    if (count == 0) return HandOver(lane, kReadOn, side);
    Bytes bytes = {buffer_, static_cast<size_t>(count)};
    bool full = bytes.length == records * kRecordPayload;
    if (lane->framed && side == kClient && !lane->records.Unwrap(bytes, &bytes)) return HandOver(lane, kInvalid, side);
    Count(lane, side, bytes.length);
    // A failure would leave the two streams at different places.
    bool right = frame ? FrameApart(from, to, &bytes) : from == nullptr || Recrypt(from, to, bytes.data, bytes.length);
    if (!right) return HandOver(lane, kFailed, other, EIO);
    if (bytes.length > 0) {
      ssize_t sent = send(lane->fds[other], bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return HandOver(lane, kFailed, other, errno);
      size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
      if (taken < bytes.length) {
        return HandOver(lane, kBlocked, other, 0, {bytes.data + taken, bytes.length - taken});
      }
    }
    lane->full_reads[side] = !full ? 0 : bulk ? lane->full_reads[side] : lane->full_reads[side] + 1;
    return true;
  }

  void Count(Lane* lane, Side side, size_t bytes) {
    lane->bytes[side] += static_cast<double>(bytes);
    if (lane->moved) return;
    lane->moved = true;
    moved_[moved_count_++] = static_cast<uint32_t>(lane - lanes_);
  }

  /** Read as many records' payloads, leaving room for a header before each: so one plain send takes them all, uncopied. */
  ssize_t ReadApart(int fd, size_t records) {
    iovec pieces[kBulkRecords];
    for (size_t i = 0; i < records; i++) {
      pieces[i] = {buffer_ + i * (kRecordPayload + kRecordHeader) + kRecordHeader, kRecordPayload};
    }
    msghdr message = {};
    message.msg_iov = pieces;
    message.msg_iovlen = records;
    return recvmsg(fd, &message, MSG_DONTWAIT);
  }

  /** Make `payload`, which was read that way, into records; the streams are null where the bytes stay as they are. */
  bool FrameApart(Stream* from, Stream* to, Bytes* payload) {
    uint8_t* at = payload->data;
    for (size_t left = payload->length; left > 0;) {
      size_t count = left < kRecordPayload ? left : kRecordPayload;
      const uint8_t header[kRecordHeader] = {kApplicationData, 0x03, 0x03, static_cast<uint8_t>(count >> 8),
                                             static_cast<uint8_t>(count & 0xff)};
      memcpy(at, header, kRecordHeader);
      if (from != nullptr && !Recrypt(from, to, at + kRecordHeader, count)) return false;
      at += kRecordHeader + count;
      left -= count;
    }
    payload->length = static_cast<size_t>(at - payload->data);
    return true;
  }

  /** Stop the lane and call JavaScript, which leaves it. False when JavaScript can run no more. */
  bool HandOver(Lane* lane, Reason reason, Side side, int error = 0, Bytes rest = {nullptr, 0}) {
    Stop(lane);
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
    bool called = Call(HandleOf(lane), reason, side, error, rest);
    napi_close_handle_scope(env_, scope);
    return called;
  }

  bool Call(uint64_t handle, Reason reason, Side side, int error, Bytes rest) {
    napi_value values[5];
    napi_value hand_over = nullptr;
    napi_value global = nullptr;
    napi_get_undefined(env_, &values[4]);
    if (rest.length > 0 && napi_create_buffer_copy(env_, rest.length, rest.data, nullptr, &values[4]) != napi_ok) {
      // A stream with a hole in it must not go on.
      reason = kFailed;
      error = ENOMEM;
    }
    if (napi_create_double(env_, static_cast<double>(handle), &values[0]) != napi_ok ||
        napi_create_uint32(env_, reason, &values[1]) != napi_ok ||
        napi_create_uint32(env_, side, &values[2]) != napi_ok ||
        napi_create_int32(env_, error, &values[3]) != napi_ok ||
        napi_get_reference_value(env_, hand_over_, &hand_over) != napi_ok ||
        napi_get_global(env_, &global) != napi_ok) {
      return false;
    }
    napi_status status = napi_make_callback(env_, nullptr, global, hand_over, 5, values, nullptr);
    if (status != napi_pending_exception) return status == napi_ok;
    napi_value thrown = nullptr;
    if (napi_get_and_clear_last_exception(env_, &thrown) == napi_ok) napi_fatal_exception(env_, thrown);
    return false;
  }

  napi_env env_;
  Streams* streams_;
  napi_ref hand_over_ = nullptr;
  Watch* watch_ = nullptr;
  /** Shared by all lanes: nothing of it is needed when JavaScript runs. */
  uint8_t* buffer_ = nullptr;
  Lane* lanes_ = nullptr;
  /** Places below this one have been taken before. */
  uint32_t touched_ = 0;
  /** First of the list of free places; kLanes ends it. */
  uint32_t free_ = kLanes;
  /** Places of the lanes that have moved since `Tally`, each once. */
  uint32_t* moved_ = nullptr;
  uint32_t moved_count_ = 0;
};

#endif

/** What one thread has. */
struct Thread {
  Streams streams;
#ifdef __linux__
  Lanes lanes;
  explicit Thread(napi_env env) : lanes(env, &streams) {}
#else
  explicit Thread(napi_env) {}
#endif
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

/** The first `count` arguments, undefined where not given, and what this thread has; or an exception. */
bool Begin(napi_env env, napi_callback_info info, size_t count, napi_value* values, Thread** thread) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok || data == nullptr) {
    ThrowFailure(env, "the accelerator is not loaded");
    return false;
  }
  *thread = static_cast<Thread*>(data);
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

napi_value Boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

/** open(key, counter, skip): handle of the stream that begins `skip` bytes into the block of `counter`. */
napi_value Open(napi_env env, napi_callback_info info) {
  napi_value values[3];
  Thread* thread;
  Bytes key;
  Bytes counter;
  double skip;
  if (!Begin(env, info, 3, values, &thread) || !GetBytes(env, values[0], &key) || !GetBytes(env, values[1], &counter) ||
      !GetNumber(env, values[2], kBlockBytes - 1, &skip)) {
    return nullptr;
  }
  if (key.length != kKeyBytes || counter.length != kBlockBytes) {
    ThrowRange(env, "not a key of 32 bytes and a counter of 16");
    return nullptr;
  }
  double handle = thread->streams.Open(key.data, counter.data, static_cast<int>(skip));
  if (handle == 0) return ThrowFailure(env, "OpenSSL cannot open a stream");
  napi_value result = nullptr;
  napi_create_double(env, handle, &result);
  return result;
}

/** close(handle): nothing happens when it is stale. */
napi_value Close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Thread* thread;
  double handle;
  if (!Begin(env, info, 1, values, &thread) || !GetNumber(env, values[0], kMaxHandle, &handle)) return nullptr;
  Stream* stream = thread->streams.Find(handle);
  if (stream != nullptr) thread->streams.Close(stream);
  return nullptr;
}

/** apply(handle, buffer, start, length): false, and nothing has changed, when the handle is stale. */
napi_value Apply(napi_env env, napi_callback_info info) {
  napi_value values[4];
  Thread* thread;
  double handle;
  Bytes bytes;
  if (!Begin(env, info, 4, values, &thread) || !GetNumber(env, values[0], kMaxHandle, &handle) ||
      !GetRange(env, values + 1, &bytes)) {
    return nullptr;
  }
  Stream* stream = thread->streams.Find(handle);
  if (stream == nullptr) return Boolean(env, false);
  if (bytes.length > 0 && !Crypt(stream, bytes.data, bytes.length)) return ThrowFailure(env, "OpenSSL failed");
  return Boolean(env, true);
}

/** recrypt(from, to, buffer, start, length): `apply` with two streams; false when either is stale. */
napi_value RecryptRange(napi_env env, napi_callback_info info) {
  napi_value values[5];
  Thread* thread;
  double handles[2];
  Bytes bytes;
  if (!Begin(env, info, 5, values, &thread) || !GetNumber(env, values[0], kMaxHandle, &handles[0]) ||
      !GetNumber(env, values[1], kMaxHandle, &handles[1]) || !GetRange(env, values + 2, &bytes)) {
    return nullptr;
  }
  Stream* from = thread->streams.Find(handles[0]);
  Stream* to = thread->streams.Find(handles[1]);
  if (from == nullptr || to == nullptr) return Boolean(env, false);
  if (!Recrypt(from, to, bytes.data, bytes.length)) return ThrowFailure(env, "OpenSSL failed");
  return Boolean(env, true);
}

#ifdef __GLIBC__

/** trim(): give the system what malloc has free. Of its own accord glibc gives back no more than the end of a heap. */
napi_value Trim(napi_env, napi_callback_info) {
  malloc_trim(0);
  return nullptr;
}

#endif

/** A Float64Array of at least `count` numbers that no other thread shares, or an exception. */
bool GetNumbers(napi_env env, napi_value value, size_t count, double** out, size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  napi_value memory = nullptr;
  bool owned = false;
  if (napi_get_typedarray_info(env, value, &type, length, &data, &memory, nullptr) != napi_ok ||
      type != napi_float64_array) {
    return ThrowType(env, "not a Float64Array");
  }
  if (napi_is_arraybuffer(env, memory, &owned) != napi_ok || !owned) return ThrowType(env, "shared memory");
  if (data == nullptr || *length < count) return ThrowRange(env, "too few numbers");
  *out = static_cast<double*>(data);
  return true;
}

/** Whether these numbers are whole and within `max`; else an exception. */
bool CheckPlaces(napi_env env, const double* form, size_t first, size_t last, double max) {
  for (size_t at = first; at <= last; at++) {
    if (!(form[at] >= 0 && form[at] <= max) || form[at] != static_cast<double>(static_cast<uint64_t>(form[at]))) {
      return ThrowRange(env, "not a whole number in range");
    }
  }
  return true;
}

/** Whether the state of a record reader is one that can be; else an exception. */
bool CheckRecords(napi_env env, const double* form) {
  return CheckPlaces(env, form, kRecordLeft, kRecordLeft, kRecordAccepted) &&
         CheckPlaces(env, form, kRecordKeep, kRecordKeep, 1) &&
         CheckPlaces(env, form, kRecordHeaderSoFar, kRecordHeaderSoFar, 0xffffffff) &&
         CheckPlaces(env, form, kRecordHeaderBytes, kRecordHeaderBytes, kRecordHeader - 1);
}

napi_value Number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

#ifdef __linux__

/**
 * startLanes(handOver): false where lanes cannot be had. `handOver(lane, reason, side, errno, rest)` is called when a lane has
 * stopped; it must leave the lane. A second call puts another function in place of the first.
 */
napi_value StartLanes(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Thread* thread;
  napi_valuetype type;
  if (!Begin(env, info, 1, values, &thread)) return nullptr;
  if (napi_typeof(env, values[0], &type) != napi_ok || type != napi_function) {
    ThrowType(env, "not a function");
    return nullptr;
  }
  return Boolean(env, thread->lanes.Start(values[0]));
}

/** enter(form): handle of the lane that passes bytes from now on; 0 when there is no room or a socket cannot be watched. */
napi_value Enter(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Thread* thread;
  double* form;
  size_t length;
  if (!Begin(env, info, 1, values, &thread) || !GetNumbers(env, values[0], kPlaces, &form, &length) ||
      !CheckPlaces(env, form, kClientFd, kDcFd, kMaxLength) ||
      !CheckPlaces(env, form, kUpStreams, kDownStreams + 1, kMaxHandle) || !CheckPlaces(env, form, kFramed, kFramed, 1) ||
      !CheckRecords(env, form)) {
    return nullptr;
  }
  return Number(env, thread->lanes.Enter(form));
}

/** leave(lane, form): its sockets are touched no more, and `form` says how it stands; false when there is no such lane. */
napi_value Leave(napi_env env, napi_callback_info info) {
  napi_value values[2];
  Thread* thread;
  double handle;
  double* form;
  size_t length;
  if (!Begin(env, info, 2, values, &thread) || !GetNumber(env, values[0], kMaxHandle, &handle) ||
      !GetNumbers(env, values[1], kPlaces, &form, &length)) {
    return nullptr;
  }
  return Boolean(env, thread->lanes.Leave(handle, form));
}

/** tally(out): how many lanes were told of, three numbers each: lane, payload bytes up, payload bytes down. */
napi_value Tally(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Thread* thread;
  double* out;
  size_t length;
  if (!Begin(env, info, 1, values, &thread) || !GetNumbers(env, values[0], 3, &out, &length)) return nullptr;
  return Number(env, static_cast<double>(thread->lanes.Tally(out, length / 3)));
}

/** unwrap(form, buffer, start, length): as RecordReader.unwrap, with the reader's state in `form`. Lanes do the same. */
napi_value Unwrap(napi_env env, napi_callback_info info) {
  napi_value values[4];
  Thread* thread;
  double* form;
  size_t length;
  Bytes bytes;
  if (!Begin(env, info, 4, values, &thread) || !GetNumbers(env, values[0], kPlaces, &form, &length) ||
      !CheckRecords(env, form) || !GetRange(env, values + 1, &bytes)) {
    return nullptr;
  }
  Records records = ReadRecords(form);
  Bytes kept;
  if (!records.Unwrap(bytes, &kept)) return Number(env, -1);
  if (kept.length > 0) memmove(bytes.data, kept.data, kept.length);
  WriteRecords(records, form);
  return Number(env, static_cast<double>(kept.length));
}

#endif

void Destroy(napi_env, void* data, void*) { delete static_cast<Thread*>(data); }

}  // namespace

NAPI_MODULE_INIT() {
  Thread* thread = new (std::nothrow) Thread(env);
  if (thread == nullptr || !thread->streams.Init() || napi_set_instance_data(env, thread, Destroy, nullptr) != napi_ok) {
    delete thread;
    return ThrowFailure(env, "OpenSSL has no AES-256-CTR");
  }
  const napi_property_descriptor functions[] = {
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, Close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"apply", nullptr, Apply, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"recrypt", nullptr, RecryptRange, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
#ifdef __GLIBC__
      {"trim", nullptr, Trim, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
#endif
#ifdef __linux__
      {"startLanes", nullptr, StartLanes, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"enter", nullptr, Enter, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"leave", nullptr, Leave, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"tally", nullptr, Tally, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"unwrap", nullptr, Unwrap, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
#endif
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) {
    return ThrowFailure(env, "the functions cannot be exported");
  }
  return exports;
}
