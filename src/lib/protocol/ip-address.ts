/** IP addresses as text. Written out because the pattern behind `net.isIP` costs a short command 5 ms to compile. */

const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

export function isIpv4(text: string): boolean {
  return V4.test(text);
}

export function isIpv6(text: string): boolean {
  return text.includes(':') && /^[0-9a-f:.]{2,45}$/i.test(text) && ipv6Words(text) !== null;
}

/** The eight words of an IPv6 address, or null when it is none (RFC 4291 §2.2). */
export function ipv6Words(text: string): number[] | null {
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let hex = text;
  if (embedded !== null) {
    const [, head, tail] = embedded as unknown as [string, string, string];
    if (!isIpv4(tail)) return null;
    const [a, b, c, d] = tail.split('.').map(Number) as [number, number, number, number];
    hex = `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = hex.split('::');
  if (halves.length > 2) return null;
  const words = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (words.flat().some((word) => !/^[0-9a-f]{1,4}$/i.test(word))) return null;
  const [head, tail] = words as [string[], string[] | undefined];
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...head, ...Array<string>(tail === undefined ? 0 : missing).fill('0'), ...(tail ?? [])].map((word) =>
    Number.parseInt(word, 16),
  );
}

/** 4 or 6; 0 when the text is no address. Zones are none of an address's (RFC 4007 §11 keeps them to one machine). */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (text.includes(':')) return isIpv6(text) ? 6 : 0;
  return isIpv4(text) ? 4 : 0;
}
