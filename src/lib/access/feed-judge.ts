import { EXIT, MtpError } from '../errors.ts';
import { sha256 } from '../system/hash.ts';
import { plural } from '../ui/format.ts';
import { letsIn, type Level } from './level.ts';
import { type NetworkList, parseNetworkList } from './network-list.ts';
import { formatPrefix } from './prefix.ts';

export interface Judged {
  list: NetworkList;
  sha256: string;
}

/** What a feed has to come up to. */
export interface Measure {
  source: string;
  level: Level;
  pin: string | null;
  /** Networks of the content that is in force; null where there is none. */
  before: number | null;
  /** Networks that there is room for. */
  room: number;
  /** The operator said yes to a list that is empty, or much shorter than before. */
  confirmed: boolean;
}

/** Of the lines that say something, so many have to name a network. */
const LEAST_SHARE = 0.9;
/** A list may shrink to this share of what it was. */
const LEAST_LEFT = 0.5;
/** Wider networks are no list of bad addresses but a slip, or an attack: bits. */
const WIDEST = { 4: 3, 6: 8 } as const;

/** Judge the content of a feed by its hash, its shape and what it was before; what it does not come up to is an error. */
export function judgeFeed(content: Buffer, type: string, measure: Measure): Judged {
  const { source, pin, before, room, confirmed } = measure;
  const hash = sha256(content);
  if (pin !== null && hash !== pin)
    throw unfit(
      'FEED_PIN',
      `${source} has the SHA-256 ${hash}, and ${pin} is pinned`,
      'Look at what changed, then pin it anew.',
    );
  const text = content.toString('utf8');
  if (type.startsWith('text/html') || /^\s*<(?:!doctype|html|\?xml)/i.test(text))
    throw unfit(
      'FEED_HTML',
      `${source} is a web page, not a list`,
      'Take the address of the file itself, often called raw.',
    );
  const list = parseNetworkList(text);
  refuseShape(list, source);
  refuseWide(list, measure);
  const count = list.prefixes.length;
  if (count > room)
    throw unfit(
      'FEED_LONG',
      `${source} has ${plural(count, 'network')}, and there is room for ${room}`,
      'Remove another feed, or take a shorter list.',
    );
  if (confirmed) return { list, sha256: hash };
  if (count === 0) throw unfit('FEED_EMPTY', `${source} names no network`, 'If that is right, say so with --accept.');
  if (before !== null && count < before * LEAST_LEFT)
    throw unfit(
      'FEED_SHRUNK',
      `${source} has ${plural(count, 'network')}, and had ${before}`,
      'If that is right, say so with --accept.',
    );
  return { list, sha256: hash };
}

function refuseShape({ lines, wrong, faults }: NetworkList, source: string): void {
  const [first] = faults;
  if (first === undefined || lines - wrong >= lines * LEAST_SHARE) return;
  const example = `line ${first.line} is ${JSON.stringify(first.text.slice(0, 40))}`;
  throw unfit(
    'FEED_SHAPE',
    `${source} is no list of networks: ${wrong} of ${plural(lines, 'line')} name none; ${example}`,
    'It has to have an address, a network or a range a line.',
  );
}

function refuseWide({ prefixes }: NetworkList, { source, level }: Measure): void {
  const wide = letsIn(level) ? undefined : prefixes.find(({ family, bits }) => bits < WIDEST[family]);
  if (wide === undefined) return;
  throw unfit(
    'FEED_WIDE',
    `${source} has ${formatPrefix(wide)}, which would keep a large part of the Internet out`,
    'Use another list; to keep everybody out but some, write a rule of your own.',
  );
}

function unfit(code: string, message: string, hint: string): MtpError {
  return new MtpError(code, message, { exit: EXIT.precondition, hint });
}
