/**
 * Give the memory of a buffer back at once; it has no bytes afterwards. Left to the garbage collector it waits for a
 * collection, which a thread without work never makes, and which a busy one makes far more often for it: marking was a sixth
 * of the CPU time of a bulk stream. A view of a part of something larger is left alone.
 */
export function release({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
